"""Linear, convolutional and transposed convolutional layers, initialised as PyTorch does by default."""

from __future__ import annotations

from math import prod, sqrt

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ratewarp.networks.lowering import Axes, convolve, convolve_transposed, multiply


class Linear(eqx.Module):
    """Affine map `x @ weight + bias`."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    def __init__(self, inputs: int, outputs: int, *, key: Key[Array, ""]):
        self.weight, self.bias = _uniform_pair((inputs, outputs), fan_in=inputs, key=key)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        return multiply(x, self.weight) + self.bias[None]


class Convolution(eqx.Module):
    """Convolution from a large image to a small one, images stored position by position."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " filters"]
    axes: Axes = eqx.field(static=True)

    def __init__(self, channels: int, filters: int, axes: Axes, *, key: Key[Array, ""]):
        shape = (axes[0].kernel, axes[1].kernel, channels, filters)
        self.weight, self.bias = _uniform_pair(shape, fan_in=prod(shape[:3]), key=key)
        self.axes = axes

    def __call__(
        self, large: Float[Array, "height width batch channels"]
    ) -> Float[Array, "small_height small_width batch filters"]:
        return convolve(large, self.weight, self.axes) + self.bias[None, None, None]


class TransposedConvolution(eqx.Module):
    """The way back from a small image to a large one, along the axes of the convolution that it mirrors."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " channels"]
    axes: Axes = eqx.field(static=True)

    def __init__(self, filters: int, channels: int, axes: Axes, *, key: Key[Array, ""]):
        shape = (axes[0].kernel, axes[1].kernel, channels, filters)
        self.weight, self.bias = _uniform_pair(shape, fan_in=prod(shape[:3]), outputs=channels, key=key)
        self.axes = axes

    def __call__(
        self, small: Float[Array, "small_height small_width batch filters"]
    ) -> Float[Array, "height width batch channels"]:
        return convolve_transposed(small, self.weight, self.axes) + self.bias[None, None, None]


def _uniform_pair(
    shape: tuple[int, ...], *, fan_in: int, outputs: int | None = None, key: Key[Array, ""]
) -> tuple[Array, Array]:
    """Weight and bias, uniform on ±1/√fan_in; one draw for both, since every draw costs compile time."""
    bound = 1 / sqrt(fan_in)
    values = jax.random.uniform(key, (prod(shape) + (outputs or shape[-1]),), jnp.float32, -bound, bound)
    return values[: prod(shape)].reshape(shape), values[prod(shape) :]

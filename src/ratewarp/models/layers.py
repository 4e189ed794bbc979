"""Linear, convolutional and transposed convolutional layers, initialised as PyTorch does by default."""

from __future__ import annotations

from math import sqrt

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ratewarp.models.lowering import Axis, convolve


class Linear(eqx.Module):
    """Affine map `x @ weight + bias`."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    def __init__(self, inputs: int, outputs: int, *, key: Key[Array, ""]):
        self.weight, self.bias = _uniform_pair((inputs, outputs), fan_in=inputs, key=key)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        return x @ self.weight + self.bias[None]


class Convolution(eqx.Module):
    """Convolution, plain or transposed, of channels-last images; the axes say which."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " filters"]
    axes: tuple[Axis, Axis] = eqx.field(static=True)

    def __init__(self, channels: int, filters: int, axes: tuple[Axis, Axis], *, key: Key[Array, ""]):
        rows, columns = axes
        fan_in = (filters if rows.transposed else channels) * rows.kernel * columns.kernel
        self.weight, self.bias = _uniform_pair((rows.kernel, columns.kernel, channels, filters), fan_in=fan_in, key=key)
        self.axes = axes

    def __call__(self, images: Float[Array, "batch height width channels"]) -> Float[Array, "batch out_height out_width filters"]:
        return convolve(images, self.weight, self.axes) + self.bias[None, None, None]


def _uniform_pair(shape: tuple[int, ...], *, fan_in: int, key: Key[Array, ""]) -> tuple[Array, Array]:
    """Weight and bias, uniform on ±1/√fan_in."""
    weight_key, bias_key = jax.random.split(key)
    bound = 1 / sqrt(fan_in)
    weight = jax.random.uniform(weight_key, shape, jnp.float32, -bound, bound)
    bias = jax.random.uniform(bias_key, shape[-1:], jnp.float32, -bound, bound)
    return weight, bias

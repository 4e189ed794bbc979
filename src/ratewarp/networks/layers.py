"""Linear, convolutional and transposed convolutional layers, initialised as PyTorch does by default."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ratewarp.networks.axis import Axes
from ratewarp.networks.lowering import Prepared, Way, convolve, convolve_transposed, prepare
from ratewarp.networks.products import multiply


class Linear(eqx.Module):
    """Affine map `x @ weight + bias`."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    def __init__(self, inputs: int, outputs: int, *, key: Key[Array, ""]):
        self.weight, self.bias = _uniform_pair((inputs, outputs), fan_in=inputs, key=key)

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        return multiply(x, self.weight) + self.bias[None]


@dataclass(frozen=True)
class Shape:
    """Sizes of a convolution, or of the transposed one that mirrors it, and how it is computed.

    Attributes:
        axes: rows and columns.
        channels: of the large image.
        filters: channels of the small image.
        way: of `lowering`.
    """

    axes: Axes
    channels: int
    filters: int
    way: Way

    @property
    def weight(self) -> tuple[int, int, int, int]:
        return self.axes[0].kernel, self.axes[1].kernel, self.channels, self.filters


class Convolution(eqx.Module):
    """Convolution from a large image to a small one, images stored position by position."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " filters"]
    axes: Axes = eqx.field(static=True)
    way: Way = eqx.field(static=True)

    def __init__(self, shape: Shape, *, key: Key[Array, ""]):
        fan_in = prod(shape.weight[:3])
        self.weight, self.bias = _uniform_pair(shape.weight, fan_in=fan_in, key=key)
        self.axes, self.way = shape.axes, shape.way

    def prepared(self) -> Prepared:
        """The weight in the form that a call takes."""
        return prepare(self.weight, self.axes, self.way)

    def __call__(
        self, large: Float[Array, "height width batch channels"], weight: Prepared
    ) -> Float[Array, "small_height small_width batch filters"]:
        return convolve(large, weight, self.axes, self.way) + self.bias[None, None, None]


class TransposedConvolution(eqx.Module):
    """The way back from a small image to a large one, along the axes of the convolution that it mirrors."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " channels"]
    axes: Axes = eqx.field(static=True)
    way: Way = eqx.field(static=True)

    def __init__(self, shape: Shape, *, key: Key[Array, ""]):
        fan_in = prod(shape.weight[:3])
        self.weight, self.bias = _uniform_pair(shape.weight, fan_in=fan_in, outputs=shape.channels, key=key)
        self.axes, self.way = shape.axes, shape.way

    def prepared(self) -> Prepared:
        """The weight in the form that a call takes."""
        return prepare(self.weight, self.axes, self.way)

    def __call__(
        self, small: Float[Array, "small_height small_width batch filters"], weight: Prepared
    ) -> Float[Array, "height width batch channels"]:
        return convolve_transposed(small, weight, self.axes, self.way) + self.bias[None, None, None]


def _uniform_pair(
    shape: tuple[int, ...], *, fan_in: int, outputs: int | None = None, key: Key[Array, ""]
) -> tuple[Array, Array]:
    """Weight and bias, uniform on ±1/√fan_in; one draw for both, since every draw costs compile time."""
    bound = 1 / sqrt(fan_in)
    values = jax.random.uniform(key, (prod(shape) + (outputs or shape[-1]),), jnp.float32, -bound, bound)
    return values[: prod(shape)].reshape(shape), values[prod(shape) :]

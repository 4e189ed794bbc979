"""Linear, convolutional and transposed convolutional layers, initialised as PyTorch does by default."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ratewarp.networks.axis import Axes
from ratewarp.networks.lowering import PART_BY_PART, Prepared, Way, convolve, convolve_transposed, prepare
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
        """Shape of the weight."""
        return self.axes[0].kernel, self.axes[1].kernel, self.channels, self.filters

    @property
    def numbers(self) -> int:
        """Of a large and a small image, for ways that take large batches part by part; else 0."""
        large = prod(axis.size for axis in self.axes) * self.channels
        small = prod(axis.output_size for axis in self.axes) * self.filters
        return large + small if self.way in PART_BY_PART else 0


class Convolution(eqx.Module):
    """Convolution from a large image to a small one, images stored position by position."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " filters"]
    shape: Shape = eqx.field(static=True)

    def __init__(self, shape: Shape, *, key: Key[Array, ""]):
        fan_in = prod(shape.weight[:3])
        self.weight, self.bias = _uniform_pair(shape.weight, fan_in=fan_in, key=key)
        self.shape = shape

    def prepared(self) -> Prepared:
        """The weight in the form that a call takes."""
        return prepare(self.weight, self.shape.axes, self.shape.way)

    def __call__(
        self, large: Float[Array, "height width batch channels"], weight: Prepared
    ) -> Float[Array, "small_height small_width batch filters"]:
        return convolve(large, weight, self.shape.axes, self.shape.way) + self.bias[None, None, None]


class TransposedConvolution(eqx.Module):
    """The way back from a small image to a large one, along the axes of the convolution that it mirrors."""

    weight: Float[Array, "taps_down taps_across channels filters"]
    bias: Float[Array, " channels"]
    shape: Shape = eqx.field(static=True)

    def __init__(self, shape: Shape, *, key: Key[Array, ""]):
        fan_in = prod(shape.weight[:3])
        self.weight, self.bias = _uniform_pair(shape.weight, fan_in=fan_in, outputs=shape.channels, key=key)
        self.shape = shape

    def prepared(self) -> Prepared:
        """The weight in the form that a call takes."""
        return prepare(self.weight, self.shape.axes, self.shape.way)

    def __call__(
        self, small: Float[Array, "small_height small_width batch filters"], weight: Prepared
    ) -> Float[Array, "height width batch channels"]:
        return (
            convolve_transposed(small, weight, self.shape.axes, self.shape.way) + self.bias[None, None, None]
        )


def _uniform_pair(
    shape: tuple[int, ...], *, fan_in: int, outputs: int | None = None, key: Key[Array, ""]
) -> tuple[Array, Array]:
    """Weight and bias, uniform on ±1/√fan_in; one draw for both, since every draw costs compile time."""
    bound = 1 / sqrt(fan_in)
    values = jax.random.uniform(key, (prod(shape) + (outputs or shape[-1]),), jnp.float32, -bound, bound)
    return values[: prod(shape)].reshape(shape), values[prod(shape) :]

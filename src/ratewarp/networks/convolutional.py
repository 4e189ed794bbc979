"""Convolutional encoder and decoder; the default is the published network."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Annotated, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
from pydantic import BaseModel, ConfigDict, Field

from ratewarp._checks import refuse
from ratewarp.networks.layers import Convolution, Linear, TransposedConvolution
from ratewarp.networks.lowering import Axes, Axis, multiply
from ratewarp.networks.network import AutoEncoder, ImageShape, Latents

LEAK = 0.01


class ConvolutionConfig(BaseModel):
    """One convolution of the encoder, mirrored in the decoder: number of filters, and kernel, stride and
    padding in pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: Annotated[int, Field(ge=1, le=4096)]
    kernel: Annotated[int, Field(ge=1, le=64)] = 3
    stride: Annotated[int, Field(ge=1, le=16)] = 2
    padding: Annotated[int, Field(ge=0, le=32)] = 1


class Convolutional(BaseModel):
    """Convolutions down to a code, and the same transposed back; the default is the published network.

    Attributes:
        latents: dimensions of the code.
        convolutions: of the encoder, from the image on.

    Examples:
        >>> import jax
        >>> networks = Convolutional().build((13, 13, 1), key=jax.random.key(0))
        >>> sum(leaf.size for leaf in jax.tree.leaves(networks))
        349643
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["convolutional"] = "convolutional"
    latents: Latents = 5
    convolutions: Annotated[tuple[ConvolutionConfig, ...], Field(min_length=1)] = (
        ConvolutionConfig(filters=32, kernel=4),
        ConvolutionConfig(filters=64),
        ConvolutionConfig(filters=256),
    )

    def build(self, image_shape: ImageShape, *, key: Key[Array, ""]) -> AutoEncoder:
        encoder_key, decoder_key = jax.random.split(key)
        return AutoEncoder(
            Encoder(self, image_shape, key=encoder_key), Decoder(self, image_shape, key=decoder_key)
        )

    def check(self, image_shape: ImageShape) -> None:
        """Raises `RequestError` if a convolution does not fit into its input."""
        for index, axes in enumerate(encoder_axes(self, image_shape)):
            if any(axis.size + 2 * axis.padding < axis.kernel for axis in axes):
                size = " × ".join(str(axis.size) for axis in axes)
                refuse(
                    f"network.convolutions.{index}",
                    f"small enough for its input of {size} pixels",
                    self.convolutions[index].model_dump(),
                )


class Encoder(eqx.Module):
    """Image to Gaussian posterior: convolutions, then two linear maps to mean and log variance."""

    convolutions: tuple[Convolution, ...]
    mean: Linear
    log_variance: Linear

    def __init__(self, config: Convolutional, image_shape: ImageShape, *, key: Key[Array, ""]):
        keys = jax.random.split(key, len(config.convolutions) + 2)
        axes = encoder_axes(config, image_shape)
        channels = (image_shape[2], *(c.filters for c in config.convolutions))
        self.convolutions = tuple(
            Convolution(a, b, ax, key=k)
            for (a, b), ax, k in zip(pairwise(channels), axes, keys[2:], strict=True)
        )
        features = prod(_bottom_shape(config, image_shape))
        self.mean = Linear(features, config.latents, key=keys[0])
        self.log_variance = Linear(features, config.latents, key=keys[1])

    def __call__(
        self, images: Float[Array, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        """Posterior mean and log variance of each image's code."""
        # position by position, so that a tap of a kernel is one product over the batch
        hidden = jnp.moveaxis(images, 0, 2)
        for convolution in self.convolutions:
            hidden = jax.nn.leaky_relu(convolution(hidden), LEAK)
        features = jnp.moveaxis(hidden, 2, 0).reshape(len(images), -1)
        # one product is cheaper
        both = multiply(features, jnp.concatenate([self.mean.weight, self.log_variance.weight], axis=1))
        mean, log_variance = jnp.split(both, 2, axis=1)
        return mean + self.mean.bias[None], log_variance + self.log_variance.bias[None]


class Decoder(eqx.Module):
    """Code to image: a linear map, then the encoder's convolutions transposed, in reverse, with leaky ReLU
    between those.
    """

    linear: Linear
    convolutions: tuple[TransposedConvolution, ...]
    bottom_shape: tuple[int, int, int] = eqx.field(static=True)

    def __init__(self, config: Convolutional, image_shape: ImageShape, *, key: Key[Array, ""]):
        keys = jax.random.split(key, len(config.convolutions) + 1)
        self.bottom_shape = _bottom_shape(config, image_shape)
        self.linear = Linear(config.latents, prod(self.bottom_shape), key=keys[0])
        axes = reversed(encoder_axes(config, image_shape))
        channels = (*(c.filters for c in reversed(config.convolutions)), image_shape[2])
        self.convolutions = tuple(
            TransposedConvolution(a, b, ax, key=k)
            for (a, b), ax, k in zip(pairwise(channels), axes, keys[1:], strict=True)
        )

    def __call__(self, codes: Float[Array, "batch latents"]) -> Float[Array, "batch height width channels"]:
        """Image of each code, before the likelihood's last nonlinearity."""
        hidden = jnp.moveaxis(self.linear(codes).reshape(len(codes), *self.bottom_shape), 0, 2)
        for convolution in self.convolutions[:-1]:
            hidden = jax.nn.leaky_relu(convolution(hidden), LEAK)
        return jnp.moveaxis(self.convolutions[-1](hidden), 2, 0)


def encoder_axes(config: Convolutional, image_shape: ImageShape) -> tuple[Axes, ...]:
    """Axes (rows, columns) of each of the encoder's convolutions, from image to bottom."""
    layers = []
    sizes = image_shape[:2]
    for layer in config.convolutions:
        rows, columns = (Axis(size, layer.kernel, layer.stride, layer.padding) for size in sizes)
        layers.append((rows, columns))
        sizes = (rows.output_size, columns.output_size)
    return tuple(layers)


def _bottom_shape(config: Convolutional, image_shape: ImageShape) -> tuple[int, int, int]:
    rows, columns = encoder_axes(config, image_shape)[-1]
    return rows.output_size, columns.output_size, config.convolutions[-1].filters

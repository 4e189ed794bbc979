"""Convolutional encoder and decoder; the default is the published network."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from ratewarp._checks import refuse
from ratewarp.networks.axis import Axis
from ratewarp.networks.by_size import ConvolutionConfig, by_size
from ratewarp.networks.chunks import Step, through
from ratewarp.networks.layers import Convolution, Linear, Shape, TransposedConvolution
from ratewarp.networks.lowering import way_of
from ratewarp.networks.network import AutoEncoder, ImageShape, Latents
from ratewarp.networks.products import multiply

LEAK = 0.01

# told apart by hand, so that what is wrong is said of the one that was meant
Convolutions = Annotated[
    Annotated[Literal["by size"], Tag("text")]
    | Annotated[tuple[ConvolutionConfig, ...], Field(min_length=1), Tag("list")],
    Discriminator(lambda given: "text" if isinstance(given, str) else "list"),
]


class Convolutional(BaseModel):
    """Convolutions down to a code, and the same transposed back; the default is the published network.

    Attributes:
        latents: dimensions of the code.
        convolutions: of the encoder, from the image on; or `by size`: as many of kernel 4, stride 2 and
            padding 1 as bring both sides of the image to 4 pixels or fewer, with 32, 32, 64, 64, 128, 128 and
            then 256 filters.

    Examples:
        >>> import jax
        >>> networks = Convolutional().build((13, 13, 1), key=jax.random.key(0))
        >>> sum(leaf.size for leaf in jax.tree.leaves(networks))
        349643
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["convolutional"] = "convolutional"
    latents: Latents = 5
    convolutions: Convolutions = (
        ConvolutionConfig(filters=32, kernel=4),
        ConvolutionConfig(filters=64),
        ConvolutionConfig(filters=256),
    )

    def layers(self, image_shape: ImageShape) -> tuple[ConvolutionConfig, ...]:
        """The encoder's convolutions for images of that shape.

        Examples:
            >>> [layer.filters for layer in Convolutional(convolutions="by size").layers((28, 28, 1))]
            [32, 32, 64]
        """
        return by_size(image_shape) if self.convolutions == "by size" else self.convolutions

    def build(self, image_shape: ImageShape, *, key: Key[Array, ""]) -> AutoEncoder:
        encoder_key, decoder_key = jax.random.split(key)
        return AutoEncoder(
            Encoder(self, image_shape, key=encoder_key), Decoder(self, image_shape, key=decoder_key)
        )

    def check(self, image_shape: ImageShape) -> None:
        """Raises `RequestError` if a convolution does not fit into its input."""
        # whatever the backend: sizes do not depend on it, and a study must not start JAX before the run does
        for index, layer in enumerate(encoder_shapes(self, image_shape, "cpu")):
            if any(axis.size + 2 * axis.padding < axis.kernel for axis in layer.axes):
                size = " × ".join(str(axis.size) for axis in layer.axes)
                refuse(
                    f"network.convolutions.{index}",
                    f"small enough for its input of {size} pixels",
                    self.layers(image_shape)[index].model_dump(),
                )


class Encoder(eqx.Module):
    """Image to Gaussian posterior: convolutions, then two linear maps to mean and log variance."""

    convolutions: tuple[Convolution, ...]
    mean: Linear
    log_variance: Linear

    def __init__(self, config: Convolutional, image_shape: ImageShape, *, key: Key[Array, ""]):
        shapes = encoder_shapes(config, image_shape)
        keys = jax.random.split(key, len(shapes) + 2)
        self.convolutions = tuple(Convolution(s, key=k) for s, k in zip(shapes, keys[2:], strict=True))
        features = prod(_bottom_shape(shapes))
        self.mean = Linear(features, config.latents, key=keys[0])
        self.log_variance = Linear(features, config.latents, key=keys[1])

    def __call__(
        self, images: Float[Array, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        """Posterior mean and log variance of each image's code."""
        features = through([_step(one) for one in self.convolutions], images).reshape(len(images), -1)
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
        shapes = encoder_shapes(config, image_shape)
        keys = jax.random.split(key, len(shapes) + 1)
        self.bottom_shape = _bottom_shape(shapes)
        self.linear = Linear(config.latents, prod(self.bottom_shape), key=keys[0])
        self.convolutions = tuple(
            TransposedConvolution(s, key=k) for s, k in zip(reversed(shapes), keys[1:], strict=True)
        )

    def __call__(self, codes: Float[Array, "batch latents"]) -> Float[Array, "batch height width channels"]:
        """Image of each code, before the likelihood's last nonlinearity."""
        hidden = self.linear(codes).reshape(len(codes), *self.bottom_shape)
        *most, last = self.convolutions
        return through([*(_step(one) for one in most), _step(last, leaky=False)], hidden)


def _step(layer: Convolution | TransposedConvolution, leaky: bool = True) -> Step:
    """A layer, and leaky ReLU."""
    weight = layer.prepared()  # here, and not for each part of a batch

    def apply(hidden: Array) -> Array:
        found = layer(hidden, weight)
        return jax.nn.leaky_relu(found, LEAK) if leaky else found

    return Step(apply, layer.shape.numbers)


def encoder_shapes(
    config: Convolutional, image_shape: ImageShape, backend: str | None = None
) -> tuple[Shape, ...]:
    """Sizes and ways of the encoder's convolutions, from image to bottom; the decoder's are the same in
    reverse. On the backend of this process if none is given, which starts JAX.
    """
    found = []
    (*sizes, channels), backend = image_shape, backend or jax.default_backend()
    for layer in config.layers(image_shape):
        rows, columns = (Axis(size, layer.kernel, layer.stride, layer.padding) for size in sizes)
        way = way_of((rows, columns), channels, prod(image_shape[:2]), backend)
        found.append(Shape((rows, columns), channels, layer.filters, way))
        sizes, channels = (rows.output_size, columns.output_size), layer.filters
    return tuple(found)


def _bottom_shape(shapes: tuple[Shape, ...]) -> tuple[int, int, int]:
    rows, columns = shapes[-1].axes
    return rows.output_size, columns.output_size, shapes[-1].filters

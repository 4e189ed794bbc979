"""A multilayer perceptron: fully connected encoder and decoder, for images of any shape and for responses of
neurons.
"""

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
from ratewarp.networks.layers import Linear
from ratewarp.networks.network import AutoEncoder, ImageShape, Latents

ACTIVATIONS = {"relu": jax.nn.relu, "gelu": jax.nn.gelu, "tanh": jnp.tanh, "softplus": jax.nn.softplus}
_MOST_WEIGHTS = 100_000_000


class MLP(BaseModel):
    """Fully connected layers down to a code, and the same widths back.

    Attributes:
        latents: dimensions of the code.
        widths: of the encoder's hidden layers, from the image on; the decoder's are the same in reverse.
        activation: after every hidden layer.

    Examples:
        >>> import jax
        >>> networks = MLP(latents=2, widths=(8,)).build((3, 1, 1), key=jax.random.key(0))
        >>> networks.decode(networks.encode(jnp.zeros((4, 3, 1, 1)))[0]).shape
        (4, 3, 1, 1)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["mlp"] = "mlp"
    latents: Latents = 5
    widths: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(min_length=1, max_length=32)
    ] = (256, 256)
    activation: Literal["relu", "gelu", "tanh", "softplus"] = "relu"

    def build(self, image_shape: ImageShape, *, key: Key[Array, ""]) -> AutoEncoder:
        encoder_key, decoder_key = jax.random.split(key)
        pixels = prod(image_shape)
        encoder = _Layers((pixels, *self.widths, 2 * self.latents), self.activation, key=encoder_key)
        decoder = _Layers((self.latents, *reversed(self.widths), pixels), self.activation, key=decoder_key)
        return AutoEncoder(_Encoder(encoder), _Decoder(decoder, image_shape))

    def check(self, image_shape: ImageShape) -> None:
        """Raises `RequestError` if it would have more than 100 million weights."""
        sizes = (prod(image_shape), *self.widths, 2 * self.latents)
        weights = 2 * sum(a * b for a, b in pairwise(sizes))
        if weights > _MOST_WEIGHTS:
            refuse(
                "network.widths",
                f"such that the network has at most {_MOST_WEIGHTS:,} weights",
                f"{weights:,}",
            )


class _Layers(eqx.Module):
    """Linear maps with an activation between them."""

    maps: tuple[Linear, ...]
    activation: str = eqx.field(static=True)

    def __init__(self, sizes: tuple[int, ...], activation: str, *, key: Key[Array, ""]):
        keys = jax.random.split(key, len(sizes) - 1)
        self.maps = tuple(Linear(a, b, key=k) for (a, b), k in zip(pairwise(sizes), keys, strict=True))
        self.activation = activation

    def __call__(self, inputs: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        for linear in self.maps[:-1]:
            inputs = ACTIVATIONS[self.activation](linear(inputs))
        return self.maps[-1](inputs)


class _Encoder(eqx.Module):
    layers: _Layers

    def __call__(
        self, images: Float[Array, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        mean, log_variance = jnp.split(self.layers(images.reshape(len(images), -1)), 2, axis=1)
        return mean, log_variance


class _Decoder(eqx.Module):
    layers: _Layers
    image_shape: ImageShape = eqx.field(static=True)

    def __call__(self, codes: Float[Array, "batch latents"]) -> Float[Array, "batch height width channels"]:
        return self.layers(codes).reshape(len(codes), *self.image_shape)

"""What every network offers: a frozen configuration that builds an encoder and a decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
from pydantic import Field

ImageShape = tuple[int, int, int]
"""Height, width and channels."""

Latents = Annotated[int, Field(ge=1, le=1024)]


class Networks(Protocol):
    """Encoder and decoder: what a configuration builds. An Equinox module; its float32 arrays are what is
    trained.
    """

    def encode(
        self, images: Float[Array, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        """Posterior mean and log variance of each image's code."""
        ...

    def decode(self, codes: Float[Array, "batch latents"]) -> Float[Array, "batch height width channels"]:
        """Image of each code, before the likelihood's last nonlinearity."""
        ...


class Network(Protocol):
    """The configuration of a network: hashable, and equal to another where that builds the same."""

    @property
    def latents(self) -> int:
        """Dimensions of the code."""
        ...

    def build(self, image_shape: ImageShape, *, key: Key[Array, ""]) -> Networks:
        """Encoder and decoder for images of that shape; the same for the same key."""
        ...

    def check(self, image_shape: ImageShape) -> None:
        """Raises `RequestError` if it cannot be built for images of that shape."""
        ...


class AutoEncoder(eqx.Module):
    """An encoder and a decoder that are modules of their own."""

    encoder: Callable
    decoder: Callable

    def encode(
        self, images: Float[Array, "batch height width channels"]
    ) -> tuple[Float[Array, "batch latents"], Float[Array, "batch latents"]]:
        return self.encoder(images)

    def decode(self, codes: Float[Array, "batch latents"]) -> Float[Array, "batch height width channels"]:
        return self.decoder(codes)


def sample_codes(
    mean: Float[Array, "batch latents"], log_variance: Float[Array, "batch latents"], *, key: Key[Array, ""]
) -> Float[Array, "batch latents"]:
    """One draw from each image's posterior."""
    return mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)


def latent_rates(
    mean: Float[Array, "batch latents"], log_variance: Float[Array, "batch latents"]
) -> Float[Array, "batch latents"]:
    """KL(q(z_l|x) ‖ N(0, 1)) of every latent, nats."""
    return 0.5 * (mean**2 + jnp.exp(log_variance) - log_variance - 1)

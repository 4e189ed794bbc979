"""Gaussian noise on 8-bit pixels, and the exact mean of what it leaves once rounded and cut to 0–255."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8
from scipy.special import ndtr


def with_noise(
    clean: UInt8[Array, "images height width channels"], noise: float, *, keys: Key[Array, " images"]
) -> UInt8[Array, "images height width channels"]:
    """Clean images plus independent noise, rounded and cut to 0–255.

    Arguments:
        clean: images without noise.
        noise: standard deviation, in units of the range of pixels.
        keys: one key per image.
    """
    if noise == 0:
        return clean
    draws = jax.vmap(lambda key: jax.random.normal(key, clean.shape[1:]))(keys)
    return jnp.clip(jnp.round(clean.astype(jnp.float32) + 255 * noise * draws), 0, 255).astype(jnp.uint8)


@cache
def mean_with_noise(noise: float) -> Float[np.ndarray, "256"]:
    """Mean of a noisy pixel, as a number 0–1, for every value of the clean one: with s = 255 · noise, the
    chance of at least k, Φ((value − k + ½) / s), summed over k = 1 … 255 and divided by 255.

    Examples:
        >>> mean_with_noise(0.1)[[0, 128, 255]].round(3)
        array([0.04 , 0.502, 0.96 ])
    """
    values = np.arange(256.0)
    if noise == 0:
        return values / 255
    steps = values[:, None] - np.arange(1, 256) + 0.5
    return ndtr(steps / (255 * noise)).sum(axis=1) / 255

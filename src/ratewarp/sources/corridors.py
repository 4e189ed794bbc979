"""The Corridors source: two corridors at independent places, seen through pixel noise."""

from __future__ import annotations

from functools import cache
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8
from pydantic import BaseModel, ConfigDict

SIZE = 13
MIDDLE = 6
NOISE_WIDTH = 1.2  # standard deviation of the corridor profile, pixels
_DRAW_BITS = 31  # resolution of a pixel's draw: probabilities are exact to 2⁻³²


class Corridors(BaseModel):
    """Images of 13 × 13 pixels, 1 = wall and 0 = corridor, with an upper and a lower corridor at columns x_UC and x_LC.

    Rows 0–5 hold the upper corridor, row 6 is all corridor, rows 7–12 hold the lower one. A pixel in column c of a
    corridor's rows is corridor with probability exp(−(c − x)² / (2 · 1.2²)), independently of all others. The 13 × 13 = 169
    stimuli are numbered x_UC · 13 + x_LC.

    Draws compare random integers with a table of integers, so a key gives the same image on every platform.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025, Methods.

    Examples:
        >>> import jax
        >>> corridors = Corridors()
        >>> image = corridors.sample(np.array([3 * 13 + 9]), keys=jax.random.split(jax.random.key(0), 1))[0]
        >>> image.shape, int(image[0, 3]), int(image[6].sum()), int(image[12, 9])
        ((13, 13), 0, 0, 0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["corridors"] = "corridors"

    @property
    def image_shape(self) -> tuple[int, int]:
        return SIZE, SIZE

    @property
    def factor_names(self) -> tuple[str, str]:
        return "x_UC", "x_LC"

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        return np.indices((SIZE, SIZE)).reshape(2, -1).T

    @property
    def independent_pixels(self) -> bool:
        return True

    def mean_images(self) -> Float[np.ndarray, "stimuli height width"]:
        """Probability of wall at every pixel of every stimulus, 0–1."""
        return np.stack([1 - _corridor_probability()[offsets] for offsets in _offsets()])

    def sample(self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]) -> UInt8[Array, "images height width"]:
        """One image of each given stimulus.

        Arguments:
            stimuli: stimulus indices, 0–168.
            keys: one key an image.

        Returns:
            Images of 0 (corridor) and 1 (wall).
        """
        thresholds = jnp.asarray(np.round(_corridor_probability() * 2.0**_DRAW_BITS).astype(np.uint32))
        offsets = jnp.asarray(_offsets())

        def draw(stimulus: Array, key: Array) -> Array:
            bits = jax.random.bits(key, (SIZE, SIZE), jnp.uint32) >> (32 - _DRAW_BITS)
            return (bits >= thresholds[offsets[stimulus]]).astype(jnp.uint8)

        return jax.vmap(draw)(jnp.asarray(stimuli), keys)


@cache
def _corridor_probability() -> np.ndarray:
    """Probability of corridor at column offset 0–12 from the corridor's place; the last entry, 1, is the middle row's."""
    offsets = np.arange(SIZE)
    return np.append(np.exp(-(offsets**2) / (2 * NOISE_WIDTH**2)), 1.0)


@cache
def _offsets() -> np.ndarray:
    """For every stimulus and pixel, the entry of `_corridor_probability` that holds there."""
    upper, lower = np.indices((SIZE, SIZE)).reshape(2, -1, 1, 1)
    rows, columns = np.indices((SIZE, SIZE))
    offset = np.abs(columns - np.where(rows < MIDDLE, upper, lower))
    return np.where(rows == MIDDLE, SIZE, offset)

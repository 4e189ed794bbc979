"""Pixels: how a source stores them, and the numbers that networks and measures see."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num


class Pixels(NamedTuple):
    """One way to store pixels.

    Attributes:
        dtype: of stored images.
        largest: stored value that is the number 1; None where stored values are the numbers themselves.
        limits: smallest and largest stored value.
    """

    dtype: np.dtype
    largest: float | None
    limits: tuple[float, float]

    def numbers(self, images: Num[Array, "..."]) -> Float[Array, "..."]:
        """Stored images as numbers, float32; those of binary and 8-bit images are 0–1."""
        numbers = images.astype(jnp.float32)
        return numbers if self.largest is None else numbers / self.largest

    def host_numbers(self, images: Num[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The same on the host, float64."""
        return images.astype(float) / (self.largest or 1.0)


PIXELS = {
    "binary": Pixels(np.dtype(np.uint8), None, (0, 1)),
    "8-bit": Pixels(np.dtype(np.uint8), 255.0, (0, 255)),
    "16-bit": Pixels(np.dtype(np.uint16), 65535.0, (0, 65535)),
    "real": Pixels(np.dtype(np.float32), None, (-1e6, 1e6)),
    "count": Pixels(np.dtype(np.uint16), None, (0, 65_535)),
}

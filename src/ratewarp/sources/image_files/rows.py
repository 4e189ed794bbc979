"""Rows of images in a file, read as they are asked for: what every reader offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Int, Num


class Rows(Protocol):
    """A set of images in one place, by number.

    Attributes:
        count: how many there are.
        row: shape of one of them, as it is stored.
        dtype: in which they are stored.
        together: rows that cost as much as one of them.
        sound: whether nothing can be wrong with a row, whatever its bytes are.
    """

    count: int
    row: tuple[int, ...]
    dtype: np.dtype
    together: int
    sound: bool

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Rows in the order that is asked for; several threads may ask."""
        ...


class HeldRows:
    """Rows of an array in memory."""

    def __init__(self, array: np.ndarray):
        self.array = array
        self.count, self.row, self.dtype = len(array), array.shape[1:], array.dtype
        self.together, self.sound = 1, array.dtype.kind in "biu"

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Rows of the array."""
        return self.array[rows]

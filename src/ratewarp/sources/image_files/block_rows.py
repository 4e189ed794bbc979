"""Rows that come in blocks, such as the chunks of HDF5 and Zarr: a block is read once for all its rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import prod

import numpy as np
from jaxtyping import Int, Num

from ratewarp._checks import refuse

_KEPT = 64_000_000  # bytes of blocks that are kept for what is asked next
_LARGEST = 10**9  # bytes of one block
_PIECE = 2**20  # bytes read together of an array that has no chunks


class BlockRows:
    """Rows of an array that is read by ranges of rows; the last blocks are kept."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[int, int], np.ndarray],
        shape: tuple[int, ...],
        dtype: np.dtype,
        chunk: int | None,
    ):
        """
        Arguments:
            name: what the array is called in messages.
            fetch: reads rows from … to ….
            shape: of the whole array.
            dtype: of it.
            chunk: rows of a chunk; None where it has none.

        Raises:
            RequestError: chunks so large that one of them would fill the memory.
        """
        self.count, self.row, self.dtype, self.sound = shape[0], shape[1:], dtype, False
        size = max(1, prod(shape[1:]) * dtype.itemsize)
        self.together = min(chunk or max(1, _PIECE // size), max(1, self.count))
        if self.together * size > _LARGEST:
            requirement = f"in chunks of at most {_LARGEST / 1e9:g} GB, of whole images; save it anew"
            refuse(name, requirement, f"chunks of {self.together * size / 1e9:.1f} GB")
        self._fetch, self._most = fetch, max(1, _KEPT // (self.together * size))
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, np.ndarray] = OrderedDict()

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Rows in the order that is asked for; every block is read once, in the order of the file."""
        found = np.empty((len(rows), *self.row), self.dtype)
        blocks = rows // self.together
        order = np.argsort(blocks, kind="stable")
        borders = np.flatnonzero(np.diff(blocks[order])) + 1
        for here in np.split(order, borders) if len(rows) else []:
            number = int(blocks[here[0]])
            found[here] = self._block(number)[rows[here] - number * self.together]
        return found

    def _block(self, number: int) -> np.ndarray:
        with self._lock:
            if number in self._blocks:
                self._blocks.move_to_end(number)
                return self._blocks[number]
            start = number * self.together
            block = self._fetch(start, min(start + self.together, self.count))
            self._blocks[number] = block
            while len(self._blocks) > self._most:
                self._blocks.popitem(last=False)
            return block

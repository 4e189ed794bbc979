"""Rows that lie one after the other in a file: read by position, so that the file is never mapped into
memory.
"""

from __future__ import annotations

import os
import threading
from math import prod
from pathlib import Path
from typing import Any, cast
from weakref import finalize

import numpy as np
from jaxtyping import Int, Num

from ratewarp.formats.content import UnreadableError


class PositionedRows:
    """Rows of an array whose numbers stand in a file from some byte on, uncompressed, row after row.

    Pages of a mapped file would count as memory of this process; what is read by position stays in the
    system's cache.
    """

    def __init__(self, path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype):
        self.count, self.row, self.dtype = shape[0], shape[1:], dtype
        self.together, self.sound = 1, dtype.kind in "biu"
        self._start, self._size = start, prod(shape[1:]) * dtype.itemsize
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()
        finalize(self, os.close, self._file)
        if start + self.count * self._size > os.fstat(self._file).st_size:
            raise UnreadableError("cannot be read: it ends before its array does")

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Rows in the order that is asked for; those that follow each other are read at once."""
        found = np.empty((len(rows), self._size), np.uint8)
        room = memoryview(cast(Any, found)).cast("B") if found.size else memoryview(b"")
        ends = np.flatnonzero(np.diff(rows) != 1) + 1
        size, first = self._size, 0
        for last in (*ends.tolist(), len(rows)):
            if first < last:
                self._fill(room[first * size : last * size], self._start + int(rows[first]) * size)
            first = last
        return found.reshape(-1).view(self.dtype).reshape(len(rows), *self.row)

    def _fill(self, room: memoryview, place: int) -> None:
        done = 0
        while done < len(room):
            read = self._read_into(room[done:], place + done)
            if not read:
                raise UnreadableError("cannot be read: it ends before its array does")
            done += read

    def _read_into(self, room: memoryview, place: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file, [room], place)
        with self._lock:  # where a system can only read on from where it is
            os.lseek(self._file, place, os.SEEK_SET)
            data = os.read(self._file, len(room))
        room[: len(data)] = data
        return len(data)

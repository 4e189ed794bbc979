"""Arrays in NumPy's own formats, npy and npz: headers first, then the array, without copies."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.formats.content import OBJECTS, Content, UnreadableError
from ratewarp.formats.limits import check_unpacked

_PIECE = 2**24  # bytes read at a time


class Header(NamedTuple):
    """What stands before an array."""

    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype
    length: int

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path) -> Content:
    """The one array of an npy file, under the name `codes`."""
    with path.open("rb") as stream:
        header = read_header(stream)
        if header.dtype.hasobject:
            raise RequestError(f"{path} {OBJECTS}")
        check_length(header, path.stat().st_size)

    def one(_: str) -> np.ndarray:
        with path.open("rb") as stream:
            return read_array(stream, read_header(stream))

    return Content({"codes": header.shape}, one, tabular=False)


def read_npz(path: Path) -> Content:
    """The arrays of an npz file."""
    shapes: dict[str, tuple[int, ...]] = {}
    refused: dict[str, str] = {}
    packed = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            check_unpacked(f"{path}: {name}", entry.file_size, min(entry.compress_size, packed))
            with archive.open(entry) as stream:
                header = read_header(stream)
            if header.dtype.hasobject:
                refused[name] = OBJECTS
                continue
            check_length(header, entry.file_size)
            shapes[name] = header.shape

    def one(key: str) -> np.ndarray:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            with archive.open(f"{key}.npy" if f"{key}.npy" in names else key) as stream:
                return read_array(stream, read_header(stream))

    return Content(shapes, one, tabular=False, refused=refused)


def read_header(stream: IO[bytes]) -> Header:
    """Shape, order and type of an array in NumPy's format."""
    version = np.lib.format.read_magic(stream)
    formats = np.lib.format
    read: Any = formats.read_array_header_1_0 if version == (1, 0) else formats.read_array_header_2_0
    shape, by_column, dtype = read(stream)
    if any(isinstance(side, bool) or side < 0 for side in shape):
        raise UnreadableError(f"cannot be read: its header says a shape that no array has, {shape}")
    return Header(shape, by_column, dtype, stream.tell())


def check_length(header: Header, size: int) -> None:
    """A file holds what its header says, neither less nor more."""
    if header.length + header.size != size:
        held = size - header.length
        raise UnreadableError(
            f"cannot be read: its header says {header.size:,} bytes of numbers; it holds {held:,}"
        )


def read_array(stream: IO[bytes], header: Header) -> np.ndarray:
    """The array behind a header, read into its place."""
    flat = np.empty(math.prod(header.shape), header.dtype)
    if header.size:
        room: Any = flat.view(np.uint8)
        for start in range(0, header.size, _PIECE):
            _fill(stream, memoryview(room)[start : start + _PIECE])
    return flat.reshape(header.shape, order="F" if header.by_column else "C")


def _fill(stream: IO[bytes], piece: memoryview) -> None:
    done = 0
    while done < len(piece):
        data = stream.read(len(piece) - done)
        if not data:
            raise UnreadableError("cannot be read: it ends before its array does")
        piece[done : done + len(data)] = data
        done += len(data)

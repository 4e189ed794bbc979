"""Files that hold images among other arrays: what is in them, and rows of one array, without reading it
whole.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from math import inf, prod
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from ratewarp._checks import RequestError, refuse
from ratewarp.formats.content import OBJECTS, UnreadableError
from ratewarp.formats.hdf5_arrays import ELSEWHERE, as_text, datasets, is_elsewhere, read_dataset, read_netcdf
from ratewarp.formats.limits import check_unpacked
from ratewarp.formats.numpy_arrays import Header, check_length, read_array, read_header
from ratewarp.formats.zarr_folders import check_declared
from ratewarp.sources.image_files.block_rows import BlockRows
from ratewarp.sources.image_files.positioned_rows import PositionedRows
from ratewarp.sources.image_files.rows import HeldRows, Rows

MOST_HELD = 10**9  # bytes of images that are held in memory where a format allows nothing else
TIMES = 1100  # its bytes in the file, that an array of images may have: deflate reaches 1032
_LOCAL = struct.Struct("<4s22xHH")  # what stands before an entry of a zip file
_NOT_A_VARIABLE = "This is a netCDF dimension but not a netCDF variable"
_PACKED = ("scale_factor", "add_offset")


class ArrayFile(NamedTuple):
    """What a file holds.

    Attributes:
        shapes: shape of every array, by name.
        rows: opens the rows of an array.
        read: reads an array whole.
        refused: arrays that cannot be read: what to say of each.
    """

    shapes: Mapping[str, tuple[int, ...]]
    rows: Callable[[str], Rows]
    read: Callable[[str], np.ndarray]
    refused: Mapping[str, str] = MappingProxyType({})


def open_npy(path: Path) -> ArrayFile:
    """The one array of an npy file, under the name `images`."""
    with path.open("rb") as stream:
        header = read_header(stream)
    if header.dtype.hasobject:
        raise RequestError(f"{path} {OBJECTS}")
    check_length(header, path.stat().st_size)

    def read(_: str) -> np.ndarray:
        with path.open("rb") as stream:
            return read_array(stream, read_header(stream))

    def rows(name: str) -> Rows:
        if not _by_row(header):
            return HeldRows(_held(str(path), header, lambda: read(name)))
        return PositionedRows(path, header.length, header.shape, header.dtype)

    return ArrayFile({"images": header.shape}, rows, read)


def open_npz(path: Path) -> ArrayFile:
    """The arrays of an npz file; those that are not compressed are read by position."""
    entries: dict[str, tuple[zipfile.ZipInfo, Header]] = {}
    refused: dict[str, str] = {}
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            packed = min(entry.compress_size, size)
            check_unpacked(f"{path}: {name}", entry.file_size, packed, most=inf, times=TIMES)
            with archive.open(entry) as stream:
                header = read_header(stream)
            if header.dtype.hasobject:
                refused[name] = OBJECTS
                continue
            check_length(header, entry.file_size)
            entries[name] = entry, header

    def read(name: str) -> np.ndarray:
        with zipfile.ZipFile(path) as archive, archive.open(entries[name][0]) as stream:
            return read_array(stream, read_header(stream))

    def rows(name: str) -> Rows:
        entry, header = entries[name]
        if entry.compress_type == zipfile.ZIP_STORED and _by_row(header):
            start = _start(path, entry) + header.length
            return PositionedRows(path, start, header.shape, header.dtype)
        return HeldRows(_held(f"{path}: {name}", header, lambda: read(name)))

    shapes = {name: header.shape for name, (_, header) in entries.items()}
    return ArrayFile(shapes, rows, read, refused)


def _by_row(header: Header) -> bool:
    return not header.by_column or len(header.shape) < 2


def _start(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where an entry of a zip file begins."""
    with path.open("rb") as stream:
        stream.seek(entry.header_offset)
        mark, name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    if mark != b"PK\x03\x04":
        raise UnreadableError("cannot be read: an array does not begin where its directory says")
    return entry.header_offset + _LOCAL.size + name + extra


def _held(name: str, header: Header, read: Callable[[], np.ndarray]) -> np.ndarray:
    """An array that is compressed, or stored by column, whole."""
    _check_held(name, header.size)
    return np.ascontiguousarray(read())


def _check_held(name: str, size: int) -> None:
    if size > MOST_HELD:
        requirement = (
            f"at most {MOST_HELD / 1e9:g} GB where it can only be read whole; save it uncompressed, by"
            " np.save with np.ascontiguousarray, or as HDF5"
        )
        refuse(name, requirement, f"{size / 1e9:.1f} GB")


def open_hdf5(path: Path) -> ArrayFile:
    """The datasets of an HDF5 file, by path; NetCDF 4 is HDF5."""
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}
    refused: dict[str, str] = {}
    with h5py.File(path, "r") as file:
        for name, dataset in datasets(file):
            if dataset is None or is_elsewhere(dataset):
                refused[name] = ELSEWHERE
            elif any(key in dataset.attrs for key in _PACKED):
                refused[name] = "is packed (scale_factor, add_offset); save its numbers as they are"
            elif dataset.shape is not None and not _is_dimension(dataset):
                shapes[name] = dataset.shape

    def read(name: str) -> np.ndarray:
        with h5py.File(path, "r") as file:
            return as_text(name, read_dataset(path, name, file[name]))

    return ArrayFile(shapes, partial(_hdf5_rows, path), read, refused)


def _is_dimension(dataset: Any) -> bool:
    """Whether a dataset only stands for a dimension of NetCDF."""
    name = dataset.attrs.get("NAME", b"")
    return isinstance(name, bytes) and name.startswith(_NOT_A_VARIABLE.encode())


def _hdf5_rows(path: Path, name: str) -> Rows:
    import h5py

    file = h5py.File(path, "r")  # stays open as long as its rows
    dataset = cast(Any, file)[name]
    packed = min(dataset.id.get_storage_size(), path.stat().st_size)
    check_unpacked(f"{path}: {name}", dataset.nbytes, packed, most=inf, times=TIMES)
    start = _position(dataset)
    if start is not None:
        shape, dtype = dataset.shape, dataset.dtype
        file.close()
        return PositionedRows(path, start, shape, dtype)
    chunk = dataset.chunks[0] if dataset.chunks else None
    return BlockRows(f"{path}: {name}", lambda a, b: dataset[a:b], dataset.shape, dataset.dtype, chunk)


def _position(dataset: Any) -> int | None:
    """Where the numbers of a dataset begin in its file; None where they do not stand there as NumPy has
    them.
    """
    import h5py

    h5: Any = h5py
    if dataset.is_virtual or dataset.id.get_create_plist().get_layout() != h5.h5d.CONTIGUOUS:
        return None
    alike = dataset.id.get_type().equal(h5.h5t.py_create(dataset.dtype, logical=True))
    return dataset.id.get_offset() if alike else None


def open_netcdf(path: Path) -> ArrayFile:
    """The variables of a NetCDF file; those of NetCDF 3 are held in memory."""
    import h5py

    if h5py.is_hdf5(path):
        return open_hdf5(path)
    _check_held(str(path), path.stat().st_size)
    content = read_netcdf(path)
    return ArrayFile(content.shapes, lambda name: HeldRows(content.read(name)), content.read)


def open_zarr(path: Path) -> ArrayFile:
    """The arrays of a Zarr folder, by path; one that is an array itself is called `images`."""
    import zarr  # pyright: ignore[reportMissingImports]

    check_declared(path, most=inf, times=TIMES)
    opened: Any = zarr.open(str(path), mode="r")
    found = dict(_zarr_arrays(opened))
    numeric = {name: tuple(array.shape) for name, array in found.items()}

    def read(name: str) -> np.ndarray:
        _check_held(f"{path}: {name}", _bytes_of(found[name]))
        return as_text(name, found[name][...])

    def rows(name: str) -> Rows:
        array = found[name]
        chunk = (getattr(array, "shards", None) or array.chunks or (1,))[0]
        return BlockRows(f"{path}: {name}", lambda a, b: array[a:b], array.shape, array.dtype, chunk)

    return ArrayFile(numeric, rows, read)


def _zarr_arrays(opened: Any) -> list[tuple[str, Any]]:
    if hasattr(opened, "chunks"):
        return [("images", opened)]
    found = [(name, array) for name, array in opened.arrays()]
    for name, group in opened.groups():
        found += [(f"{name}/{inner}", array) for inner, array in _zarr_arrays(group)]
    return found


def _bytes_of(array: Any) -> int:
    return prod(array.shape) * np.dtype(array.dtype).itemsize

"""Zarr folders: what their metadata declare is looked at before anything in them is decoded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ratewarp.formats.content import Content, UnreadableError
from ratewarp.formats.hdf5_arrays import variables
from ratewarp.formats.limits import MAX_BYTES, MOST_UNPACKED, check_unpacked

_METADATA = (".zarray", ".zmetadata", "zarr.json")
_MOST_METADATA = 10**7  # bytes of one file of metadata


def read_zarr(path: Path) -> Content:
    """The variables of a Zarr folder."""
    import xarray as xr

    check_declared(path)
    return variables(path, lambda: xr.open_zarr(path))


def check_declared(path: Path, *, most: float = MAX_BYTES, times: int = MOST_UNPACKED) -> None:
    """Refuses what only running code could decode, and arrays and chunks far larger than the folder.

    Arguments:
        path: of the folder.
        most: bytes that an array or a chunk may have.
        times: bytes of the folder, that a large one may have.

    Raises:
        UnreadableError: pickled objects, or metadata without end.
        RequestError: an array or a chunk that is too large.
    """
    packed = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    for file in path.rglob("*"):
        if file.name in _METADATA and file.is_file():
            for part in _mappings(file):
                _check_part(path, part, packed, most, times)


def _check_part(path: Path, part: Mapping[str, Any], packed: int, most: float, times: int) -> None:
    names = (part.get("id"), part.get("name"))
    if any(isinstance(name, str) and "pickle" in name.lower() for name in names):
        raise UnreadableError(
            "holds pickled objects, which only running code could read; save numbers or text"
        )
    grid = part.get("chunk_grid")
    chunks = part.get("chunks")
    if isinstance(grid, dict) and isinstance(grid.get("configuration"), dict):
        chunks = grid["configuration"].get("chunk_shape")
    for shape in (part.get("shape"), chunks):
        if isinstance(shape, list) and all(isinstance(side, int) and side >= 0 for side in shape):
            size = math.prod(shape) * _bytes_of(part.get("dtype", part.get("data_type")))
            name = f"{path}: an array of shape {tuple(shape)}"
            check_unpacked(name, size, packed, most=most, times=times)


def _bytes_of(kind: Any) -> int:
    """Bytes of a number of a type; of one that NumPy does not know, as many as of most."""
    try:
        return max(1, np.dtype(kind).itemsize) if isinstance(kind, str) else 8
    except TypeError:
        return 8


def _mappings(file: Path) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a file of JSON, however deep."""
    if file.stat().st_size > _MOST_METADATA:
        raise UnreadableError(f"cannot be read: {file.name} is larger than {_MOST_METADATA / 1e6:g} MB")
    waiting: list[Any] = [json.loads(file.read_text(encoding="utf-8"))]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one

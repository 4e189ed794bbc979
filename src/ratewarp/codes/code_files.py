"""Files that hold codes: every common format as named arrays. Nothing in them is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, escaped
from ratewarp.formats import Content
from ratewarp.formats.hdf5_arrays import read_hdf5, read_netcdf
from ratewarp.formats.limits import check_place
from ratewarp.formats.matlab_arrays import read_mat
from ratewarp.formats.numpy_arrays import read_npy, read_npz
from ratewarp.formats.reading import plain, readable
from ratewarp.formats.safetensors_files import read_safetensors, refuse_pickled
from ratewarp.formats.text_tables import read_csv, read_parquet
from ratewarp.formats.zarr_folders import read_zarr

_SHOWN = 20  # arrays named in a message
_TOO_LARGE = "measure a part of the items"


def open_codes(path: Path) -> Content:
    """What the file at `path` holds.

    Raises:
        RequestError: no such file, an unknown format, no regular file, one that is too large, damaged, or
            would need to run code to be read.
    """
    suffix = path.suffix.lower()
    if suffix in _PICKLED:
        refuse_pickled(path)
    if suffix not in _READERS:
        raise RequestError(
            f"{path}: unknown format {suffix or '(no suffix)'!r}.{did_you_mean(suffix, _READERS)} Known:"
            f" {', '.join(_READERS)}"
        )
    check_place(path, folder=suffix == ".zarr")
    with readable(path, too_large=_TOO_LARGE):
        return _READERS[suffix](path)


def read(path: Path, content: Content, keys: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays by name.

    Raises:
        RequestError: no array of that name, or one that is too large.
    """
    found = {}
    for key in keys:
        if key in content.refused:
            raise RequestError(f"{path}: {key!r} {content.refused[key]}")
        if key not in content.shapes:
            known = ", ".join(describe(content)) or "nothing"
            raise RequestError(
                f"{path} holds no array named {key!r}.{did_you_mean(key, content.shapes)} It holds: {known}"
            )
        with readable(path, too_large=_TOO_LARGE):
            found[key] = plain(f"{path}: {key}", content.read(key))
    return found


def describe(content: Content) -> list[str]:
    """Names with shapes, for messages."""
    return [f"{escaped(name)} {shape}" for name, shape in islice(content.shapes.items(), _SHOWN)]


def known_suffixes() -> tuple[str, ...]:
    """Endings of the names of files that can be read."""
    return tuple(_READERS)


_READERS: dict[str, Callable[[Path], Content]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".nc": read_netcdf,
    ".zarr": read_zarr,
    ".mat": read_mat,
    ".safetensors": read_safetensors,
}
_PICKLED = (".pt", ".pth", ".pkl", ".pickle")

"""Labelled arrays of a NetCDF 4 file, read by h5py alone.

xarray reads the same in eight times the time, which counts where a run has a thousand records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from ratewarp.runs.run_files import DamagedError

_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"  # how the NAME of one begins
_COORDINATES = "coordinates"  # attribute that names the coordinates of a variable that are no dimensions


def read_labelled(file: Path, most_bytes: int) -> xr.Dataset:
    """All arrays of a NetCDF 4 file without groups, as xarray reads them.

    Arguments:
        file: written by xarray.
        most_bytes: that all arrays may have together.

    Raises:
        DamagedError: it unpacks to more, or an array stands in another file.
    """
    with h5py.File(file, "r") as stored:
        opened: Any = stored
        datasets = {name: opened[name] for name in opened if isinstance(_link(opened, name), h5py.HardLink)}
        held = {name: one for name, one in datasets.items() if not _is_dimension_alone(one)}
        size = sum(one.nbytes for one in held.values())
        if size > most_bytes:
            raise DamagedError(file, f"is damaged: it unpacks to {size:,} bytes")
        for name, one in held.items():
            if one.external or one.is_virtual:
                raise DamagedError(file, f"is damaged: its {name} stands in another file")

        variables = {name: (_dimensions(opened, name, one), _values(one)) for name, one in held.items()}
        coordinates = {
            name for one in held.values() for name in _text(one.attrs.get(_COORDINATES, "")).split()
        }
        attributes = {name: _plain(value) for name, value in opened.attrs.items() if not name.startswith("_")}
    return xr.Dataset(variables, attrs=attributes).set_coords(coordinates & variables.keys())


def _link(opened: Any, name: str) -> Any:
    return opened.get(name, getlink=True)


def _is_dimension_alone(dataset: Any) -> bool:
    return dataset.attrs.get("NAME", b"").startswith(_NO_VARIABLE)


def _dimensions(opened: Any, name: str, dataset: Any) -> tuple[str, ...]:
    """Names of an array's axes; one that has the name of its only axis does not say it."""
    if "DIMENSION_LIST" in dataset.attrs:
        return tuple(opened[scales[0]].name.lstrip("/") for scales in dataset.attrs["DIMENSION_LIST"])
    return (name,) if dataset.ndim else ()


def _values(dataset: Any) -> np.ndarray:
    if dataset.dtype.hasobject:
        return np.array(dataset.asstr()[...].tolist(), dtype="U").reshape(dataset.shape)
    return dataset[...]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """An attribute as it was given: numbers come as arrays of one."""
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value

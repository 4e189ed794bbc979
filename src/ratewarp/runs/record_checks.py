"""Whether a stored record holds what a record holds, so that a damaged one is noticed where it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from ratewarp._checks import shorten
from ratewarp.runs.record_files import read_labelled
from ratewarp.runs.run_files import DamagedError

_NUMBERS, _WHOLE, _TEXT = "fiub", "iu", "UOST"  # kinds of NumPy's types

_READOUT = {
    "prediction": (("stimulus_index", "task", "held_out"), _WHOLE),
    "label": (("task", "stimulus_index"), _WHOLE),
    "frequency": (("stimulus_index",), _NUMBERS),
    "task": (("task",), _TEXT),
}
_CONDITION = {
    **_READOUT,
    "code": (("item", "latent"), _NUMBERS),
    "variance": (("item", "latent"), _NUMBERS),
    "stimulus": (("item",), _WHOLE),
    "rate": (("stimulus_index", "held_out"), _NUMBERS),
    "distortion": (("stimulus_index", "held_out"), _NUMBERS),
    "semantic_distortion": (("stimulus_index", "held_out"), _NUMBERS),
    "factor_value": (("stimulus_index", "factor"), _NUMBERS),
    "factor": (("factor",), _TEXT),
    "image": (("stimulus_index",), _NUMBERS),  # or of some stimuli, see `_PICTURED`
    "reconstruction": (("stimulus_index",), _NUMBERS),
    "history_distortion": (("step",), _NUMBERS),
    "history_rate": (("step",), _NUMBERS),
    "history_task_loss": (("step", "task"), _NUMBERS),
    "history_multiplier": (("step",), _NUMBERS),
}
_MOST_UNPACKED = 4_000_000_000  # bytes
_PICTURES = ("image", "reconstruction")  # whose further dimensions are the source's
_PICTURED = "pictured"  # in place of their first dimension where they are of some stimuli, which it names


def read_record(file: Path, condition: str, *, readout: bool = False) -> xr.Dataset:
    """A stored record, whole and checked.

    Arguments:
        file: `record.nc`.
        condition: whose it must be.
        readout: whether it is of heads on frozen codes.

    Raises:
        DamagedError: it lacks something, holds text for numbers, numbers stimuli that are not there, or is
            another condition's.
    """
    record = read_labelled(file, _MOST_UNPACKED)
    if wrong := _wrong(record, condition, _READOUT if readout else _CONDITION):
        raise DamagedError(file, f"is damaged: {wrong}")
    for name, of in {} if readout else {"stimulus": "codes", _PICTURED: "pictures"}.items():
        if name in record and not _in_range(record[name].values, record.sizes["stimulus_index"]):
            raise DamagedError(file, f"is damaged: its {of} are of stimuli that it does not have")
    return record


def _wrong(record: xr.Dataset, condition: str, wanted: dict[str, tuple[tuple[str, ...], str]]) -> str:
    """What is wrong with a record; empty if nothing."""
    if record.attrs.get("condition") != condition:
        return f"it is of {shorten(record.attrs.get('condition'))}, not of {condition}"
    wanted = {**wanted, **_pictured(record)} if _PICTURES[0] in wanted else wanted
    for name, (dimensions, kinds) in wanted.items():
        if name not in record.variables:
            return f"it has no {name}"
        found = record[name]
        own = found.dims[: len(dimensions)] if name in _PICTURES else found.dims
        if own != dimensions:
            return f"its {name} is over {shorten(found.dims)}, not over {shorten(dimensions)}"
        if found.dtype.kind not in kinds:
            return f"its {name} is of type {found.dtype}"
    if not all(record.sizes[name] for name in ("stimulus_index", "held_out")):
        return "it is empty"
    return ""


def _pictured(record: xr.Dataset) -> dict[str, tuple[tuple[str, ...], str]]:
    """What a record must hold besides, where it has pictures of some stimuli."""
    if _PICTURED not in record.dims:
        return {}
    return {_PICTURED: ((_PICTURED,), _WHOLE)} | dict.fromkeys(_PICTURES, ((_PICTURED,), _NUMBERS))


def _in_range(stimuli: np.ndarray, count: int) -> bool:
    return bool(stimuli.size and stimuli.min() >= 0 and stimuli.max() < count)

"""Files that a measurement is kept in: its table as csv, json or parquet, or labelled arrays as netCDF."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import RatewarpError, refuse
from ratewarp._files import can_be_made, disk_errors, write_new
from ratewarp.geometry.measuring import PLACES

if TYPE_CHECKING:
    from ratewarp.codes.measurement import Measurement

QUANTITIES = ("value", "se", "low", "high", "p", "p_adjusted")
_WHICH = ("measure", "task", "trial_noise")
_PLAIN_NAME = re.compile(r"(?!task_)[A-Za-z]\w*", re.ASCII)  # that a variable of a netCDF file can have


def save(found: Measurement, path: str | PathLike[str]) -> None:
    """Writes a measurement to a new file; see `Measurement.save`."""
    file = check_new(path, "path")
    with disk_errors(file, intact="nothing else was changed"):
        write_new(file, _WRITERS[file.suffix.lower()](found))


def check_new(path: str | PathLike[str], argument: str) -> Path:
    """The file that a measurement is to be kept in.

    Raises:
        RequestError: its suffix is none of the known ones, it exists, or its folder does not.
        RatewarpError: it needs a package that is not installed.
    """
    file = Path(path)
    if file.suffix.lower() not in _WRITERS:
        *others, last = _WRITERS
        refuse(argument, f"a file whose name ends in {', '.join(others)} or {last}", str(file))
    if not can_be_made(file):
        refuse(argument, "a file that does not exist yet, in a folder that does", str(file))
    if file.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise RatewarpError("parquet files need pyarrow: pip install 'ratewarp[files]'")
    return file


def contents(found: Measurement) -> dict[str, Any]:
    """A measurement as JSON can hold it: what was measured, and the rows of the table; None for what is
    missing.
    """
    rows = [
        {name: None if pd.isna(one) else one for name, one in row.items()}
        for row in found.table.to_dict("records")
    ]
    return {
        **_settings(found),
        "classes": {task: list(names) for task, names in found.classes.items()},
        "kept": dict(found.kept),
        "measures": rows,
    }


def arrays(found: Measurement) -> xr.Dataset:
    """A measurement as labelled arrays.

    Returns:
        `value`, `se`, `low`, `high`, `p`, `p_adjusted`, `n` and `note` of all single numbers, over `measure`,
        `task` and `trial_noise`; the matrices of every task, such as `class_distance_change_of_labels`, over
        `trial_noise`, `quantity`, `class_of_labels` and `other_of_labels`; and numbers of latents, over
        `trial_noise`, `quantity` and `latent`. A task whose name no variable can have is called by its
        number, from `task_1`; the attribute `task` has the name.
    """
    table = found.table.assign(
        **{name: found.table[name].map(_storable) for name in (*_WHICH, "class", "other", "note")}
    )
    every = table.to_dict("records")
    forms = list(dict.fromkeys(row["trial_noise"] for row in every))
    singles = [row for row in every if pd.isna([row[place] for place in PLACES]).all()]
    data, names = _singles(singles, forms), _names(found)
    for measure, task in dict.fromkeys((row["measure"], row["task"]) for row in every):
        rows = [row for row in every if (row["measure"], row["task"]) == (measure, task)]
        if any(not pd.isna(row["class"]) for row in rows):
            original, called = names[task]
            matrix = _matrix(rows, forms, [_storable(one) for one in found.classes[original]], called)
            data[f"{measure}_of_{called}"] = matrix.assign_attrs(task=task)
        if any(not pd.isna(row["latent"]) for row in rows):
            data[measure] = _latents(rows, forms)
    kept = {f"kept_{argument}": share for argument, share in found.kept.items()}
    return xr.Dataset(data, attrs={**_settings(found), **kept})


def _settings(found: Measurement) -> dict[str, Any]:
    items, latents = found.codes.shape
    return {
        "items": items,
        "latents": latents,
        "units": found.units,
        "number": found.number,
        "level": found.level,
    }


def _names(found: Measurement) -> dict[str, tuple[str, str]]:
    """Of every task as it is stored, its name, and what its variables are called by."""
    return {
        _storable(task): (task, task if _PLAIN_NAME.fullmatch(task) else f"task_{number}")
        for number, task in enumerate(found.classes, start=1)
    }


def _singles(rows: list[dict[Any, Any]], forms: list[str]) -> dict[str, xr.DataArray]:
    """Numbers that are no entries of anything, by measure, task and trial noise."""
    measures, tasks = (list(dict.fromkeys(row[axis] for row in rows)) for axis in _WHICH[:2])
    labels = dict(zip(_WHICH, (measures, tasks, forms), strict=True))
    empty = {**dict.fromkeys(QUANTITIES, math.nan), "n": 0, "note": ""}
    shape = tuple(map(len, labels.values()))
    filled = {name: np.full(shape, one, object if one == "" else type(one)) for name, one in empty.items()}
    for row in rows:
        place = tuple(names.index(row[axis]) for axis, names in labels.items())
        for name, values in filled.items():
            values[place] = row[name]
    return {name: xr.DataArray(values, labels, _WHICH) for name, values in filled.items()}


def _matrix(rows: list[dict[Any, Any]], forms: list[str], classes: list[str], task: str) -> xr.DataArray:
    values = np.full((len(forms), len(QUANTITIES), len(classes), len(classes)), np.nan)
    number = {name: place for place, name in enumerate(classes)}
    for row in rows:
        if not pd.isna(row["class"]):
            a, b, form = number[row["class"]], number[row["other"]], forms.index(row["trial_noise"])
            values[form, :, a, b] = values[form, :, b, a] = [row[name] for name in QUANTITIES]
    axes = {f"class_of_{task}": classes, f"other_of_{task}": classes}
    labels = {"trial_noise": forms, "quantity": list(QUANTITIES), **axes}
    return xr.DataArray(values, labels, tuple(labels))


def _latents(rows: list[dict[Any, Any]], forms: list[str]) -> xr.DataArray:
    numbered = [row for row in rows if not pd.isna(row["latent"])]
    latents = sorted({int(row["latent"]) for row in numbered})
    values = np.full((len(forms), len(QUANTITIES), len(latents)), np.nan)
    for row in numbered:
        place = latents.index(int(row["latent"]))
        values[forms.index(row["trial_noise"]), :, place] = [row[name] for name in QUANTITIES]
    labels = {"trial_noise": forms, "quantity": list(QUANTITIES), "latent": latents}
    return xr.DataArray(values, labels, tuple(labels))


def _storable(text: Any) -> Any:
    """Text that every format can hold: what is no character, or ends a text in C, by its number."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", r"\x00")


def _storable_table(found: Measurement) -> pd.DataFrame:
    columns = (*_WHICH, "class", "other", "note")
    table = found.table.assign(**{name: found.table[name].map(_storable) for name in columns})
    return table.astype({"class": "string", "other": "string"})


def _csv(found: Measurement) -> bytes:
    return _storable_table(found).to_csv(index=False, lineterminator="\n").encode("utf-8")


def _json(found: Measurement) -> bytes:
    return (json.dumps(contents(found), indent=1) + "\n").encode("utf-8")


def _parquet(found: Measurement) -> bytes:
    """The table, with what was measured in the metadata, where pandas reads it as `attrs`."""
    table = _storable_table(found)
    table.attrs = {**_settings(found), "kept": dict(found.kept)}
    return table.to_parquet(None, engine="pyarrow", index=False)


def _netcdf(found: Measurement) -> bytes:
    return bytes(arrays(found).to_netcdf(None, engine="h5netcdf"))


_WRITERS: dict[str, Callable[[Measurement], bytes]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
    ".nc": _netcdf,
}

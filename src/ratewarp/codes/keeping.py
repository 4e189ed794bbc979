"""Files that a measurement is kept in: its table as csv, json or parquet, or labelled arrays as netCDF; and
what those of several sets are made of, too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
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
CELL = {**dict.fromkeys(QUANTITIES, math.nan), "n": 0, "note": ""}  # a single number that is not there
_PAGE = ".html"
_WHICH = ("measure", "task", "trial_noise")
PLAIN_NAME = re.compile(r"(?!task_)[A-Za-z]\w*", re.ASCII)  # that a variable of a netCDF file can have


def save(found: Measurement, path: str | PathLike[str]) -> None:
    """Writes a measurement to a new file; see `Measurement.save`."""
    file = check_new(path, "path")
    write_all({file: _WRITERS[file.suffix.lower()](found)})


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Writes new files: all of them, or none.

    Raises:
        RatewarpError: one cannot be written.
    """
    written: list[Path] = []
    for file, content in contents.items():
        with disk_errors(file, intact="nothing else was changed"):
            try:
                write_new(file, content)
            except OSError:
                for earlier in written:
                    earlier.unlink(missing_ok=True)
                raise
        written.append(file)


def check_new(path: str | PathLike[str], argument: str, *, page: bool = True) -> Path:
    """The file that a measurement is to be kept in, which may be a page, or not.

    Raises:
        RequestError: its suffix is none of the known ones, it exists, or its folder does not.
        RatewarpError: it needs a package that is not installed.
    """
    file = Path(path)
    known = [suffix for suffix in _WRITERS if page or suffix != _PAGE]
    if file.suffix.lower() not in known:
        *others, last = known
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
    return {
        **_settings(found),
        "classes": {task: list(names) for task, names in found.classes.items()},
        "kept": dict(found.kept),
        "measures": plain_rows(found.table),
    }


def plain_rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table as JSON can hold them; None for what is missing."""
    return [
        {name: None if pd.isna(one) else one for name, one in row.items()} for row in table.to_dict("records")
    ]


def arrays(found: Measurement) -> xr.Dataset:
    """A measurement as labelled arrays.

    Returns:
        `value`, `se`, `low`, `high`, `p`, `p_adjusted`, `n` and `note` of all single numbers, over `measure`,
        `task` and `trial_noise`; the matrices of every task, such as `class_distance_change_of_labels`, over
        `trial_noise`, `quantity`, `class_of_labels` and `other_of_labels`; and numbers of latents, over
        `trial_noise`, `quantity` and `latent`. A task whose name no variable can have is called by its
        number, from `task_1`; the attribute `task` has the name.
    """
    kept = {f"kept_{argument}": share for argument, share in found.kept.items()}
    rows = storable_table(found.table).to_dict("records")
    axes = {"trial_noise": distinct(rows, "trial_noise")}
    return xr.Dataset(labelled(rows, axes, found.classes, CELL), attrs={**_settings(found), **kept})


def labelled(
    rows: Sequence[Mapping[Any, Any]],
    axes: Mapping[str, Sequence[Any]],
    classes: Mapping[str, tuple[str, ...]],
    cell: Mapping[str, Any],
) -> dict[str, xr.DataArray]:
    """Rows as labelled arrays, missing where there is no row.

    Arguments:
        rows: of a table whose names are storable.
        axes: columns that every number is labelled by besides its measure and task, with their values.
        classes: names of the classes of every task.
        cell: columns of single numbers, with what stands where there is none; those of NaN are quantities of
            matrices and lists of latents.
    """
    quantities, names = [name for name, one in cell.items() if one != one], _names(classes)
    data = _singles([row for row in rows if pd.isna([row[one] for one in PLACES]).all()], axes, cell)
    for measure, task in dict.fromkeys((row["measure"], row["task"]) for row in rows):
        own = [row for row in rows if (row["measure"], row["task"]) == (measure, task)]
        if any(not pd.isna(row["class"]) for row in own):
            original, called = names[task]
            stored = [storable(one) for one in classes[original]]
            matrix = _matrix(own, axes, quantities, stored, called)
            data[f"{measure}_of_{called}"] = matrix.assign_attrs(task=task)
        if any(not pd.isna(row["latent"]) for row in own):
            data[measure] = _latents(own, axes, quantities)
    return data


def distinct(rows: Sequence[Mapping[Any, Any]], column: str) -> list[Any]:
    """Values of a column, each once, in order."""
    return list(dict.fromkeys(row[column] for row in rows))


def _settings(found: Measurement) -> dict[str, Any]:
    items, latents = found.codes.shape
    return {
        "items": items,
        "latents": latents,
        "units": found.units,
        "number": found.number,
        "level": found.level,
    }


def _names(classes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, str]]:
    """Of every task as it is stored, its name, and what its variables are called by."""
    return {
        storable(task): (task, task if PLAIN_NAME.fullmatch(task) else f"task_{number}")
        for number, task in enumerate(classes, start=1)
    }


def _singles(
    rows: Sequence[Mapping[Any, Any]], axes: Mapping[str, Sequence[Any]], cell: Mapping[str, Any]
) -> dict[str, xr.DataArray]:
    """Numbers that are no entries of anything, by measure, task and the other axes."""
    labels = {axis: distinct(rows, axis) for axis in _WHICH[:2]} | dict(axes)
    shape = tuple(map(len, labels.values()))
    filled = {name: np.full(shape, one, object if one == "" else type(one)) for name, one in cell.items()}
    for row in rows:
        place = _place(row, labels)
        for name, values in filled.items():
            values[place] = row[name]
    return {name: xr.DataArray(values, labels, tuple(labels)) for name, values in filled.items()}


def _matrix(
    rows: Sequence[Mapping[Any, Any]],
    axes: Mapping[str, Sequence[Any]],
    quantities: Sequence[str],
    classes: Sequence[str],
    task: str,
) -> xr.DataArray:
    sides = {f"class_of_{task}": classes, f"other_of_{task}": classes}
    labels = {**axes, "quantity": quantities, **sides}
    values = np.full(tuple(map(len, labels.values())), np.nan)
    number = {name: place for place, name in enumerate(classes)}
    for row in rows:
        if not pd.isna(row["class"]):
            a, b, place = number[row["class"]], number[row["other"]], _place(row, axes)
            values[(*place, slice(None), a, b)] = [row[name] for name in quantities]
            values[(*place, slice(None), b, a)] = values[(*place, slice(None), a, b)]
    return xr.DataArray(values, labels, tuple(labels))


def _latents(
    rows: Sequence[Mapping[Any, Any]], axes: Mapping[str, Sequence[Any]], quantities: Sequence[str]
) -> xr.DataArray:
    numbered = [row for row in rows if not pd.isna(row["latent"])]
    latents = sorted({int(row["latent"]) for row in numbered})
    labels = {**axes, "quantity": quantities, "latent": latents}
    values = np.full(tuple(map(len, labels.values())), np.nan)
    for row in numbered:
        place = latents.index(int(row["latent"]))
        values[(*_place(row, axes), slice(None), place)] = [row[name] for name in quantities]
    return xr.DataArray(values, labels, tuple(labels))


def _place(row: Mapping[Any, Any], labels: Mapping[str, Sequence[Any]]) -> tuple[int, ...]:
    return tuple(names.index(row[axis]) for axis, names in labels.items())


def storable(text: Any) -> Any:
    """Text that every format can hold: what is no character, or ends a text in C, by its number."""
    if not isinstance(text, str):
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", r"\x00")


def storable_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose names every format can hold."""
    columns = [name for name in (*_WHICH, "set", "class", "other", "note") if name in table]
    held = table.assign(**{name: table[name].map(storable) for name in columns})
    return held.astype({"class": "string", "other": "string"})


def as_csv(table: pd.DataFrame) -> bytes:
    """A table whose names are storable, as csv."""
    return table.to_csv(index=False, lineterminator="\n").encode("utf-8")


def as_parquet(table: pd.DataFrame, attributes: Mapping[str, Any]) -> bytes:
    """A table whose names are storable, with attributes in the metadata, where pandas reads it as `attrs`."""
    held = table.copy()
    held.attrs.update(attributes)
    return held.to_parquet(None, engine="pyarrow", index=False)


def _csv(found: Measurement) -> bytes:
    return as_csv(storable_table(found.table))


def _json(found: Measurement) -> bytes:
    return (json.dumps(contents(found), indent=1) + "\n").encode("utf-8")


def _parquet(found: Measurement) -> bytes:
    return as_parquet(storable_table(found.table), {**_settings(found), "kept": dict(found.kept)})


def _netcdf(found: Measurement) -> bytes:
    return bytes(arrays(found).to_netcdf(None, engine="h5netcdf"))


def _page(found: Measurement) -> bytes:
    import ratewarp  # pages stand above codes; as in `Measurement.plot`

    return ratewarp.stage(found).html().encode()


_WRITERS: dict[str, Callable[[Measurement], bytes]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
    ".nc": _netcdf,
    _PAGE: _page,
}

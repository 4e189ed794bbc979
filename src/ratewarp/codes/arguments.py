"""What `ratewarp.measure` is given, checked: arrays of any library, names and numbers of classes, stimuli,
frequencies, and the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ratewarp._checks import RequestError, refuse, shorten
from ratewarp.codes.ids import order_by_id
from ratewarp.geometry.code_checks import check_codes
from ratewarp.geometry.specialization import check_frequency

_MANY_CLASSES = 200


def as_array(values: Any, argument: str) -> np.ndarray:
    """Any array-like as NumPy's, without importing where it comes from."""
    if hasattr(values, "detach"):  # PyTorch
        values = values.detach().cpu()
        if str(getattr(values, "dtype", "")) == "torch.bfloat16":  # NumPy has no such numbers
            values = values.float()
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        refuse(argument, "without masked values", f"{int(np.ma.count_masked(values))} masked")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        refuse(argument, "a rectangular array", shorten(values))
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.ndim == 0:
        refuse(argument, "an array", shorten(values))
    if array.dtype.kind == "V":
        refuse(argument, "an array of numbers or names", f"records, dtype {array.dtype}")
    _check_alike(
        array if isinstance(values, np.ndarray) or array.dtype.kind not in "SUO" else values, argument
    )
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(cast(Any, array), "utf-8")
        except UnicodeDecodeError:
            refuse(argument, "text in UTF-8", "other bytes")
    if array.dtype == object:  # a table of numbers, or of names, can still be one or the other
        try:
            array = np.array(array.tolist())
        except ValueError:
            refuse(argument, "a rectangular array of one type", "an array of Python objects")
        if array.dtype == object:
            refuse(argument, "an array of numbers or names", "an array of Python objects")
    return array


def _check_alike(values: Any, argument: str) -> None:
    """Refuses missing values, and numbers among names, which NumPy would turn into names."""
    array = np.asarray(values)
    if array.dtype.kind in "SU" and not isinstance(values, np.ndarray):
        array = np.asarray(values, dtype=object)
    if array.dtype.kind == "M" or array.dtype == object:
        flat = array.ravel()
        if (missing := np.flatnonzero(pd.isna(flat))).size:
            refuse(argument, "without missing values", f"{missing.size}, first at place {missing[0]}")
        texts = [isinstance(one, str | bytes) for one in flat]
        if any(texts) and not all(texts):
            refuse(
                argument,
                "all names or all numbers",
                f"{flat[texts.index(False)]!r} at place {texts.index(False)} among names",
            )


def _columns(values: Any, argument: str) -> dict[str, np.ndarray]:
    """Columns by name: of a table or mapping, or of an array, under the name of the argument."""
    if isinstance(values, pd.DataFrame | Mapping):
        return {str(name): as_array(values[name], f"{argument}[{name!r}]") for name in values}
    array = as_array(values, argument)
    if array.ndim == 1:
        return {argument: array}
    if array.ndim != 2 or not array.shape[1]:
        refuse(argument, "one column or several", f"shape {array.shape}")
    return (
        {f"{argument}{column}": array[:, column] for column in range(array.shape[1])}
        if array.shape[1] > 1
        else {argument: array[:, 0]}
    )


def tasks_of(labels: Any, items: int) -> tuple[dict[str, tuple[str, ...]], dict[str, np.ndarray]]:
    """Names of the classes, and class of every item, by task."""
    if labels is None:
        return {}, {}
    names, tasks = {}, {}
    for task, column in _columns(labels, "labels").items():
        place = "labels" if task == "labels" else f"labels {task!r}"
        if column.shape != (items,):
            refuse(place, f"one label for each of the {items} items", f"shape {column.shape}")
        if column.dtype.kind == "c":
            refuse(place, "whole numbers or names", f"complex numbers, dtype {column.dtype}")
        if np.issubdtype(column.dtype, np.floating):
            odd = np.flatnonzero(~(np.isfinite(column) & (column == np.round(column))))
            if odd.size:
                came = f"{column[odd[0]]} in row {odd[0]}"
                refuse(place, "whole numbers or names (numbers that vary continuously are factors)", came)
        classes, tasks[task] = np.unique(column, return_inverse=True)
        if len(classes) > _MANY_CLASSES:
            refuse(place, f"of at most {_MANY_CLASSES} classes", f"{len(classes)} classes")
        names[task] = tuple(
            f"{int(one)}" if np.issubdtype(classes.dtype, np.floating) else str(one) for one in classes
        )
    return names, tasks


def units_of(stimuli: Any, factors: Any, items: int) -> tuple[np.ndarray, int]:
    """Stimulus of every item, 0 …, and how many there are."""
    if stimuli is not None:
        found, units = np.unique(_names(stimuli, items, "stimuli"), return_inverse=True)
        return _several(units, len(found), "stimuli")
    if factors is not None:
        table = _factor_rows(factors)
        if len(table) != items:
            refuse(
                "factors", f"one row for each of the {items} items (or give `stimuli`)", f"{len(table)} rows"
            )
        found, units = np.unique(table, axis=0, return_inverse=True)
        return _several(units.reshape(-1), len(found), "factors")
    return np.arange(items), items


def runs_of(runs: Any, items: int) -> Int[np.ndarray, " items"]:
    """Run of every item, 0 …"""
    _, numbers = np.unique(_names(runs, items, "runs"), return_inverse=True)
    return numbers


def _names(values: Any, items: int, argument: str) -> np.ndarray:
    """One number or name for each item."""
    column = as_array(values, argument)
    if column.shape != (items,):
        refuse(argument, f"one for each of the {items} items", f"shape {column.shape}")
    if np.issubdtype(column.dtype, np.floating) and not np.isfinite(column).all():
        refuse(argument, "numbers or names without NaN", "NaN or infinity")
    return column


def _several(units: np.ndarray, number: int, argument: str) -> tuple[np.ndarray, int]:
    if number < 2:
        refuse(argument, "different for at least two items: intervals are over stimuli", "one stimulus")
    return units, number


def _factor_rows(factors: Any) -> Float[np.ndarray, "rows factors"]:
    columns = _columns(factors, "factors")
    if not columns:
        refuse("factors", "at least one column", "none")
    if len({len(column) for column in columns.values()}) != 1:
        refuse("factors", "columns of one length", {name: len(column) for name, column in columns.items()})
    return check_codes(np.stack(list(columns.values()), axis=1), argument="factors")


def factors_of(factors: Any, units: np.ndarray, number: int) -> Float[np.ndarray, "units factors"] | None:
    return (
        None if factors is None or number < 2 else _by_unit(_factor_rows(factors), units, number, "factors")
    )


def factor_columns(factors: Any, units: np.ndarray, number: int) -> dict[str, np.ndarray]:
    """Value of every stimulus, by name of the factor."""
    columns = _columns(factors, "factors").items()
    return {name: _by_unit(column, units, number, "factors") for name, column in columns}


def frequency_of(frequency: Any, units: np.ndarray, number: int) -> Float[np.ndarray, " units"]:
    values = as_array(frequency, "frequency")
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        refuse(
            "frequency",
            "one number for each item or stimulus, not complex",
            f"shape {values.shape}, dtype {values.dtype}",
        )
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        refuse("frequency", "positive and finite", f"{values[bad]} in row {bad}")
    return check_frequency(_by_unit(values, units, number, "frequency"), number)


def _by_unit(values: np.ndarray, units: np.ndarray, number: int, argument: str) -> np.ndarray:
    """Rows per stimulus, from rows per stimulus or rows per item."""
    if len(values) == number and number != len(units):
        return values
    if values.ndim < 1 or len(values) != len(units):
        refuse(
            argument,
            f"one row for each of the {len(units)} items or {number} stimuli",
            f"shape {values.shape}",
        )
    out = np.empty((number, *values.shape[1:]), values.dtype)
    out[units] = values
    if (out[units] != values).any():
        unit = int(units[np.argmax((out[units] != values).reshape(len(units), -1).any(axis=1))])
        refuse(argument, "the same for all items of a stimulus", f"several values for stimulus number {unit}")
    return out


def reference_order(rows: int, items: int, ids: Any, reference_ids: Any) -> np.ndarray:
    """The reference's rows in the order of the codes'."""
    if (ids is None) != (reference_ids is None):
        raise RequestError("ids and reference_ids must be given together: rows are matched by them")
    if ids is None:
        if rows != items:
            raise RequestError(f"codes and reference must hold the same items; got {items} and {rows} rows")
        return np.arange(rows)
    own, theirs = as_ids(ids, items, "ids"), as_ids(reference_ids, rows, "reference_ids")
    return order_by_id(own, theirs, "ids", "reference_ids", both=True)


def check_whole(argument: str, value: Any, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        refuse(argument, "a whole number, 0 or more", value)
    if most is not None and value > most:
        refuse(argument, f"at most {most:,}", value)


def as_ids(values: Any, rows: int, argument: str) -> np.ndarray:
    array = as_array(values, argument)
    if array.shape != (rows,):
        refuse(argument, f"one id for each of the {rows} rows", f"shape {array.shape}")
    return array

"""Which rows of what was read are measured: those that meet a condition, that are complete, or means of
trials.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ratewarp._checks import RequestError, refuse
from ratewarp.codes.arguments import runs_of
from ratewarp.codes.code_files import open_codes, read
from ratewarp.codes.run_effects import without_run_effects

_PER_ITEM = (
    "codes",
    "labels",
    "factors",
    "stimuli",
    "runs",
    "reference",
    "reference_noise",
    "noise",
    "frequency",
    "ids",
    "images",
)
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*")


def rows_where(file: Path, conditions: list[str], items: int) -> Bool[np.ndarray, " items"]:
    """Which items meet all conditions, each `KEY == VALUE`, or with !=, <, <=, >, >=, of a column of the
    file.

    Several values are parted by commas after == and !=: any of them, none of them. Quotes around a value are
    left away.

    Raises:
        RequestError: no such condition, key or kind of value.
    """
    content, kept = open_codes(file), np.ones(items, bool)
    for text in conditions:
        parts = _CONDITION.fullmatch(text)
        if parts is None:
            refuse("where", f"KEY, one of {' '.join(_COMPARED)}, and a value", text)
        key, sign, value = parts.groups()
        column = read(file, content, [key])[key]
        column = column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column
        if column.shape != (items,):
            refuse(f"where: {key}", f"one value for each of the {items} items", f"shape {column.shape}")
        kept &= _meets(column, sign, value, text)
    if not kept.any():
        refuse("where", "met by at least one item", " and ".join(conditions))
    return kept


def _meets(column: np.ndarray, sign: str, value: str, text: str) -> Bool[np.ndarray, " items"]:
    names = column.dtype.kind in "US"
    given = [one.strip().strip("'\"") for one in value.split(",")] if sign in ("==", "!=") else [value]
    if names and sign not in ("==", "!="):
        refuse("where", "== or != for a column of names", text)
    if names:
        found = np.isin(column.astype(str), given)
    else:
        try:
            numbers = [float({"true": "1", "false": "0"}.get(one.lower(), one)) for one in given]
        except ValueError:
            refuse("where", "a number, since the column holds numbers", text)
        if sign not in ("==", "!="):
            return np.asarray(_COMPARED[sign](column.astype(float), numbers[0]))
        found = np.isin(column.astype(float), numbers)
    return found if sign == "==" else ~found


def of_rows(arguments: Mapping[str, Any], kept: Bool[np.ndarray, " items"]) -> dict[str, Any]:
    """Arguments of `measure` of some of the items.

    Raises:
        RequestError: factors or frequencies by stimulus, whose rows are then others.
    """
    found = dict(arguments)
    for role in _PER_ITEM:
        if found.get(role) is None:
            continue
        if len(found[role]) != len(kept):
            refuse(
                role, f"one row for each of the {len(kept)} items, where some are left out", len(found[role])
            )
        found[role] = found[role][kept]
    return found


def complete(arguments: Mapping[str, Any]) -> Bool[np.ndarray, " items"]:
    """Which items have no missing value in anything that is said of them."""
    items = len(arguments["codes"])
    kept = np.ones(items, bool)
    for role in _PER_ITEM:
        values = arguments.get(role)
        if values is not None and len(values) == items:
            missing = np.asarray(pd.isna(values))
            kept &= ~missing.reshape(items, -1).any(axis=1)
    if not kept.any():
        raise RequestError("drop_missing: every item has a missing value")
    return kept


def average_trials(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `measure` of the mean codes of stimuli; trial noise can then no longer be told from them.

    Raises:
        RequestError: neither stimuli nor factors, or labels that differ between items of a stimulus.
    """
    told = arguments.get("stimuli")
    if told is None:
        told = arguments.get("factors")
    if told is None:
        raise RequestError("average: trials of a stimulus are averaged, which needs stimuli or factors")
    table = pd.DataFrame(np.asarray(told)).astype(str).agg("\x1f".join, axis=1)
    units, _ = pd.factorize(table, sort=True)
    arguments = _without_runs(arguments, units)
    number, found = int(units.max()) + 1, {**arguments, "stimuli": None}
    first = np.array([int(np.argmax(units == unit)) for unit in range(number)])
    for role in _PER_ITEM:
        values = arguments.get(role)
        if values is None or role == "stimuli" or len(values) != len(units):
            continue
        if role in ("codes", "reference", "noise", "reference_noise"):
            sums = np.zeros((number, *np.shape(values)[1:]))
            np.add.at(sums, units, np.asarray(values, float))
            counts = np.bincount(units).reshape(-1, *[1] * (sums.ndim - 1))
            # the variance of a mean of n is that of one over n
            found[role] = sums / counts**2 if role.endswith("noise") else sums / counts
        else:
            _check_same(role, values, first, units)
            found[role] = values.iloc[first] if isinstance(values, pd.DataFrame) else values[first]
    return found


def _without_runs(arguments: Mapping[str, Any], units: np.ndarray) -> dict[str, Any]:
    """Arguments of `measure` whose codes are free of what runs add, while there are trials to tell it by."""
    found = {**arguments}
    runs = found.pop("runs", None)
    if runs is not None:
        numbers = runs_of(runs, len(units))
        for role in ("codes", "reference"):
            if found.get(role) is not None:
                found[role] = without_run_effects(np.asarray(found[role], float), units, numbers)
    return found


def _check_same(role: str, values: Any, first: np.ndarray, units: np.ndarray) -> None:
    table = np.asarray(values)
    if role not in ("ids", "images") and (table[first][units] != table).any():
        refuse(role, "the same for all items of a stimulus, to average its trials", "several values")

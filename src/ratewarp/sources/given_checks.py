"""What a source that is given from Python says of itself, checked member by member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from ratewarp._checks import refuse, shorten
from ratewarp.sources.factor import Factor, check_factor
from ratewarp.sources.stored import Stored

_LARGEST_SIDE, _MOST_CHANNELS, _MOST_STIMULI = 4096, 16, 5_000_000


def checked_text(value: Any, member: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        refuse(f"source.{member}", "a text of 1 to 200 characters", value)
    return value


def checked_shape(value: Any) -> tuple[int, int, int]:
    sizes: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else ()
    sound = len(sizes) == 3 and all(isinstance(size, int | np.integer) and size >= 1 for size in sizes)
    if not sound or max(sizes[:2]) > _LARGEST_SIDE or sizes[2] > _MOST_CHANNELS:
        refuse(
            "source.image_shape",
            f"(height, width, channels), at most {_LARGEST_SIDE}, {_LARGEST_SIDE} and {_MOST_CHANNELS}",
            value,
        )
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def checked_factors(value: Any) -> tuple[Factor, ...]:
    if not isinstance(value, tuple | list) or not all(isinstance(factor, Factor) for factor in value):
        refuse("source.factors", "a tuple of ratewarp.sources.Factor", value)
    factors = tuple(_plain_values(factor) for factor in value)
    for place, factor in enumerate(factors):
        check_factor(factor, f"source.factors.{place}")
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        refuse("source.factors", "of different names", names)
    return factors


def _plain_values(factor: Factor) -> Factor:
    """With numbers of Python where those of NumPy came, which no file holds."""
    values = factor.values.tolist() if isinstance(factor.values, np.ndarray) else factor.values
    if not isinstance(values, tuple | list):
        return factor
    *values, period = (
        value.item() if isinstance(value, np.generic) else value for value in (*values, factor.period)
    )
    return factor._replace(values=tuple(values), period=period)


def checked_stimuli(
    value: Any, factors: tuple[Factor, ...], *, stored: bool
) -> Int[np.ndarray, "stimuli factors"]:
    table = as_array(value, "stimuli")
    if table.ndim != 2 or table.shape[1] != len(factors) or not 2 <= len(table) <= _MOST_STIMULI:
        rows, columns = f"2 to {_MOST_STIMULI:,} stimuli", f"the {len(factors)} factors"
        wanted = f"a table with a row for each of {rows} and a column for each of {columns}"
        refuse("source.stimuli", wanted, f"shape {table.shape}")
    if table.shape[1] and table.dtype.kind not in "iu":
        refuse(
            "source.stimuli", "of whole numbers: which of its values each factor has", f"type {table.dtype}"
        )
    for factor, column in zip(factors, table.T, strict=True):
        if column.min() < 0 or column.max() >= len(factor.values):
            wanted = f"0 to {len(factor.values) - 1} in the column of {factor.name}, places in its values"
            refuse("source.stimuli", wanted, f"{column.min()} to {column.max()}")
    if factors and not stored and len(np.unique(table, axis=0)) < len(table):
        rows, counts = np.unique(table, axis=0, return_counts=True)
        refuse("source.stimuli", "rows that differ from each other", f"{rows[counts > 1][0].tolist()} twice")
    return table.astype(int)


def checked_rules(value: Any, member: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(one, str) for pair in value.items() for one in pair
    ):
        refuse(f"source.{member}", "a mapping from name to expression", value)
    return dict(value)


def checked_task_sets(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or not all(isinstance(tasks, tuple | list) for tasks in value.values()):
        refuse("source.task_sets", "a mapping from name to names of tasks", value)
    return {str(name): tuple(map(str, tasks)) for name, tasks in value.items()}


def as_array(value: Any, member: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        refuse(f"source.{member}", "an array, with rows of one length", value)


def reason(error: Exception) -> str:
    """What the user's code raised, in one line."""
    return shorten(str(error).splitlines()[0] if str(error) else type(error).__name__)


def checked_stored(value: Any, stimuli: int) -> Stored | None:
    """What is stored, with held-out stimuli as whole numbers that leave some to train on."""
    if value is None:
        return None
    if not isinstance(value, Stored) or not callable(value.read):
        refuse("source.stored", "None, or ratewarp.sources.Stored with held_out and a function read", value)
    held_out = as_array(value.held_out, "stored.held_out")
    sound = held_out.ndim == 1 and held_out.dtype.kind in "iu" and np.all(np.diff(held_out.astype(int)) > 0)
    if not sound or len(held_out) < 2 or held_out[0] < 0 or held_out[-1] >= stimuli:
        refuse(
            "source.stored.held_out", f"two stimuli or more of 0 to {stimuli - 1}, in rising order", held_out
        )
    if len(held_out) == stimuli:
        refuse(
            "source.stored.held_out",
            "some stimuli of all, so that others are left to train on",
            "all of them",
        )
    return Stored(held_out.astype(int), value.read)

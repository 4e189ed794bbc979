"""Columns: what is known of every image, a number or a text each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, shorten
from ratewarp.formats.content import as_names
from ratewarp.formats.text_tables import MOSTLY, UNNAMED, is_number

MOST_SIDE_BY_SIDE = 16  # columns of an array that is taken apart


class Columns(NamedTuple):
    """Columns of a set of images.

    Attributes:
        values: name → one number or text an image; NaN or an empty text where it is missing.
        wrong: row → what is wrong with it.
    """

    values: dict[str, np.ndarray]
    wrong: dict[int, str]


def of_frame(frame: pd.DataFrame, origin: str) -> Columns:
    """The columns of a table; those without a name, such as row names, are left out.

    Raises:
        RequestError: more cells in a row than columns, names that occur twice, texts of very different
            lengths.
    """
    if not isinstance(frame.index, pd.RangeIndex):
        raise RequestError(f"{origin}: rows have more cells than the first row has names of columns")
    values: dict[str, np.ndarray] = {}
    wrong: dict[int, str] = {}
    for place, given in enumerate(map(str, frame.columns)):
        if given.startswith(UNNAMED):
            continue
        if given in values:
            raise RequestError(f"{origin}: two columns are named {given!r}")
        values[given], bad = _of_series(given, frame.iloc[:, place])
        wrong |= {row: why for row, why in bad.items() if row not in wrong}
    return Columns(values, wrong)


def _of_series(name: str, series: Any) -> tuple[np.ndarray, dict[int, str]]:
    if pd.api.types.is_bool_dtype(series.dtype) and not series.isna().any():
        return series.to_numpy(dtype=np.int64), {}
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        whole = pd.api.types.is_integer_dtype(series.dtype) and not series.isna().any()
        numbers = series.to_numpy() if whole else series.to_numpy(dtype=np.float64, na_value=np.nan)
        return _finite(name, np.asarray(numbers, dtype=None if numbers.dtype.kind in "iu" else np.float64))
    known = series.notna().to_numpy()
    texts = series.astype(str).where(known, "")
    numeric = texts.map(is_number).to_numpy() & known
    share = numeric.sum() / max(1, known.sum())
    if MOSTLY < share < 1:
        rows = np.flatnonzero(known & ~numeric)
        wrong = {int(row): f"{name!r} is {shorten(texts.iloc[row])} in a column of numbers" for row in rows}
        coerced: Any = pd.to_numeric(series, errors="coerce")
        return coerced.to_numpy(dtype=np.float64), wrong
    return as_names(name, texts.tolist()), {}


def _finite(name: str, numbers: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
    """Numbers, and rows in which they are infinite."""
    if numbers.dtype.kind != "f":
        return numbers, {}
    return numbers, {int(row): f"{name!r} is infinite" for row in np.flatnonzero(np.isinf(numbers))}


def of_arrays(arrays: Mapping[str, np.ndarray]) -> Columns:
    """Columns of arrays with a row an image; one of up to 16 columns is taken apart, `labels` into
    `labels_0`, `labels_1`, ….

    Examples:
        >>> of_arrays({"factors": np.array([[0, 5], [1, 6]]), "seen": np.array([True, False])}).values
        {'factors_0': array([0, 1]), 'factors_1': array([5, 6]), 'seen': array([1, 0])}
    """
    values: dict[str, np.ndarray] = {}
    wrong: dict[int, str] = {}
    for name, array in arrays.items():
        many = array.ndim == 2 and array.shape[1] > 1
        for place, column in enumerate(array.reshape(len(array), -1).T):
            own = f"{name}_{place}" if many else name
            values[own], bad = _of_array(own, column)
            wrong |= {row: why for row, why in bad.items() if row not in wrong}
    return Columns(values, wrong)


def _of_array(name: str, column: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
    if column.dtype.kind == "b":
        return column.astype(np.int64), {}
    if column.dtype.kind == "f":
        return _finite(name, column.astype(np.float64))
    return np.ascontiguousarray(column).astype(column.dtype.newbyteorder("="), copy=False), {}

"""Rows matched by id."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, refuse

_SHOWN = 5  # ids named in an error


def rows_by_id(ids: np.ndarray, argument: str) -> dict[Hashable, int]:
    """Row of every id.

    Raises:
        RequestError: ids are not one-dimensional, one is missing or comes twice; the message names
            `argument`.

    Examples:
        >>> rows_by_id(np.array(["b", "a"]), "ids")
        {'b': 0, 'a': 1}
    """
    if ids.ndim != 1:
        refuse(argument, "one id for each row", f"shape {ids.shape}")
    missing = np.flatnonzero(pd.isna(ids))
    if missing.size:
        refuse(argument, "without missing values", f"{missing.size}, first in row {missing[0]}")
    places = {one: row for row, one in enumerate(ids.tolist())}
    if len(places) != len(ids):
        found, counts = np.unique(ids, return_counts=True)
        refuse(
            argument,
            "different for every row",
            f"{found.tolist()[int(np.argmax(counts))]!r} {counts.max()} times",
        )
    return places


def order_by_id(
    ids: np.ndarray, theirs: np.ndarray, argument: str, other: str, *, both: bool = False
) -> np.ndarray:
    """Rows of `theirs` in the order of `ids`.

    Arguments:
        ids: of the rows whose order is wanted.
        theirs: ids of the rows that are to be brought into it.
        argument: what `ids` are, for messages.
        other: what `theirs` are, for messages.
        both: whether rows of theirs that `ids` does not name are an error.

    Raises:
        RequestError: an id is missing, comes twice, or is not found; names on one side and numbers on the
            other.

    Examples:
        >>> order_by_id(np.array([1, 2]), np.array([2, 3, 1]), "ids", "table.csv")
        array([2, 0])
    """
    own, rows = rows_by_id(ids, argument), rows_by_id(theirs, other)
    kinds = ["text" if array.dtype.kind in "US" else "numbers" for array in (ids, theirs)]
    if kinds[0] != kinds[1]:
        raise RequestError(
            f"ids must be of one kind to be matched: {argument} are {kinds[0]}, those of {other} {kinds[1]}"
        )
    pairs = [(own, rows, f"{other} lacks")] + ([(rows, own, f"{argument} lacks")] if both else [])
    rule = "both must name the same items" if both else "its rows are matched by id"
    for names, others, kind in pairs:
        if lacking := [one for one in names if one not in others]:
            more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
            raise RequestError(f"{kind} id {', '.join(map(repr, lacking[:_SHOWN]))}{more}; {rule}")
    return np.array([rows[one] for one in own])

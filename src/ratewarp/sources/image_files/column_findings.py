"""What columns hold: their values, what each can serve as, and whether they cross."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

LABEL_NAMES = ("label", "labels", "class", "classes", "category", "target", "digit", "identity")
MOST_VALUES = 1000  # of a column that is a label or a factor
_SHOWN = 50  # values whose frequencies are kept
Role = Literal["label", "factor", "name", "numbers", "constant"]


class ColumnFound(NamedTuple):
    """One column.

    Attributes:
        name: of it.
        kind: `numbers` or `text`.
        role: `label` (categories), `factor` (numbers in an order), `name` (another text for nearly every
            image, or the number of its row), `numbers` (too many values for a factor) or `constant`.
        distinct: number of its values.
        missing: images without a value.
        lowest: smallest number; None for text.
        highest: largest number.
        frequencies: value → images that have it, in the order of the values; of the 50 most frequent ones.
    """

    name: str
    kind: Literal["numbers", "text"]
    role: Role
    distinct: int
    missing: int
    lowest: float | None
    highest: float | None
    frequencies: dict[str | float, int]


class Crossing(NamedTuple):
    """Which combinations of labels and factors occur.

    Attributes:
        columns: that are crossed.
        possible: number of combinations of their values.
        occurring: those that at least one image has.
        fewest: images of the rarest combination that occurs.
        most: images of the most frequent one.
        incomplete: images without a value in one of the columns; they are in no combination.
    """

    columns: tuple[str, ...]
    possible: int
    occurring: int
    fewest: int
    most: int
    incomplete: int


def column_found(name: str, values: np.ndarray) -> ColumnFound:
    """What one column holds.

    Examples:
        >>> column_found("shape", np.array(["heart", "square", "heart", ""])).frequencies
        {'heart': 2, 'square': 1}
    """
    text = values.dtype.kind == "U"
    known = values[values != ""] if text else values[~np.isnan(values.astype(np.float64))]
    distinct, counts = np.unique(known, return_counts=True)
    usual = np.sort(np.argsort(-counts, kind="stable")[:_SHOWN])
    return ColumnFound(
        name,
        "text" if text else "numbers",
        _role(name, values, len(distinct)),
        len(distinct),
        len(values) - len(known),
        None if text or not len(known) else distinct[0].item(),
        None if text or not len(known) else distinct[-1].item(),
        dict(zip(distinct[usual].tolist(), counts[usual].tolist(), strict=True)),
    )


def _role(name: str, values: np.ndarray, distinct: int) -> Role:
    if distinct < 2:
        return "constant"
    if values.dtype.kind == "U":
        return "label" if distinct <= min(MOST_VALUES, len(values) // 2) else "name"
    if distinct == len(values) and len(values) > 2 and (np.diff(values.astype(np.float64)) == 1).all():
        return "name"
    if distinct > MOST_VALUES:
        return "numbers"
    whole = np.nan_to_num(values) % 1 == 0
    return "label" if name.lower() in LABEL_NAMES and whole.all() else "factor"


def crossing(columns: Mapping[str, np.ndarray]) -> Crossing | None:
    """How far columns cross; None where there are none.

    Examples:
        >>> crossing({"x": np.array([0, 0, 1]), "y": np.array([0, 1, 0])})
        Crossing(columns=('x', 'y'), possible=4, occurring=3, fewest=1, most=1, incomplete=0)
    """
    if not columns:
        return None
    missing = [values == "" if values.dtype.kind == "U" else values != values for values in columns.values()]
    whole = ~np.any(missing, axis=0)
    possible, combinations = 1, np.zeros(int(whole.sum()), np.int64)
    for values in columns.values():
        distinct, places = np.unique(values[whole], return_inverse=True)
        possible *= len(distinct)
        # numbered anew each time, so that no number grows beyond images × values
        combinations = np.unique(combinations * len(distinct) + places, return_inverse=True)[1]
    counts = np.bincount(combinations)
    fewest = int(counts.min()) if len(counts) else 0
    most = int(counts.max()) if len(counts) else 0
    return Crossing(tuple(columns), possible, len(counts), fewest, most, int((~whole).sum()))

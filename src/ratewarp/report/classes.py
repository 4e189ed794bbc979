"""Few ticks for many classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np

MANY = 5  # from so many classes on, a matrix has a colour bar and a few ticks in place of numbers and names
_TICKS = 6  # at most, about


class ClassTicks(NamedTuple):
    """Ticks of an axis along which classes stand.

    Attributes:
        places: where they are, in classes.
        names: what they say.
        title: what the names are of.
        borders: where lines part groups of classes.
    """

    places: Sequence[float]
    names: Sequence[str]
    title: str
    borders: Sequence[float] = ()


def sparse_ticks(names: Sequence[str]) -> ClassTicks:
    """Some of the classes by name, evenly spread.

    Examples:
        >>> sparse_ticks([f"c{i}" for i in range(25)]).names
        ['c0', 'c5', 'c10', 'c15', 'c20']
    """
    every = slice(None, None, ceil(len(names) / _TICKS))
    return ClassTicks(list(range(len(names)))[every], list(names)[every], "class")


def class_ticks(labels: np.ndarray, values: np.ndarray, factors: Sequence[str]) -> ClassTicks:
    """Ranges of the first factor where classes are ordered by them and within them by the second; numbers of
    classes elsewhere.

    Arguments:
        labels: class of every stimulus.
        values: factor values of every stimulus.
        factors: their names.

    Examples:
        >>> values = np.stack(np.divmod(np.arange(16), 4), axis=1)
        >>> ticks = class_ticks(4 * (values[:, 0] // 2) + values[:, 1], values, ["x", "y"])
        >>> ticks.places, ticks.names, ticks.title, ticks.borders
        ([1.5, 5.5], ['0–1', '2–3'], 'class, by x then y (numbers: x)', [3.5])
    """
    classes = int(labels.max()) + 1
    plain = sparse_ticks([str(one) for one in range(classes)])
    if len(factors) < 2 or len(np.unique(labels)) < classes:
        return plain
    spans = [
        [(float(v.min()), float(v.max())) for v in values[labels == one].T[:2]] for one in range(classes)
    ]
    starts = [one for one in range(classes) if one == 0 or spans[one][0] != spans[one - 1][0]]
    ends = [*starts[1:], classes]
    groups = [spans[start:end] for start, end in zip(starts, ends, strict=True)]
    in_order = _rising([group[0][0] for group in groups]) and all(
        _rising([span[-1] for span in group]) for group in groups
    )
    if not in_order or not 1 < len(groups) <= min(classes / 2, 2 * _TICKS):
        return plain
    return ClassTicks(
        [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)],
        [
            f"{low:g}–{high:g}" if low < high else f"{low:g}"
            for low, high in (group[0][0] for group in groups)
        ],
        f"class, by {factors[0]} then {factors[1]} (numbers: {factors[0]})",
        [start - 0.5 for start in starts[1:]],
    )


def _rising(spans: Sequence[tuple[float, float]]) -> bool:
    return all(before[1] < after[0] for before, after in pairwise(spans))

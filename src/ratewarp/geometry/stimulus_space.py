"""Where stimuli stand, and which of them are neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

_NEAREST = 4  # neighbours of a point that is described by no factors
_CLOSED = 1.5  # a circle is closed where no gap is wider than this, in units of the next widest
_APART = 10  # ranks between two categories: more than a step
_STEP = 1.0 + 1e-9
_SAME = 1e-9  # steps that differ by less are equal but for rounding
_ON_A_GRID = "a step along one factor, over its length"


class FactorKind(NamedTuple):
    """What kind of factor a column is.

    Attributes:
        kind: `ordered`; `circular`, with values that repeat after `period`; or `categorical`, whose numbers
            say only which values are the same.
        period: of a circular factor, in the unit of its values.
    """

    kind: Literal["ordered", "circular", "categorical"] = "ordered"
    period: float | None = None


@dataclass(frozen=True)
class Space:
    """Where stimuli stand.

    Attributes:
        factors: factor values of every stimulus.
        kinds: of the factors; all ordered if empty.
        points: of every stimulus, in a space where distance means what differs, such as that of the images;
            counts instead of the factors where it is given.
    """

    factors: Float[np.ndarray, "stimuli factors"]
    kinds: tuple[FactorKind, ...] = ()
    points: Float[np.ndarray, "stimuli dimensions"] | None = None

    def of(self, kept: Bool[np.ndarray, " stimuli"]) -> Space:
        """Of some of the stimuli."""
        return Space(self.factors[kept], self.kinds, None if self.points is None else self.points[kept])

    @property
    def has_neighbours(self) -> bool:
        """Whether there is a way to tell which stimuli are neighbours."""
        steps = any(one.kind != "categorical" for one in self.kinds) if self.kinds else self.factors.shape[1]
        return self.points is not None or bool(steps)


class Neighbours(NamedTuple):
    """Pairs of neighbouring stimuli, each once, how far apart they are in the factors, and by which rule.

    Attributes:
        first, second: the stimuli of every pair.
        steps: how far apart they are; 1 on an even grid.
        rule: in words.
    """

    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    steps: Float[np.ndarray, " pairs"]
    rule: str


def neighbours(space: Space) -> Neighbours:
    """Which stimuli are neighbours.

    On a grid, those that differ by one step in one ordered or circular factor, as far apart as its two values
    are, in units of the median step of that factor; the last value of a circular factor is a step before the
    first, where its values go round the whole circle. Where some stimulus has no
    such neighbour, the nearest stimuli, two a factor: ordered factors in units of their standard deviation,
    circular ones as places on a circle in units of theirs, categories one apart; their distance is given in
    units of its median. Where stimuli are points, the four nearest, likewise.

    Examples:
        >>> neighbours(Space(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))).second
        array([1, 2])
        >>> neighbours(Space(np.array([[1.0], [2.0], [3.0], [7.0]]))).steps
        array([1., 1., 4.])
        >>> around = Space(np.arange(0.0, 360, 90)[:, None], (FactorKind("circular", 360),))
        >>> neighbours(around).first, neighbours(around).second
        (array([0, 0, 1, 2]), array([1, 3, 2, 3]))
    """
    if space.points is not None:
        return _nearest(space.points, _NEAREST, "the nearest stimuli by their images")
    factors, kinds = space.factors, space.kinds or (FactorKind(),) * space.factors.shape[1]
    pairs = _grid_pairs(factors, kinds)
    if np.isin(np.arange(len(factors)), pairs).all():
        return Neighbours(pairs[:, 0], pairs[:, 1], _lengths(factors, kinds, pairs), _ON_A_GRID)
    places = np.concatenate(
        [_placed(column, one) for column, one in zip(factors.T, kinds, strict=True)], axis=1
    )
    return _nearest(places, 2 * factors.shape[1], "the nearest stimuli by their factors")


def _grid_pairs(
    factors: Float[np.ndarray, "stimuli factors"], kinds: tuple[FactorKind, ...]
) -> Int[np.ndarray, "pairs 2"]:
    """Pairs that differ by one step in one factor, in order."""
    ranks, around = [], []
    for column, one in zip(factors.T, kinds, strict=True):
        values, places = np.unique(column, return_inverse=True)
        ranks.append(places * (_APART if one.kind == "categorical" else 1))
        around.append(len(values) if _goes_round(values, one) else 0)
    table, size = np.stack(ranks, axis=1), np.array(around)
    pairs = KDTree(table, boxsize=size if size.any() else None).query_pairs(_STEP, p=1, output_type="ndarray")
    apart = np.abs(table[pairs[:, 0]] - table[pairs[:, 1]])
    apart = np.where(size[None] > 0, np.minimum(apart, size[None] - apart), apart)
    pairs = pairs[apart.sum(axis=1) == 1]
    return pairs[np.lexsort(pairs.T[::-1])]


def _lengths(
    factors: Float[np.ndarray, "stimuli factors"],
    kinds: tuple[FactorKind, ...],
    pairs: Int[np.ndarray, "pairs 2"],
) -> Float[np.ndarray, " pairs"]:
    """How long the step of every pair is, in units of the median step of the factor that it goes along."""
    apart = np.abs(factors[pairs[:, 0]] - factors[pairs[:, 1]])
    found = np.zeros(len(pairs))
    for column, one in enumerate(kinds):
        period = one.period if one.kind == "circular" else None
        length = (
            apart[:, column] if period is None else np.minimum(apart[:, column], period - apart[:, column])
        )
        values = np.diff(np.unique(factors[:, column]))
        found += length / (np.median(values) if len(values) else 1)
    return np.where(np.abs(found - 1) < _SAME, 1.0, found)


def _goes_round(values: Float[np.ndarray, " values"], one: FactorKind) -> bool:
    """Whether the values of a circular factor leave no larger gap between the last and the first than
    elsewhere.
    """
    if one.kind != "circular" or one.period is None or len(values) < 3:
        return False
    return bool(values[0] + one.period - values[-1] <= _CLOSED * np.diff(values).max())


def _placed(
    column: Float[np.ndarray, " stimuli"], one: FactorKind
) -> Float[np.ndarray, "stimuli dimensions"]:
    """A factor as coordinates in which distance means what differs."""
    if one.kind == "categorical":
        return (column[:, None] == np.unique(column)[None]) / np.sqrt(2)
    if one.kind == "circular" and one.period is not None:
        angle = 2 * np.pi * column / one.period
        column = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        spread = np.sqrt(column.var(axis=0).sum())
    else:
        column, spread = column[:, None], column.std()
    return column / (spread if spread > 0 else 1)


def _nearest(places: Float[np.ndarray, "stimuli dimensions"], number: int, rule: str) -> Neighbours:
    """The nearest stimuli elsewhere, so many of each; all that stand at one place where several do."""
    distinct, group = np.unique(places, axis=0, return_inverse=True)
    alone = len(distinct) == len(places)
    distinct, group = (places, np.arange(len(places))) if alone else (distinct, group.reshape(-1))
    wanted = min(number, len(distinct) - 1)
    distances, found = KDTree(distinct).query(distinct, wanted + 1)
    owners = np.repeat(np.arange(len(distinct)), wanted + 1)
    apart = (found.ravel() != owners) & (distances.ravel() > 0)
    pairs = np.unique(np.sort(np.stack([owners, found.ravel()], axis=1)[apart], axis=1), axis=0)
    steps = np.linalg.norm(distinct[pairs[:, 0]] - distinct[pairs[:, 1]], axis=1)
    if not alone:
        pairs, steps = _of_all(pairs, steps, group)
    return Neighbours(pairs[:, 0], pairs[:, 1], steps / np.median(steps) if len(steps) else steps, rule)


def _of_all(
    pairs: Int[np.ndarray, "pairs 2"], steps: Float[np.ndarray, " pairs"], group: Int[np.ndarray, " stimuli"]
) -> tuple[Int[np.ndarray, "all_pairs 2"], Float[np.ndarray, " all_pairs"]]:
    """Pairs of places as pairs of all stimuli that stand there."""
    members = [np.flatnonzero(group == one) for one in range(int(group.max()) + 1)]
    every = [
        np.stack(np.meshgrid(members[a], members[b], indexing="ij"), axis=-1).reshape(-1, 2) for a, b in pairs
    ]
    sorted_pairs = np.sort(np.concatenate(every), axis=1) if every else np.zeros((0, 2), int)
    return sorted_pairs, np.repeat(steps, [len(one) for one in every])

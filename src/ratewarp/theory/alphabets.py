"""What may stand for the stimuli: the columns of a matrix, or any point of a cost's space; and where a new
point would help most.

Both kinds answer the same questions, for stimuli of positive probability only, those that cost the same
everywhere merged into one: what points cost, and where c(y) = Σ_s w_s exp(−β d(s, y)) is largest. Distances
are counted from each stimulus's smallest; `offset` is the mean of what was taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int, Shaped

from ratewarp.theory.ascent import ascend, cells, heights
from ratewarp.theory.costs import Bounded, Cost, Softening

SAME = 1e-12  # distances this close, as a share of the largest, are the same
_TOUCHING = 0.01  # width of a cell whose points become one, as a distance of stimuli's shares, root by root
# climbers that go on to the very top, and the height that matters to them, as a share
_FINALISTS, _FINAL_LEVEL = 24, 0.1
_RANDOM_STARTS = 0.5  # random starts of a search, per stimulus and kind
_NEIGHBOURS, _GROUPS = 4, (4, 8)  # whom a stimulus is mixed with where a label may be left open
_MIXED = (2.0, 8.0, 30.0)  # kinds of random mixture: about so many stimuli take part


@dataclass(frozen=True)
class Peaks:
    """Where c(y) is large.

    Attributes:
        points: candidates for new reproduction points.
        heights: log c there.
        highest: largest log c of all points seen.
        proved: whether no point at all is higher.
    """

    points: Shaped[np.ndarray, "points ..."]
    heights: Float[np.ndarray, " points"]
    highest: float
    proved: bool


class Alphabet(Protocol):
    """Points are rows of an array that only the alphabet understands."""

    p: Float[np.ndarray, " merged"]
    offset: float
    same: float  # distances up to this one are rounding
    own: Shaped[np.ndarray, "points ..."]  # the points that are best for some stimulus
    middle: Shaped[np.ndarray, "one ..."]  # the one point that is best for all

    def distances(self, points: np.ndarray) -> Float[np.ndarray, "merged points"]:
        """What points cost, from each stimulus's smallest on."""
        ...

    def peaks(
        self,
        beta: float,
        logw: Float[np.ndarray, " merged"],
        points: np.ndarray,
        *,
        level: float,
        thorough: bool,
    ) -> Peaks:
        """Where c is large, seen from the points at hand or, `thorough`, from everywhere; log c below `level`
        does not matter.
        """
        ...

    def condensed(
        self, beta: float, points: np.ndarray, weights: Float[np.ndarray, " points"]
    ) -> tuple[np.ndarray, Float[np.ndarray, " points"]]:
        """The same points with those that (nearly) coincide made one."""
        ...

    def moved(self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]) -> np.ndarray:
        """The points that are best for given shares of stimuli."""
        ...

    def shown(
        self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]
    ) -> tuple[np.ndarray, Float[np.ndarray, "all points"]]:
        """The moved points as the user knows them, and what they cost every stimulus."""
        ...


def kernel(
    beta: float, distances: Float[np.ndarray, "stimuli points"], same: float | np.ndarray
) -> Float[np.ndarray, "stimuli points"]:
    """exp(−β d); at β = ∞, 1 where d is no more than `same`."""
    return (distances <= same).astype(float) if np.isinf(beta) else np.exp(-beta * distances)


class Columns:
    """The columns of a matrix of distortions; the largest c over them is found by looking at all, so it is
    proved.
    """

    # what is rounding is taken out of every row by itself: a large entry must not hide a small one
    same = 0.0

    def __init__(self, p: Float[np.ndarray, " all"], matrix: Float[np.ndarray, "all columns"]):
        self._matrix, kept = matrix, np.flatnonzero(p)
        rows, groups = np.unique(matrix[kept], axis=0, return_inverse=True)
        self.p = np.bincount(groups, p[kept])
        least = rows.min(axis=1)
        self.offset = float(self.p @ least)
        self._rows = rows - least[:, None]
        self._rows[self._rows <= SAME * least[:, None]] = 0
        self.own = np.unique(self._rows.argmin(axis=1))
        self.middle = np.array([int((self.p @ rows).argmin())])
        self._kernel: tuple[float, np.ndarray] = (0.0, np.ones((0, 0)))

    def distances(self, points: np.ndarray) -> Float[np.ndarray, "merged points"]:
        return self._rows[:, points]

    def peaks(
        self,
        beta: float,
        logw: Float[np.ndarray, " merged"],
        points: np.ndarray,
        *,
        level: float,
        thorough: bool,
    ) -> Peaks:
        if self._kernel[0] != beta:
            self._kernel = beta, kernel(beta, self._rows, self.same)
        highest = logw.max()
        with np.errstate(divide="ignore"):
            heights = np.log(np.exp(logw - highest) @ self._kernel[1]) + highest
        others = np.setdiff1d(np.arange(len(heights)), points)
        return Peaks(others, heights[others], float(heights.max()), True)

    def condensed(
        self, beta: float, points: np.ndarray, weights: Float[np.ndarray, " points"]
    ) -> tuple[np.ndarray, np.ndarray]:
        columns, place = np.unique(points, return_inverse=True)
        return columns, np.bincount(place, weights)

    def moved(self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]) -> np.ndarray:
        return points

    def shown(
        self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]
    ) -> tuple[np.ndarray, np.ndarray]:
        return points, self._matrix[:, points]


class Anywhere:
    """Any point of a cost's space; the largest c is searched for by ascent from many starts, no proof unless
    the cost knows a bound.
    """

    def __init__(self, p: Float[np.ndarray, " all"], cost: Cost):
        self._cost, kept = cost, np.flatnonzero(p)
        every = cost.restricted(kept)
        between = every.distances(every.points(np.eye(len(kept))))
        first, groups = np.unique(_same_as(between), return_inverse=True)
        self.p = np.bincount(groups, p[kept])
        self._first = kept[first]
        self._merged = cost.restricted(self._first)
        self.own = self._merged.points(np.eye(len(first)))
        own = self._merged.distances(self.own)
        self._least = np.diagonal(own).copy()
        self.same = SAME * max(float(own[np.isfinite(own)].max()), 1e-300)
        self.offset = float(self.p @ self._least)
        self.middle = self._merged.points(self.p[None])

    def distances(self, points: np.ndarray) -> Float[np.ndarray, "merged points"]:
        distances = self._merged.distances(points)
        return distances - self._least[:, None] if self._least.any() else distances

    def peaks(
        self,
        beta: float,
        logw: Float[np.ndarray, " merged"],
        points: np.ndarray,
        *,
        level: float,
        thorough: bool,
    ) -> Peaks:
        # the best point of a stimulus is its own, which stands for no other, if there is but one
        if np.isinf(beta):
            proved = isinstance(self._merged, Bounded) and self._merged.ceiling(beta, logw) <= level
            return Peaks(self.own[:0], np.zeros(0), float(logw.max()), proved)
        starts = np.concatenate([points, self._starts, self._open_starts(beta)]) if thorough else points
        found, tops = self._climbed(beta, logw, starts, level=level, steps=500 if thorough else 20)
        if thorough:  # the few that matter go on until they hardly rise
            best = np.argsort(-tops)[:_FINALISTS]
            last, last_tops = self._climbed(beta, logw, found[best], level=_FINAL_LEVEL * level, steps=500)
            found, tops = np.concatenate([found, last]), np.append(tops, last_tops)
        highest = float(tops.max())
        if isinstance(self._merged, Bounded):
            ceiling = self._merged.ceiling(beta, logw + beta * self._least)
            # less than what a round must come below, or it would never end
            if ceiling <= max(highest, 0.5 * level):
                return Peaks(found, tops, ceiling, True)
        return Peaks(found, tops, highest, False)

    def _climbed(
        self, beta: float, logw: Float[np.ndarray, " merged"], starts: np.ndarray, *, level: float, steps: int
    ) -> tuple[np.ndarray, Float[np.ndarray, " tops"]]:
        return ascend(self.distances, self._merged.points, beta, logw, starts, level=level, steps=steps)

    @cached_property
    def _starts(self) -> np.ndarray:
        """Every stimulus's own point, the middle, the middles of neighbours, and random mixtures of few
        stimuli.
        """
        n = len(self.p)
        between = self.distances(self.own) + np.diag(np.full(n, np.inf))
        pairs = np.unique(0.5 * (np.eye(n) + np.eye(n)[between.argmin(axis=1)]), axis=0)
        size = int(np.ceil(_RANDOM_STARTS * n))
        rng = np.random.default_rng(0)
        mixtures = np.concatenate([rng.dirichlet(np.full(n, few / n), size=size) for few in _MIXED])
        return np.concatenate([self.own, self.middle, self._merged.points(np.concatenate([pairs, mixtures]))])

    def _open_starts(self, beta: float) -> np.ndarray:
        """Mixtures of neighbours that the cost keeps apart, but not at this β."""
        firm = self._merged.firm(beta) if isinstance(self._merged, Softening) else self._merged
        n = len(self.p)
        if firm is self._merged or n == 1:
            return self.own[:0]
        order = (
            np.random.default_rng(0).random((n, n))
            if firm is None
            else firm.distances(firm.points(np.eye(n)))
        )
        np.fill_diagonal(order, -1.0)
        ranks = np.argsort(np.argsort(order, axis=1), axis=1)  # 0 for the stimulus itself
        groups = [(ranks < size) / min(size, n) for size in (1, *_GROUPS)]
        pairs = [
            0.5 * ((ranks == 0) + (ranks == nearest).astype(float))
            for nearest in range(1, min(_NEIGHBOURS, n - 1) + 1)
        ]
        mixed = np.unique(np.concatenate([*groups, *pairs]), axis=0)
        return self._merged.points(0.9 * mixed + 0.1 * self.p)

    def condensed(
        self, beta: float, points: np.ndarray, weights: Float[np.ndarray, " points"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points that stand for nearly the same shares of stimuli become one, at their centre of mass."""
        distances = self.distances(points)
        z = kernel(beta, distances, self.same) @ weights
        shares = heights(beta, np.log(self.p) - np.log(z), distances)[1]
        cell = np.unique(cells(shares, _TOUCHING), return_inverse=True)[1]
        total = np.bincount(cell, weights)
        sums = np.zeros((len(total), points.shape[1]))
        np.add.at(sums, cell, weights[:, None] * points)
        return sums / total[:, None], total

    def moved(self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]) -> np.ndarray:
        return self._merged.points(backward)

    def shown(
        self, points: np.ndarray, backward: Float[np.ndarray, "points merged"]
    ) -> tuple[np.ndarray, np.ndarray]:
        weights = np.zeros((len(backward), self._cost.stimuli))
        weights[:, self._first] = backward
        full = self._cost.points(weights)
        return full, self._cost.distances(full)


def _same_as(between: Float[np.ndarray, "stimuli stimuli"]) -> Int[np.ndarray, " stimuli"]:
    """First stimulus that costs the same as this one at every stimulus's own point."""
    finite = between[np.isfinite(between)]
    close = SAME * max(float(finite.max()), 1e-300)
    nearest = np.argmax(between <= np.diagonal(between)[:, None] + close, axis=1)
    same = np.all(np.isclose(between, between[nearest], rtol=0, atol=close), axis=1)
    return np.where(same, nearest, np.arange(len(between)))

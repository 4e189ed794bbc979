"""Least stress: points whose distances come as near to given ones as they can."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_MEMORY = 8  # last steps that tell of the curvature
_ROWS = 64  # of a tile: it and its distances stay in a core's cache
_NEAREST = 1e-6  # least distance that is divided by, of the root mean square of the given ones
# gains in squared stress that end the search: of its whole scale, of what is left of it, and of rounding
_SMALL, _SMALL_SHARE, _ROUNDING = 1e-6, 1e-3, 1e-14


def least_stress(
    distances: Float[np.ndarray, "items items"], start: Float[np.ndarray, "items two"], iterations: int
) -> Float[np.ndarray, "items two"]:
    """Points of least stress Σ (d_ij − δ_ij)², from a start downhill.

    The gradient of the stress is a multiple of X − G(X), G(X) = B(X) X / n the Guttman transform. A step is
    that of L-BFGS, whose first guess at the curvature takes it to G(X); where it does not lessen the stress,
    it goes to G(X), which majorization guarantees to.

    Arguments:
        distances: δ, symmetric, not all 0.
        start: a place for every item.
        iterations: most steps.

    Returns:
        The points, centred.

    Source: de Leeuw, Convergence of the majorization method for multidimensional scaling, 1988; Nocedal,
    Updating quasi-Newton matrices with limited storage, 1980.

    Examples:
        >>> line = np.array([[0.0, 1, 2], [1, 0, 1], [2, 1, 0]])
        >>> found = least_stress(line, np.array([[0.0, 0], [1, 1], [2, 0]]), 100)
        >>> bool(np.allclose(np.linalg.norm(found[:, None] - found, axis=2), line, atol=1e-3))
        True
    """
    stress = _Stress(distances)
    here = stress.at(start)
    known: deque[_Step] = deque(maxlen=_MEMORY)
    for _ in range(iterations):
        there = stress.at(here.points - _newton(here.residual, known))
        if known and there.squared >= here.squared:
            known.clear()
            there = stress.at(here.points - here.residual)
        gain = here.squared - there.squared
        if gain <= 0:
            break
        step = _Step((there.points - here.points).ravel(), (there.residual - here.residual).ravel())
        if step.curvature > 0:
            known.append(step)
        here = there
        if gain < max(min(_SMALL, _SMALL_SHARE * here.squared), _ROUNDING):
            break
    return here.points


class _Place(NamedTuple):
    """Points, how far each is from its Guttman transform, and squared stress over Σ δ²."""

    points: np.ndarray
    residual: np.ndarray
    squared: float


class _Step(NamedTuple):
    """A step taken, and by how much it changed the residual."""

    move: np.ndarray
    change: np.ndarray

    @property
    def curvature(self) -> float:
        return float(self.move @ self.change)


def _newton(residual: np.ndarray, known: deque[_Step]) -> np.ndarray:
    """Inverse curvature times the residual, by the two loops of L-BFGS."""
    if not known:
        return residual
    found, shares = residual.ravel().copy(), []
    for step in reversed(known):
        shares.append(float(step.move @ found) / step.curvature)
        found -= shares[-1] * step.change
    last = known[-1]
    found *= last.curvature / float(last.change @ last.change)
    for step, share in zip(known, reversed(shares), strict=True):
        found += (share - float(step.change @ found) / step.curvature) * step.move
    return found.reshape(residual.shape)


class _Stress:
    """Stress of points, tile by tile from the diagonal on, in one buffer."""

    def __init__(self, distances: np.ndarray) -> None:
        self._items = len(distances)
        self._tiles = [
            (first, np.ascontiguousarray(distances[first : first + _ROWS, first:]))
            for first in range(0, self._items, _ROWS)
        ]
        self._total = float(np.einsum("ij,ij->", distances, distances))
        self._least = self._total * (_NEAREST / self._items) ** 2
        self._buffer = np.empty(_ROWS * self._items)

    def at(self, points: np.ndarray) -> _Place:
        points = points - points.mean(axis=0)
        ones, squares = np.ones(self._items), np.einsum("ij,ij->i", points, points)
        # |a − b|² as one product: (−2a, |a|², 1) · (b, 1, |b|²)
        left, right = np.column_stack([-2 * points, squares, ones]), np.vstack([points.T, ones, squares])
        beside = np.column_stack([points, ones])
        sums = np.zeros_like(beside)
        for first, distances in self._tiles:
            last = first + len(distances)
            ratios = self._ratios(distances, left[first:last], right[:, first:])
            sums[first:last] += ratios @ beside[first:]
            sums[last:] += ratios[:, last - first :].T @ beside[first:last]  # the tile below the diagonal
        pulled = sums[:, -1:] * points - sums[:, :-1]  # B(X) X, whose product with X is Σ δ d
        gap = self._items * squares.sum() - 2 * float(np.einsum("ij,ij->", points, pulled))
        return _Place(points, points - pulled / self._items, 1 + 2 * gap / self._total)

    def _ratios(self, distances: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """δ / d of a tile."""
        found = self._buffer[: distances.size].reshape(distances.shape)
        np.matmul(left, right, out=found)
        np.maximum(found, self._least, out=found)
        np.sqrt(found, out=found)
        return np.divide(distances, found, out=found)

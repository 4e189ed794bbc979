"""Climbing c(y) = Σ_s w_s exp(−β d(s, y)) from many starts at once: mean shift, for any cost whose best point
has a closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

# a start rests when a plain step raises its log c by no more than this share of what it lacks to matter
_PATIENCE = 0.05
_LENGTHEN = 1.4  # factor by which steps grow as long as they climb
_MERGE_EVERY = 4
_ALIKE = 0.03  # distance of shares, root by root, at which climbers are so near that one of them is enough
# one number for four; sums may wrap around
_HASH = np.array([1, 1_000_003, 998_244_353_011, 1_000_000_000_000_000_003])


def ascend(
    distances: Callable[[np.ndarray], np.ndarray],
    points: Callable[[np.ndarray], np.ndarray],
    beta: float,
    logw: Float[np.ndarray, " stimuli"],
    starts: Float[np.ndarray, "starts coordinates"],
    *,
    level: float,
    steps: int,
) -> tuple[Float[np.ndarray, "tops coordinates"], Float[np.ndarray, " tops"]]:
    """Tops of c and log c there.

    A plain step moves y to the point that is best for weights ∝ w_s exp(−β d(s, y)), which never lowers c (it
    maximises a lower bound that touches log c at y). Steps grow longer while they climb; one that does not is
    replaced by the plain one. Those at the top rest. Starts have met where all stimuli have nearly the same
    shares in c, since a step depends on these alone, whatever the scale of distances is; the highest of them
    goes on, and stops where another rests.

    Arguments:
        distances: d(s, y) of all stimuli and the given points.
        points: best point for every row of weights over stimuli.
        beta: β, per unit of distortion.
        logw: log w_s.
        starts: where to climb from.
        level: log c below which a top does not matter, positive.
        steps: most steps.

    Source: Cheng, IEEE TPAMI 17(8): 790–799, 1995 (mean shift); Salakhutdinov & Roweis, ICML 2003 (longer
        steps).
    """

    def at(u: np.ndarray) -> _State:
        y = points(u)
        return _State(u, y, *heights(beta, logw, distances(y)))

    now = at(heights(beta, logw, distances(starts))[1])
    length, tops, taken = np.ones(len(starts)), [], np.zeros(0, int)
    for step in range(steps):
        after = at(_extended(now, length))
        rise = after.height - now.height
        little = rise <= _PATIENCE * np.maximum(level, level - after.height)
        resting = little & (length == 1)
        length = np.where(little, 1.0, _LENGTHEN * length)
        now = now.where(rise >= 0, after)
        tops.append(now.take(np.flatnonzero(resting)))
        going = np.flatnonzero(~resting)
        if step % _MERGE_EVERY == 0:
            places = cells(now.share, _ALIKE)
            taken = np.concatenate([taken, places[resting]])
            going = going[highest(places[going], now.height[going])]
            going = going[~np.isin(places[going], taken)]
        elif np.any(resting):
            taken = np.concatenate([taken, cells(now.share[resting], _ALIKE)])
        now, length = now.take(going), length[going]
        if len(going) == 0:
            break
    tops.append(now)
    found = _State(*[np.concatenate(field) for field in zip(*tops, strict=True)])
    kept = highest(cells(found.share, _ALIKE), found.height)
    return found.points[kept], found.height[kept]


class _State(NamedTuple):
    """Where every start has got to: the weights that its point is best for, the point, log c there, and the
    stimuli's shares in c.
    """

    weights: Float[np.ndarray, "starts stimuli"]
    points: Float[np.ndarray, "starts coordinates"]
    height: Float[np.ndarray, " starts"]
    share: Float[np.ndarray, "starts stimuli"]

    def take(self, which: np.ndarray) -> _State:
        if len(which) == len(self.height):
            return self
        return _State(*[field[which] for field in self])

    def where(self, accepted: np.ndarray, other: _State) -> _State:
        if accepted.all():
            return other
        pairs = zip(self, other, strict=True)
        return _State(
            *[np.where(accepted if old.ndim == 1 else accepted[:, None], new, old) for old, new in pairs]
        )


def _extended(state: _State, length: np.ndarray) -> Float[np.ndarray, "starts stimuli"]:
    """Weights so many times as far from the present ones as a plain step goes, while none gets negative."""
    longer = state.share - state.weights
    longer *= length[:, None]
    longer += state.weights
    np.maximum(longer, 0, out=longer)
    longer /= longer.sum(axis=1, keepdims=True)
    return longer


def heights(
    beta: float, logw: np.ndarray, distances: np.ndarray
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, "points stimuli"]]:
    """log c of every point, and every stimulus's share in it."""
    share = -beta * distances.T
    share += logw
    highest = share.max(axis=1)
    share -= highest[:, None]
    np.exp(share, out=share)
    total = share.sum(axis=1)
    share /= total[:, None]
    return highest + np.log(total), share


def cells(share: Float[np.ndarray, "points stimuli"], width: float) -> Int[np.ndarray, " points"]:
    """The cell of every point, as a number: where two share one, the roots of stimuli's shares are at most
    about a width apart.

    Along four fixed random directions. Roots, since the distance between them (Hellinger's) measures a step
    of a kernel's width alike whether few or many stimuli take part.
    """
    places = np.round(np.sqrt(share) @ (_directions(share.shape[1]) / width)).astype(np.int64)
    return places @ _HASH


@cache
def _directions(stimuli: int) -> Float[np.ndarray, "stimuli four"]:
    return np.random.default_rng(0).normal(size=(stimuli, 4))


def highest(
    cell: Int[np.ndarray, " points"], heights: Float[np.ndarray, " points"]
) -> Int[np.ndarray, " cells"]:
    """Index of the highest point of every cell."""
    order = np.argsort(-heights, kind="stable")
    return order[np.unique(cell[order], return_index=True)[1]]

"""Specialization without trial noise: from squared distances, which have an unbiased form and may be
below 0.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from ratewarp.geometry.specialization import pairs_of_kind
from ratewarp.geometry.stimulus_space import Neighbours

_TURNS = 80
# change of the slope in one turn, over the spread of log frequency: Newton's steps alone may run away
_LONGEST_STEP = 1.0
_FOUND = 1e-10


def squared_distances(
    means: Float[np.ndarray, "stimuli latents"], near: Neighbours, variances: Float[np.ndarray, " stimuli"]
) -> Float[np.ndarray, " pairs"]:
    """Squared distance of the mean codes of every pair of neighbours a step of the factors apart, without
    what the errors of the means, of these variances, add on average.
    """
    apart = np.sum((means[near.first] - means[near.second]) ** 2, axis=1)
    return (apart - variances[near.first] - variances[near.second]) / near.steps**2


def squared_resolution(
    squares: Float[np.ndarray, " pairs"], near: Neighbours, stimuli: int
) -> Float[np.ndarray, " stimuli"]:
    """Mean of the squared distances of every stimulus from its neighbours; NaN for one without."""
    ends, twice = np.concatenate([near.first, near.second]), np.concatenate([squares, squares])
    number = np.bincount(ends, minlength=stimuli)
    sums = np.bincount(ends, twice, minlength=stimuli)
    return np.divide(sums, number, out=np.full(stimuli, np.nan), where=number > 0)


def quasi_slopes(
    squares: Float[np.ndarray, " stimuli"],
    across: Float[np.ndarray, " stimuli"],
    weights: Float[np.ndarray, "draws stimuli"],
) -> Float[np.ndarray, " draws"]:
    """Half the slope b of log E[y] = a + b x, of squares y on x, in every draw.

    Solves Σ w (y / exp(a + b x) − 1) (1, x) = 0, the estimating equations of a gamma regression, which are
    linear in y: its errors need only be 0 on average, and single ones may take y below 0. NaN where `across`
    does not vary, or nothing solves them.

    Source: quasi-likelihood (Wedderburn, Biometrika 1974).
    """
    shares = weights / weights.sum(axis=1, keepdims=True)
    spread = np.sqrt(np.maximum(shares @ across**2 - (shares @ across) ** 2, 0))
    defined = spread > 1e-12
    x = (across[None] - (shares @ across)[:, None]) / np.where(defined, spread, 1)[:, None]
    slope, move = np.zeros(len(weights)), np.zeros(len(weights))
    for _ in range(_TURNS):
        parts = shares * squares * np.exp(-np.clip(slope[:, None] * x, -500, 500))
        whole = parts.sum(axis=1)
        mean = np.divide(np.sum(parts * x, axis=1), whole, out=np.zeros_like(whole), where=whole > 0)
        second = np.divide(np.sum(parts * x**2, axis=1), whole, out=np.zeros_like(whole), where=whole > 0)
        curve = second - mean**2
        defined &= (whole > 0) & (curve > 0)
        move = np.divide(mean, curve, out=np.zeros_like(mean), where=defined)
        slope = slope + np.clip(move, -_LONGEST_STEP, _LONGEST_STEP)
        if np.all(np.abs(move) < _FOUND):
            break
    solved = defined & (np.abs(move) < 1e-6)
    return np.divide(slope, 2 * spread, out=np.full_like(slope, np.nan), where=solved)


def log_ratio_of_squares(
    squares: Float[np.ndarray, " pairs"], near: Neighbours, often: Bool[np.ndarray, " stimuli"]
) -> tuple[float, Float[np.ndarray, " pairs"]]:
    """Logarithm of the ratio of the root mean squared distances of frequent neighbours and of rare ones, and
    how far every pair moves it; NaN where a mean is not above 0.
    """
    found, influence = 0.0, np.zeros(len(squares))
    for group, sign in ((often, 1), (~often, -1)):
        kind, alone = pairs_of_kind(near, group, np.ones(len(squares), bool))
        mean = float(squares[kind].mean()) if kind.any() else np.nan
        if not mean > 0:
            return np.nan, influence
        found += sign * 0.5 * float(np.log(mean))
        influence[kind] += np.nan if alone else sign * 0.5 * (squares[kind] / mean - 1) / kind.sum()
    return found, influence

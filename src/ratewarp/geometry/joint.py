"""Effects of category and of frequency on distances, each beside the other."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from ratewarp.geometry.interval import Statistic

_SAME = 1e-12  # share of the largest distance below which two codes are the same
_TURNS = 60
_LONGEST_STEP = 1.0  # change of any log distance in one turn: Newton's steps alone may run away
_FOUND = 1e-9


def joint_effects(
    codes: Float[np.ndarray, "stimuli latents"],
    reference: Float[np.ndarray, "stimuli references"],
    members: Int[np.ndarray, " stimuli"],
    frequency: Float[np.ndarray, " stimuli"],
) -> Statistic:
    """Two partial effects, in every weighting of stimuli: of category and of frequency.

    Least squares over pairs of stimuli of log (|z_i − z_j| / |z⁰_i − z⁰_j|) = a − b s_ij + c f_ij, with s_ij
    1 for two of one category and 0 otherwise, and f_ij the mean of their log frequencies. b is by how much
    the logarithm of distances within categories shrinks beside others of equal frequency, c its growth with
    frequency among pairs of one kind. Pairs that coincide in either are left out; NaN where the two cannot be
    told apart, such as where frequency is the same within categories and these are two.
    """
    above, below = cdist(codes, codes), cdist(reference, reference)
    counted = (above > _SAME * above.max()) & (below > _SAME * below.max())
    logs = np.log(np.where(counted, above, 1) / np.where(counted, below, 1))
    solve = _solver(_columns(members, frequency), counted.astype(float), logs * counted)
    return lambda weights: solve(weights)[:, 1:]


def joint_effects_of_squares(
    squares: Float[np.ndarray, "stimuli stimuli"],
    reference: Float[np.ndarray, "stimuli stimuli"],
    members: Int[np.ndarray, " stimuli"],
    frequency: Float[np.ndarray, " stimuli"],
) -> Statistic:
    """`joint_effects` from squared distances, of which single ones may lie below 0, as those without trial
    noise do.

    Solves Σ_ij x_ij (y_ij − y⁰_ij exp(2 x_ij β)) = 0, with y and y⁰ the squared distances of the codes and of
    the reference, and x_ij = (1, −s_ij, f_ij): the estimating equations of a Poisson regression of y with the
    offset log y⁰. They are linear in both, so that errors of these need only be 0 on average. β of any other
    weighting than an even one is a step of Newton's method away from that of the even one. NaN where nothing
    solves them, such as where noise leaves no distance on average.

    Source: quasi-likelihood (Wedderburn, Biometrika 1974).
    """
    columns, apart = _columns(members, frequency), 1 - np.eye(len(members))
    above, below, every = squares * apart, reference * apart, np.ones((1, len(members)))
    found = np.full(3, np.nan)
    if above.sum() > 0 and below.sum() > 0:
        found = np.array([0.5 * np.log(above.sum() / below.sum()), 0.0, 0.0])

    def step_from(place: np.ndarray) -> Statistic:
        expected = below * np.exp(2 * _across(columns, place))
        return _solver(columns, expected, (above - expected) / 2)

    step, longest = step_from(found), np.inf
    for _ in range(_TURNS):
        move = step(every)[0]
        longest = np.max(np.abs(_across(columns, move)))
        if not longest > _FOUND:
            break
        found = found + move * min(1.0, _LONGEST_STEP / longest)
        step = step_from(found)
    solved = found if longest <= _FOUND else np.full(3, np.nan)
    return lambda weights: (solved + step(weights))[:, 1:]


def _columns(members: np.ndarray, frequency: np.ndarray) -> list[np.ndarray]:
    """What explains the distances of all pairs."""
    often = np.log(frequency)
    same = (members[:, None] == members[None]).astype(float)
    return [np.ones_like(same), -same, (often[:, None] + often[None]) / 2]


def _across(columns: list[np.ndarray], of_columns: np.ndarray) -> np.ndarray:
    return sum((one * column for one, column in zip(of_columns, columns, strict=True)), np.zeros(()))


def _solver(columns: list[np.ndarray], importance: np.ndarray, targets: np.ndarray) -> Statistic:
    """β of Σ_ij w_i w_j x_ij (targets_ij − importance_ij x_ij β) = 0 in every weighting w; NaN where columns
    are not told apart.
    """
    pairs = list(combinations_with_replacement(range(3), 2))
    entries = [columns[a] * columns[b] * importance for a, b in pairs]
    sides = [column * targets for column in columns]

    def statistic(weights: np.ndarray) -> np.ndarray:
        def over_pairs(table: np.ndarray) -> np.ndarray:
            return np.sum((weights @ table) * weights, axis=1)

        left, right = np.empty((len(weights), 3, 3)), np.stack([over_pairs(one) for one in sides], axis=1)
        for (a, b), table in zip(pairs, entries, strict=True):
            left[:, a, b] = left[:, b, a] = over_pairs(table)
        scale = np.sqrt(np.maximum(np.diagonal(left, axis1=1, axis2=2), 1e-300))
        alike = left / (scale[:, :, None] * scale[:, None, :])
        told = np.all(np.isfinite(alike), axis=(1, 2))
        alike = np.where(told[:, None, None], alike, np.eye(3))
        told = told & (np.linalg.eigvalsh(alike)[:, 0] > 1e-9)
        alike = np.where(told[:, None, None], alike, np.eye(3))
        found = np.linalg.solve(alike, (right / scale)[:, :, None])[:, :, 0] / scale
        return np.where(told[:, None], found, np.nan)

    return statistic

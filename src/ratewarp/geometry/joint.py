"""Effects of category and of frequency on distances, each beside the other."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from ratewarp.geometry.interval import Statistic

_SAME = 1e-12  # share of the largest distance below which two codes are the same


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
    return _least_squares(*_pairs(codes, reference, members, frequency))


def _pairs(
    codes: np.ndarray, reference: np.ndarray, members: np.ndarray, frequency: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """What explains the ratios of all pairs, their logarithms, and which pairs count."""
    above, below = cdist(codes, codes), cdist(reference, reference)
    counted = (above > _SAME * above.max()) & (below > _SAME * below.max())
    logs = np.log(np.where(counted, above, 1) / np.where(counted, below, 1))
    often = np.log(frequency)
    same = (members[:, None] == members[None]).astype(float)
    return [np.ones_like(logs), -same, (often[:, None] + often[None]) / 2], logs, counted


def _least_squares(columns: list[np.ndarray], values: np.ndarray, counted: np.ndarray) -> Statistic:
    entries = [
        (a, b, columns[a] * columns[b] * counted) for a, b in combinations_with_replacement(range(3), 2)
    ]
    targets = [column * values * counted for column in columns]

    def statistic(weights: np.ndarray) -> np.ndarray:
        def over_pairs(table: np.ndarray) -> np.ndarray:
            return np.sum((weights @ table) * weights, axis=1)

        left, right = np.empty((len(weights), 3, 3)), np.stack([over_pairs(one) for one in targets], axis=1)
        for a, b, table in entries:
            left[:, a, b] = left[:, b, a] = over_pairs(table)
        scale = np.sqrt(np.maximum(np.diagonal(left, axis1=1, axis2=2), 1e-300))
        alike = left / (scale[:, :, None] * scale[:, None, :])
        told = np.linalg.eigvalsh(alike)[:, 0] > 1e-9
        alike = np.where(told[:, None, None], alike, np.eye(3))
        found = np.linalg.solve(alike, (right / scale)[:, :, None])[:, :, 0] / scale
        return np.where(told[:, None], found[:, 1:], np.nan)

    return statistic

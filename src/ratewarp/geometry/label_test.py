"""The test of prototypization: how often permuted labels separate codes as well."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from ratewarp._sums import group_sums
from ratewarp.geometry.inference import permutation_p
from ratewarp.geometry.spread import errors_of_means

_HELD = 2**21  # permuted labels of units, and coordinates of class means, held at once


def label_p(
    codes: Float[np.ndarray, "items coordinates"],
    units: Int[np.ndarray, " items"],
    labels: Int[np.ndarray, " units"],
    permutations: int,
    seed: int,
) -> float:
    """How often labels permuted over units separate the codes as well as these.

    The statistic is V/(V + E) with V = Σ_c p_c |μ_c − μ|² and E = Σ_c p_c (1 − p_c) e_c: what V would be by
    chance, e_c being the variance of the mean of class c, told from how the units of that class differ. V/E
    is Brown and Forsythe's F*, of two classes Welch's t². Class means are not equally sure where classes
    differ in the number of their trials, in their noise, or in how far their units stray; V alone is then
    not distributed as with permuted labels, while its ratio to its own chance is about 1 on average either
    way. Where all classes have as many units, it orders permutations as η² does.

    Arguments:
        codes: one row per item.
        units: stimulus of every item.
        labels: class of every unit, 0 … classes − 1; at least one class has two units.
        permutations: how many.
        seed: of them.

    Returns:
        p, above 0 and at most 1.

    Source: Brown & Forsythe, Technometrics 1974; Welch, Biometrika 1951; permuted: Janssen, Statistics &
        Probability Letters 1997; Chung & Romano, Annals of Statistics 2013.

    Examples:
        >>> codes = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [5.1], [5.2], [5.3]])
        >>> label_p(codes, np.arange(8), np.repeat([0, 1], 4), 999, 0) < 0.05  # 2 of 70 ways to halve eight
        True
    """
    number, classes = len(labels), int(labels.max()) + 1
    centred = codes - codes.mean(axis=0)
    items = np.bincount(units, minlength=number).astype(float)
    sums = group_sums(centred, units, number)
    alone = [np.ones(number), items, items**2, items**3, np.sum(sums**2, axis=1)]
    even = bool(np.ptp(items) == 0)
    table = np.column_stack([*alone, sums] if even else [*alone, sums, items[:, None] * sums])

    def shares(of_draws: np.ndarray) -> np.ndarray:
        draws = len(of_draws)
        places = (np.arange(draws)[:, None] * classes + of_draws).ravel()
        ones, every = np.ones(len(places)), np.tile(np.arange(number), draws)
        chosen = csr_array((ones, (places, every)), shape=(draws * classes, number))
        totals = (chosen @ table).reshape(draws, classes, -1)
        return _share_beside_chance(totals, sums.shape[1], float(items[0]) if even else None)

    rng = np.random.default_rng(seed)
    batch = max(1, _HELD // max(number, classes * table.shape[1]))
    sizes = [min(batch, permutations - start) for start in range(0, permutations, batch)]
    drawn = [shares(np.stack([rng.permutation(labels) for _ in range(size)])) for size in sizes]
    return permutation_p(float(shares(labels[None])[0]), np.concatenate(drawn))


def _share_beside_chance(
    totals: Float[np.ndarray, "draws classes numbers"], coordinates: int, items: float | None
) -> Float[np.ndarray, " draws"]:
    """V/(V + E) from sums over the units of every class: how many, n, n², n³, |s|², s and, unless all have
    as many `items`, n s; n the items of a unit and s the sum of their codes. NaN where both are 0.
    """
    stimuli, counts, counts2, counts3, norms = np.moveaxis(totals[:, :, :5], 2, 0)
    sums = totals[:, :, 5 : 5 + coordinates]
    squares = np.einsum("dcl,dcl->dc", sums, sums) / counts**2  # |μ_c|²; the mean over all items is 0
    if items is None:
        crossed = np.einsum("dcl,dcl->dc", sums, totals[:, :, 5 + coordinates :]) / counts
    else:
        crossed = items * squares * counts
    apart = np.maximum(norms - 2 * crossed + counts2 * squares, 0)  # below 0 by rounding alone
    errors = errors_of_means(stimuli, counts, counts2, counts3, apart)
    shares = counts / counts.sum(axis=1, keepdims=True)
    between, chance = np.sum(shares * squares, axis=1), np.sum(shares * (1 - shares) * errors, axis=1)
    return np.divide(between, between + chance, out=np.full_like(between, np.nan), where=between + chance > 0)

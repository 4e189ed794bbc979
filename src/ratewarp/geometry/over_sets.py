"""Numbers of several sets, such as subjects: their mean with an interval, and tests by turning their
signs.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import stdtrit

_EXACT = 12  # sets up to which all ways to turn signs are tried
_HELD = 2**24  # sums of turned numbers held at once


class Mean(NamedTuple):
    """Means over sets; of those that have the number.

    Attributes:
        value: mean; NaN where no set has the number.
        se: its standard error; NaN for fewer than two sets.
        low: lower end of its interval.
        high: upper end.
        sets: how many have the number.
    """

    value: Float[np.ndarray, " numbers"]
    se: Float[np.ndarray, " numbers"]
    low: Float[np.ndarray, " numbers"]
    high: Float[np.ndarray, " numbers"]
    sets: Int[np.ndarray, " numbers"]


def mean_over_sets(values: Float[np.ndarray, "sets numbers"], level: float = 0.95) -> Mean:
    """Mean ± Student's t × the standard error over sets, number by number; sets are a sample of all there
    are.

    Arguments:
        values: NaN where a set lacks a number.
        level: probability that the intervals should cover.

    Examples:
        >>> found = mean_over_sets(np.array([[1.0], [2.0], [3.0]]))
        >>> found.value, found.low.round(2), found.high.round(2)
        (array([2.]), array([-0.48]), array([4.48]))
    """
    known = ~np.isnan(values)
    sets = known.sum(axis=0)
    mean = _over(np.where(known, values, 0).sum(axis=0), sets)
    squares = np.where(known, (values - mean) ** 2, 0).sum(axis=0)
    se = np.sqrt(_over(squares, (sets - 1) * sets))
    reach = se * stdtrit(np.maximum(sets - 1, 1), (1 + level) / 2)
    return Mean(mean, se, mean - reach, mean + reach, sets)


def sign_flips(
    values: Float[np.ndarray, "sets numbers"],
    family: Int[np.ndarray, " numbers"],
    *,
    upwards: Bool[np.ndarray, " numbers"] | None = None,
    flips: int = 10_000,
    seed: int = 0,
) -> tuple[Float[np.ndarray, " numbers"], Float[np.ndarray, " numbers"]]:
    """p of a mean of 0, two-sided or upwards: of each number alone, and corrected over its family.

    Under no effect the number of a set is as likely to lie above 0 as below by as much: signs of whole sets
    are turned, in all ways for up to 12 sets. The statistic is Student's t; corrected, a number is compared
    with the largest |t| of its family, which keeps the probability of any false finding in it, however its
    numbers are correlated (such as time points). Numbers that are skewed to the right under no effect, as
    shares of variance are, often have a mean that is far below 0 beside their spread, and seldom one that
    is far above: they are to be tested upwards.

    Arguments:
        values: NaN where a set lacks a number.
        family: of every number, 0 … families − 1.
        upwards: of which numbers only a mean above 0 is an effect; of a family all or none.
        flips: random ways to turn signs where there are more than 12 sets.
        seed: of these.

    Returns:
        p and corrected p; NaN where fewer than two sets have the number.

    Source: Nichols & Holmes, Human Brain Mapping 2002.

    Examples:
        >>> p, corrected = sign_flips(np.array([[1.0], [2.0], [1.5]]), np.zeros(1, int))
        >>> p  # 2 of 8
        array([0.25])
    """
    signs = _signs(len(values), flips, seed)
    both = np.ones(values.shape[1], bool) if upwards is None else ~upwards

    def statistic(chosen: np.ndarray) -> np.ndarray:
        of_means = _student(chosen, values)
        return np.where(both, np.abs(of_means), of_means)

    found = statistic(signs[:1])[0]
    near = 1e-9 * np.abs(np.where(np.isfinite(found), found, 0))
    reached = found - near  # or equal but for rounding
    alone, largest = np.zeros(len(found)), np.zeros(len(found))
    height = max(1, _HELD // max(values.shape[1], 1))
    for start in range(0, len(signs), height):
        turned = statistic(signs[start : start + height])
        alone += np.sum(turned >= reached, axis=0)
        families = [turned[:, family == one] for one in range(int(family.max()) + 1)]
        most = np.stack([np.nanmax(one, axis=1, initial=-np.inf) for one in families])
        largest += np.sum(reached <= most[family].T, axis=0)
    untold = (~np.isnan(values)).sum(axis=0) < 2
    return np.where(untold, np.nan, alone / len(signs)), np.where(untold, np.nan, largest / len(signs))


def _signs(sets: int, flips: int, seed: int) -> Float[np.ndarray, "ways sets"]:
    """Ways to turn signs, the first of which turns none."""
    if sets <= _EXACT:
        return np.array(list(product([1.0, -1.0], repeat=sets)))
    drawn = np.random.default_rng(seed).choice([1.0, -1.0], (flips, sets))
    return np.concatenate([np.ones((1, sets)), drawn])


def _student(signs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Student's t of every number under every way to turn signs; infinite where nothing varies, 0 for
    zeros.
    """
    known = ~np.isnan(values)
    plain, sets = np.where(known, values, 0), known.sum(axis=0)
    mean, second = _over(signs @ plain, sets), _over((plain**2).sum(axis=0), sets)
    variance = np.maximum(second - mean**2, 0)
    spread = np.sqrt(_over(variance, np.maximum(sets - 1, 1)))
    out = np.where(np.abs(mean) > 0, np.inf, 0.0)
    return np.divide(mean, spread, out=out, where=spread > 1e-12 * np.abs(mean))


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    return np.divide(above, below, out=np.full(shape, np.nan), where=below > 0)

"""Uncertainty: how far a number would move with another sample of stimuli."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, t

from ratewarp._checks import refuse


@dataclass(frozen=True)
class Interval:
    """A number with its uncertainty.

    Attributes:
        value: on the whole sample.
        low: lower end of the interval.
        high: upper end of the interval.
        n: number of units resampled.
    """

    value: Float[np.ndarray, ...]
    low: Float[np.ndarray, ...]
    high: Float[np.ndarray, ...]
    n: int


def bootstrap(
    statistic: Callable[[Float[np.ndarray, " units"]], Float[np.ndarray, ...] | float],
    units: int,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of a statistic over units, such as stimuli: bias-corrected and accelerated (BCa).

    Arguments:
        statistic: takes how often each unit was drawn (all ones for the sample itself) and returns a number or an array of them.
            It may return NaN where a draw leaves it undefined; such draws are left out.
        units: how many units there are, at least 2.
        resamples: how many times to draw as many units with replacement.
        level: probability the interval should cover, between 0 and 1.
        seed: of the draws; equal seeds draw equally for equal `units`.

    Returns:
        The statistic of the sample, with the ends of its interval; these are NaN where the statistic is undefined in most draws,
        because a part of it rests on too few units. Drawing with replacement duplicates units: for statistics that this biases,
        such as numbers of dimensions, use `jackknife`.

    Raises:
        RequestError: fewer than 2 units, fewer than 100 resamples, or a level outside (0, 1).

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 14.

    Examples:
        >>> heights = np.array([1.0, 2.0, 3.0, 4.0])
        >>> mean = bootstrap(lambda drawn: drawn @ heights / drawn.sum(), 4)
        >>> float(mean.value), bool(mean.low < 2.5 < mean.high)
        (2.5, True)
    """
    _check(units, level)
    if resamples < 100:
        refuse("resamples", "at least 100", resamples)
    drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples).astype(float)
    draws = np.stack([np.asarray(statistic(row), dtype=float) for row in drawn])
    value = np.asarray(statistic(np.ones(units)), dtype=float)
    left_out = np.stack([np.asarray(statistic(row), dtype=float) for row in 1 - np.eye(units)])
    low, high = _bca(draws, value, left_out, level)
    scarce = np.isnan(draws).mean(axis=0) > 0.5
    low, high = (np.where(scarce, np.nan, end) for end in (low, high))
    return Interval(value, np.asarray(low), np.asarray(high), units)


def jackknife(
    statistic: Callable[[Float[np.ndarray, " units"]], Float[np.ndarray, "..."] | float], units: int, *, level: float = 0.95
) -> Interval:
    """Jackknife interval of a smooth statistic over units: value ± Student's t × the standard error from leaving out one unit at a time.

    Arguments:
        statistic: as for `bootstrap`; called with ones, and with a single zero.
        units: how many units there are, at least 2.
        level: probability the interval should cover, between 0 and 1.

    Returns:
        The statistic of the sample, with the ends of its interval, symmetric about it.

    Raises:
        RequestError: fewer than 2 units, or a level outside (0, 1).

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.

    Examples:
        >>> heights = np.array([1.0, 2.0, 3.0, 4.0])
        >>> mean = jackknife(lambda kept: kept @ heights / kept.sum(), 4)
        >>> float(round(mean.high - mean.value, 3))
        2.054
    """
    _check(units, level)
    value = np.asarray(statistic(np.ones(units)), dtype=float)
    left_out = np.stack([np.asarray(statistic(row), dtype=float) for row in 1 - np.eye(units)])
    spread = np.sqrt((units - 1) * left_out.var(axis=0))
    reach = np.asarray(t.ppf((1 + level) / 2, units - 1) * spread)
    return Interval(value, value - reach, value + reach, units)


def _check(units: int, level: float) -> None:
    if units < 2:
        refuse("units", "at least 2", units)
    if not 0 < level < 1:
        refuse("level", "between 0 and 1", level)


def _quantile(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return np.quantile(values, levels) if len(values) and np.all(np.isfinite(levels)) else np.full(len(levels), np.nan)


def _bca(draws: np.ndarray, value: np.ndarray, left_out: np.ndarray, level: float) -> np.ndarray:
    """Ends of the interval: quantiles of the draws, at levels moved by their bias and by the jackknife's skewness."""
    defined = np.maximum(np.sum(~np.isnan(draws), axis=0), 1)
    below = (np.sum(draws < value, axis=0) + np.sum(draws <= value, axis=0)) / (2 * defined)
    bias = norm.ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    influence = np.nansum(left_out, axis=0) / np.maximum(np.sum(~np.isnan(left_out), axis=0), 1) - left_out
    spread = np.nansum(influence**2, axis=0) ** 1.5
    skew = np.divide(np.nansum(influence**3, axis=0), 6 * spread, out=np.zeros_like(spread), where=spread > 0)
    ends = norm.ppf([(1 - level) / 2, (1 + level) / 2]).reshape(2, *([1] * value.ndim))
    moved = norm.cdf(bias + (bias + ends) / (1 - skew * (bias + ends)))
    flat = draws.reshape(len(draws), -1)
    quantiles = [_quantile(column[~np.isnan(column)], q) for column, q in zip(flat.T, moved.reshape(2, -1).T, strict=True)]
    return np.array(quantiles).T.reshape(2, *value.shape)

"""Uncertainty: how far a number would move with another sample, and how often chance would reach it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

from ratewarp._checks import refuse, refuse_name
from ratewarp.geometry.interval import Interval, Statistic, around, few, nothing_is_certain, within
from ratewarp.geometry.jackknife import jackknife, left_out

INTERVALS = ("jackknife", "bca", "percentile")
OVER = ("units", "seeds", "both")


def infer(
    statistic: Statistic | Sequence[Statistic],
    units: int,
    *,
    over: Literal["units", "seeds", "both"] = "units",
    interval: Literal["jackknife", "bca", "percentile"] = "jackknife",
    bounds: tuple[float, float] = (-math.inf, math.inf),
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    linked: Int[np.ndarray, "pairs two"] | None = None,
    batch: int = 256,
) -> Interval:
    """An interval for a statistic: over units such as stimuli, over training seeds, or over both.

    Over units: the jackknife (value ± Student's t × the standard error from leaving out one unit at a time),
    or a bootstrap, bias-corrected and accelerated or of percentiles. The jackknife is the default: near the
    end of a measure's range, and for numbers of dimensions, which duplicates bias, its coverage came nearest
    to the level. Over seeds: mean ± t × the standard error of the mean, since two or three seeds are too few
    to resample. Over both, for seeds that saw the same units: the two variances added, with Satterthwaite's
    degrees of freedom; variation between units that differs between seeds is counted in both, so that this
    interval errs on the wide side.

    Arguments:
        statistic: takes weights of the units, a draw a row (all ones for the sample itself; how often each
            unit was drawn), and returns a number or an array of them for every row; NaN where a draw leaves
            it undefined, such as where a class lost its only unit. One for every seed, or one alone.
        units: how many units there are, at least 2.
        over: what is resampled.
        interval: how the interval over units is made.
        bounds: least and greatest value that the measure can take.
        resamples: bootstrap draws, at least 100; the jackknife needs none.
        level: probability the interval should cover, between 0 and 1.
        seed: of the draws; equal seeds draw equally for equal `units`.
        linked: pairs of units whose contributions share something, such as neighbours that share a distance;
            the jackknife then adds their covariance (Conley, Journal of Econometrics 1999), where that widens
            the interval.
        batch: weightings that the statistic is asked for at once.

    Returns:
        The statistic of the sample (its mean over seeds) with its interval, its standard error (of the
        jackknife, over seeds, or the standard deviation of bootstrap draws) and a test of 0. Where there are
        too few units or seeds for one, its ends are the bounds, and `note` says why.

    Raises:
        RequestError: fewer than 2 units, fewer than 100 resamples, a level outside (0, 1), or an unknown
            name.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 11 and 14; Satterthwaite,
        Biometrics Bulletin 1946.

    Examples:
        >>> heights = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
        >>> found = infer(lambda weights: weights @ heights / weights.sum(axis=1), 8)
        >>> float(found.value), bool(found.low < 4.5 < found.high)
        (4.5, True)
    """
    _check(units, level, resamples, over, interval)
    statistics = [statistic] if callable(statistic) else list(statistic)
    values = np.stack([np.asarray(one(np.ones((1, units))), dtype=float)[0] for one in statistics])

    def mean(weights: np.ndarray) -> np.ndarray:
        parts = [weights[start : start + batch] for start in range(0, len(weights), batch)]
        return np.concatenate(
            [np.mean([np.asarray(one(part), dtype=float) for one in statistics], axis=0) for part in parts]
        )

    if over == "seeds":
        found = _over_seeds(values, level)
    elif interval == "jackknife" or over == "both":
        found = jackknife(mean, values.mean(axis=0), units, level, linked)
    else:
        found = _bootstrap(
            mean, values.mean(axis=0), units, resamples, level, seed, corrected=interval == "bca"
        )
    if over == "both":
        found = _combined(found, _over_seeds(values, level), units, len(values), level)
    return within(found, bounds)


def permutation_p(
    value: float,
    null: Float[np.ndarray, " permutations"],
    *,
    side: Literal["greater", "less", "both"] = "greater",
) -> float:
    """Probability, under chance, of a value at least as extreme as the one found.

    (1 + permutations that reach it) / (1 + permutations): at least 1 / (1 + permutations), never 0.
    Two-sided: twice the smaller side.

    Arguments:
        value: found.
        null: the values of permuted samples; undefined ones (NaN) are left out.
        side: whether large values count as extreme, small ones, or both.

    Returns:
        p, above 0 and at most 1.

    Raises:
        RequestError: no defined permutation, or an unknown side.

    Source: Phipson & Smyth, Statistical Applications in Genetics and Molecular Biology 2010.

    Examples:
        >>> permutation_p(3.0, np.array([0.0, 1.0, 2.0, 3.0]))
        0.4
    """
    defined = null[~np.isnan(null)]
    if not len(defined):
        refuse("null", "at least one number that is not NaN", null)
    reach = 1e-12 * max(abs(value), 1)  # ties that differ by rounding
    above = (1 + np.sum(defined >= value - reach)) / (1 + len(defined))
    below = (1 + np.sum(defined <= value + reach)) / (1 + len(defined))
    sides = {"greater": above, "less": below, "both": min(1.0, 2 * min(above, below))}
    if side not in sides:
        refuse_name("side", "side", side, sides)
    return float(sides[side])


def adjusted(
    p: Float[np.ndarray, " tests"], *, method: Literal["holm", "fdr"] = "holm"
) -> Float[np.ndarray, " tests"]:
    """p-values corrected for the number of tests.

    Arguments:
        p: of every test, 0 … 1; NaN where there is none.
        method: "holm" keeps the probability of any false finding below the level; "fdr" (Benjamini &
            Hochberg) the expected share of false findings, for tests that are independent or positively
            related.

    Returns:
        One number per test, at least its p and at most 1; NaN where there is none.

    Raises:
        RequestError: numbers outside 0 … 1, or an unknown method.

    Source: Holm, Scandinavian Journal of Statistics 1979; Benjamini & Hochberg, JRSS B 1995.

    Examples:
        >>> adjusted(np.array([0.01, 0.04, 0.03])).round(2)
        array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=float)
    tested = ~np.isnan(values)
    if values.ndim != 1 or not ((values[tested] >= 0) & (values[tested] <= 1)).all():
        refuse("p", "numbers between 0 and 1", values)
    found = np.full_like(values, np.nan)
    found[tested] = _corrected(values[tested], method)
    return found


def _corrected(values: Float[np.ndarray, " tests"], method: str) -> Float[np.ndarray, " tests"]:
    if method == "fdr":
        from scipy.stats import false_discovery_control  # its import takes half a second

        return np.asarray(false_discovery_control(values)) if len(values) else values
    if method != "holm":
        refuse_name("method", "correction", method, ("holm", "fdr"))
    order = np.argsort(values)
    stepped = np.maximum.accumulate((len(values) - np.arange(len(values))) * values[order])
    out = np.empty_like(values)
    out[order] = np.minimum(stepped, 1)
    return out


def _check(units: int, level: float, resamples: int, over: str, interval: str) -> None:
    if units < 2:
        refuse("units", "at least 2", units)
    if isinstance(level, str) or not 0 < level < 1:
        refuse("level", "between 0 and 1", level)
    if resamples < 100:
        refuse("resamples", "at least 100", resamples)
    if over not in OVER:
        refuse_name("over", "unit of resampling", over, OVER)
    if interval not in INTERVALS:
        refuse_name("interval", "interval", interval, INTERVALS)


def _bootstrap(
    statistic: Statistic,
    value: np.ndarray,
    units: int,
    resamples: int,
    level: float,
    seed: int,
    *,
    corrected: bool,
) -> Interval:
    drawn = (
        np.random.default_rng(seed)
        .multinomial(units, np.full(units, 1 / units), size=resamples)
        .astype(float)
    )
    draws = statistic(drawn)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    levels = np.broadcast_to(tails.reshape(2, *([1] * value.ndim)), (2, *value.shape))
    shift = _Shift.of(draws, value, left_out(statistic, units)) if corrected else None
    if shift is not None:
        levels = shift.moved(levels)
    columns = [column[~np.isnan(column)] for column in draws.reshape(len(draws), -1).T]
    ends = [_quantile(column, q) for column, q in zip(columns, levels.reshape(2, -1).T, strict=True)]
    below = np.reshape([_share_below_zero(column) for column in columns], value.shape)
    spread = [column.std(ddof=1) if len(column) > 1 else math.nan for column in columns]
    p = _both_sides(below if shift is None else shift.unmoved(below))
    scarce = np.isnan(draws).mean(axis=0) > 0.5
    low, high, se, p = (
        np.where(scarce, np.nan, part.reshape(value.shape))
        for part in (*np.array(ends).T, np.array(spread), p)
    )
    return Interval(value, low, high, units, few(units), se=se, p=nothing_is_certain(p, value, se))


def _share_below_zero(draws: np.ndarray) -> float:
    """The level whose quantile is 0, at least one draw away from either end."""
    if not len(draws):
        return math.nan
    least = 1 / (1 + len(draws))
    share = float(np.interp(0, np.sort(draws), np.linspace(0, 1, len(draws))))
    return min(max(share, least), 1 - least)


def _both_sides(levels: np.ndarray) -> np.ndarray:
    return np.asarray(2 * np.minimum(levels, 1 - levels))


def _over_seeds(values: np.ndarray, level: float) -> Interval:
    seeds, value = len(values), values.mean(axis=0)
    if seeds < 2:
        nothing = np.full_like(value, np.nan)
        return Interval(value, nothing, nothing, seeds, "one seed", se=nothing, p=nothing)
    se = np.asarray(values.std(axis=0, ddof=1) / np.sqrt(seeds))
    return around(value, se, seeds - 1, level, seeds)


def _combined(of_units: Interval, of_seeds: Interval, units: int, seeds: int, level: float) -> Interval:
    """Variances of two intervals added, with Satterthwaite's degrees of freedom."""
    if seeds < 2:
        return replace(of_units, n=units, note="one seed: over units only")
    total = np.asarray(of_units.se**2 + of_seeds.se**2)
    below = np.asarray(of_units.se**4 / (units - 1) + of_seeds.se**4 / (seeds - 1))
    freedom = np.divide(total**2, below, out=np.full_like(total, np.inf), where=below > 0)
    return around(of_units.value, np.sqrt(total), freedom, level, seeds, of_units.note)


def _quantile(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return (
        np.quantile(values, levels)
        if len(values) and np.all(np.isfinite(levels))
        else np.full(len(levels), np.nan)
    )


class _Shift(NamedTuple):
    """How levels of quantiles are moved: by the bias of the draws, and by the jackknife's skewness."""

    bias: np.ndarray
    skew: np.ndarray

    @classmethod
    def of(cls, draws: np.ndarray, value: np.ndarray, left_out: np.ndarray) -> _Shift:
        defined = np.maximum(np.sum(~np.isnan(draws), axis=0), 1)
        reach = 1e-12 * np.maximum(
            np.abs(value), 1
        )  # ties that differ by rounding count half, as exact ones do
        below = (np.sum(draws < value - reach, axis=0) + np.sum(draws <= value + reach, axis=0)) / (
            2 * defined
        )
        bias = ndtri(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
        found = np.maximum(np.sum(~np.isnan(left_out), axis=0), 1)
        influence = np.nansum(left_out, axis=0) / found - left_out
        spread = np.nansum(influence**2, axis=0) ** 1.5
        skew = np.nansum(influence**3, axis=0)
        return cls(
            np.asarray(bias),
            np.divide(skew, 6 * spread, out=np.zeros_like(spread), where=spread > 0),
        )

    def moved(self, levels: np.ndarray) -> np.ndarray:
        ends = ndtri(levels)
        return ndtr(self.bias + (self.bias + ends) / (1 - self.skew * (self.bias + ends)))

    def unmoved(self, levels: np.ndarray) -> np.ndarray:
        """The levels that are moved to these; NaN where none is."""
        off = ndtri(levels) - self.bias
        stretch = np.where(1 + self.skew * off > 0, 1 + self.skew * off, np.nan)
        return np.asarray(ndtr(off / stretch - self.bias))

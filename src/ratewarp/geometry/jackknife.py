"""Intervals from leaving out one unit at a time; those of cosines, and of means over pairs of units, by rules
of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtr, chndtrinc, ndtr, ndtri, stdtrit

from ratewarp.geometry.interval import Interval, Statistic, around, few, joined, nothing_is_certain, within

_FEWEST_UNITS = 4  # below this leaving one out says nothing
_ROWS = 256  # weightings made at once
_LOST = math.pi / 4  # how far chance turns a direction of which nothing is known any more
_LOST_DIRECTION = "too little differs to tell a direction"
# squared angle over its error, from which the noncentral chi is a normal distribution
_FAR_FROM_AXIS = 30.0**2
_LEAST_P = 1e-9  # that the ends of lopsided intervals can tell
_HALVINGS = 50
_MOST = 300.0  # logarithm of a factor, so that no end overflows


class Side(NamedTuple):
    """A number, the ends of its interval, how much every unit moves it, what to know of it, and its standard
    error.
    """

    value: float
    low: float
    high: float
    influence: Float[np.ndarray, " units"]
    note: str = ""
    se: float = math.nan


Sided = Callable[[float], Side]
"""A number with the ends that its interval has at a level."""


def left_out(statistic: Statistic, units: int, batch: int = _ROWS) -> Float[np.ndarray, "units ..."]:
    """The statistic without each of the units."""
    return np.concatenate(
        [statistic(1 - np.eye(min(batch, units - k), units, k)) for k in range(0, units, batch)]
    )


def jackknife(
    statistic: Statistic,
    value: Float[np.ndarray, ...],
    units: int,
    level: float,
    linked: Int[np.ndarray, "pairs two"] | None = None,
    batch: int = _ROWS,
    *,
    debiased: bool = False,
) -> Interval:
    """Value ± Student's t × the standard error; see `infer`."""
    without = left_out(statistic, units, batch)
    if debiased:
        value = units * value - (units - 1) * without.mean(axis=0)
    influence = without.mean(axis=0) - without
    squares = np.sum(influence**2, axis=0)
    if linked is not None and len(linked):
        squares = np.maximum(
            squares, squares + 2 * np.sum(influence[linked[:, 0]] * influence[linked[:, 1]], axis=0)
        )
    spread = np.sqrt((units - 1) / units * squares)
    spread = np.where(_stuck(without, value) | (units < _FEWEST_UNITS), np.nan, spread)
    return around(value, spread, units - 1, level, units, few(units))


def _stuck(without: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Whether leaving out any unit gives the same other value: equal by construction, not for certain."""
    return (np.ptp(without, axis=0) <= 1e-12 * np.abs(value)) & (
        np.abs(without[0] - value) > 1e-9 * np.abs(value)
    )


def cosine_interval(
    sides: Sequence[tuple[Statistic, int]], units: int, level: float, batch: int = _ROWS
) -> Interval:
    """An interval for a statistic that is the cosine of an angle from an axis, or for how much it differs
    from another one.

    Chance turns a direction away from an axis in every dimension off it: the angle found, over its jackknife
    standard error, has a noncentral chi distribution about the true one, with as many degrees of freedom as
    there are dimensions. Each end is the angle at which what was found, or more (less), has half the
    remaining probability, with Student's t for the error of the standard error; the upper end is that of the
    cosine's own jackknife where it lies higher, as in small samples whose latents are correlated. Where
    chance turns the direction by more than 45°, nothing is known of it: the interval is 0 … 1. A difference
    gets its ends by `of_difference`, and its test from these: p is 1 − the level at which the interval ends
    at 0. The standard error is the jackknife's of the cosine, or of the difference.

    Arguments:
        sides: the statistic, of numbers 0 … 1, with the number of dimensions off the axis; and the one that
            it is compared with, if any.
        units: how many units there are.
        level: probability the interval should cover.
        batch: weightings that a statistic is asked for at once.

    Source: confidence limits of a noncentrality parameter (Venables, JRSS B 1975), by the angle's standard
        error from the jackknife.
    """
    return _together([_cosine(*side, units, batch) for side in sides], units, 1.0, level)


def _cosine(statistic: Statistic, freedom: int, units: int, batch: int) -> Sided:
    value = min(float(statistic(np.ones((1, units)))[0]), 1.0)
    without = left_out(statistic, units, batch)
    influence = without.mean() - without
    angle, of_angle = float(np.arccos(value)), _error(np.arccos(np.minimum(without, 1.0)))
    untold = units < _FEWEST_UNITS or bool(_stuck(without, np.asarray(value)))
    se = math.nan if untold else _error(without)

    def at(level: float) -> Side:
        normal = float(ndtri((1 + level) / 2))
        student = math.nan if untold else float(stdtrit(units - 1, (1 + level) / 2))
        error = student / normal * of_angle
        if error * math.sqrt(freedom) > _LOST:
            return Side(value, 0.0, 1.0, influence, _LOST_DIRECTION, se)
        nearest, farthest = _angles(angle, error, max(freedom, 1), normal)
        # the cosine of an angle may be rounded to above its own
        low = min(math.cos(min(max(farthest, angle), math.pi / 2)), value)
        high = min(max(math.cos(nearest), value + student * se), 1.0)
        return Side(value, low, high, influence, se=se)

    return at


def _error(without: np.ndarray) -> float:
    """Standard error from what was found without each unit."""
    return float(np.sqrt((len(without) - 1) * np.var(without)))


def _angles(angle: float, error: float, freedom: int, normal: float) -> tuple[float, float]:
    """Least and greatest true angle of which what was found is a likely sample."""
    if math.isnan(error) or error == 0:
        return angle + error, angle + error
    squared, tail = (angle / error) ** 2, float(ndtr(-normal))
    if squared > _FAR_FROM_AXIS:
        centre = math.sqrt(squared - freedom + 1) if squared > freedom else 0.0
        return error * max(centre - normal, 0.0), error * (centre + normal)
    ends = [
        float(chndtrinc(squared, freedom, chance)) if chdtr(freedom, squared) > chance else 0.0
        for chance in (1 - tail, tail)
    ]
    return error * math.sqrt(ends[0]), error * math.sqrt(ends[1])


def log_mean_interval(
    sides: Sequence[tuple[float, Float[np.ndarray, " pairs"]]],
    pairs: Int[np.ndarray, "pairs two"],
    units: int,
    level: float,
) -> Interval:
    """An interval for the exponential of a mean over pairs of units, or for how much it differs from another
    one.

    Two pairs share chance where they share a unit, or are one: the variance is the sum of the products of
    their influences over all of these. Leaving out a unit at a time would count what is particular to a pair
    twice, at either end of it. The standard error is that of the mean times its exponential (delta method);
    a difference is tested as that of cosines is.

    Arguments:
        sides: the mean and the influence of every pair on it (they sum to 0); and those of the mean that it
            is compared with, if any.
        pairs: the two units of every pair.
        units: how many units there are.
        level: probability the interval should cover.

    Source: Fafchamps & Gubert, Journal of Development Economics 2007; Aronow, Samii & Assenova, Political
        Analysis 2015.
    """
    return _together([_log_mean(*side, pairs, units) for side in sides], units, math.inf, level)


def _log_mean(mean: float, influence: np.ndarray, pairs: np.ndarray, units: int) -> Sided:
    of_units = np.bincount(pairs.ravel(), np.repeat(influence, 2), minlength=units)
    own = np.sum(influence**2)
    variance = max(float(np.sum(of_units**2) - own), float(own)) * units / (units - 1)
    se, value = math.sqrt(variance) if units >= _FEWEST_UNITS else math.nan, float(np.exp(mean))

    def at(level: float) -> Side:
        reach = stdtrit(units - 1, (1 + level) / 2) * se
        factor = float(np.exp(np.minimum(reach, _MOST)))
        return Side(value, value / factor, value * factor, of_units, se=value * se)

    return at


def _together(sides: Sequence[Sided], units: int, most: float, level: float) -> Interval:
    """The interval of one side, whose range is 0 … `most`, or of the difference of two, with its test."""

    def difference(at: float) -> Interval:
        first, second = (side(at) for side in sides)
        return of_difference(first, second, units)

    if len(sides) == 2:
        found = replace(difference(level), p=np.asarray(_where_it_ends_at_zero(difference, level)))
        return within(found, (-most, most))
    one = sides[0](level)
    value, low, high, se = map(np.asarray, (one.value, one.low, one.high, one.se))
    return within(Interval(value, low, high, units, joined(few(units), one.note), se=se), (0.0, most))


def _where_it_ends_at_zero(interval: Callable[[float], Interval], level: float) -> float:
    """1 − the level at which an interval ends at 0, by halving; NaN where nothing is known at `level`."""
    usual = interval(level)
    if not np.isfinite([usual.low, usual.high, usual.se]).all() or _LOST_DIRECTION in usual.note:
        return math.nan

    def is_off_zero(p: float) -> bool:
        found = interval(1 - p)
        return bool(found.low > 0 or found.high < 0)

    if is_off_zero(_LEAST_P):
        return float(nothing_is_certain(np.asarray(_LEAST_P), usual.value, usual.se))
    inside, outside = math.log(_LEAST_P), 0.0
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if is_off_zero(math.exp(middle)) else (middle, outside)
    return math.exp(outside)


def of_difference(first: Side, second: Side, units: int) -> Interval:
    """The interval of a difference from those of its two sides, which may be lopsided, and the correlation of
    their influences.

    Source: Zou, Psychological Methods 2007 (method of variance estimates recovery).
    """
    sizes = np.linalg.norm(first.influence) * np.linalg.norm(second.influence)
    alike = float(first.influence @ second.influence / sizes) if sizes > 0 else 0.0
    value = first.value - second.value

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * alike * one * other, 0.0))

    low = value - reach(first.value - first.low, second.high - second.value)
    high = value + reach(first.high - first.value, second.value - second.low)
    note = joined(few(units), first.note, second.note)
    value, low, high, se = map(np.asarray, (value, low, high, reach(first.se, second.se)))
    return Interval(value, low, high, units, note, se=se)

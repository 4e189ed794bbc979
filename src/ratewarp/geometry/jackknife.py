"""Intervals from leaving out one unit at a time; those of cosines, and of means over pairs of units, by rules
of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtr, chndtrinc
from scipy.stats import norm, t

from ratewarp.geometry.interval import Interval, Statistic, few, joined, within

_FEWEST_UNITS = 4  # below this leaving one out says nothing
_ROWS = 256  # weightings made at once
_LOST = math.pi / 4  # how far chance turns a direction of which nothing is known any more
# squared angle over its error, from which the noncentral chi is a normal distribution
_FAR_FROM_AXIS = 30.0**2
_MOST = 300.0  # logarithm of a factor, so that no end overflows


class Side(NamedTuple):
    """A number, the ends of its interval, how much every unit moves it, and what to know of it."""

    value: float
    low: float
    high: float
    influence: Float[np.ndarray, " units"]
    note: str = ""


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
    reach = np.asarray(t.ppf((1 + level) / 2, units - 1) * spread)
    return Interval(value, value - reach, value + reach, units, few(units))


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
    gets its ends by `of_difference`.

    Arguments:
        sides: the statistic, of numbers 0 … 1, with the number of dimensions off the axis; and the one that
            it is compared with, if any.
        units: how many units there are.
        level: probability the interval should cover.
        batch: weightings that a statistic is asked for at once.

    Source: confidence limits of a noncentrality parameter (Venables, JRSS B 1975), by the angle's standard
        error from the jackknife.
    """
    parts = [_cosine(statistic, freedom, units, level, batch) for statistic, freedom in sides]
    return _together(parts, units, 1.0)


def _cosine(statistic: Statistic, freedom: int, units: int, level: float, batch: int) -> Side:
    value = min(float(statistic(np.ones((1, units)))[0]), 1.0)
    without = left_out(statistic, units, batch)
    angle, angles = float(np.arccos(value)), np.arccos(np.minimum(without, 1.0))
    normal = float(norm.ppf((1 + level) / 2))
    untold = units < _FEWEST_UNITS or _stuck(without, np.asarray(value))
    student = math.nan if untold else float(t.ppf((1 + level) / 2, units - 1))
    reach, error = student * _error(without), student / normal * _error(angles)
    if error * math.sqrt(freedom) > _LOST:
        return Side(value, 0.0, 1.0, without.mean() - without, "too little differs to tell a direction")
    nearest, farthest = _angles(angle, error, max(freedom, 1), normal)
    # the cosine of an angle may be rounded to above its own
    low = min(math.cos(min(max(farthest, angle), math.pi / 2)), value)
    return Side(value, low, min(max(math.cos(nearest), value + reach), 1.0), without.mean() - without)


def _error(without: np.ndarray) -> float:
    """Standard error from what was found without each unit."""
    return float(np.sqrt((len(without) - 1) * np.var(without)))


def _angles(angle: float, error: float, freedom: int, normal: float) -> tuple[float, float]:
    """Least and greatest true angle of which what was found is a likely sample."""
    if math.isnan(error) or error == 0:
        return angle + error, angle + error
    squared, tail = (angle / error) ** 2, float(norm.sf(normal))
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
    twice, at either end of it.

    Arguments:
        sides: the mean and the influence of every pair on it (they sum to 0); and those of the mean that it
            is compared with, if any.
        pairs: the two units of every pair.
        units: how many units there are.
        level: probability the interval should cover.

    Source: Fafchamps & Gubert, Journal of Development Economics 2007; Aronow, Samii & Assenova, Political
        Analysis 2015.
    """
    parts = []
    for mean, influence in sides:
        of_units = np.bincount(pairs.ravel(), np.repeat(influence, 2), minlength=units)
        own = np.sum(influence**2)
        variance = max(float(np.sum(of_units**2) - own), float(own)) * units / (units - 1)
        reach = (
            t.ppf((1 + level) / 2, units - 1) * math.sqrt(variance) if units >= _FEWEST_UNITS else math.nan
        )
        value, factor = float(np.exp(mean)), float(np.exp(np.minimum(reach, _MOST)))
        parts.append(Side(value, value / factor, value * factor, of_units))
    return _together(parts, units, math.inf)


def _together(sides: Sequence[Side], units: int, most: float) -> Interval:
    """The interval of one side, whose range is 0 … `most`, or of the difference of two."""
    if len(sides) == 2:
        return within(of_difference(sides[0], sides[1], units), (-most, most))
    (one,) = sides
    return within(
        Interval(
            np.asarray(one.value),
            np.asarray(one.low),
            np.asarray(one.high),
            units,
            joined(few(units), one.note),
        ),
        (0.0, most),
    )


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
    return Interval(
        np.asarray(value),
        np.asarray(low),
        np.asarray(high),
        units,
        joined(few(units), first.note, second.note),
    )

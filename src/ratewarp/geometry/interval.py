"""A number with its uncertainty, and what is known of it where the sample is small."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import stdtr, stdtrit

Statistic = Callable[[Float[np.ndarray, "draws units"]], Float[np.ndarray, "draws ..."]]
"""A number, or an array of them, for every weighting of the units; NaN where a weighting leaves it undefined.
"""

_FEW_UNITS = 8  # below this an interval over units says little
_UNTOLD = "too few to tell"
_ROUNDING = 1e-10  # a number and a standard error below this are 0, but for rounding


def _unknown() -> Float[np.ndarray, ""]:
    return np.asarray(math.nan)


@dataclass(frozen=True)
class Interval:
    """A number with its uncertainty; its ends are never NaN.

    Attributes:
        value: on the whole sample.
        low: lower end of the interval; the least the measure can be where the sample is too small to tell.
        high: upper end, likewise.
        n: number of units the interval rests on: units resampled, or seeds.
        note: why an interval should not be trusted, or why it is as wide as the measure's range; empty if all
            is well.
        open_ended: where it is as wide as the range.
        se: standard error, which no bound of the measure clips; NaN where the sample is too small to tell.
        p: two-sided test of whether the number is 0: the chance that is left beside the widest interval
            without 0 in it; NaN where the sample is too small to tell.
    """

    value: Float[np.ndarray, ...]
    low: Float[np.ndarray, ...]
    high: Float[np.ndarray, ...]
    n: int
    note: str = ""
    open_ended: Bool[np.ndarray, ...] = field(default_factory=lambda: np.zeros((), bool))
    se: Float[np.ndarray, ...] = field(default_factory=_unknown)
    p: Float[np.ndarray, ...] = field(default_factory=_unknown)

    def note_at(self, *place: int) -> str:
        """What to know of one entry of an array of numbers."""
        return self.note if self.open_ended[place] else self.note.removesuffix(_UNTOLD).removesuffix(": ")


def around(
    value: Float[np.ndarray, ...],
    se: Float[np.ndarray, ...],
    freedom: float | Float[np.ndarray, ...],
    level: float,
    n: int,
    note: str = "",
) -> Interval:
    """Value ± Student's t × the standard error, and the test of 0 that goes with it."""
    reach = np.asarray(stdtrit(freedom, (1 + level) / 2) * se)
    ratio = np.divide(np.abs(value), se, out=np.full(np.shape(value), math.inf), where=np.asarray(se != 0))
    p = np.asarray(2 * stdtr(freedom, -ratio))
    return Interval(value, value - reach, value + reach, n, note, se=se, p=nothing_is_certain(p, value, se))


def nothing_is_certain(
    p: Float[np.ndarray, ...], value: Float[np.ndarray, ...], se: Float[np.ndarray, ...]
) -> Float[np.ndarray, ...]:
    """p, which is 1 where a number is 0 in every sample, but for rounding."""
    return np.where((np.abs(value) <= _ROUNDING) & (se <= _ROUNDING), 1.0, p)


def few(units: int) -> str:
    """What to know of an interval over so many units."""
    return f"only {units} units" if units < _FEW_UNITS else ""


def joined(*notes: str) -> str:
    """Notes that are not empty, each once."""
    return "; ".join(dict.fromkeys(filter(None, notes)))


def within(found: Interval, bounds: tuple[float, float]) -> Interval:
    """Ends inside the bounds, and at them where the sample leaves them open; an unbiased number may lie
    beyond, and is an end then.
    """
    open_ended = np.isnan(found.low) | np.isnan(found.high)
    low = np.where(open_ended, bounds[0], np.clip(found.low, *bounds))
    high = np.where(open_ended, bounds[1], np.clip(found.high, *bounds))
    low, high = np.fmin(low, found.value), np.fmax(high, found.value)
    note = found.note
    if open_ended.any():
        note = f"{note + ': ' if note else ''}{_UNTOLD}"
    return replace(found, low=low, high=high, note=note, open_ended=open_ended)

"""A number with its uncertainty, and what is known of it where the sample is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

Statistic = Callable[[Float[np.ndarray, "draws units"]], Float[np.ndarray, "draws ..."]]
"""A number, or an array of them, for every weighting of the units; NaN where a weighting leaves it undefined.
"""

_FEW_UNITS = 8  # below this an interval over units says little
_UNTOLD = "too few to tell"


@dataclass(frozen=True)
class Interval:
    """A number with its uncertainty; never NaN.

    Attributes:
        value: on the whole sample.
        low: lower end of the interval; the least the measure can be where the sample is too small to tell.
        high: upper end, likewise.
        n: number of units the interval rests on: units resampled, or seeds.
        note: why an interval should not be trusted, or why it is as wide as the measure's range; empty if all
            is well.
        open_ended: where it is as wide as the range.
    """

    value: Float[np.ndarray, ...]
    low: Float[np.ndarray, ...]
    high: Float[np.ndarray, ...]
    n: int
    note: str = ""
    open_ended: Bool[np.ndarray, ...] = field(default_factory=lambda: np.zeros((), bool))

    def note_at(self, *place: int) -> str:
        """What to know of one entry of an array of numbers."""
        return self.note if self.open_ended[place] else self.note.removesuffix(_UNTOLD).removesuffix(": ")


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
    return Interval(found.value, low, high, found.n, note, open_ended)

"""Numbers as sentences tell them: rounded so that nothing which is said of them is rounded away."""

from __future__ import annotations

import math
from typing import NamedTuple

_FURTHER = 3  # decimals beyond the usual ones that a small number may have


class Found(NamedTuple):
    """A number of the table of measures, the ends of its interval, and what to know of it."""

    value: float
    low: float
    high: float
    note: str

    @property
    def direction(self) -> str:
        """Where the interval of a change lies: above 0 ("up"), below 0 ("down") or on both sides ("none");
        empty where there is no interval.
        """
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return ""
        return "up" if self.low > 0 else "down" if self.high < 0 else "none"


class Scale(NamedTuple):
    """How a measure is told.

    Attributes:
        factor: what a number is multiplied with.
        decimals: that it has, as a rule.
        unit: behind a number.
        unit_of_change: behind the ends of an interval.
    """

    factor: float
    decimals: int
    unit: str
    unit_of_change: str

    def decimals_for(self, change: Found | None) -> int:
        """As many that an interval off 0 does not seem to reach it, and no interval seems to be a point."""
        if change is None or not change.direction:
            return self.decimals
        low, high = sorted(self.factor * abs(one) for one in (change.low, change.high))
        least = high if change.direction == "none" else low

        def telling(decimals: int) -> bool:
            apart = low == high or round(low, decimals) != round(high, decimals)
            return apart and (least == 0 or round(least, decimals) > 0)

        choices = range(self.decimals, self.decimals + _FURTHER)
        return next(filter(telling, choices), self.decimals + _FURTHER)

    def told(self, value: float, decimals: int) -> str:
        """A number; one below 1 is not rounded to 100 %."""
        shown = self.factor * value
        while self.unit == " %" and value < 1 and round(shown, decimals) >= 100 and decimals < _FURTHER:
            decimals += 1
        return f"{signed(shown, decimals, plus=False)}{self.unit}"

    def interval(self, change: Found, decimals: int) -> str:
        """By how much a number is up or down, or between what it may have changed."""
        ends = [self.factor * change.low, self.factor * change.high]
        if change.direction == "none":
            low, high = (signed(one, decimals) for one in ends)
            return f"{low} to {high}{self.unit_of_change}"
        low, high = (f"{one:.{decimals}f}" for one in sorted(map(abs, ends)))
        return f"{change.direction} by {low} to {high}{self.unit_of_change}"


SHARE = Scale(100, 0, " %", " points")
ALIGNMENT = Scale(1, 2, "", "")
TIMES = Scale(1, 2, "", "")


def signed(value: float, decimals: int, *, plus: bool = True) -> str:
    """A number with a true minus sign, without one where it is rounded to 0."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if plus else "") + text


def amount(value: float) -> str:
    """Nats or bits: three digits.

    Examples:
        >>> [amount(one) for one in (0.30047, 14.4012, 0.00041, 0.0, 100.2)]
        ['0.300', '14.4', 'less than 0.001', '0', '100']
    """
    if 0 < value < 1e-3:
        return "less than 0.001"
    return f"{value:#.3g}".rstrip(".") if value else "0"


def short(name: object) -> str:
    """A name that a user gave, cut where it is very long."""
    letters = str(name)
    return letters if len(letters) <= 60 else f"{letters[:59]}…"

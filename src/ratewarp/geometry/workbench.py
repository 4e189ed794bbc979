"""What is measured, against what, and how its intervals are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from ratewarp.geometry.inference import infer
from ratewarp.geometry.interval import Interval, Statistic, joined
from ratewarp.geometry.representation import Finding, Representation, Settings, undefined
from ratewarp.geometry.scatter import MOST_BYTES
from ratewarp.geometry.stimulus_space import Space

MAX_BLOCKS = 1000  # units resampled; more are drawn in blocks of several
_FEWEST_BLOCKS = 40
_MOST_WORK = 10**11  # multiplications of all draws of one measure

Made = TypeVar("Made")
Test = Callable[[float], float] | None  # how often chance reaches a number


@dataclass(frozen=True)
class Workbench:
    """What is measured, against what, and how intervals are made."""

    own: Representation
    reference: Representation | None
    settings: Settings

    @cached_property
    def block_of(self) -> np.ndarray:
        """Block of every unit: itself, or one of `MAX_BLOCKS` drawn at random."""
        squares = 8 * self.own.span.shape[1] ** 2  # bytes that every block holds
        return blocks_of(
            self.own.number, max(_FEWEST_BLOCKS, min(MAX_BLOCKS, MOST_BYTES // squares)), self.settings.seed
        )

    @cached_property
    def block_of_stimuli(self) -> np.ndarray:
        """Block of every unit, for what is computed of single numbers of stimuli, whatever their latents."""
        return blocks_of(self.own.number, MAX_BLOCKS, self.settings.seed)

    @cached_property
    def block_of_axes(self) -> np.ndarray:
        """Block of every unit, for the alignment with axes; fewer where it works in the space of items."""
        items, latents = self.own.codes.shape
        if latents <= items:
            return self.block_of
        work = 2 * items**2 * latents  # multiplications of one draw
        return blocks_of(
            self.own.number, max(_FEWEST_BLOCKS, min(MAX_BLOCKS, _MOST_WORK // work)), self.settings.seed
        )

    @cached_property
    def batch(self) -> int:
        """Weightings of units that a statistic is asked for at once."""
        return max(1, min(256, MOST_BYTES // (32 * self.own.span.shape[1] ** 2)))

    @property
    def frequencies(self) -> tuple[Space, np.ndarray]:
        """Where every unit stands and its frequency, which a measure of frequency may ask for."""
        assert self.own.space is not None
        assert self.own.frequency is not None
        return self.own.space, self.own.frequency

    def interval(
        self, statistic: Statistic, blocks: np.ndarray, bounds: tuple[float, float] = (-math.inf, math.inf)
    ) -> Interval:
        """`infer` over blocks of units."""
        wanted, units = self.settings, int(blocks.max()) + 1
        drawn = {"interval": wanted.interval, "resamples": wanted.resamples, "seed": wanted.seed}
        return infer(statistic, units, bounds=bounds, level=wanted.level, batch=self.batch, **drawn)

    def findings(
        self,
        name: str,
        task: str,
        make: Callable[[Representation], Statistic],
        *,
        bounds: tuple[float, float] = (0.0, 1.0),
        p: Test = None,
        blocks: np.ndarray | None = None,
    ) -> Iterator[Finding]:
        """A measure and its change from the reference, with the intervals that the settings ask for; over
        `block_of`, or over other blocks.
        """
        drawn = self.block_of if blocks is None else blocks

        def ends(sides: Sequence[Statistic]) -> Interval:
            return self.interval(difference(sides), drawn, bounds_of(sides, bounds))

        yield from self.compared(name, task, make, ends, p=p)

    def compared(
        self,
        name: str,
        task: str,
        make: Callable[[Representation], Made],
        ends: Callable[[Sequence[Made]], Interval],
        *,
        p: Test = None,
    ) -> Iterator[Finding]:
        """A measure and its change from the reference, from what is made of either; `ends` gives the interval
        of one side, or of two.
        """
        sides = [make(self.own)]
        if self.reference is not None and not self.reference.constant:
            sides.append(make(self.reference))
        for suffix, chosen in (("", sides[:1]), ("_change", sides))[: len(sides)]:
            found = ends(chosen)
            value = float(found.value)
            if np.isnan(value):
                yield undefined(name + suffix, task, "not defined for these codes")
                continue
            of_change = found.p if self.settings.test_changes else math.nan
            chance = of_change if suffix else p(value) if p is not None else math.nan
            low, high, se = (float(part) for part in (found.low, found.high, found.se))
            yield Finding(name + suffix, task, value, low, high, float(chance), found.n, found.note, se=se)

    def by_jackknife(self, found: Interval) -> Interval:
        """An interval of the jackknife, which says so where another kind was asked for."""
        told = "its interval is of the jackknife" if self.settings.interval != "jackknife" else ""
        return replace(found, note=joined(found.note, told))


def difference(sides: Sequence[Statistic]) -> Statistic:
    """The one statistic, or by how much the first is above the second."""
    if len(sides) == 1:
        return sides[0]
    first, second = sides
    return lambda weights: first(weights) - second(weights)


def bounds_of(sides: Sequence[Statistic], bounds: tuple[float, float]) -> tuple[float, float]:
    """The range of a measure, or of the difference of two."""
    return bounds if len(sides) == 1 else (bounds[0] - bounds[1], bounds[1] - bounds[0])


def blocks_of(units: int, most: int, seed: int) -> np.ndarray:
    """Block of every unit; units share blocks at random where there are more than `most`."""
    if units <= most:
        return np.arange(units)
    return np.random.default_rng(seed).permutation(units) % most

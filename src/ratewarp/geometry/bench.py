"""What is measured, against what, and how its intervals are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ratewarp.geometry.inference import Interval, Statistic, infer
from ratewarp.geometry.representation import Finding, Representation, Settings, undefined
from ratewarp.geometry.scatter import MOST_BYTES

MAX_BLOCKS = 1000  # units resampled; more are drawn in blocks of several
_FEWEST_BLOCKS = 40
_MOST_WORK = 10**11  # multiplications of all draws of one measure


@dataclass(frozen=True)
class Bench:
    """What is measured, against what, and how intervals are made."""

    own: Representation
    reference: Representation | None
    settings: Settings

    @cached_property
    def block_of(self) -> np.ndarray:
        """Block of every unit: itself, or one of `MAX_BLOCKS` drawn at random."""
        squares = 8 * self.own.span.shape[1] ** 2  # bytes that every block holds
        return blocks_of(self.own.number, max(_FEWEST_BLOCKS, min(MAX_BLOCKS, MOST_BYTES // squares)), self.settings.seed)

    @cached_property
    def block_of_axes(self) -> np.ndarray:
        """Block of every unit, for the alignment with axes; fewer where it works in the space of items."""
        items, latents = self.own.codes.shape
        if latents <= items:
            return self.block_of
        work = 2 * items**2 * latents  # multiplications of one draw
        return blocks_of(self.own.number, max(_FEWEST_BLOCKS, min(MAX_BLOCKS, _MOST_WORK // work)), self.settings.seed)

    def interval(
        self,
        statistic: Statistic,
        blocks: np.ndarray,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        linked: np.ndarray | None = None,
    ) -> Interval:
        """`infer` over blocks of units."""
        wanted = self.settings
        return infer(
            statistic,
            int(blocks.max()) + 1,
            bounds=bounds,
            interval=wanted.interval,
            resamples=wanted.resamples,
            level=wanted.level,
            seed=wanted.seed,
            linked=linked,
            batch=max(1, min(256, MOST_BYTES // (32 * self.own.span.shape[1] ** 2))),
        )

    def sided(self, make: Callable[[Representation], Statistic]) -> Iterator[tuple[str, Statistic]]:
        """The statistic of the codes, and by how much it differs from the reference's."""
        first = make(self.own)
        yield "", first
        if self.reference is not None and not self.reference.constant:
            second = make(self.reference)
            yield "_change", lambda weights: first(weights) - second(weights)

    def findings(
        self,
        name: str,
        task: str,
        make: Callable[[Representation], Statistic],
        *,
        blocks: np.ndarray | None = None,
        bounds: tuple[float, float] = (0.0, 1.0),
        p: Callable[[float], float] | None = None,
        linked: np.ndarray | None = None,
    ) -> Iterator[Finding]:
        """A measure and its change from the reference."""
        chosen = self.block_of if blocks is None else blocks
        for suffix, statistic in self.sided(make):
            span = bounds if not suffix else (bounds[0] - bounds[1], bounds[1] - bounds[0])
            found = self.interval(statistic, chosen, span, linked)
            value = float(found.value)
            if np.isnan(value):
                yield undefined(name + suffix, task, "not defined for these codes")
                continue
            chance = p(value) if p is not None and not suffix else math.nan
            yield Finding(name + suffix, task, value, float(found.low), float(found.high), chance, found.n, found.note)


def blocks_of(units: int, most: int, seed: int) -> np.ndarray:
    """Block of every unit; units share blocks at random where there are more than `most`."""
    if units <= most:
        return np.arange(units)
    return np.random.default_rng(seed).permutation(units) % most

"""Codes and what is known of them, how they are to be measured, and one number of what is found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp.geometry.reach import exponent, scaled, scaled_noise, spanned
from ratewarp.geometry.stimulus_space import FactorKind, Space
from ratewarp.geometry.trial_noise import Errors

# columns of a table that say which entry of a matrix or a list a number is
PLACES = ("class", "other", "latent")


class Finding(NamedTuple):
    """One number of one set of codes.

    Attributes:
        measure: its name.
        task: the labelling it is of; empty for none.
        value: the number; NaN where it is not defined, for the reason in `note`.
        low: lower end of its 95 % interval.
        high: upper end.
        p: how often chance reaches it, or, of a change, how often it would be so far from 0; NaN where there
            is no test.
        n: units resampled.
        note: what to know; mostly empty.
        place: of an entry of a matrix or a list, which one: `class` and `other`, or `latent`.
        trial_noise: whether it is "removed" from the number or "included" in it; empty where nothing is
            known of it, or the number does not hang on it.
        se: standard error; NaN where there is none, or the sample is too small to tell.
    """

    measure: str
    task: str
    value: float
    low: float
    high: float
    p: float
    n: int
    note: str
    place: Mapping[str, int] = MappingProxyType({})
    trial_noise: str = ""
    se: float = math.nan


def undefined(name: str, task: str, why: str) -> Finding:
    """A number that has no value, and why."""
    return Finding(name, task, math.nan, math.nan, math.nan, math.nan, 0, why)


@dataclass(frozen=True)
class Representation:
    """Codes, checked, and what is known of their items.

    Attributes:
        codes: one row per item.
        units: stimulus of every item, 0 … stimuli − 1; or the item itself, where stimuli are not known.
        factors: factor values of every unit, if known.
        frequency: of every unit, summing to 1, if known.
        noise: variance of every code, if known.
        kinds: of the factors; all ordered if empty.
        points: of every unit, which say instead of the factors which units are neighbours.
        errors: of the codes, where these are means of several items: measures take them off.
    """

    codes: Float[np.ndarray, "items latents"]
    units: Int[np.ndarray, " items"]
    factors: Float[np.ndarray, "units factors"] | None = None
    frequency: Float[np.ndarray, " units"] | None = None
    noise: Float[np.ndarray, "items latents"] | None = None
    kinds: tuple[FactorKind, ...] = ()
    points: Float[np.ndarray, "units dimensions"] | None = None
    errors: Errors | None = None

    @cached_property
    def space(self) -> Space | None:
        """Where the units stand, if there is a way to tell which are neighbours."""
        factors = np.zeros((self.number, 0)) if self.factors is None else self.factors
        space = Space(factors, self.kinds, self.points)
        return space if space.has_neighbours else None

    @cached_property
    def number(self) -> int:
        """How many units there are."""
        return int(self.units.max()) + 1

    @cached_property
    def constant(self) -> bool:
        """Whether all codes are equal."""
        return not np.ptp(self.safe, axis=0).any()

    @cached_property
    def safe(self) -> Float[np.ndarray, "items latents"]:
        """Codes of ordinary size, for what does not depend on scale."""
        return scaled(self.codes)

    @cached_property
    def span(self) -> Float[np.ndarray, "items coordinates"]:
        """Codes in the space that they span, for what does not depend on rotation either: no more coordinates
        than items.
        """
        return self._spanned[0]

    @cached_property
    def span_errors(self) -> Errors | None:
        """Errors of the codes as in `span`."""
        return self._spanned[1]

    @cached_property
    def _spanned(self) -> tuple[Float[np.ndarray, "items coordinates"], Errors | None]:
        errors = self.safe_errors
        if errors is None:
            return spanned(self.safe), None
        origin = np.zeros((1, self.codes.shape[1]))
        together = spanned(np.concatenate([self.safe, errors.rows, origin]))
        codes, rows = together[: len(self.safe)], together[len(self.safe) : -1] - together[-1]
        return codes, Errors(rows, errors.units)

    @cached_property
    def safe_errors(self) -> Errors | None:
        """Errors of the codes as in `safe`."""
        if self.errors is None:
            return None
        return Errors(scaled(self.errors.rows, exponent(self.codes)), self.errors.units)

    @cached_property
    def safe_noise(self) -> Float[np.ndarray, "items latents"] | None:
        """Noise of the codes as in `safe`."""
        return None if self.noise is None else scaled_noise(self.noise, exponent(self.codes))


@dataclass(frozen=True)
class Settings:
    """How intervals and tests are made.

    Attributes:
        resamples: bootstrap draws, where the interval is of a bootstrap.
        permutations: of labels or frequencies, for tests; 0 for none.
        level: probability the intervals should cover.
        seed: of draws and permutations.
        interval: "jackknife", "bca" or "percentile"; see `infer`.
        measures: names of those wanted; if not given, all of codes that a user brings but
            the slow ones.
        remove_noise: whether trial noise is removed where it is known; otherwise all is of the codes as they
            are given.
        test_changes: whether changes from the reference are tested against 0.
    """

    resamples: int = 1000
    permutations: int = 1000
    level: float = 0.95
    seed: int = 0
    interval: Literal["jackknife", "bca", "percentile"] = "jackknife"
    measures: tuple[str, ...] | None = None
    remove_noise: bool = True
    test_changes: bool = False

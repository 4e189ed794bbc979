"""Measures of codes as they are, and of their likeness to a reference, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.geometry.dimensions import spread_of_dimensions
from ratewarp.geometry.inference import infer
from ratewarp.geometry.information import FEWEST, latent_rates, stimulus_information
from ratewarp.geometry.interval import Statistic, joined, within
from ratewarp.geometry.jackknife import jackknife
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.reliability import ceiling_of, share_of_signal, too_noisy
from ratewarp.geometry.representation import Finding, Representation, undefined
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.similarity import linear_cka, procrustes_distance
from ratewarp.geometry.similarity_left_out import (
    cka_without,
    dimensions_without,
    overlap_without,
    procrustes_without,
)
from ratewarp.geometry.workbench import MAX_BLOCKS, Workbench, blocks_of

_AT_LEAST = "at least: a bound, which is higher the more items a stimulus has"
_OF_BOUNDS = "of two bounds, which are higher the more items a stimulus has"
_FEWEST_LEFT_OUT = 20  # blocks of units, where leaving one out costs much
_LIKENESS_ITEMS = 2_000_000  # items × blocks left out, for CKA and Procrustes
_LIKENESS_WORK = 10**10  # multiplications of a product × blocks left out, likewise


def find_reliability(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """Share of the variance of the mean codes that is not of their errors, and the linear CKA with themselves
    without these; where the errors are known.
    """
    one = bench.own
    if one.span_errors is None or one.constant:
        return
    blocks = bench.block_of
    share, ceiling = share_of_signal(one, blocks), ceiling_of(one, blocks)
    for name, statistic in (("reliability", share), ("noise_ceiling", ceiling)):
        found = infer(
            statistic,
            int(blocks.max()) + 1,
            bounds=(0.0, 1.0),
            level=bench.settings.level,
            batch=bench.batch,
        )
        ends = (float(found.value), float(found.low), float(found.high))
        yield Finding(name, "", *ends, math.nan, found.n, found.note, se=float(found.se))


def find_participation_ratio(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    if bench.own.constant:
        yield undefined("participation_ratio", "", "the codes are constant")
        return
    latents = float(bench.own.codes.shape[1])
    if why := too_noisy(bench):
        yield undefined("participation_ratio", "", why)
        return

    def make(one: Representation) -> Statistic:
        blocks = bench.block_of[one.units]
        if one.span_errors is not None:
            return dimensions_without(one.span, blocks, one.span_errors)
        sample = Sample(one.span, blocks, np.zeros_like(one.units))
        return lambda weights: spread_of_dimensions(sample.scatter(weights).total)

    yield from bench.findings("participation_ratio", "", make, bounds=(1.0, latents))


def find_latent_rates(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """One number per latent; none where the noise of the codes is not known."""
    own = bench.own
    if own.noise is None:
        return
    if not (own.noise > 0).all():
        yield undefined("latent_rate", "", "the noise of some codes is 0")
        return
    try:
        rates = latent_rates(own.codes, own.noise)
    except RequestError as error:
        yield undefined("latent_rate", "", str(error))
        return
    for latent, rate in enumerate(rates):
        yield Finding("latent_rate", "", float(rate), math.nan, math.nan, math.nan, 0, "", {"latent": latent})


def find_effective_prototypes(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    own = bench.own
    if np.bincount(own.units).min() < FEWEST:
        yield undefined("effective_prototypes", "", f"needs {FEWEST} items of every stimulus")
        return
    reference = bench.reference
    if reference is not None and (reference.noise is None) != (own.noise is None):
        bench = Workbench(own, None, bench.settings)
        why = "noise is given of the codes or of the reference alone"
        yield undefined("effective_prototypes_change", "", why)

    def make(one: Representation) -> Statistic:
        gained = stimulus_information(
            one.codes, one.units, frequency=one.frequency, noise=one.noise, seed=bench.settings.seed
        )
        prior = np.full(one.number, 1 / one.number) if one.frequency is None else one.frequency

        def statistic(weights: np.ndarray) -> np.ndarray:
            shares = weights[:, bench.block_of] * prior
            return np.exp(np.maximum(shares @ gained / shares.sum(axis=1), 0))

        return statistic

    notes = {"effective_prototypes": _AT_LEAST, "effective_prototypes_change": _OF_BOUNDS}
    for one in bench.findings("effective_prototypes", "", make, bounds=(1.0, float(own.number))):
        yield one._replace(note=joined(one.note, notes[one.measure]))


def find_linear_cka(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    likeness = _Likeness("linear_cka", linear_cka, cka_without, (-math.inf, 1.0))
    if bench.own.errors is None:
        yield from likeness.found(bench)
    else:
        yield from likeness.without_noise(bench, cka_without, too_noisy(bench))


def find_procrustes_distance(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """Without trial noise, its cosine is freed of bias by the jackknife, and its interval made of that of the
    cosine, which may lie above 1 where the two are alike.
    """
    likeness = _Likeness("procrustes_distance", procrustes_distance, procrustes_without, (0.0, math.pi / 2))
    if bench.own.errors is None:
        yield from likeness.found(bench)
        return
    why = too_noisy(bench) or _too_many_latents(bench)
    for one in likeness.without_noise(bench, overlap_without, why, debiased=True):
        if math.isnan(one.value):
            yield one
            continue
        if not one.low < 1:
            yield undefined("procrustes_distance", "", "trial noise leaves more overlap than there can be")
            continue
        value, high, low = (math.acos(min(max(end, 0.0), 1.0)) for end in (one.value, one.low, one.high))
        se = one.se / math.sin(value) if 0 < value < math.pi / 2 else math.nan  # delta method
        yield one._replace(value=value, low=low, high=high, se=se)


def _too_many_latents(bench: Workbench) -> str:
    """Why the overlap of shapes cannot be freed of noise; empty if it can."""
    sides = [one for one in (bench.own, bench.reference) if one is not None]
    latents = max(min(one.codes.shape[1], one.span.shape[1]) for one in sides)
    if latents <= bench.own.number / 2:
        return ""
    return (
        "more latents than half the stimuli: noise cannot be taken off the overlap of shapes; see linear_cka"
    )


class _Likeness(NamedTuple):
    """How like the codes are to the reference as wholes.

    Attributes:
        name: of the measure.
        measure: the number.
        without: the same without some blocks of items.
        bounds: least and largest value.
    """

    name: str
    measure: Callable[..., float]
    without: Callable[..., Statistic]
    bounds: tuple[float, float]

    def found(self, bench: Workbench) -> Iterator[Finding]:
        """Of the codes as they are."""
        own, reference = bench.own, bench.reference
        if reference is None:
            return
        blocks = _blocks(bench, own.span, reference.span)
        try:
            value = self.measure(own.span, reference.span)
        except RequestError as error:
            yield undefined(self.name, "", str(error))
            return
        statistic = self.without(own.span, reference.span, blocks)
        yield self._finding(bench, statistic, value, int(blocks.max()) + 1)

    def without_noise(
        self, bench: Workbench, without: Callable[..., Statistic], why: str, *, debiased: bool = False
    ) -> Iterator[Finding]:
        """Without trial noise, from the statistic that removes it, unless there is a reason why not."""
        own, reference = bench.own, bench.reference
        if reference is None:
            return
        if why:
            yield undefined(self.name, "", why)
            return
        blocks = _blocks(bench, own.span, reference.span)
        number = int(blocks.max()) + 1
        statistic = without(own.span, reference.span, blocks, (own.span_errors, reference.span_errors))
        value = float(statistic(np.ones((1, number)))[0])
        if np.isnan(value):
            why = "codes or reference do not differ by more than their trial noise"
            yield undefined(self.name, "", why)
            return
        yield self._finding(bench, statistic, value, number, debiased=debiased)

    def _finding(
        self, bench: Workbench, statistic: Statistic, value: float, number: int, *, debiased: bool = False
    ) -> Finding:
        level, batch = bench.settings.level, bench.batch
        plain = jackknife(statistic, np.asarray(value), number, level, batch=batch, debiased=debiased)
        found = plain if debiased else within(plain, self.bounds)
        value, low, high = (float(end) for end in (found.value, found.low, found.high))
        if debiased and math.isnan(value + low + high):
            return undefined(self.name, "", "too few stimuli that differ by more than their trial noise")
        return Finding(self.name, "", value, low, high, math.nan, found.n, found.note, se=float(found.se))


def _blocks(bench: Workbench, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Block of every item, so few that leaving one out at a time can be paid for."""
    work = len(first) * max(first.shape[1], second.shape[1]) ** 2  # of one Procrustes distance
    most = max(_FEWEST_LEFT_OUT, min(MAX_BLOCKS, _LIKENESS_ITEMS // len(first), _LIKENESS_WORK // work))
    return blocks_of(bench.own.number, most, bench.settings.seed)[bench.own.units]

"""Measures of codes as they are, and of their likeness to a reference, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.geometry.dimensions import spread_of_dimensions
from ratewarp.geometry.inference import infer
from ratewarp.geometry.information import FEWEST, latent_rates, stimulus_information
from ratewarp.geometry.interval import Statistic, joined, within
from ratewarp.geometry.jackknife import jackknife
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.representation import Finding, Representation, undefined
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.similarity import linear_cka, procrustes_distance
from ratewarp.geometry.similarity_left_out import (
    ceiling_without,
    cka_without,
    dimensions_without,
    procrustes_without,
)
from ratewarp.geometry.spread import Cells
from ratewarp.geometry.trial_noise import Errors
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
    one, errors = bench.own, bench.own.span_errors
    if errors is None or one.constant:
        return
    blocks = bench.block_of
    cells = Cells.of(one.span, one.units, np.zeros_like(one.units), blocks, errors.variances(one.number))
    noisy = Cells.of(one.span, one.units, np.zeros_like(one.units), blocks)

    def share(weights: np.ndarray) -> np.ndarray:
        clean, whole = (part.spread(weights).squared_distances()[1] for part in (cells, noisy))
        return np.divide(clean, whole, out=np.full_like(whole, np.nan), where=whole > 0)

    ceiling = ceiling_without(one.span, blocks, errors)
    for name, statistic in (("reliability", share), ("noise_ceiling", ceiling)):
        found = infer(
            statistic,
            int(blocks.max()) + 1,
            bounds=(0.0, 1.0),
            level=bench.settings.level,
            batch=bench.batch,
        )
        ends = (float(found.value), float(found.low), float(found.high))
        yield Finding(name, "", *ends, math.nan, found.n, found.note)


def find_participation_ratio(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    if bench.own.constant:
        yield undefined("participation_ratio", "", "the codes are constant")
        return
    latents = float(bench.own.codes.shape[1])

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
    yield from _likeness(bench, "linear_cka", linear_cka, cka_without, (-math.inf, 1.0))


def find_procrustes_distance(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    yield from _likeness(
        bench,
        "procrustes_distance",
        procrustes_distance,
        procrustes_without,
        (0.0, math.pi / 2),
        debiased=True,
    )


def _both_errors(own: Representation, reference: Representation) -> tuple[Errors, Errors] | None:
    errors, others = own.span_errors, reference.span_errors
    return None if errors is None or others is None else (errors, others)


def _likeness(
    bench: Workbench,
    name: str,
    measure: Callable[..., float],
    without: Callable[..., Statistic],
    bounds: tuple[float, float],
    *,
    debiased: bool = False,
) -> Iterator[Finding]:
    """How like the codes are to the reference as wholes; `without` measures it without some blocks, and
    `debiased` says whether the form without trial noise is freed of bias by the jackknife.
    """
    own, reference = bench.own, bench.reference
    if reference is None:
        return
    first, second = own.span, reference.span
    work = len(first) * max(first.shape[1], second.shape[1]) ** 2  # of one Procrustes distance
    most = max(_FEWEST_LEFT_OUT, min(MAX_BLOCKS, _LIKENESS_ITEMS // len(first), _LIKENESS_WORK // work))
    blocks = blocks_of(own.number, most, bench.settings.seed)[own.units]
    try:
        value = measure(first, second)
    except RequestError as error:
        yield undefined(name, "", str(error))
        return

    number, wanted = int(blocks.max()) + 1, bench.settings
    statistic = without(first, second, blocks, _both_errors(own, reference))
    if own.errors is not None:
        value = float(statistic(np.ones((1, number)))[0])
        if np.isnan(value):
            yield undefined(name, "", "codes or reference do not differ by more than their trial noise")
            return
    plain = jackknife(
        statistic,
        np.asarray(value),
        number,
        wanted.level,
        batch=bench.batch,
        debiased=debiased and own.errors is not None,
    )
    found = within(replace(plain, value=np.clip(plain.value, *bounds)), bounds)
    ends = (float(found.value), float(found.low), float(found.high))
    yield Finding(name, "", *ends, math.nan, found.n, found.note)

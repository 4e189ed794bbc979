"""The measures of one set of codes by family, each with its interval: dimensions, information, likeness, classes, distances."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array

from ratewarp._checks import RequestError
from ratewarp.geometry.alignment import active_latents, alignment_statistic, freedom, off_axis
from ratewarp.geometry.bench import MAX_BLOCKS, Bench, blocks_of
from ratewarp.geometry.dimensions import spread_of_dimensions
from ratewarp.geometry.distances import class_distortion_statistic
from ratewarp.geometry.inference import infer, permutation_p
from ratewarp.geometry.information import FEWEST, latent_rates, stimulus_information
from ratewarp.geometry.interval import Interval, Statistic
from ratewarp.geometry.jackknife import cosine_interval
from ratewarp.geometry.prototypes import between_share
from ratewarp.geometry.representation import Finding, Representation, undefined
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.similarity import linear_cka, procrustes_distance

_FEWEST_LEFT_OUT = 20  # blocks of units, where leaving one out costs much
_LIKENESS_ITEMS = 2_000_000  # items × blocks left out, for CKA and Procrustes
_LIKENESS_WORK = 10**10  # multiplications of a product × blocks left out, likewise
_FEWEST_ITEMS = 3  # more are needed for the debiased CKA
_PERMUTED = 2**21  # permuted labels of units held at once
_MAX_CELLS = 2000  # blocks × classes whose pairs are kept for intervals of the class distortion matrix


def of_dimensions(bench: Bench) -> Iterator[Finding]:
    if bench.own.constant:
        yield undefined("participation_ratio", "", "the codes are constant")
        return
    latents = float(bench.own.codes.shape[1])

    def make(one: Representation) -> Statistic:
        sample = Sample(one.span, bench.block_of[one.units], np.zeros_like(one.units))
        return lambda weights: spread_of_dimensions(sample.scatter(weights).total)

    yield from bench.findings("participation_ratio", "", make, bounds=(1.0, latents))


def of_information(bench: Bench) -> Iterator[Finding]:
    own = bench.own
    if own.noise is not None and (own.noise > 0).all():
        yield from _of_latents(own.codes, own.noise)
    elif own.noise is not None:
        yield undefined("latent_rate", "", "the noise of some codes is 0")
    if np.bincount(own.units).min() < FEWEST:
        yield undefined("effective_prototypes", "", f"needs {FEWEST} items of every stimulus")
        return
    reference = bench.reference
    if reference is not None and (reference.noise is None) != (own.noise is None):
        bench = Bench(own, None, bench.settings)
        why = "noise is given of the codes or of the reference alone"
        yield undefined("effective_prototypes_change", "", why)

    def make(one: Representation) -> Statistic:
        gained = stimulus_information(one.codes, one.units, frequency=one.frequency, noise=one.noise, seed=bench.settings.seed)
        prior = np.full(one.number, 1 / one.number) if one.frequency is None else one.frequency

        def statistic(weights: np.ndarray) -> np.ndarray:
            shares = weights[:, bench.block_of] * prior
            return np.exp(np.maximum(shares @ gained / shares.sum(axis=1), 0))

        return statistic

    yield from bench.findings("effective_prototypes", "", make, bounds=(1.0, float(own.number)))


def _of_latents(codes: np.ndarray, noise: np.ndarray) -> Iterator[Finding]:
    try:
        rates = latent_rates(codes, noise)
    except RequestError as error:
        yield undefined("latent_rate", "", str(error))
        return
    for latent, rate in enumerate(rates):
        yield Finding(f"latent_rate[{latent}]", "", float(rate), math.nan, math.nan, math.nan, 0, "")


def of_likeness(bench: Bench, reference: Representation) -> Iterator[Finding]:
    """How like the codes are to the reference as wholes."""
    own = bench.own
    first, second = own.span, reference.span
    work = len(first) * max(first.shape[1], second.shape[1]) ** 2  # of one Procrustes distance
    most = max(_FEWEST_LEFT_OUT, min(MAX_BLOCKS, _LIKENESS_ITEMS // len(first), _LIKENESS_WORK // work))
    blocks = blocks_of(own.number, most, bench.settings.seed)[own.units]
    measures = {"linear_cka": (linear_cka, (-math.inf, 1.0)), "procrustes_distance": (procrustes_distance, (0.0, math.pi / 2))}
    for name, (measure, bounds) in measures.items():
        try:
            value = measure(first, second)
        except RequestError as error:
            yield undefined(name, "", str(error))
            continue

        def left(weights: np.ndarray, measure: Callable[..., float] = measure) -> np.ndarray:
            kept = [row[blocks] > 0 for row in weights]
            return np.array([_likeness(measure, first[one], second[one]) for one in kept])

        found = infer(left, int(blocks.max()) + 1, interval="jackknife", bounds=bounds, level=bench.settings.level)
        yield Finding(name, "", value, float(found.low), float(found.high), math.nan, found.n, found.note)


def _likeness(measure: Callable[..., float], first: np.ndarray, second: np.ndarray) -> float:
    """The measure of a part of the items; NaN where it is not defined."""
    try:
        return measure(first, second) if len(first) > _FEWEST_ITEMS else math.nan
    except RequestError:
        return math.nan


def of_classes(bench: Bench, task: str, classes: np.ndarray) -> Iterator[Finding]:
    own, number = bench.own, int(classes.max()) + 1
    if own.constant or number < 2:
        why = "the codes are constant" if own.constant else "one class"
        yield from (undefined(name, task, why) for name in ("prototypization", "orthogonalization", "free_orthogonalization"))
        return
    blocks, of_axes = bench.block_of, bench.block_of_axes

    def sample(one: Representation) -> Sample:
        return Sample(one.span, blocks[one.units], classes)

    def share(one: Representation) -> Statistic:
        kept = sample(one)
        return lambda weights: between_share(kept.scatter(weights))

    def aligned(one: Representation) -> tuple[Statistic, int]:
        latents = int(active_latents(one.safe, one.safe_noise).sum())
        return alignment_statistic(one.safe, of_axes[one.units], classes, one.safe_noise), off_axis(latents, number)

    def of_cosines(sides: Sequence[tuple[Statistic, int]]) -> Interval:
        return bench.by_jackknife(cosine_interval(sides, int(of_axes.max()) + 1, bench.settings.level, bench.batch))

    def free(one: Representation) -> Statistic:
        kept = sample(one)
        return lambda weights: freedom(kept.scatter(weights))

    yield from bench.findings("prototypization", task, share, p=_label_test(bench, classes))
    yield from bench.compared("orthogonalization", task, aligned, of_cosines)
    yield from bench.findings("free_orthogonalization", task, free)


def _label_test(bench: Bench, classes: np.ndarray) -> Callable[[float], float] | None:
    """How often permuted labels of units separate codes as well; none where items of a unit differ in their label."""
    own, settings = bench.own, bench.settings
    first = np.zeros(own.number, np.int64)
    first[own.units] = classes
    if not settings.permutations or (first[own.units] != classes).any():
        return None
    rng = np.random.default_rng(settings.seed)
    centred = own.span - own.span.mean(axis=0)
    of_units = csr_array((np.ones(len(own.units)), (own.units, np.arange(len(own.units)))), shape=(own.number, len(own.units))) @ centred
    counts, total = np.bincount(own.units).astype(float), np.sum(centred**2)

    number, batch = int(first.max()) + 1, max(1, _PERMUTED // own.number)

    def shares(drawn: int) -> np.ndarray:
        """η² with permuted labels of units; the sum of squares over all codes stays as it is."""
        labels = np.stack([rng.permutation(first) for _ in range(drawn)])
        places = (np.arange(drawn)[:, None] * number + labels).ravel()
        units = np.tile(np.arange(own.number), drawn)
        chosen = csr_array((np.ones(len(places)), (places, units)), shape=(drawn * number, own.number))
        return (np.sum((chosen @ of_units) ** 2, axis=1) / (chosen @ counts)).reshape(drawn, number).sum(axis=1) / total

    def test(value: float) -> float:
        sizes = [min(batch, settings.permutations - start) for start in range(0, settings.permutations, batch)]
        return permutation_p(value, np.concatenate([shares(size) for size in sizes]))

    return test


def of_distances(bench: Bench, reference: Representation, task: str, classes: np.ndarray) -> Iterator[Finding]:
    """Entries of the class distortion matrix."""
    number = int(classes.max()) + 1
    if number < 2:
        yield undefined("class_distortion", task, "one class")
        return
    blocks = blocks_of(bench.own.number, max(_FEWEST_LEFT_OUT, _MAX_CELLS // number), bench.settings.seed)
    try:
        statistic = class_distortion_statistic(bench.own.codes, reference.codes, classes, blocks[bench.own.units])
    except RequestError as error:
        yield undefined("class_distortion", task, str(error))
        return
    found = bench.interval(statistic, blocks)
    for a in range(number):
        for b in range(a, number):
            ends = (float(found.value[a, b]), float(found.low[a, b]), float(found.high[a, b]))
            yield Finding(f"class_distortion[{a},{b}]", task, *ends, math.nan, found.n, found.note_at(a, b))

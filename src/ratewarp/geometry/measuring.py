"""Every measure of one set of codes, each with its interval: what `ratewarp measure` prints and what a study stores."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from ratewarp._checks import RequestError
from ratewarp.geometry.alignment import alignment, freedom, standing
from ratewarp.geometry.dimensions import spread_of_dimensions
from ratewarp.geometry.distances import class_distortion_statistic
from ratewarp.geometry.inference import Interval, Statistic, infer, permutation_p
from ratewarp.geometry.information import FEWEST, latent_rates, stimulus_information
from ratewarp.geometry.prototypes import between_share
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.similarity import linear_cka, procrustes_distance
from ratewarp.geometry.specialization import Neighbours, neighbours, resolution, slopes
from ratewarp.geometry.tuning import tuning_curves

FAMILIES = ("dimensions", "information", "likeness", "classes", "distances", "frequency")
MAX_BLOCKS = 1000  # units resampled; more are drawn in blocks of several
_SMOOTH = 0.3  # Moran's I of log frequency above which it is not permuted
_EVEN = 1e-9  # frequencies that differ by less than this share are the same
_FEWEST_BLOCKS = 40
_MOST_BYTES = 2**28  # of products of latents that are held at once
_LIKENESS_ITEMS = 2_000_000  # items × blocks left out, for CKA and Procrustes
_FEWEST_ITEMS = 3  # more are needed for the debiased CKA
_MAX_CELLS = 2000  # blocks × classes whose pairs are kept for intervals of the class distortion matrix


class Finding(NamedTuple):
    """One number of one set of codes.

    Attributes:
        measure: its name; entries of a matrix as name[a,b].
        task: the labelling it is of; empty for none.
        value: the number; NaN where it is not defined, for the reason in `note`.
        low: lower end of its 95 % interval.
        high: upper end.
        p: how often chance reaches it; NaN where there is no test.
        n: units resampled.
        note: what to know; mostly empty.
    """

    measure: str
    task: str
    value: float
    low: float
    high: float
    p: float
    n: int
    note: str


@dataclass(frozen=True)
class Representation:
    """Codes, checked, and what is known of their items.

    Attributes:
        codes: one row an item.
        units: stimulus of every item, 0 … stimuli − 1; or the item itself, where stimuli are not known.
        factors: factor values of every unit, if known.
        frequency: of every unit, summing to 1, if known.
        noise: variance of every code, if known.
    """

    codes: Float[np.ndarray, "items latents"]
    units: Int[np.ndarray, " items"]
    factors: Float[np.ndarray, "units factors"] | None = None
    frequency: Float[np.ndarray, " units"] | None = None
    noise: Float[np.ndarray, "items latents"] | None = None

    @cached_property
    def number(self) -> int:
        """How many units there are."""
        return int(self.units.max()) + 1

    @cached_property
    def constant(self) -> bool:
        """Whether all codes are equal."""
        return not np.ptp(self.codes, axis=0).any()


@dataclass(frozen=True)
class Settings:
    """How intervals and tests are made.

    Attributes:
        resamples: bootstrap draws, where the interval is of a bootstrap.
        permutations: of labels or frequencies, for tests; 0 for none.
        level: probability the intervals should cover.
        seed: of draws and permutations.
        interval: "jackknife", "bca" or "percentile"; see `infer`.
        families: which families of measures, of `FAMILIES`.
    """

    resamples: int = 1000
    permutations: int = 1000
    level: float = 0.95
    seed: int = 0
    interval: Literal["jackknife", "bca", "percentile"] = "jackknife"
    families: tuple[str, ...] = FAMILIES


def measure_codes(
    own: Representation, labels: Mapping[str, Int[np.ndarray, " items"]], reference: Representation | None, settings: Settings
) -> Iterator[Finding]:
    """All measures that the inputs allow.

    Arguments:
        own: what is measured.
        labels: class of every item, 0 … classes − 1, by name of task.
        reference: codes of the same items; its units, factors and frequency are those of `own`.
        settings: of intervals and tests.
    """
    bench, wanted = _Bench(own, reference, settings), settings.families
    if "dimensions" in wanted:
        yield from _of_dimensions(bench)
    if "information" in wanted:
        yield from _of_information(bench)
    if reference is not None and reference.constant:
        yield _undefined("changes", "", "the reference is constant: there is nothing to compare with")
    if "likeness" in wanted and reference is not None:
        yield from _of_likeness(bench, reference)
    for task, classes in labels.items():
        if "classes" in wanted:
            yield from _of_classes(bench, task, classes)
        if "distances" in wanted and reference is not None and classes.max() > 0:
            yield from _of_distances(bench, reference, task, classes)
    uneven = own.frequency is not None and np.ptp(own.frequency) > _EVEN * own.frequency.max()
    if "frequency" in wanted and own.frequency is not None and (own.factors is None or not uneven):
        why = "needs factors" if own.factors is None else "all frequencies are the same"
        yield _undefined("specialization", "frequency", why)
    if "frequency" in wanted and own.factors is not None and own.frequency is not None and uneven:
        yield from _of_frequency(bench, own.factors, own.frequency)


@dataclass(frozen=True)
class _Bench:
    """What is measured, against what, and how intervals are made."""

    own: Representation
    reference: Representation | None
    settings: Settings

    @cached_property
    def block_of(self) -> np.ndarray:
        """Block of every unit: itself, or one of `MAX_BLOCKS` drawn at random."""
        squares = 8 * self.own.codes.shape[1] ** 2  # bytes that every block holds
        return _blocks(self.own.number, max(_FEWEST_BLOCKS, min(MAX_BLOCKS, _MOST_BYTES // squares)), self.settings.seed)

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
            batch=max(1, min(256, _MOST_BYTES // (32 * self.own.codes.shape[1] ** 2))),
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
                yield _undefined(name + suffix, task, "not defined for these codes")
                continue
            chance = p(value) if p is not None and not suffix else math.nan
            yield Finding(name + suffix, task, value, float(found.low), float(found.high), chance, found.n, found.note)


def _undefined(name: str, task: str, why: str) -> Finding:
    return Finding(name, task, math.nan, math.nan, math.nan, math.nan, 0, why)


def _blocks(units: int, most: int, seed: int) -> np.ndarray:
    """Block of every unit; units share blocks at random where there are more than `most`."""
    if units <= most:
        return np.arange(units)
    return np.random.default_rng(seed).permutation(units) % most


def _of_dimensions(bench: _Bench) -> Iterator[Finding]:
    if bench.own.constant:
        yield _undefined("participation_ratio", "", "the codes are constant")
        return
    latents = float(bench.own.codes.shape[1])

    def make(one: Representation) -> Statistic:
        sample = Sample(one.codes, bench.block_of[one.units], np.zeros_like(one.units))
        return lambda weights: spread_of_dimensions(sample.scatter(weights).total)

    yield from bench.findings("participation_ratio", "", make, bounds=(1.0, latents))


def _of_information(bench: _Bench) -> Iterator[Finding]:
    own = bench.own
    if own.noise is not None and (own.noise > 0).all():
        for latent, rate in enumerate(latent_rates(own.codes, own.noise)):
            yield Finding(f"latent_rate[{latent}]", "", float(rate), math.nan, math.nan, math.nan, 0, "")
    if np.bincount(own.units).min() < FEWEST:
        yield _undefined("effective_prototypes", "", f"needs {FEWEST} items of every stimulus")
        return
    reference = bench.reference
    if reference is not None and (reference.noise is None) != (own.noise is None):
        bench = _Bench(own, None, bench.settings)
        why = "noise is given of the codes or of the reference alone"
        yield _undefined("effective_prototypes_change", "", why)

    def make(one: Representation) -> Statistic:
        gained = stimulus_information(one.codes, one.units, frequency=one.frequency, noise=one.noise, seed=bench.settings.seed)
        prior = np.full(one.number, 1 / one.number) if one.frequency is None else one.frequency

        def statistic(weights: np.ndarray) -> np.ndarray:
            shares = weights[:, bench.block_of] * prior
            return np.exp(np.maximum(shares @ gained / shares.sum(axis=1), 0))

        return statistic

    yield from bench.findings("effective_prototypes", "", make, bounds=(1.0, float(own.number)))


def _of_likeness(bench: _Bench, reference: Representation) -> Iterator[Finding]:
    """How like the codes are to the reference as wholes."""
    own = bench.own
    blocks = _blocks(own.number, max(20, min(MAX_BLOCKS, _LIKENESS_ITEMS // len(own.codes))), bench.settings.seed)[own.units]
    measures = {"linear_cka": (linear_cka, (-math.inf, 1.0)), "procrustes_distance": (procrustes_distance, (0.0, math.pi / 2))}
    for name, (measure, bounds) in measures.items():
        try:
            value = measure(own.codes, reference.codes)
        except RequestError as error:
            yield _undefined(name, "", str(error))
            continue

        def left(weights: np.ndarray, measure: Callable[..., float] = measure) -> np.ndarray:
            kept = [row[blocks] > 0 for row in weights]
            return np.array([measure(own.codes[one], reference.codes[one]) if one.sum() > _FEWEST_ITEMS else np.nan for one in kept])

        found = infer(left, int(blocks.max()) + 1, interval="jackknife", bounds=bounds, level=bench.settings.level)
        yield Finding(name, "", value, float(found.low), float(found.high), math.nan, found.n, found.note)


def _of_classes(bench: _Bench, task: str, classes: np.ndarray) -> Iterator[Finding]:
    own, number = bench.own, int(classes.max()) + 1
    if own.constant or number < 2:
        why = "the codes are constant" if own.constant else "one class"
        yield from (_undefined(name, task, why) for name in ("prototypization", "orthogonalization", "free_orthogonalization"))
        return
    blocks = bench.block_of

    def sample(one: Representation) -> Sample:
        return Sample(one.codes, blocks[one.units], classes)

    def share(one: Representation) -> Statistic:
        kept = sample(one)
        return lambda weights: between_share(kept.scatter(weights))

    def aligned(one: Representation) -> Statistic:
        kept, (active, shrinkage) = sample(one), standing(one.codes, classes)
        return lambda weights: alignment(kept.scatter(weights), active, shrinkage)

    def free(one: Representation) -> Statistic:
        kept = sample(one)
        return lambda weights: freedom(kept.scatter(weights))

    yield from bench.findings("prototypization", task, share, p=_label_test(bench, classes))
    yield from bench.findings("orthogonalization", task, aligned)
    yield from bench.findings("free_orthogonalization", task, free)


def _label_test(bench: _Bench, classes: np.ndarray) -> Callable[[float], float] | None:
    """How often permuted labels of units separate codes as well; none where items of a unit differ in their label."""
    own, settings = bench.own, bench.settings
    first = np.zeros(own.number, np.int64)
    first[own.units] = classes
    if not settings.permutations or (first[own.units] != classes).any():
        return None
    rng = np.random.default_rng(settings.seed)
    centred = own.codes - own.codes.mean(axis=0)
    of_units = csr_array((np.ones(len(own.units)), (own.units, np.arange(len(own.units)))), shape=(own.number, len(own.units))) @ centred
    counts, total = np.bincount(own.units).astype(float), np.sum(centred**2)

    def share(labels: np.ndarray) -> float:
        """η² with these labels of units; the sum of squares over all codes stays as it is."""
        chosen = csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(int(labels.max()) + 1, len(labels)))
        return float(np.sum((chosen @ of_units) ** 2 / (chosen @ counts)[:, None]) / total)

    def test(value: float) -> float:
        return permutation_p(value, np.array([share(rng.permutation(first)) for _ in range(settings.permutations)]))

    return test


def _of_distances(bench: _Bench, reference: Representation, task: str, classes: np.ndarray) -> Iterator[Finding]:
    """Entries of the class distortion matrix."""
    number = int(classes.max()) + 1
    blocks = _blocks(bench.own.number, max(20, _MAX_CELLS // number), bench.settings.seed)
    try:
        statistic = class_distortion_statistic(bench.own.codes, reference.codes, classes, blocks[bench.own.units])
    except RequestError as error:
        yield _undefined("class_distortion", task, str(error))
        return
    found = bench.interval(statistic, blocks)
    for a in range(number):
        for b in range(a, number):
            ends = (float(found.value[a, b]), float(found.low[a, b]), float(found.high[a, b]))
            yield Finding(f"class_distortion[{a},{b}]", task, *ends, math.nan, found.n, found.note)


def _of_frequency(bench: _Bench, factors: np.ndarray, frequency: np.ndarray) -> Iterator[Finding]:
    """Specialization, and where frequency has two levels the ratio of resolutions."""
    near, log_frequency = neighbours(factors), np.log(frequency)
    often = frequency > frequency.mean()

    def found(one: Representation) -> np.ndarray:
        return resolution(tuning_curves(one.codes, one.units), near)

    def slope(one: Representation) -> Statistic:
        own = found(one)
        logs = np.log(np.where(own > 0, own, np.nan))
        return lambda weights: slopes(logs, log_frequency, weights[:, bench.block_of])

    def ratio(one: Representation) -> Statistic:
        own = found(one)

        def mean(counts: np.ndarray, group: np.ndarray) -> np.ndarray:
            weight = counts[:, group].sum(axis=1)
            return np.divide(counts[:, group] @ own[group], weight, out=np.full(len(counts), np.nan), where=weight > 0)

        return lambda weights: mean(weights[:, bench.block_of], often) / mean(weights[:, bench.block_of], ~often)

    linked = np.stack([near.first, near.second], axis=1) if int(bench.block_of.max()) + 1 == len(frequency) else None
    test, note = _frequency_test(bench, found(bench.own), log_frequency, near)
    for one in bench.findings("specialization", "frequency", slope, bounds=(-math.inf, math.inf), p=test, linked=linked):
        yield one._replace(note=one.note or note) if one.measure == "specialization" else one
    yield from bench.findings("resolution_ratio", "frequency", ratio, bounds=(0.0, math.inf), linked=linked)


def _frequency_test(
    bench: _Bench, found: np.ndarray, log_frequency: np.ndarray, near: Neighbours
) -> tuple[Callable[[float], float] | None, str]:
    """How often permuted frequencies give as steep a slope; none, and why, where neighbours are alike in frequency."""
    permutations = bench.settings.permutations
    if not permutations or not (found > 0).all():
        return None, ""
    centred = log_frequency - log_frequency.mean()
    alike = np.mean(centred[near.first] * centred[near.second]) / centred.var()  # Moran's I
    if alike > _SMOOTH:
        return None, "no test: neighbours have like frequencies, so that permuting them is no chance"
    rng = np.random.default_rng(bench.settings.seed)

    def test(value: float) -> float:
        logs, ones = np.log(found), np.ones((1, len(found)))
        null = np.array([slopes(logs, rng.permutation(log_frequency), ones)[0] for _ in range(permutations)])
        return permutation_p(value, null, side="both")

    return test, ""

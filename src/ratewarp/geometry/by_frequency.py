"""The measures that ask about frequency, each with its interval and its test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ratewarp.geometry.bench import Bench
from ratewarp.geometry.inference import Statistic, permutation_p
from ratewarp.geometry.representation import Finding, Representation
from ratewarp.geometry.specialization import Neighbours, neighbours, ratios, resolution, slopes
from ratewarp.geometry.tuning import tuning_curves

_SMOOTH = 0.3  # Moran's I of log frequency above which it is not permuted


def of_frequency(bench: Bench, factors: np.ndarray, frequency: np.ndarray) -> Iterator[Finding]:
    """Specialization, and where frequency has two levels the ratio of resolutions."""
    near, log_frequency = neighbours(factors), np.log(frequency)
    often = frequency > frequency.mean()

    def found(one: Representation) -> np.ndarray:
        return resolution(tuning_curves(one.span, one.units), near)

    def slope(one: Representation) -> Statistic:
        own = found(one)
        logs = np.log(np.where(own > 0, own, np.nan))
        return lambda weights: slopes(logs, log_frequency, weights[:, bench.block_of])

    def ratio(one: Representation) -> Statistic:
        means = tuning_curves(one.span, one.units)
        return lambda weights: ratios(means, near, often, weights[:, bench.block_of])

    linked = np.stack([near.first, near.second], axis=1) if int(bench.block_of.max()) + 1 == len(frequency) else None
    test, note = _frequency_test(bench, found(bench.own), log_frequency, near)
    for one in bench.findings("specialization", "frequency", slope, bounds=(-math.inf, math.inf), p=test, linked=linked):
        yield one._replace(note=one.note or note) if one.measure == "specialization" else one
    yield from bench.findings("resolution_ratio", "frequency", ratio, bounds=(0.0, math.inf))


def _frequency_test(
    bench: Bench, found: np.ndarray, log_frequency: np.ndarray, near: Neighbours
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

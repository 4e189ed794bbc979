"""The measures that ask about frequency, each with its interval and its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ratewarp.geometry.inference import infer, permutation_p
from ratewarp.geometry.interval import Interval, Statistic, joined
from ratewarp.geometry.jackknife import log_mean_interval
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.representation import Finding, Representation
from ratewarp.geometry.signal_resolution import (
    log_ratio_of_squares,
    quasi_slopes,
    squared_distances,
    squared_resolution,
)
from ratewarp.geometry.specialization import frequent, log_ratio, resolution, slopes
from ratewarp.geometry.stimulus_space import Neighbours, neighbours
from ratewarp.geometry.tuning import tuning_curves
from ratewarp.geometry.workbench import Workbench, difference

_SMOOTH = 0.3  # Moran's I of log frequency above which it is not permuted


def find_specialization(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    space, frequency = bench.frequencies
    near, log_frequency = neighbours(space), np.log(frequency)

    block_of = bench.block_of_stimuli

    def slope(one: Representation) -> Statistic:
        if one.errors is not None:
            squares = squared_resolution(_squares(one, near), near, one.number)
            return lambda weights: quasi_slopes(squares, log_frequency, weights[:, block_of])
        own = resolution(tuning_curves(one.span, one.units), near)
        logs = np.log(np.where(own > 0, own, np.nan))
        return lambda weights: slopes(logs, log_frequency, weights[:, block_of])

    pairs = np.stack([near.first, near.second], axis=1)
    blocks = int(block_of.max()) + 1
    linked = pairs if blocks == len(frequency) else None

    def of_slopes(sides: Sequence[Statistic]) -> Interval:
        return bench.by_jackknife(
            infer(difference(sides), blocks, level=bench.settings.level, linked=linked, batch=bench.batch)
        )

    test, note = _frequency_test(bench, log_frequency, near)
    for one in bench.compared("specialization", "frequency", slope, of_slopes, p=test):
        told = joined(one.note, note, near.rule) if one.measure == "specialization" else one.note
        yield one._replace(note=told)


def find_resolution_ratio(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    space, frequency = bench.frequencies
    near, often = neighbours(space), frequent(frequency)
    pairs = np.stack([near.first, near.second], axis=1)

    def ratio(one: Representation) -> tuple[float, np.ndarray]:
        if one.errors is not None:
            return log_ratio_of_squares(_squares(one, near), near, often)
        return log_ratio(tuning_curves(one.span, one.units), near, often)

    def of_ratios(sides: Sequence[tuple[float, np.ndarray]]) -> Interval:
        return bench.by_jackknife(log_mean_interval(sides, pairs, len(frequency), bench.settings.level))

    yield from bench.compared("resolution_ratio", "frequency", ratio, of_ratios)


def _squares(one: Representation, near: Neighbours) -> np.ndarray:
    """Squared distances of neighbours, without trial noise."""
    assert one.span_errors is not None
    return squared_distances(one.span, near, one.span_errors.variances(one.number))


def _frequency_test(
    bench: Workbench, log_frequency: np.ndarray, near: Neighbours
) -> tuple[Callable[[float], float] | None, str]:
    """How often permuted frequencies give as steep a slope; none, and why, where neighbours are alike in
    frequency.
    """
    permutations, own = bench.settings.permutations, bench.own
    plain = resolution(tuning_curves(own.span, own.units), near)
    if not permutations or not (plain > 0).all():
        return None, ""
    # squares without trial noise may be below 0, but do not grow with the number of trials
    found = np.log(plain) if own.errors is None else squared_resolution(_squares(own, near), near, own.number)
    centred = log_frequency - log_frequency.mean()
    alike = np.mean(centred[near.first] * centred[near.second]) / centred.var()  # Moran's I
    if alike > _SMOOTH:
        return None, "no test: neighbours have like frequencies, so that permuting them is no chance"
    rng = np.random.default_rng(bench.settings.seed)

    def test(_: float) -> float:
        null = np.array([found @ rng.permutation(centred) for _ in range(permutations)])
        return permutation_p(float(found @ centred), null, side="both")

    return test, ""

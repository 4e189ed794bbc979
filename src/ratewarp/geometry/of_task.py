"""Measures of a labelling: what the codes make of its classes, each with its interval and, where there is
one, its test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float

from ratewarp._checks import RequestError
from ratewarp.geometry.alignment import active_latents, alignment_statistic, free_share, off_axis
from ratewarp.geometry.distances import class_distortion_statistic
from ratewarp.geometry.interval import Interval, Statistic, joined
from ratewarp.geometry.jackknife import cosine_interval
from ratewarp.geometry.label_test import label_p
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.reliability import too_little_signal
from ratewarp.geometry.representation import Finding, Representation, undefined
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.spread import Cells
from ratewarp.geometry.trial_noise import Errors
from ratewarp.geometry.workbench import Workbench, blocks_of, difference

_FEWEST_LEFT_OUT = 20  # blocks of units, where leaving one out costs much
_FEW = 4  # stimuli of a class, below which its distances are told from too few
_NONE = (math.nan, math.nan, math.nan, math.nan, 0, "")  # numbers of a finding that has none
_MAX_CELLS = 2000  # blocks × classes whose pairs are kept for intervals of the class distortion matrix


def find_prototypization(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    if why := _undefined(bench, scheme):
        yield undefined("prototypization", scheme.task, why)
        return

    def share(one: Representation) -> Statistic:
        cells = _cells(bench, scheme, one)
        return lambda weights: cells.spread(weights).between_share()

    yield from bench.findings("prototypization", scheme.task, share, p=_label_test(bench, scheme.classes))


def find_orthogonalization(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    if why := _undefined(bench, scheme):
        yield undefined("orthogonalization", scheme.task, why)
        return
    of_axes, number = bench.block_of_axes, int(scheme.classes.max()) + 1

    def aligned(one: Representation) -> tuple[Statistic, int]:
        latents = int(active_latents(one.safe, one.safe_noise).sum())
        return alignment_statistic(one.safe, of_axes[one.units], scheme.classes, one.safe_noise), off_axis(
            latents, number
        )

    def of_cosines(sides: Sequence[tuple[Statistic, int]]) -> Interval:
        return bench.by_jackknife(
            cosine_interval(sides, int(of_axes.max()) + 1, bench.settings.level, bench.batch)
        )

    yield from bench.compared("orthogonalization", scheme.task, aligned, of_cosines)


def find_free_orthogonalization(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    if why := _undefined(bench, scheme):
        yield undefined("free_orthogonalization", scheme.task, why)
        return

    def free(one: Representation) -> Statistic:
        kept = _sample(bench, scheme, one)
        return lambda weights: free_share(kept.scatter(weights))

    yield from bench.findings("free_orthogonalization", scheme.task, free)


def _undefined(bench: Workbench, scheme: Scheme) -> str:
    """Why nothing can be said of the classes; empty if something can."""
    if bench.own.constant:
        return "the codes are constant"
    return "one class" if int(scheme.classes.max()) < 1 else too_little_signal(bench)


def _cells(bench: Workbench, scheme: Scheme, one: Representation) -> Cells:
    errors = one.span_errors
    noise = None if errors is None else errors.variances(one.number)
    return Cells.of(one.span, one.units, scheme.classes, bench.block_of, noise)


def _sample(bench: Workbench, scheme: Scheme, one: Representation) -> Sample:
    errors = one.span_errors
    by_block = None if errors is None else Errors(errors.rows, bench.block_of[errors.units])
    return Sample(one.span, bench.block_of[one.units], scheme.classes, by_block)


def _label_test(bench: Workbench, classes: np.ndarray) -> Callable[[float], float] | None:
    """How often permuted labels of units separate codes as well; none where items of a unit differ in their
    label.
    """
    own, settings = bench.own, bench.settings
    first = np.zeros(own.number, np.int64)
    first[own.units] = classes
    if not settings.permutations or (first[own.units] != classes).any():
        return None
    return lambda _: label_p(own.span, own.units, first, settings.permutations, settings.seed)


def find_class_distance(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """How far apart every two classes are, and how that differs from the reference; each pair once."""
    if why := _undefined(bench, scheme):
        yield undefined("class_distance", scheme.task, why)
        return
    number = int(scheme.classes.max()) + 1
    first, second = np.triu_indices(number)
    stimuli = [len(np.unique(bench.own.units[scheme.classes == one])) for one in range(number)]

    def distances(one: Representation) -> Statistic:
        cells = _cells(bench, scheme, one)
        return lambda weights: log_distances(*cells.spread(weights).squared_distances())[:, first, second]

    sides = [distances(bench.own)]
    if bench.reference is not None and not bench.reference.constant:
        sides.append(distances(bench.reference))
    for name, chosen in (("class_distance", sides[:1]), ("class_distance_change", sides))[: len(sides)]:
        found = bench.interval(difference(chosen), bench.block_of)
        tested = bench.settings.test_changes and len(chosen) == 2
        for pair, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            smaller = int(min(stimuli[a], stimuli[b]))
            empty = Finding(name, scheme.task, *_NONE, {"class": a, "other": b})
            yield _of_pair(found, pair, empty, smaller, tested=tested)


def _of_pair(found: Interval, pair: int, empty: Finding, stimuli: int, *, tested: bool) -> Finding:
    """One entry of an array of numbers, of classes the smaller of which has so many stimuli."""
    parts = (found.value, found.low, found.high, found.se, found.p)
    value, low, high, se, p = (float(part[pair]) for part in parts)
    if np.isnan(value):
        return empty._replace(note="no two stimuli, or none that differ by more than their trial noise")
    note = joined(found.note_at(pair), f"only {stimuli} stimuli" if stimuli < _FEW else "")
    return empty._replace(
        value=value, low=low, high=high, p=p if tested else math.nan, n=found.n, note=note, se=se
    )


def log_distances(
    of_classes: Float[np.ndarray, "draws classes classes"], of_all: Float[np.ndarray, " draws"]
) -> Float[np.ndarray, "draws classes classes"]:
    """Logarithm of a distance of classes, over that of all stimuli, from their squares; NaN where a square is
    not above 0.
    """
    above, below = np.where(of_classes > 0, of_classes, np.nan), np.where(of_all > 0, of_all, np.nan)
    return 0.5 * np.log(above / below[:, None, None])


def find_class_distortion(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """Entries of the class distortion matrix, each pair of classes once."""
    number, reference = int(scheme.classes.max()) + 1, bench.reference
    if reference is None:
        return
    if number < 2:
        yield undefined("class_distortion", scheme.task, "one class")
        return
    blocks = blocks_of(bench.own.number, max(_FEWEST_LEFT_OUT, _MAX_CELLS // number), bench.settings.seed)
    try:
        statistic = class_distortion_statistic(
            bench.own.codes, reference.codes, scheme.classes, blocks[bench.own.units]
        )
    except RequestError as error:
        yield undefined("class_distortion", scheme.task, str(error))
        return
    found = bench.interval(statistic, blocks)
    for a in range(number):
        for b in range(a, number):
            parts = (found.value, found.low, found.high, found.se)
            value, low, high, se = (float(part[a, b]) for part in parts)
            yield Finding(
                "class_distortion",
                scheme.task,
                value,
                low,
                high,
                math.nan,
                found.n,
                found.note_at(a, b),
                {"class": a, "other": b},
                se=se,
            )

"""Measures of the mean codes of stimuli, over all pairs of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import pdist, squareform

from ratewarp.geometry.inference import permutation_p
from ratewarp.geometry.interval import Statistic, joined
from ratewarp.geometry.joint import joint_effects, joint_effects_of_squares
from ratewarp.geometry.kernel_share import kernel_share, permuted_shares
from ratewarp.geometry.measure import Scheme
from ratewarp.geometry.representation import Finding, Representation, undefined
from ratewarp.geometry.specialization import uneven
from ratewarp.geometry.tuning import tuning_curves
from ratewarp.geometry.workbench import Workbench

_OF_NOISE = "of mean codes with their noise: a change of noise alone moves it, too"
_UNTOLD = "category and frequency go together: their effects are not told apart"
_UNTOLD_OR_NOISE = f"{_UNTOLD}; or trial noise leaves no distances"
_MOST_STIMULI = 1000  # of all pairs; more are thinned at random


class _Stimuli(NamedTuple):
    """Stimuli of one class each, thinned where there are very many."""

    kept: Int[np.ndarray, " kept"]
    members: Int[np.ndarray, " kept"]

    def means(self, one: Representation) -> Float[np.ndarray, "kept coordinates"]:
        return tuning_curves(one.span, one.units)[self.kept]

    def even_means(self, one: Representation, seed: int) -> Float[np.ndarray, "kept coordinates"]:
        """Means of as many items of every stimulus, drawn at random where their numbers differ: means of
        more items would lie nearer to each other.
        """
        counts = np.bincount(one.units)[self.kept]
        if np.ptp(counts) == 0:
            return self.means(one)
        order = np.random.default_rng(seed).permutation(len(one.units))
        order = order[np.argsort(one.units[order], kind="stable")]
        starts = np.searchsorted(one.units[order], self.kept)
        chosen = order[starts[:, None] + np.arange(counts.min())]
        return one.span[chosen].mean(axis=1)

    def squared_distances(self, one: Representation) -> Float[np.ndarray, "kept kept"]:
        """Of mean codes, without what their errors add on average; 0 of a stimulus with itself."""
        assert one.span_errors is not None
        added = one.span_errors.variances(one.number)[self.kept]
        found = squareform(pdist(self.means(one), "sqeuclidean")) - added[:, None] - added[None]
        np.fill_diagonal(found, 0)
        return found

    @property
    def note(self) -> str:
        return f"of {len(self.kept):,} stimuli, drawn at random" if len(self.kept) == _MOST_STIMULI else ""


def _stimuli(bench: Workbench, classes: np.ndarray) -> _Stimuli | str:
    """The stimuli of a labelling; in words, why there is nothing to measure."""
    own = bench.own
    if own.constant:
        return "the codes are constant"
    if int(classes.max()) < 1:
        return "one class"
    first = np.zeros(own.number, np.int64)
    first[own.units] = classes
    if (first[own.units] != classes).any():
        return "classes differ between items of a stimulus"
    kept = np.arange(own.number)
    if own.number > _MOST_STIMULI:
        drawn = np.random.default_rng(bench.settings.seed).choice(own.number, _MOST_STIMULI, replace=False)
        kept = np.sort(drawn)
    return _Stimuli(kept, first[kept])


def find_kernel_prototypization(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    name, settings = "kernel_prototypization", bench.settings
    stimuli = _stimuli(bench, scheme.classes)
    if isinstance(stimuli, str):
        yield undefined(name, scheme.task, stimuli)
        return

    def share(one: Representation) -> Statistic:
        return kernel_share(stimuli.even_means(one, settings.seed), stimuli.members)

    def chance(value: float) -> float:
        null = permuted_shares(stimuli.even_means(bench.own, settings.seed), stimuli.members)
        return permutation_p(value, null(np.random.default_rng(settings.seed), settings.permutations))

    every = np.arange(len(stimuli.kept))
    test = chance if settings.permutations else None
    for one in bench.findings(name, scheme.task, share, p=test, blocks=every):
        yield one._replace(note=one.note or stimuli.note)


def find_joint_effects(bench: Workbench, scheme: Scheme) -> Iterator[Finding]:
    """Effects of category and frequency on distances, each beside the other; where frequencies differ."""
    frequency, reference = bench.own.frequency, bench.reference
    if frequency is None or reference is None or not uneven(frequency) or reference.constant:
        return
    names, stimuli = ("category_effect", "frequency_effect"), _stimuli(bench, scheme.classes)
    if isinstance(stimuli, str):
        yield undefined("joint_effects", scheme.task, stimuli)
        return
    often = frequency[stimuli.kept]
    if bench.own.errors is None:
        own, other = stimuli.means(bench.own), stimuli.means(reference)
        statistic = joint_effects(own, other, stimuli.members, often)
    else:
        own, other = stimuli.squared_distances(bench.own), stimuli.squared_distances(reference)
        statistic = joint_effects_of_squares(own, other, stimuli.members, often)
    found = bench.interval(statistic, np.arange(len(stimuli.kept)))
    for place, name in enumerate(names):
        parts = (found.value, found.low, found.high, found.se)
        value, low, high, se = (float(part[place]) for part in parts)
        if np.isnan(value):
            yield undefined(name, scheme.task, _UNTOLD if bench.own.errors is None else _UNTOLD_OR_NOISE)
            continue
        noisy = _OF_NOISE if bench.own.number < len(bench.own.units) else ""
        note = joined(found.note_at(place), stimuli.note, noisy)
        yield Finding(name, scheme.task, value, low, high, math.nan, found.n, note, se=se)

"""Stimuli that occur: a stimulus of frequency 0 is not trained on, and no measure of a model is of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ratewarp.geometry.measuring import Finding, Representation

_FEWEST = 2  # stimuli that a comparison needs


@dataclass(frozen=True)
class Measured:
    """What of a model is measured, and against what.

    Attributes:
        own: codes of the stimuli that occur, for the model and for its reference.
        reference: codes of the reference for the same items; None where it has none.
        labels: class of every item by name of task, numbered without gaps.
        classes: number that each of these classes has in the study, by name of task.
    """

    own: Representation
    reference: Representation | None
    labels: Mapping[str, Int[np.ndarray, " items"]]
    classes: Mapping[str, Int[np.ndarray, " classes"]]

    def named(self, finding: Finding) -> Finding:
        """The finding under the numbers that classes have in the study."""
        if finding.task not in self.classes:
            return finding
        numbers = self.classes[finding.task]
        return finding._replace(place={axis: int(numbers[one]) for axis, one in finding.place.items()})


def measured(
    own: Representation,
    reference: Representation | None,
    schemes: Mapping[str, Int[np.ndarray, " stimuli"]],
) -> Measured:
    """What is measured of a model: only stimuli that occur for it and for its reference.

    Where too few occur for both, the model is measured alone, without reference.

    Arguments:
        own: codes of all stimuli, with their frequency.
        reference: codes of the same items, with the frequency that the reference was trained on.
        schemes: class of every stimulus, by name of task.
    """
    kept = _occur(own)
    if reference is not None and (kept & _occur(reference)).sum() < _FEWEST:
        reference = None
    if reference is not None:
        kept = kept & _occur(reference)
        reference = _of_units(reference, kept)
    own = _of_units(own, kept)
    labels, classes = {}, {}
    for name, scheme in schemes.items():
        classes[name], compact = np.unique(scheme[kept], return_inverse=True)
        labels[name] = compact[own.units]
    return Measured(own, reference, labels, classes)


def _occur(one: Representation) -> Bool[np.ndarray, " units"]:
    return np.ones(one.number, dtype=bool) if one.frequency is None else one.frequency > 0


def _of_units(one: Representation, kept: Bool[np.ndarray, " units"]) -> Representation:
    """Codes of some units, numbered anew; the very same where all are kept."""
    if kept.all():
        return one
    items = kept[one.units]
    units = (np.cumsum(kept) - 1)[one.units[items]]
    factors = None if one.factors is None else one.factors[kept]
    frequency = None if one.frequency is None else one.frequency[kept] / one.frequency[kept].sum()
    noise = None if one.noise is None else one.noise[items]
    points = None if one.points is None else one.points[kept]
    return Representation(one.codes[items], units, factors, frequency, noise, one.kinds, points)

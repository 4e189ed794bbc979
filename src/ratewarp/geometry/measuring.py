"""Every measure of one set of codes, each with its interval: what `ratewarp measure` prints and what a study stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Int

from ratewarp.geometry.bench import MAX_BLOCKS, Bench
from ratewarp.geometry.by_frequency import of_frequency
from ratewarp.geometry.families import of_classes, of_dimensions, of_distances, of_information, of_likeness
from ratewarp.geometry.representation import FAMILIES, Finding, Representation, Settings, undefined
from ratewarp.geometry.specialization import uneven

__all__ = ["FAMILIES", "MAX_BLOCKS", "Finding", "Representation", "Settings", "measure_codes", "undefined"]


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
    bench, wanted = Bench(own, reference, settings), settings.families
    if "dimensions" in wanted:
        yield from of_dimensions(bench)
    if "information" in wanted:
        yield from of_information(bench)
    if reference is not None and reference.constant:
        yield undefined("changes", "", "the reference is constant: there is nothing to compare with")
    if "likeness" in wanted and reference is not None:
        yield from of_likeness(bench, reference)
    for task, classes in labels.items():
        if "classes" in wanted:
            yield from of_classes(bench, task, classes)
        if "distances" in wanted and reference is not None:
            yield from of_distances(bench, reference, task, classes)
    differ = own.frequency is not None and uneven(own.frequency)
    if "frequency" in wanted and own.frequency is not None and (own.factors is None or not differ):
        why = "needs factors" if own.factors is None else "all frequencies are the same"
        yield undefined("specialization", "frequency", why)
    if "frequency" in wanted and own.factors is not None and own.frequency is not None and differ:
        yield from of_frequency(bench, own.factors, own.frequency)

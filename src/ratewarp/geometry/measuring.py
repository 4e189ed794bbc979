"""Every measure of one set of codes, each with its interval: what `ratewarp measure` prints and what a study
stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from ratewarp._checks import refuse_name
from ratewarp.geometry.forms import Form, forms_of, repeat
from ratewarp.geometry.measure import Measure, Scheme
from ratewarp.geometry.measures import MEASURES
from ratewarp.geometry.representation import PLACES, Finding, Representation, Settings, undefined
from ratewarp.geometry.specialization import uneven
from ratewarp.geometry.workbench import MAX_BLOCKS, Workbench

__all__ = ["MAX_BLOCKS", "PLACES", "Finding", "Representation", "Settings", "measure_codes", "undefined"]

_NO_SCHEME = Scheme("", np.zeros(0, np.int64))


def measure_codes(
    own: Representation,
    labels: Mapping[str, Int[np.ndarray, " items"]],
    reference: Representation | None,
    settings: Settings,
) -> Iterator[Finding]:
    """All measures that the inputs allow: first without trial noise, where it is known, then with it.

    Arguments:
        own: what is measured.
        labels: class of every item, 0 … classes − 1, by name of task.
        reference: codes of the same items; its units, factors and frequency are those of `own`.
        settings: of intervals and tests.

    Raises:
        RequestError: the settings name a measure that there is not.
    """
    wanted, given = _wanted(settings), Form("", own, reference, labels)
    forms = forms_of(given, settings.seed) if settings.remove_noise else [given]
    if reference is not None and reference.constant:
        yield undefined("changes", "", "the reference is constant: there is nothing to compare with")
    of_forms = [measure for measure in wanted if measure.trial_noise]
    for form in forms:
        # the test asks the same of every form
        tested = settings if form is forms[0] else replace(settings, permutations=0)
        for one in _measured(form, of_forms, tested):
            yield form.told(one) if settings.remove_noise else one
    others = [measure for measure in wanted if not measure.trial_noise]
    as_given = given._replace(trial_noise="included" if settings.remove_noise and repeat(own) else "")
    for one in _measured(as_given, others, settings):
        yield as_given.told(one) if settings.remove_noise else one


def _measured(form: Form, wanted: list[Measure], settings: Settings) -> Iterator[Finding]:
    """All measures of one form of the codes."""
    bench, own, reference = Workbench(form.own, form.reference, settings), form.own, form.reference
    for measure in wanted:
        if measure.of == "codes" and (reference is not None or not measure.needs_reference):
            yield from measure.find(bench, _NO_SCHEME)
    for task, classes in form.labels.items():
        for measure in wanted:
            if measure.of == "task" and (reference is not None or not measure.needs_reference):
                yield from measure.find(bench, Scheme(task, classes))
    for measure in wanted:
        if measure.of == "frequency" and own.frequency is not None:
            yield from _of_frequency(bench, measure)
        if measure.of == "factors" and own.factors is not None:
            yield from measure.find(bench, _NO_SCHEME)


def _wanted(settings: Settings) -> list[Measure]:
    if settings.measures is None:
        return [measure for measure in MEASURES if not measure.slow and measure.asked_of != "runs"]
    known = {measure.name: measure for measure in MEASURES}
    for name in settings.measures:
        if name not in known:
            refuse_name("measures", "measure", name, known)
    return [measure for measure in MEASURES if measure.name in settings.measures]


def _of_frequency(bench: Workbench, measure: Measure) -> Iterator[Finding]:
    own = bench.own
    if own.space is not None and own.frequency is not None and uneven(own.frequency):
        yield from measure.find(bench, _NO_SCHEME)
        return
    why = "needs factors" if own.space is None else "all frequencies are the same"
    yield undefined(measure.name, "frequency", why)

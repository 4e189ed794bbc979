"""Normative codes: the three warps of the best possible code, at every rate, for each model of a study."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ratewarp._checks import RequestError
from ratewarp._threads import threads
from ratewarp.geometry import MEASURES, Optimal
from ratewarp.results.bounds import task_curve
from ratewarp.results.stimulus_spaces import space_of
from ratewarp.studies import Setting
from ratewarp.studies.condition import FREQUENCY_SCHEME
from ratewarp.theory import Curve, posterior_codes

NORMATIVE = ["model", "rate_nats", "measure", "task", "value"]
# nats; below the entropy of the stimuli, then that itself
RATES = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)

Codes = Float[np.ndarray, "stimuli points"]
Kept = Bool[np.ndarray, " stimuli"]  # of all stimuli, those that occur
_ALL = slice(None)


def normative_rows(setting: Setting, reference: Setting | None, points: int) -> Iterator[dict[str, Any]]:
    """Measures of the optimal codes of a model's objective, and their change from the reference model's
    optimal codes at equal rate.

    A model's optimum is of its own frequency and of its own tasks' weights. Its codes are `posterior_codes`
    of the optimal channel: they have no privileged axes, so orthogonalization is the rotation-invariant one.
    Measures that are not defined are left out, such as those of codes that are all alike, and
    orthogonalization where classes are points but for the solver's last digits.

    Arguments:
        setting: of the model.
        reference: of the reference model; None for the reference itself.
        points: rates at which the curves are solved.

    Yields:
        Rows of `NORMATIVE` without the name of the model. Names of measures are those of
        `tables/geometry.csv`.
    """
    curve = task_curve(setting, points)
    kept = setting.occurring() if reference is None else setting.occurring() & reference.occurring()
    before = task_curve(reference, points) if reference is not None and kept.sum() > 1 else None
    kept = setting.occurring() if before is None else kept
    for rate in [*(rate for rate in RATES if rate < curve.maximum_rate), curve.maximum_rate]:
        codes = _codes(curve, rate, kept)
        others = _codes(before, rate, kept) if before is not None else None
        for measure, task, value in _changes(codes, others, setting, kept):
            yield {"rate_nats": rate, "measure": measure, "task": task, "value": value}


def _codes(curve: Curve, rate: float, kept: Kept | slice = _ALL) -> Codes:
    """Codes of the channel of this rate, turned into the few dimensions that they span, which changes no
    measure.
    """
    codes = posterior_codes(curve.channel(rate))[kept]
    with threads(1):  # of a matrix this small, several threads wait for each other
        left, singular, _ = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
    return left * singular


def _changes(
    codes: Codes, others: Codes | None, setting: Setting, kept: Kept
) -> Iterator[tuple[str, str, float]]:
    """Every measure that is defined, then its change."""
    own = dict(_measured(codes, setting, kept))
    before = dict(_measured(others, setting, kept)) if others is not None else {}
    for (measure, task), value in own.items():
        yield measure, task, value
        if (measure, task) in before:
            yield f"{measure}_change", task, value - before[measure, task]


def _measured(
    codes: Codes, setting: Setting, kept: Kept | slice = _ALL
) -> Iterator[tuple[tuple[str, str], float]]:
    """Every measure that is defined: not those of codes that are all alike, within classes or between
    neighbours.
    """
    schemes = {name: labels[kept] for name, labels in setting.class_schemes().items()}
    space, frequency = space_of(setting), setting.probabilities()[kept]
    space = space if isinstance(kept, slice) else space.of(kept)
    of_task = [(measure, task) for task in schemes for measure in MEASURES if measure.of == "task"]
    of_all = [(measure, "") for measure in MEASURES if measure.of == "codes"]
    of_frequency = [
        (measure, FREQUENCY_SCHEME)
        for measure in MEASURES
        if measure.of == "frequency" and FREQUENCY_SCHEME in schemes
    ]
    for measure, task in (*of_all, *of_task, *of_frequency):
        if measure.optimum is None:
            continue
        labels = schemes.get(task, np.zeros(len(codes), np.int64))
        with suppress(RequestError):
            yield (measure.name, task), measure.optimum(Optimal(codes, labels, space, frequency))

"""What of a run is asked for, by the names and numbers that a user knows."""

from __future__ import annotations

import numpy as np

from ratewarp._checks import RequestError, refuse, refuse_name
from ratewarp.geometry import MEASURES
from ratewarp.report.views import ConditionView, RunView
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import CAPACITY


def view_of(run: RunDirectory) -> RunView:
    """What there is to draw of a run.

    Raises:
        RequestError: this is no run.
        RatewarpError: it has no tables yet, or is damaged.
    """
    if not isinstance(run, RunDirectory):
        refuse("run", "what ratewarp.open_run returns", run)
    run.table("models")
    return RunView(run)


def known_model(view: RunView, model: str) -> str:
    """The model of that name.

    Raises:
        RequestError: there is none.
    """
    if model not in view.settings:
        refuse_name("model", "model", model, view.settings)
    return model


def level_of(view: RunView, capacity: float | None) -> int:
    """Where a capacity stands on the main axis of a study, or a value of another axis where that is the main
    one; the lowest capacity if not given.

    Raises:
        RequestError: it is none of the study's.
    """
    if capacity is None:
        return view.levels[-1]
    axes = view.study.crossed
    values = [next(iter(axes[0].at(place).values())) for place in range(len(axes[0].values))] if axes else []
    for place, value in enumerate(values):
        if value == capacity or (_number(value) and np.isclose(float(value), float(capacity))):
            return place
    known = ", ".join(str(value) for value in values)
    nearest = ""
    if numbers := [float(value) for value in values if _number(value)]:
        nearest = f"; the nearest is {min(numbers, key=lambda one: abs(one - float(capacity))):g}"
    unit = " nats" if axes and CAPACITY in axes[0].keys else ""
    raise RequestError(f"capacity must be one of the study's ({known}{unit}); got {capacity}{nearest}")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def condition_view(view: RunView, model: str, capacity: float | None) -> ConditionView:
    """A model at a capacity, of the first seed."""
    return view.shown(known_model(view, model), level_of(view, capacity))


def known_scheme(view: RunView, model: str, task: str | None) -> str:
    """A labelling of a model: its own first one if not given.

    Raises:
        RequestError: it has none, or none of that name.
    """
    schemes = view.settings[known_model(view, model)].class_schemes()
    if not schemes:
        raise RequestError(f"model: {model} has no labelling: neither a task nor a skewed frequency")
    if task is not None and task not in schemes:
        refuse_name("task", "labelling of this model", task, schemes)
    return task if task is not None else next(iter(schemes))


def shown_measure(name: str, figure: str) -> str:
    """What a figure shows of a measure, by its own name or that of its change.

    Raises:
        RequestError: no such measure stands on that figure.
    """
    known = {one.name: one.shown for one in MEASURES if figure in one.figures}
    if name in known.values():
        return name
    if name not in known:
        refuse_name("name", "measure on this figure", name, known)
    return known[name]

"""What the stage of a page shows of several runs of the same stimuli: the models of all of them, each beside
the reference of its own run, on common axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.report.page.codes_of import Details
from ratewarp.report.page.stage import stage_data
from ratewarp.report.style import MODEL_COLOURS, MODEL_MARKERS, marker_number
from ratewarp.report.views import RunView
from ratewarp.results.run_comparison import run_names

BETWEEN = " · "  # a run and one of its models


def stage_of_runs(
    views: Sequence[RunView], room: int, show: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """All of the stage of several runs.

    Arguments:
        views: two runs or more.
        room: letters that codes, maps and images of all of them may have together.
        show: called with how many conditions are done, and how many there are.

    Returns:
        Data for JSON, as `stage_data` makes it; a model has its `run` and the name of its `reference`, too.

    Raises:
        RequestError: a run is given twice, or runs are not of the same stimuli.
    """
    names = run_names([view.run for view in views])
    _check_same_stimuli(names, views)
    total, done = sum(len(view.study.cells) for view in views), 0
    parts, first = [], None
    for view in views:
        details = Details(view, room // len(views), first)
        parts.append(stage_data(view, details, lambda now, _, before=done: show(before + now, total)))
        first = details.first if first is None else first
        done += len(view.study.cells)
    axes = _axes(parts)
    merged = [
        _of_run(name, part, axes, number)
        for number, (name, part) in enumerate(zip(names, parts, strict=True))
    ]
    models = [model for one in merged for model in one["models"]]
    for place, model in enumerate(models):
        model["colour"] = MODEL_COLOURS[place % len(MODEL_COLOURS)]
        model["marker"] = MODEL_MARKERS[marker_number(place)]
    together = {
        key: [row for one in merged for row in one[key]] for key in ("conditions", "normative", "alerts")
    }
    floors = {one["floor"] for one in merged}
    return {
        **merged[0],
        "title": " and ".join(names),
        "study": "-and-".join(names),
        "models": models,
        "axes": axes,
        "seeds": sorted({seed for one in merged for seed in one["seeds"]}),
        "schemes": _schemes(merged),
        **together,
        "measures": _measures(merged),
        "bound": _bounds(merged),
        "floor": floors.pop() if len(floors) == 1 else None,
        "phases": None,
        "guide": [],
        **{
            key: {name: text for one in merged for name, text in one[key].items()}
            for key in ("sentences", "condition_alerts")
        },
        "left_out": sum(one["left_out"] for one in merged),
    }


def _check_same_stimuli(names: Sequence[str], views: Sequence[RunView]) -> None:
    """`RequestError` where codes of one run are not of the stimuli of the other."""
    first, *others = [_stimuli(view) for view in views]
    for name, other in zip(names[1:], others, strict=True):
        for what, own, theirs in zip(("source", "images", "stimuli"), first, other, strict=True):
            if own != theirs:
                raise RequestError(
                    f"runs: one stage needs runs of the same stimuli, and those of {names[0]} and {name}"
                    f" differ ({what}: {own[0]} and {theirs[0]}); `ratewarp.compare_runs` sets their numbers"
                    " beside each other"
                )


def _stimuli(view: RunView) -> list[tuple[Any, ...]]:
    """What says of which stimuli the codes of a run are, each with how it is told."""
    source, record = view.study.source, view.record(next(iter(view.study.cells.values())))
    stimulus = record["stimulus"].values
    size = " × ".join(map(str, source.image_shape))
    if source.factors:
        table = np.asarray(source.stimuli).astype(str).tobytes()
        names = tuple(factor.name for factor in source.factors)
    else:
        table, names = source.digest, ()
    counted = f"{len(stimulus):,} codes of {len(np.unique(stimulus)):,} stimuli"
    return [(source.name, names), (size,), (counted, stimulus.tobytes(), table)]


def _axes(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Axes of any of the runs, with the values of all."""
    found: dict[str, dict[str, Any]] = {}
    for axis in (axis for part in parts for axis in part["axes"]):
        common = found.setdefault(axis["key"], {**axis, "values": []})
        common["numbers"] = common["numbers"] and axis["numbers"]
        common["log"] = common["log"] and axis["log"]
        common["values"] = list(dict.fromkeys([*common["values"], *axis["values"]]))
    for axis in found.values():
        if axis["numbers"]:
            axis["values"] = sorted(axis["values"])
        else:
            axis["values"] = list(dict.fromkeys(map(str, axis["values"])))
    return list(found.values())


def _of_run(name: str, part: dict[str, Any], axes: Sequence[dict[str, Any]], number: int) -> dict[str, Any]:
    """The data of a run with names that are its own, and places on the common axes."""

    def own(model: str) -> str:
        return f"{name}{BETWEEN}{model}"

    def condition(one: str) -> str:
        return f"{number}/{one}"

    def placed(one: dict[str, Any]) -> dict[str, Any]:
        place = _place(one["place"], part["axes"], axes)
        return {**one, "model": own(one["model"]), "place": place}

    return {
        **part,
        "reference": own(part["reference"]),
        "models": [
            {**model, "name": own(model["name"]), "run": name, "reference": own(part["reference"])}
            for model in part["models"]
        ],
        "schemes": [{**one, "models": [own(model) for model in one["models"]]} for one in part["schemes"]],
        "conditions": [{**placed(one), "id": condition(one["id"])} for one in part["conditions"]],
        "measures": [
            {
                **one,
                "rows": [[condition(row[0]), *row[1:]] for row in one["rows"]],
                "published": [[own(row[0]), *row[1:]] for row in one.get("published", ())],
            }
            for one in part["measures"]
        ],
        "normative": [placed(one) for one in part["normative"]],
        "bound": [{**one, "models": [own(model) for model in one["models"]]} for one in part["bound"]],
        **{
            key: {condition(name): text for name, text in part[key].items()}
            for key in ("sentences", "condition_alerts")
        },
        "alerts": [f"{name}: {text}" for text in part["alerts"]],
    }


def _place(
    place: Sequence[int | None], own: Sequence[dict[str, Any]], axes: Sequence[dict[str, Any]]
) -> list[int | None]:
    """A place on the axes of a run, on the common ones; None along those that the run does not have."""
    values = {
        axis["key"]: None if at is None else axis["values"][at] for axis, at in zip(own, place, strict=True)
    }
    places: list[int | None] = []
    for axis in axes:
        value = values.get(axis["key"])
        shown = value if axis["numbers"] or value is None else str(value)
        places.append(None if shown is None else axis["values"].index(shown))
    return places


def _schemes(merged: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Labellings of all runs, each once, with the models that know it."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in (scheme for part in merged for scheme in part["schemes"]):
        key = (one["name"], one["of"]["data"], one["of"]["scale"])
        known = found.setdefault(key, {**one, "models": []})
        known["models"] = [*known["models"], *one["models"]]
    return list(found.values())


def _measures(merged: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Measures of all runs, those of one name and task together."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in (measure for part in merged for measure in part["measures"]):
        known = found.setdefault((one["measure"], one["task"]), {**one, "rows": [], "published": []})
        for key in ("rows", "published"):
            known[key] = [*known[key], *one[key]]
    return list(found.values())


def _bounds(merged: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Curves of the bound, each once, with the models that it is of."""
    found: dict[tuple[float, ...], dict[str, Any]] = {}
    for one in (curve for part in merged for curve in part["bound"]):
        known = found.setdefault((*one["rate"], *one["distortion"]), {**one, "models": []})
        known["models"] = [*known["models"], *one["models"]]
    return list(found.values())

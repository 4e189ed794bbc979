"""What the stage of a page shows of a run, as data for JSON: models and axes, every condition with its
numbers, and of as many as there is room for, codes, maps and images.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ratewarp.report.page.alerts import alerts, condition_alerts
from ratewarp.report.page.codes_of import Details
from ratewarp.report.page.curves_of import bound_curves, floor, measured_curves, normative_curves
from ratewarp.report.page.deflated import with_deflated
from ratewarp.report.page.further_curves import further_curves
from ratewarp.report.page.guide import about_model, guide
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.page.phases_of import phases_data
from ratewarp.report.page.sentences import sentences
from ratewarp.report.page.world_of import world_data
from ratewarp.report.style import MODEL_MARKERS, marker_number, model_colours
from ratewarp.report.views import RunView, class_names, class_palette, scheme_title
from ratewarp.studies import CAPACITY, Axis, Cell, Condition

ROOM = 3_000_000  # letters of codes, maps and images of all conditions
_NUMBERS = ("rate_nats", "rate_bits", "distortion", "semantic_distortion", "excess_nats", "efficiency")


def stage_data(
    view: RunView, details: Details | None = None, show: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """All of the stage of a run.

    Arguments:
        view: the run.
        details: makes codes, maps and images of its conditions, for as many as there is room for (`ROOM` if
            not given); others are shown by their numbers.
        show: called with how many conditions are done, and how many there are.

    Returns:
        Data for JSON, whose arrays are `packed`.
    """
    study, cells = view.study, view.study.cells
    details = details or Details(view, ROOM)
    colours, models = model_colours(list(study.models)), list(study.models)
    rows = {row["condition"]: row for row in view.table("models").to_dict("records")}
    first = next(iter(cells.values()))
    conditions = []
    for done, cell in enumerate(details.order):
        show(done, len(cells))
        conditions.append(_condition(cell, cells[cell], rows, details.of(cell)))
    return {
        "title": study.title or study.name,
        "study": study.name,
        "unit": study.likelihood.UNIT,
        "reference": study.reference,
        "models": [
            {
                "name": name,
                "colour": colours[name],
                "marker": MODEL_MARKERS[marker_number(place)],
                "about": about_model(view, name),
            }
            for place, name in enumerate(models)
        ],
        "axes": [_axis(axis) for axis in study.crossed],
        "seeds": list(study.seeds),
        "world": world_data(first, view.record(first)),
        "schemes": _schemes(view),
        "conditions": conditions,
        "measures": [*measured_curves(view), *further_curves(view)],
        "normative": normative_curves(view),
        "bound": bound_curves(view),
        "floor": floor(view),
        "sentences": sentences(view),
        "alerts": alerts(view),
        "condition_alerts": condition_alerts(view),
        "phases": phases_data(view),
        "guide": guide(view),
        "left_out": details.left_out,
    }


def stage_json(data: Mapping[str, Any]) -> str:
    """The data of a stage, as `to_json`, with large parts deflated; what conditions hold is so already."""
    return to_json(with_deflated(data, to_json, but=("conditions", "world")))


def to_json(data: Any) -> str:
    """JSON that may stand in a script of a page: nothing in it ends the script."""
    text = json.dumps(_plain(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    """Numbers and lists of Python's own; what is not finite as null."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _axis(axis: Axis) -> dict[str, Any]:
    values = [axis.at(place) for place in range(len(axis.values))]
    shown = [next(iter(one.values())) if len(one) == 1 else list(one.values()) for one in values]
    numbers = [float(one) for one in shown if isinstance(one, int | float) and not isinstance(one, bool)]
    known = len(numbers) == len(shown)
    label = "capacity" if axis.keys[0] == CAPACITY else ", ".join(key.rpartition(".")[2] for key in axis.keys)
    return {
        "key": axis.name,
        "label": label,
        "unit": "nats" if CAPACITY in axis.keys else "",
        "log": known and all(one > 0 for one in numbers),
        "values": numbers if known else [str(one) for one in shown],
        "numbers": known,
    }


def _condition(
    cell: Cell, condition: Condition, rows: dict[Any, dict[Any, Any]], detail: dict[str, Any] | None
) -> dict[str, Any]:
    row = rows.get(condition.id, {})
    return {
        "id": condition.id,
        "model": cell.model,
        "place": list(cell.place),
        "seed": cell.seed,
        "target": condition.capacity_nats,
        "status": row.get("status", "missing"),
        **{name: row.get(name) for name in _NUMBERS},
        "detail": detail,
    }


def _schemes(view: RunView) -> list[dict[str, Any]]:
    """Labellings of the stimuli, with the models that know them."""
    found: dict[tuple[str, bytes], dict[str, Any]] = {}
    for model, setting in view.settings.items():
        for scheme, labels in setting.class_schemes().items():
            key = (scheme, np.asarray(labels).tobytes())
            if key not in found:
                number = int(labels.max()) + 1
                found[key] = {
                    "name": scheme,
                    "title": scheme_title(scheme, setting),
                    "classes": class_names(scheme, number, setting) or [str(one) for one in range(number)],
                    "colours": class_palette(scheme, number, setting),
                    "of": packed(np.asarray(labels), "u2"),
                    "models": [],
                }
            found[key]["models"].append(model)
    return list(found.values())

"""The three warps against capacity: how much each model's codes differ from the reference's, with intervals."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.style import INK, MUTED, model_colours, model_markers
from ratewarp.report.views import RunView
from ratewarp.studies.condition import FREQUENCY_SCHEME

Row = dict[Any, Any]

_PANELS = {
    "prototypization_change": "Prototypization: change of η²",
    "orthogonalization_change": "Orthogonalization: change of alignment",
    "specialization_change": "Specialization: change of slope",
    "participation_ratio": "Dimensions: participation ratio",
    "effective_prototypes": "Effective prototypes",
}
_COLUMNS = 3
_ROOM = 0.12  # above and below the values, as a share of their range
_APART = 0.02  # sideways shift that keeps models with equal values apart, in the logarithm of the axis


def warps_figure(view: RunView) -> Figure | None:
    """Every index against capacity, a line a model and labelling; None where nothing was measured against a reference."""
    panels: dict[str, list[Row]] = {measure: [] for measure in _PANELS}
    for row in view.run.table("geometry").to_dict("records"):
        if row["measure"] in panels:
            panels[row["measure"]].append({**row, "task": row["task"] if isinstance(row["task"], str) else ""})
    if not panels["prototypization_change"] and not panels["specialization_change"]:
        return None
    panels = {measure: rows for measure, rows in panels.items() if rows}
    models = list(view.study.models)
    colours, markers = model_colours(models), model_markers(models)
    height = -(-(len(panels) + 1) // _COLUMNS)
    figure, axes = plt.subplots(height, _COLUMNS, figsize=(3.5 * _COLUMNS, 2.9 * height), squeeze=False, layout="constrained")
    for place, (measure, found) in zip(axes.flat, panels.items(), strict=False):
        for model, task in sorted({(row["model"], row["task"]) for row in found}, key=lambda pair: (models.index(pair[0]), pair[1])):
            own = [row for row in found if (row["model"], row["task"]) == (model, task)]
            shift = np.exp(_APART * (models.index(model) - (len(models) - 1) / 2))
            _draw_line(place, own, shift, colours[model], markers[model], dashed=task not in ("", model, FREQUENCY_SCHEME))
        _dress(place, view, measure, np.array([row["value"] for row in found]))
    _legend(axes.flat[len(panels)], view, models, colours, markers)
    for place in axes.flat[len(panels) + 1 :]:
        place.set_visible(False)
    return figure


def _draw_line(place: Axes, rows: list[Row], shift: float, colour: str, marker: str, *, dashed: bool) -> None:
    """Mean over seeds, with the mean of the seeds' intervals as bars."""
    capacities = sorted({row["capacity_nats"] for row in rows})
    seeds = [[row for row in rows if row["capacity_nats"] == one] for one in capacities]
    value, low, high = (np.array([np.mean([row[key] for row in own]) for own in seeds]) for key in ("value", "low", "high"))
    reach = np.abs(np.stack([low, high]) - value)
    reach[~np.isfinite(reach)] = 0
    style = {"color": colour, "marker": marker, "ms": 4, "lw": 1.1, "elinewidth": 0.9, "ls": "--" if dashed else "-"}
    place.errorbar(np.array(capacities) * shift, value, yerr=reach, **style)


def _dress(place: Axes, view: RunView, measure: str, values: np.ndarray) -> None:
    """Axes that hold all values; long bars are cut."""
    capacities = sorted(view.study.capacities_nats)
    place.set(xscale="log", xlabel="capacity, nats", title=_PANELS[measure])
    place.set_xticks(capacities, labels=[f"{c:g}" for c in capacities])
    place.minorticks_off()
    if measure == "effective_prototypes":
        place.set_yscale("log")
    else:
        room = _ROOM * max(float(np.ptp(values)), 1e-3)
        place.set_ylim(float(values.min()) - room, float(values.max()) + room)
    if measure.endswith("_change"):
        place.axhline(0, color=MUTED, lw=0.7)
    place.spines[["top", "right"]].set_visible(False)
    place.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)


def _legend(place: Axes, view: RunView, models: list[str], colours: dict[str, str], markers: dict[str, str]) -> None:
    """Names of models in an empty panel."""
    handles = [place.plot([], [], color=colours[model], marker=markers[model], ms=4, lw=1.1, label=model)[0] for model in models]
    if any(len(setting.class_schemes()) > 1 for setting in view.study.settings.values()):
        handles += place.plot([], [], color=INK, lw=1.1, ls="--", label="one of several tasks")
    place.legend(handles=handles, loc="center", ncols=2 if len(handles) > 5 else 1)
    place.axis("off")

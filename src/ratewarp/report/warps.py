"""The three warps against capacity: how much each model's codes differ from the reference's, with intervals."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.style import INK, MUTED, model_colours, model_markers
from ratewarp.report.views import RunView
from ratewarp.studies.condition import FREQUENCY_SCHEME

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
    table = view.run.table("geometry").fillna({"task": ""})
    panels = {measure: table[table["measure"] == measure] for measure in _PANELS}
    if not len(panels["prototypization_change"]) and not len(panels["specialization_change"]):
        return None
    panels = {measure: rows for measure, rows in panels.items() if len(rows)}
    models = list(view.study.models)
    colours, markers = model_colours(models), model_markers(models)
    rows = -(-(len(panels) + 1) // _COLUMNS)
    figure, axes = plt.subplots(rows, _COLUMNS, figsize=(3.5 * _COLUMNS, 2.9 * rows), squeeze=False, layout="constrained")
    for place, (measure, found) in zip(axes.flat, panels.items(), strict=False):
        for order, model in enumerate(models):
            for task, own in found[found["model"] == model].groupby("task"):
                shift = np.exp(_APART * (order - (len(models) - 1) / 2))
                own_task = task in ("", model, FREQUENCY_SCHEME)
                _draw_line(place, own, shift, colours[model], markers[model], dashed=not own_task)
        _dress(place, view, measure, found["value"])
    _legend(axes.flat[len(panels)], view, models, colours, markers)
    for place in axes.flat[len(panels) + 1 :]:
        place.set_visible(False)
    return figure


def _draw_line(place: Axes, rows: pd.DataFrame, shift: float, colour: str, marker: str, *, dashed: bool) -> None:
    """Mean over seeds, with the mean of the seeds' intervals as bars."""
    means = rows.groupby("capacity_nats")[["value", "low", "high"]].mean()
    reach = np.abs(means[["low", "high"]].to_numpy().T - means["value"].to_numpy())
    reach[~np.isfinite(reach)] = 0
    place.errorbar(
        means.index.to_numpy() * shift,
        means["value"].to_numpy(),
        yerr=reach,
        color=colour,
        marker=marker,
        ms=4,
        lw=1.1,
        elinewidth=0.9,
        ls="--" if dashed else "-",
    )


def _dress(place: Axes, view: RunView, measure: str, values: pd.Series) -> None:
    """Axes that hold all values; long bars are cut."""
    capacities = sorted(view.study.capacities_nats)
    place.set(xscale="log", xlabel="capacity, nats", title=_PANELS[measure])
    place.set_xticks(capacities, labels=[f"{c:g}" for c in capacities])
    place.minorticks_off()
    if measure == "effective_prototypes":
        place.set_yscale("log")
    else:
        room = _ROOM * float(max(np.ptp(values), 1e-3))
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

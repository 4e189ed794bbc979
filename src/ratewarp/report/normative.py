"""The normative phase diagram: how the best possible code is warped at every rate, with the models of a run beside it."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ratewarp.report.style import INK, MUTED, model_colours, model_markers
from ratewarp.report.views import RunView
from ratewarp.studies.condition import FREQUENCY_SCHEME

_PANELS = {
    "prototypization_change": "Prototypization: change of η²",
    "free_orthogonalization_change": "Orthogonalization without axes: change",
    "specialization_change": "Specialization: change of slope",
    "participation_ratio": "Dimensions: participation ratio",
}
_BEYOND = 1.12  # a model of more rate than any stimulus has is drawn beside the end of the curve


def normative_figure(view: RunView) -> Figure | None:
    """Measures of the optimal codes as lines over rate, of the models' codes as marks at the rates they reached.

    A panel a measure, a colour a model; a model of several tasks has a line and marks for each. None for a study without a bound, or
    with nothing but its reference.
    """
    lines, marks = view.run.table("normative"), view.run.table("geometry")
    if lines.empty or len(view.study.models) < 2:
        return None
    marks = marks.merge(view.models[["condition", "rate_nats"]], on="condition")
    panels = [measure for measure in _PANELS if measure in set(lines["measure"])]
    figure, axes = plt.subplots(1, len(panels), figsize=(3.15 * len(panels), 3.4), squeeze=False, layout="constrained")
    models = list(view.study.models)
    colours, markers = model_colours(models), model_markers(models)
    for place, measure in zip(axes[0], panels, strict=True):
        for model in models:
            _draw(place, _of(lines, measure, model), _of(marks, measure, model), colours[model], markers[model])
        _dress(place, measure, float(marks["rate_nats"].to_numpy().max()))
    handles = [Line2D([], [], color=colours[m], marker=markers[m], ms=4.5, lw=1.2, label=m) for m in models]
    handles += [
        Line2D([], [], color=INK, lw=1.2, label="optimal codes"),
        Line2D([], [], color=INK, ls="", marker="o", ms=4.5, label="trained models"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 10), fontsize="small")
    return figure


def _of(table: pd.DataFrame, measure: str, model: str) -> pd.DataFrame:
    rows: Any = table[(table["measure"] == measure) & (table["model"] == model)]
    return rows.assign(task=rows["task"].fillna("").astype(str))


def _draw(place: Axes, lines: pd.DataFrame, marks: pd.DataFrame, colour: str, marker: str) -> None:
    """One line and its marks for every task; tasks after the first are dashed, so that they can be told apart."""
    styles: list[Any] = ["-", (0, (4, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2))]
    tasks = list(dict.fromkeys(lines["task"]))
    for number, task in enumerate(tasks):
        own: pd.DataFrame = lines.loc[lines["task"] == task].sort_values(by="rate_nats")
        place.plot(own["rate_nats"], own["value"], color=colour, lw=1.2, ls=styles[number % len(styles)])
        named = len([one for one in tasks if one != FREQUENCY_SCHEME]) > 1
        if named and len(own):
            end = own.iloc[len(own) // 4]
            place.annotate(task, (end["rate_nats"], end["value"]), (2, 3), textcoords="offset points", fontsize=5.5, color=colour)
        dots = marks[marks["task"] == task]
        place.plot(dots["rate_nats"], dots["value"], color=colour, marker=marker, ms=4.5, ls="", mec="white", mew=0.5)


def _dress(place: Axes, measure: str, highest: float) -> None:
    place.set(xscale="log", xlabel="rate, nats", title=_PANELS[measure])
    ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30) if tick <= _BEYOND * max(highest, 5)]
    place.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    place.minorticks_off()
    if measure.endswith("_change"):
        place.axhline(0, color=MUTED, lw=0.7)
    else:
        place.set_yscale("log")
        low, high = place.get_ylim()
        ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200) if low <= tick <= high]
        place.set_yticks(np.array(ticks), labels=[str(tick) for tick in ticks])
        place.minorticks_off()
    place.spines[["top", "right"]].set_visible(False)
    place.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)

"""The normative phase diagram: how the best possible code is warped at every rate, with the models of a run
beside it.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ratewarp.geometry import MEASURES
from ratewarp.report.style import (
    DOUBLE,
    INK,
    MUTED,
    in_lines,
    looks_of,
    note_below,
)
from ratewarp.report.views import RunView
from ratewarp.studies.condition import FREQUENCY_SCHEME

_SHOWN = sorted(
    (measure for measure in MEASURES if "normative" in measure.figures),
    key=lambda one: "change" not in one.panel,
)
_PANELS = {measure.shown: measure.panel for measure in _SHOWN}
_HEIGHT, _TITLE = 2.2, 1.45  # inches of a row, and of a line of a title
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Pair = tuple[str, str]  # model, labelling


def normative_figure(view: RunView) -> Figure | None:
    """Measures of the optimal codes as lines over rate, of the models' codes as marks at the rates they
    reached, a mark per seed.

    A panel a measure; a row for models with skewed frequencies, with one task, with several, each below its
    own legend. None for a study without a bound, or with nothing but its reference.
    """
    rows = normative_pairs(view)
    if view.drawn_curves("normative").empty or not rows:
        return None
    size = (DOUBLE, _HEIGHT * len(rows))
    figure = plt.figure(figsize=size, layout="constrained")
    strips = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for strip, pairs in zip(strips, rows, strict=True):
        axes = strip.subplots(1, len(_PANELS))
        for place, measure in zip(axes, _PANELS, strict=True):
            if measure == "specialization_change" and all(scheme != FREQUENCY_SCHEME for _, scheme in pairs):
                told: dict[str, Any] = {"transform": place.transAxes, "ha": "center", "color": MUTED}
                place.text(0.5, 0.5, "no specialization:\neven frequencies", **told)
                place.axis("off")
                continue
            draw_normative(place, view, measure, pairs)
        strip.legend(handles=_handles(view, pairs), loc="outside upper left", ncols=5, handlelength=1.8)
    note_below(figure, view.note())
    return figure


def draw_normative(axes: Axes, view: RunView, measure: str, pairs: list[Pair]) -> None:
    """One measure of the optimal codes for these models and labellings as lines over rate, of the trained
    models as marks.
    """
    lines, marks = _with_task(view.drawn_curves("normative")), _with_task(view.geometry)
    marks = marks.merge(view.models[["condition", "rate_nats"]], on="condition")
    names = [_name(pair) for pair in pairs]
    colours, markers = looks_of(names, view.drawn.names)
    for pair, name in zip(pairs, names, strict=True):
        _draw(axes, _of(lines, measure, pair), _of(marks, measure, pair), colours[name], markers[name])
    _dress(axes, measure, float((lines if marks.empty else marks)["rate_nats"].to_numpy().max()))


def normative_pairs(view: RunView) -> list[list[Pair]]:
    """Models and labellings of every row that is not empty."""
    kinds: list[list[Pair]] = [[], [], []]
    for model in view.drawn.names:
        setting = view.settings[model]
        pairs = (
            [(model, scheme) for scheme in setting.class_schemes()] if model != view.study.reference else []
        )
        tasks = len(setting.labellings())
        kinds[min(tasks, 2)] += pairs
    return [pairs for pairs in kinds if pairs]


def _name(pair: Pair) -> str:
    model, scheme = pair
    return model if scheme in (model, FREQUENCY_SCHEME) else f"{model}: {scheme}"


def _with_task(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(task=pd.Series(table["task"]).astype(object).fillna("").astype(str))


def _of(table: pd.DataFrame, measure: str, pair: Pair) -> pd.DataFrame:
    """Rows of a measure for a model and labelling, or for the model where the measure is of no labelling."""
    own = table["task"].isin([pair[1], ""])
    return pd.DataFrame(table[(table["measure"] == measure) & (table["model"] == pair[0]) & own])


def _draw(place: Axes, line: pd.DataFrame, marks: pd.DataFrame, colour: str, marker: str) -> None:
    ordered = line.sort_values(by="rate_nats")
    place.plot(ordered["rate_nats"], ordered["value"], color=colour, lw=1.3)
    place.plot(
        marks["rate_nats"], marks["value"], color=colour, marker=marker, ms=4.5, ls="", mec="white", mew=0.5
    )


def _dress(place: Axes, measure: str, highest: float) -> None:
    place.set(xscale="log", xlabel="rate, nats", title=in_lines(_PANELS[measure], _TITLE))
    ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100) if tick <= 1.1 * max(highest, 5)]
    place.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    if measure.endswith("_change"):
        place.axhline(0, color=MUTED, lw=0.7)
    else:
        place.set_yscale("log")
        low, high = place.get_ylim()
        shown = [count for count in _COUNTS if low <= count <= high]
        place.set_yticks(np.array(shown), labels=[str(count) for count in shown])
    place.minorticks_off()
    place.spines[["top", "right"]].set_visible(False)
    place.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)


def name_pairs(axes: Axes, view: RunView, pairs: list[Pair]) -> None:
    """A legend of one panel."""
    axes.legend(handles=_handles(view, pairs))


def _handles(view: RunView, pairs: list[Pair]) -> list[Line2D]:
    names = [_name(pair) for pair in pairs]
    colours, markers = looks_of(names, view.drawn.names)
    return [
        *(
            Line2D([], [], color=colours[name], marker=markers[name], ms=4.5, lw=1.3, label=name)
            for name in names
        ),
        Line2D([], [], color=INK, lw=1.3, label="optimal codes"),
        Line2D([], [], color=INK, ls="", marker="o", ms=4.5, label="trained models"),
    ]

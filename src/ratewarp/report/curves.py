"""Curves against capacity: distortion of every model, F1 of every head. Seeds are a band, the publication's
numbers a dotted line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from string import ascii_uppercase
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ratewarp.report.factor_grid import cut
from ratewarp.report.style import (
    DOUBLE,
    INK,
    MUTED,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    SINGLE,
    looks_of,
    model_colours,
    model_markers,
    note_below,
    rate_ticks,
)
from ratewarp.report.views import RunView
from ratewarp.results.paper import published_distortion, published_f1

_BAND = 0.18  # opacity
_PUBLISHED: dict[str, Any] = {"ls": ":", "lw": 1.3, "marker": "x", "ms": 4.5, "mew": 1.1}
_COLUMNS = 3  # panels side by side


def distortion_figure(view: RunView) -> Figure:
    """Distortion against capacity: models without tasks, and where there are any, the reference beside models
    with tasks.
    """
    names, reference = view.drawn.names, view.study.reference
    tasked = [name for name in names if view.settings[name].tasks]
    panels = {
        "Models without tasks": [name for name in names if name not in tasked],
        f"Models with tasks, and {cut(reference, 20)}": [
            reference,
            *[name for name in tasked if name != reference],
        ]
        if tasked
        else [],
    }
    panels = {title: models for title, models in panels.items() if models}
    size = (SINGLE if len(panels) == 1 else DOUBLE, 3.0)
    figure, axes = plt.subplots(
        1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for place, (title, models) in zip(axes[0], panels.items(), strict=True):
        draw_distortion(place, view, models)
        place.set_title(title)
        place.set_ylabel(place.get_ylabel() if place is axes[0, 0] else "")
    _letter(figure)
    note_below(figure, view.note())
    return figure


def draw_distortion(axes: Axes, view: RunView, models: Sequence[str]) -> None:
    """Distortion of these models against capacity; the publication's numbers where they are of the same
    model.
    """
    colours, markers = model_colours(view.drawn.names), model_markers(view.drawn.names)
    theirs, sound = published_distortion(), view.models.query("status != 'diverged'")
    for model in models:
        known = (
            _series(theirs, "distortion", "capacity_nats", model=model)
            if model in view.published_models
            else {}
        )
        ours = _series(sound, "distortion", "abscissa", model=model)
        _curve(axes, ours, known, colour=colours[model], marker=markers[model], label=model)
    _dress(axes, view, models, f"distortion, {view.study.likelihood.UNIT}")


def f1_panels(view: RunView) -> list[list[tuple[str, list[str]]]]:
    """Regime and models of every panel, in rows; none for a study without heads.

    First, heads on frozen codes of models without a task, a panel per model; heads trained with a model of
    one task, all in one panel; and with a model of several, a panel per model. Then, heads on frozen codes
    of models with a task, a panel per model.
    """
    table = _heads(view)
    readers = list(dict.fromkeys(zip(table["regime"], table["representation"], strict=True)))
    by_regime = {regime: [name for found, name in readers if found == regime] for regime in _TITLES}
    upper = [("disjoint", [name]) for name in by_regime["disjoint"]]
    upper += [("joint", by_regime["joint"])] if by_regime["joint"] else []
    upper += [("simultaneous", [name]) for name in by_regime["simultaneous"]]
    return [row for row in (upper, [("transfer", [name]) for name in by_regime["transfer"]]) if row]


def _heads(view: RunView) -> pd.DataFrame:
    drawn = view.tasks["representation"].isin(view.drawn.names)
    return pd.DataFrame(view.tasks[drawn & view.tasks["f1_batches"].notna()])


def f1_figure(view: RunView) -> Figure | None:
    """F1 against capacity, a panel each of `f1_panels`, at most three side by side; None for a study without
    heads.
    """
    panels = [
        row[start : start + _COLUMNS] for row in f1_panels(view) for start in range(0, len(row), _COLUMNS)
    ]
    if not panels:
        return None
    columns = max(map(len, panels))
    size = (PANEL_WIDTH * columns, PANEL_HEIGHT * len(panels))
    figure, axes = plt.subplots(
        len(panels), columns, figsize=size, squeeze=False, sharey=True, layout="constrained"
    )
    for strip, row in zip(axes, panels, strict=True):
        for place, (regime, models) in zip(strip, row, strict=False):
            draw_f1(place, view, regime, models)
            place.set_ylabel("F1" if place is strip[0] else "")
        for place in strip[len(row) :]:
            place.remove()
    _letter(figure)
    note_below(figure, view.note())
    return figure


_TITLES = {
    "disjoint": "Disjoint: codes of {}",
    "joint": "Joint: a model for each task",
    "simultaneous": "Simultaneous: {}",
    "transfer": "Transfer: codes of {}",
}


def draw_f1(axes: Axes, view: RunView, regime: str, models: Sequence[str]) -> None:
    """Curves of all tasks of these models' heads; a curve is named by its task, and by its model where that
    has another name.
    """
    table = _heads(view)
    tasks = sorted(set(table["task"]))
    found = {}
    for model, task in product(models, tasks):
        asked = {"regime": regime, "representation": model, "task": task}
        if ours := _series(table, "f1_batches", "abscissa", **asked):
            known = (
                _series(published_f1(), "f1", "capacity_nats", **asked)
                if model in view.published_models
                else {}
            )
            label = task if len(models) == 1 or model == task else f"{task} ({model})"
            found[label] = (task, ours, known)

    labels = list(found)
    # then a colour for each curve, not for each task
    repeated = len({task for task, _, _ in found.values()}) < len(found)
    colours, markers = looks_of(labels if repeated else tasks, view.drawn.names)
    for label, (task, ours, known) in found.items():
        own = label if repeated else task
        _curve(axes, ours, known, colour=colours[own], marker=markers[own], label=label)
    _dress(axes, view, labels, "F1", low=-0.03, high=1.03)
    axes.set_title(_TITLES[regime].format(cut(models[0], 16)))


def _series(table: pd.DataFrame, column: str, against: str, **wanted: str) -> dict[float, list[float]]:
    """Numbers of a column by those of another, one per seed, of the rows with these entries."""
    found: dict[float, list[float]] = {}
    for row in table.to_dict("records"):
        if all(row[key] == value for key, value in wanted.items()):
            found.setdefault(row[against], []).append(row[column])
    return dict(sorted(found.items()))


def _curve(
    place: Axes,
    ours: dict[float, list[float]],
    known: dict[float, list[float]],
    *,
    colour: str,
    marker: str,
    label: str,
) -> None:
    """Mean over seeds as a line, least to most as a band, published numbers dotted."""
    capacities, seeds = list(ours), list(ours.values())
    place.fill_between(
        capacities, [min(one) for one in seeds], [max(one) for one in seeds], color=colour, alpha=_BAND, lw=0
    )
    place.plot(
        capacities,
        [sum(one) / len(one) for one in seeds],
        color=colour,
        marker=marker,
        ms=4.5,
        lw=1.2,
        label=label,
    )
    if known:
        place.plot(list(known), [one[0] for one in known.values()], color=colour, label="_", **_PUBLISHED)


def _dress(
    place: Axes,
    view: RunView,
    labels: Sequence[str],
    ylabel: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> None:
    """Axes, and a legend that says what line, band and dotted line are."""
    place.set(xlabel=view.abscissa_title, ylabel=ylabel, xscale="log")
    rate_ticks(place.xaxis, view.study.capacities_nats if view.aims else ())
    if low is not None:
        place.set_ylim(low, high)
    place.spines[["top", "right"]].set_visible(False)
    place.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)
    handles, _ = place.get_legend_handles_labels()
    if len(view.study.seeds) > 1:
        handles.append(
            Patch(color=MUTED, alpha=_BAND, label=f"least to most of {len(view.study.seeds)} seeds")
        )
    if any(line.get_linestyle() == ":" for line in place.get_lines()):
        handles.append(Line2D([], [], color=INK, label="published", **_PUBLISHED))
    place.legend(handles=handles, handlelength=2.2, ncols=1 if len(labels) < 6 else 2)


def _letter(figure: Figure) -> None:
    """Names the panels A, B, … where there are several."""
    if len(figure.axes) > 1:
        for place, letter in zip(figure.axes, ascii_uppercase, strict=False):
            place.set_title(letter, loc="left", fontweight="bold")

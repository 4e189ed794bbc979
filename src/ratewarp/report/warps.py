"""The three warps against capacity: how far each model's codes are from the reference's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.offsetbox import AnchoredText
from matplotlib.ticker import LogFormatter

from ratewarp.geometry import MEASURES
from ratewarp.report.factor_grid import cut
from ratewarp.report.style import (
    INK,
    MODEL_MARKERS,
    MUTED,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    SMALL,
    model_colours,
    model_markers,
    note_below,
    rate_ticks,
)
from ratewarp.report.views import RunView

Row = dict[Any, Any]

_SHOWN = sorted(
    (measure for measure in MEASURES if "warps" in measure.figures), key=lambda one: "change" not in one.panel
)
_PANELS = {measure.shown: measure.panel for measure in _SHOWN}
_LOG = tuple(measure.shown for measure in _SHOWN if measure.scale == "log")
_COLUMNS = 3
_ROOM = 0.06  # above and below what is shown, as a share of its range
_REACH = 0.5  # how far beyond the values an interval is followed, as a share of their range
_BESIDE = 1.025  # seeds stand beside their mean
_APART = 0.03  # sideways shift that keeps lines with equal values apart, in the logarithm of the axis
_SHORT = 12  # letters of a name of which two stand side by side in the legend
_DASHES = ((0, (4, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))


@dataclass(frozen=True)
class _Style:
    """How the lines of one model under one of its labellings are drawn."""

    label: str
    colour: str
    marker: str
    dashes: Any = "-"
    hollow: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """As keywords of matplotlib."""
        face = "white" if self.hollow else self.colour
        return {
            "color": self.colour,
            "marker": self.marker,
            "ls": self.dashes,
            "lw": 1.1,
            "ms": 4,
            "mew": 0.9,
            "mfc": face,
        }


@dataclass(frozen=True)
class _Curve:
    """One measure of a model under one labelling, by capacity: of every seed, their mean, and the mean of
    their intervals.
    """

    key: tuple[str, str]
    abscissae: np.ndarray
    seeds: list[list[float]]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Panel:
    """One measure of some models."""

    measure: str
    title: str
    curves: list[_Curve]
    limits: tuple[float, float]


def warps_figure(view: RunView) -> Figure | None:
    """Every index against capacity, a line per model and labelling; None where nothing was measured against a
    reference.
    """
    rows = _rows(view)
    if not rows["prototypization_change"] and not rows["specialization_change"]:
        return None
    styles = _styles(view)
    drawn = [panel for measure in _PANELS for panel in panels_of(view, measure)]
    columns = min(_COLUMNS, len(drawn) + 1)
    height = -(-(len(drawn) + 1) // columns)
    size = (PANEL_WIDTH * columns, PANEL_HEIGHT * height)
    figure, axes = plt.subplots(height, columns, figsize=size, squeeze=False, layout="constrained")
    beyond = [draw_warp(place, view, panel) for place, panel in zip(axes.flat, drawn, strict=False)]
    _legend(axes.flat[len(drawn)], view, styles, cut=any(beyond))
    for place in axes.flat[len(drawn) + 1 :]:
        place.remove()
    note_below(figure, view.note())
    return figure


def _rows(view: RunView) -> dict[str, list[Row]]:
    """Rows of the drawn models by measure."""
    found: dict[str, list[Row]] = {measure: [] for measure in _PANELS}
    for row in view.geometry.to_dict("records"):
        if row["measure"] in found and row["model"] in view.drawn.names:
            found[row["measure"]].append({**row, "task": row["task"] if isinstance(row["task"], str) else ""})
    return found


def panels_of(view: RunView, measure: str) -> list[Panel]:
    """Panels of a measure: of all models, and one of each with several labellings; none where nothing was
    measured.
    """
    rows, styles = _rows(view)[measure], _styles(view)
    return list(_panels(measure, _curves(rows, list(styles)), styles)) if rows else []


def _panels(measure: str, curves: list[_Curve], styles: dict[tuple[str, str], _Style]) -> Iterator[Panel]:
    """All curves of a measure; those of a model with several labellings in a panel of their own, on the same
    axis.
    """
    limits = _limits(curves, log=measure in _LOG)
    shared = [curve for curve in curves if not styles[curve.key].hollow]
    if shared:
        yield Panel(measure, _PANELS[measure], shared, limits)
    for model in dict.fromkeys(curve.key[0] for curve in curves if styles[curve.key].hollow):
        own = [curve for curve in curves if curve.key[0] == model]
        yield Panel(measure, f"{_PANELS[measure]}, {cut(model, 14)}", own, limits)


def _styles(view: RunView) -> dict[tuple[str, str], _Style]:
    """Style by model and labelling ("" for measures without one); of several, dashed and hollow."""
    models = view.drawn.names
    colours, markers = model_colours(models), model_markers(models)
    styles: dict[tuple[str, str], _Style] = {}
    for model in models:
        whole = _Style(model, colours[model], markers[model])
        schemes = list(view.settings[model].class_schemes())
        styles[model, ""] = whole
        if len(schemes) == 1:
            styles[model, schemes[0]] = whole
            continue
        for place, scheme in enumerate(schemes):
            marker = MODEL_MARKERS[place % len(MODEL_MARKERS)]
            styles[model, scheme] = _Style(
                f"{model}, {scheme}", colours[model], marker, _DASHES[place % len(_DASHES)], hollow=True
            )
    return styles


def _curves(rows: list[Row], order: list[tuple[str, str]]) -> list[_Curve]:
    curves = []
    for key in sorted({(row["model"], row["task"]) for row in rows}, key=order.index):
        own = [row for row in rows if (row["model"], row["task"]) == key]
        places = sorted({row["abscissa"] for row in own})
        seeds = [[row for row in own if row["abscissa"] == one] for one in places]
        value, low, high = (
            np.array([np.mean([row[end] for row in found]) for found in seeds])
            for end in ("value", "low", "high")
        )
        curves.append(
            _Curve(
                key, np.array(places), [[row["value"] for row in found] for found in seeds], value, low, high
            )
        )
    return curves


def draw_warp(place: Axes, view: RunView, panel: Panel) -> bool:
    """Axes and curves; whether an interval continues beyond the axis."""
    styles = _styles(view)
    place.set(
        xscale="log",
        xlabel=view.abscissa_title,
        title=panel.title.replace(": ", ":\n"),
        yscale="log" if panel.measure in _LOG else "linear",
    )
    rate_ticks(place.xaxis, view.study.capacities_nats if view.aims else ())
    if panel.measure in _LOG:
        place.yaxis.set_major_formatter(LogFormatter())
        place.yaxis.set_minor_formatter(LogFormatter())
    place.set_ylim(panel.limits)
    if panel.measure.endswith("_change"):
        place.axhline(0, color=MUTED, lw=0.7)
    place.spines[["top", "right"]].set_visible(False)
    place.grid(axis="y", color=MUTED, alpha=0.18, lw=0.6)
    beyond = []
    for number, curve in enumerate(panel.curves):
        shift = np.exp(_APART * (number - (len(panel.curves) - 1) / 2))
        beyond.append(_draw_curve(place, curve, styles[curve.key], curve.abscissae * shift, panel.limits))
    return any(beyond)


def _limits(curves: list[_Curve], *, log: bool) -> tuple[float, float]:
    """Ends of the vertical axis: they hold every value, and intervals as far as these do not dwarf the
    values.
    """
    scale, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    values = scale(np.array([value for curve in curves for found in curve.seeds for value in found]))
    low, high = values.min(), values.max()
    reach = _REACH * max(high - low, 1e-3)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = scale(np.concatenate([[*curve.low, *curve.high] for curve in curves]))
    ends = np.clip(ends[~np.isnan(ends)], low - reach, high + reach)
    low, high = min([low, *ends]), max([high, *ends])
    room = _ROOM * max(high - low, 1e-3)
    return float(back(low - room)), float(back(high + room))


def _draw_curve(
    place: Axes, curve: _Curve, style: _Style, across: np.ndarray, limits: tuple[float, float]
) -> bool:
    """Means as a line, the seeds as small points, intervals as bars; an arrow where a bar continues beyond
    the axis.
    """
    place.plot(across, curve.value, **style.line, zorder=3)
    for x, found in zip(across, curve.seeds, strict=True):
        if len(found) > 1:
            place.plot(
                [x * _BESIDE] * len(found),
                found,
                ls="",
                marker="o",
                ms=2,
                mew=0,
                color=style.colour,
                zorder=2.5,
            )
    low, high = curve.low < limits[0], curve.high > limits[1]
    known = ~(np.isnan(curve.low) | np.isnan(curve.high))
    for x, bottom, top, both in zip(
        across[known], curve.low[known], curve.high[known], (low & high)[known], strict=True
    ):
        place.plot(
            [x, x],
            np.clip([bottom, top], *limits),
            color=style.colour,
            lw=0.8,
            alpha=0.35 if both else 0.85,
            zorder=2,
        )
    for beyond, end, arrow in ((low, limits[0], CARETDOWN), (high, limits[1], CARETUP)):
        for x in across[beyond]:
            place.plot(
                [x], [end], ls="", marker=arrow, ms=4, mew=0, color=style.colour, clip_on=False, zorder=4
            )
    return bool(low.any() or high.any())


def name_lines(axes: Axes, view: RunView, panel: Panel) -> None:
    """A legend of the lines of one panel."""
    styles = dict.fromkeys(_styles(view)[curve.key] for curve in panel.curves)
    axes.legend(handles=[Line2D([], [], **style.line, label=style.label) for style in styles])


def _legend(place: Axes, view: RunView, styles: dict[tuple[str, str], _Style], *, cut: bool) -> None:
    """Names of the lines in an empty panel, and how to read them."""
    handles = [Line2D([], [], **style.line, label=style.label) for style in dict.fromkeys(styles.values())]
    several = len(view.study.seeds) > 1
    marks = ["line: mean of the seeds;", "small point: one seed"] if several else []
    marks += ["bar: 95 % interval over stimuli" + (",\nmean of the seeds'" if several else "")]
    marks += ["arrow: the interval continues\nbeyond the axis"] if cut else []
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = 2 if len(handles) > 5 and longest <= _SHORT else 1
    named = place.legend(
        handles=handles, loc="upper center", ncols=columns, handlelength=2.6, columnspacing=1
    )
    place.add_artist(named)
    told = AnchoredText("\n".join(marks), "lower center", frameon=False, prop={"size": SMALL, "color": INK})
    place.add_artist(told)
    place.axis("off")

"""The figure of `ratewarp measure`: a map of the codes, the indices with their intervals, the class
distortion matrix.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ratewarp._checks import RequestError, escaped
from ratewarp._files import disk_errors
from ratewarp.codes.measurement import Measurement
from ratewarp.geometry import MEASURES, ClassDistortion, embed
from ratewarp.report.classes import MANY
from ratewarp.report.dots import draw_dots
from ratewarp.report.panels import draw_matrix
from ratewarp.report.style import DIVERGING_MAP, INK, MODEL_COLOURS, MUTED, RULE, class_colours, figure_style

_DOTS = 800  # items on the map
_MOST_CLASSES = 12  # in a legend
_LONGEST_NAME = 24  # letters
_INDICES = {measure.name: measure.title for measure in MEASURES if "measured" in measure.figures}


def save_measured(found: Measurement, file: Path) -> None:
    """Draws the figure into a file whose suffix says the format.

    Raises:
        RatewarpError: the file cannot be written.
    """
    with (
        figure_style(),
        rc_context({"text.parse_math": False}),
        disk_errors(file, intact="nothing else was changed"),
    ):
        figure = measured_figure(found)
        try:
            figure.savefig(file)
        finally:
            plt.close(figure)


def measured_figure(found: Measurement) -> Figure:
    """Map of the codes coloured by the first task · indices, and their change from the reference · matrix of
    the first task.
    """
    task = next(iter(found.labels), None)
    matrix = _matrix(found, task) if task is not None else None
    widths = [1.0, 1.35, *([0.95] if matrix is not None else [])]
    figure, axes = plt.subplots(
        1,
        len(widths),
        figsize=(3.4 * sum(widths), 3.5),
        width_ratios=widths,
        layout="constrained",
        squeeze=False,
    )
    _draw_codes(axes[0, 0], found, task)
    _draw_indices(axes[0, 1], found)
    if matrix is not None:
        limit = max(0.1, float(np.nanmax(np.abs(matrix.values))))
        image = draw_matrix(
            axes[0, 2],
            matrix,
            limit=limit,
            names=_names(found, task),
            title=f"log change of class distances, {_short(str(task))}",
        )
        if len(matrix.classes) >= MANY:
            figure.colorbar(image, ax=axes[0, 2], shrink=0.7, cmap=DIVERGING_MAP)
    return figure


def _matrix(found: Measurement, task: str) -> ClassDistortion | None:
    size = len(found.classes[task])
    try:
        values = found.class_distance(task, change=True).values
    except RequestError:  # no reference, or one that is constant
        return None
    return ClassDistortion(values, np.arange(size), np.bincount(found.labels[task]))


def _draw_codes(axes: Axes, found: Measurement, task: str | None) -> None:
    """Metric MDS of the codes, or of some of them, one dot per item."""
    items = len(found.codes)
    chosen = (
        np.arange(items)
        if items <= _DOTS
        else np.sort(np.random.default_rng(0).choice(items, _DOTS, replace=False))
    )
    points = embed(found.codes[chosen])
    labels = found.labels[task][chosen] if task is not None else np.zeros(len(chosen), np.int64)
    names = _names(found, task)
    colours = np.array(class_colours(len(names)) if len(names) > 1 else [MODEL_COLOURS[1]])
    draw_dots(axes, points.points, colours[labels], size=7, alpha=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color(RULE)
    what = f"{items:,} codes" if len(chosen) == items else f"{len(chosen):,} of {items:,} codes"
    axes.set_title(f"map of {what}" + (f", by {_short(task)}" if task is not None else ""))
    axes.annotate(
        f"stress {points.stress:.2f}",
        (0.97, 0.03),
        xycoords="axes fraction",
        ha="right",
        fontsize="x-small",
        color=MUTED,
    )
    if task is not None and len(names) <= _MOST_CLASSES:
        dots = [
            Line2D([], [], marker="o", ls="", ms=4.5, mew=0, color=c, label=n)
            for c, n in zip(colours, names, strict=True)
        ]
        axes.legend(handles=dots, fontsize="x-small", loc="upper left", handletextpad=0.1)


def _names(found: Measurement, task: str | None) -> tuple[str, ...]:
    """Names of the classes of a task as they are drawn."""
    return ("",) if task is None else tuple(map(_short, found.classes[task]))


def _short(name: str) -> str:
    """A name as it is drawn: nothing unprintable, and cut where it would leave no room for the rest."""
    text = escaped(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _draw_indices(axes: Axes, found: Measurement) -> None:
    """Value and interval of every index, and below it its change from the reference."""
    rows = []
    form = "removed" if "removed" in set(found.table["trial_noise"]) else ""
    for row in found.table.to_dict("records"):
        base = row["measure"].removesuffix("_change")
        if base in _INDICES and np.isfinite(row["value"]) and row["trial_noise"] == form:
            of = f" ({_short(row['task'])})" if row["task"] else ""
            rows.append((_INDICES[base] + of, row, base != row["measure"]))
    for place, (_, row, change) in enumerate(rows):
        colour = MODEL_COLOURS[2] if change else INK
        axes.plot([row["low"], row["high"]], [place, place], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([row["value"]], [place], marker="D" if change else "o", color=colour, ms=4.5, ls="")
    axes.axvline(0, color=MUTED, lw=0.7)
    axes.set_yticks(
        range(len(rows)), labels=[f"  change of {name}" if change else name for name, _, change in rows]
    )
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"value, with {_level(found)} interval over {found.units}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=MUTED, alpha=0.18, lw=0.6)
    if not rows:
        axes.set_visible(False)


def _level(found: Measurement) -> str:
    return f"{found.level:.0%}"

"""Panels of what was measured of codes: a map, indices with their intervals, distances of classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ratewarp._checks import escaped
from ratewarp.codes.measurement import Measurement
from ratewarp.geometry import MEASURES, ClassDistortion, embed
from ratewarp.geometry.embedding import Map
from ratewarp.report.classes import MANY, ClassTicks, sparse_ticks
from ratewarp.report.dots import draw_dots
from ratewarp.report.panels import draw_matrix
from ratewarp.report.style import (
    DIVERGING_MAP,
    INK,
    MODEL_COLOURS,
    MUTED,
    RULE,
    SMALL,
    class_colours,
)

_DOTS = 800  # items on the map
_MOST_CLASSES = 12  # by name, in a legend or along a matrix
_LONGEST_NAME = 24  # letters
_LONGEST_TASK = 16  # letters, behind an index
_LETTERS = 40  # in a line as wide as a map, or along a matrix
_TITLE = 44  # in a title; that of a map begins at the edge of the figure
_MAP_TITLE = 34
INDICES = {measure.name: measure.title for measure in MEASURES if "measured" in measure.figures}
_OTHER_FORM = 0.26  # how far below the form without noise that with it stands, in rows
_HALO = patheffects.withStroke(linewidth=1.6, foreground="white")


class CodesMap(NamedTuple):
    """A map of the codes.

    Attributes:
        found: what was measured.
        items: which of them are on it.
        points: where they are, and how true the map is.
    """

    found: Measurement
    items: np.ndarray
    points: Map


class IndexRow(NamedTuple):
    """An index, or its change from the reference, in each form that it has.

    Attributes:
        name: of the row.
        change: whether it is the change.
        forms: rows of the table, that without trial noise first.
    """

    name: str
    change: bool
    forms: list[dict[Any, Any]]


def codes_map(found: Measurement) -> CodesMap:
    """Metric MDS of the codes, or of some of them drawn at random, one dot per item."""
    items = np.arange(len(found.codes))
    if len(items) > _DOTS:
        items = np.sort(np.random.default_rng(0).choice(len(items), _DOTS, replace=False))
    return CodesMap(found, items, embed(found.codes[items]))


def draw_codes(axes: Axes, shown: CodesMap, task: str | None) -> None:
    """The map, coloured by the classes of a task."""
    found, many = shown.found, len(shown.found.codes)
    names = ("",) if task is None else _names(found, task)
    labels = np.zeros(many, np.int64) if task is None else found.labels[task]
    colours = np.array(class_colours(len(names)) if len(names) > 1 else [MODEL_COLOURS[1]])
    draw_dots(axes, shown.points.points, colours[labels[shown.items]], size=7, alpha=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color(RULE)
    what = f"{many:,} codes" if len(shown.items) == many else f"{len(shown.items):,} of {many:,} codes"
    axes.set_title(
        f"map of {what}" if task is None else _title(f"map of {what},", f"by {short(task)}", _MAP_TITLE)
    )
    axes.annotate(
        f"stress {shown.points.stress:.2f}",
        (0.97, 0.03),
        xycoords="axes fraction",
        ha="right",
        fontsize=SMALL,
        color=MUTED,
        path_effects=[_HALO],
    )
    if task is not None:
        _name_colours(axes, names, colours)


def _name_colours(axes: Axes, names: tuple[str, ...], colours: np.ndarray) -> None:
    """A legend below the map; in words where there are too many classes for one."""
    if len(names) > _MOST_CLASSES:
        axes.set_xlabel(f"{len(names)} classes, from blue to red in the order of their names", color=MUTED)
        return
    dots = [
        Line2D([], [], marker="o", ls="", ms=4.5, mew=0, color=colour, label=_legible(name))
        for colour, name in zip(colours, names, strict=True)
    ]
    columns = min(len(names), 6, max(1, _LETTERS // (max(map(len, names)) + 4)))
    axes.legend(
        handles=dots,
        fontsize=SMALL,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=columns,
        handletextpad=0.1,
        columnspacing=1.0,
    )


def _legible(name: str) -> str:
    """A name in a legend, where matplotlib leaves out those that begin with an underscore."""
    return f" {name}" if name.startswith("_") or not name else name


def index_rows(found: Measurement) -> list[IndexRow]:
    """Indices that have a value, each followed by its change; those of a task together."""
    rows: dict[tuple[str, str, bool], IndexRow] = {}
    for row in found.table.to_dict("records"):
        base = row["measure"].removesuffix("_change")
        change = base != row["measure"]
        if base not in INDICES or not np.isfinite(row["value"]):
            continue
        of = f" ({_both_ends(row['task'])})" if row["task"] not in ("", base, "frequency") else ""
        name = "its change" if change else INDICES[base] + of
        key = (row["task"], base, change)
        rows.setdefault(key, IndexRow(name, change, [])).forms.append(row)
    tasks = ["", *found.classes]
    order = {task: place for place, task in enumerate(tasks)}
    measures = list(INDICES)
    return [
        rows[key]
        for key in sorted(
            rows, key=lambda one: (order.get(one[0], len(order)), measures.index(one[1]), one[2])
        )
    ]


def draw_indices(axes: Axes, found: Measurement, rows: list[IndexRow]) -> None:
    """Value and interval of every index, and below it its change from the reference: filled without trial
    noise, hollow with it.
    """
    for place, row in enumerate(rows):
        for number, form in enumerate(row.forms):
            _draw_index(axes, form, place + _OTHER_FORM * number, change=row.change)
    axes.axvline(0, color=MUTED, lw=0.7, zorder=0)
    axes.set_yticks(range(len(rows)), labels=[row.name for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(_colour(row.change))
    axes.update_datalim([(0, 0), (1, 0)])  # chance, and the most that most can be
    axes.autoscale_view(scaley=False)
    axes.set(ylim=(len(rows) - 0.3, -0.7), xlabel=_scale(found, rows))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=MUTED, alpha=0.18, lw=0.6)


def _draw_index(axes: Axes, form: dict[Any, Any], height: float, *, change: bool) -> None:
    with_noise, colour = form["trial_noise"] == "included", _colour(change)
    axes.plot(
        [form["low"], form["high"]],
        [height, height],
        color=colour,
        lw=0.9 if with_noise else 1.6,
        alpha=0.6 if with_noise else 1.0,
        solid_capstyle="butt",
    )
    axes.plot(
        [form["value"]],
        [height],
        marker="D" if change else "o",
        ms=3.8 if with_noise else 4.5,
        color=colour,
        mfc="white" if with_noise else colour,
        mew=0.9,
        ls="",
    )


def _colour(change: bool) -> str:
    return MODEL_COLOURS[2] if change else INK


def _scale(found: Measurement, rows: list[IndexRow]) -> str:
    """What the axis of the indices says."""
    said = f"value, with {found.level:.0%} interval over {found.number:,} {found.units}"
    forms = {form["trial_noise"] == "included" for row in rows for form in row.forms}
    if True not in forms:
        return said
    return f"{said}\nhollow: with trial noise" + ("; filled: without" if False in forms else "")


def draw_class_distance(axes: Axes, found: Measurement, task: str, matrix: xr.DataArray) -> None:
    """Distances of the classes of a task, or their change, as `Measurement.class_distance` gives them."""
    size, sizes = len(matrix), np.bincount(found.labels[task])
    values = ClassDistortion(matrix.values, np.arange(size), sizes)
    defined = np.abs(matrix.values[np.isfinite(matrix.values)])
    what = "change of log distances" if str(matrix.name).endswith("_change") else "log distances"
    names = _names(found, task)
    fit = size < MANY and size * max(map(len, names)) <= _LETTERS
    image = draw_matrix(
        axes,
        values,
        limit=max(0.1, float(defined.max(initial=0.0))),
        names=names if fit else (),
        title=_title(f"{what} of classes,", short(task), _TITLE),
        ticks=_class_ticks(names, task),
    )
    if size < MANY and not fit:
        slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(size), labels=names, fontsize=SMALL, **slanted)
        axes.set_yticks(range(size), labels=names, fontsize=SMALL)
    if size >= MANY:
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.7, cmap=DIVERGING_MAP)
        bar.set_label(f"{what}, relative to all", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)


def _class_ticks(names: tuple[str, ...], task: str) -> ClassTicks:
    """Every class by name; some of them where there are many."""
    if len(names) > _MOST_CLASSES:
        return sparse_ticks(names)
    return ClassTicks(list(range(len(names))), names, f"class of {short(task)}")


def _title(what: str, of: str, longest: int) -> str:
    """On one line, or two where they would be wider than a panel."""
    return f"{what} {of}" if len(what) + len(of) < longest else f"{what}\n{of}"


def _names(found: Measurement, task: str) -> tuple[str, ...]:
    """Names of the classes of a task as they are drawn."""
    return tuple(map(short, found.classes[task]))


def short(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name as it is drawn: nothing unprintable, and cut where it would leave no room for the rest."""
    text = escaped(name)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _both_ends(task: str) -> str:
    """A task behind an index, cut in the middle: fields of one struct begin alike."""
    text = escaped(task)
    if len(text) <= _LONGEST_TASK:
        return text
    end = _LONGEST_TASK // 2
    return f"{text[: _LONGEST_TASK - end - 1]}…{text[-end:]}"

"""Panels: one function draws one thing into the axes it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.text import Text

from ratewarp.geometry import ClassDistortion
from ratewarp.report.classes import MANY, ClassTicks, sparse_ticks
from ratewarp.report.dots import draw_dots
from ratewarp.report.factor_grid import FactorGrid
from ratewarp.report.inches import inches_of
from ratewarp.report.style import (
    BRIGHT_MAP,
    DIVERGING_MAP,
    IMAGE_MAP,
    INK,
    LETTER,
    MUTED,
    RULE,
    SMALL,
)
from ratewarp.report.views import ConditionView

_LABELLED_EVERY = 4  # every fourth value of a factor is labelled on maps
_MOST_LABELLED = 1000  # stimuli of a map with labels
# around what is written over dots
_HALO = patheffects.withStroke(linewidth=1.4, foreground="white", alpha=0.85)
_NARROW = 1.4  # inches of a map up to which its stress stands above, not beside the bar
_WHOLE = 2.2  # inches of a map from which dots have their full size
_ROOMY, _TIGHT = 0.45, 0.34  # inches of a cell of a matrix whose number is larger, or without its 0
_LONG = 5  # letters of a tick's label that have room beside others
# width of a digit and height of a line with the room around them, as shares of the type's size
_GLYPH, _LINE = 0.64, 1.1


def draw_map(
    axes: Axes,
    view: ConditionView,
    colours: np.ndarray,
    *,
    extent: float,
    title: str = "",
    labels: bool = True,
    size: float = 5,
    alpha: float = 0.75,
) -> None:
    """Map of codes, one dot per image; some stimuli labelled with their factor values, where there are one or
    two factors and few stimuli; a bar one prior standard deviation long.

    Arguments:
        axes: where to draw.
        view: the condition.
        colours: colour of every stimulus.
        extent: half the side of the square shown, in units of the codes.
        title: above the map.
        labels: whether to label stimuli.
        size: area of a dot, points².
        alpha: opacity of the dots.
    """
    centre, inches = middle(view.points), min(inches_of(axes))
    size *= min(1.0, inches / _WHOLE)
    draw_dots(axes, view.points - centre, colours[view.stimuli], size=size, alpha=alpha)
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_color(RULE)
    left, low = -0.94 * extent, -0.92 * extent
    axes.plot([left, left + 1], [low, low], color=INK, lw=1.6, solid_capstyle="butt")
    axes.annotate(
        "1 s.d.",
        (left, low),
        (0, 3),
        textcoords="offset points",
        fontsize=SMALL,
        color=MUTED,
        path_effects=[_HALO],
    )
    stress: dict[str, Any] = {
        "xycoords": "axes fraction",
        "ha": "right",
        "va": "top" if inches < _NARROW else "bottom",
        "fontsize": SMALL,
        "color": MUTED,
        "path_effects": [_HALO],
    }
    height = 0.97 if inches < _NARROW else 0.03
    written = axes.annotate(
        f"stress {view.stress:.2f}" if view.sound else "no codes", (0.97, height), **stress
    )
    if labels:
        _label_stimuli(axes, view, centre, extent, written)


def _label_stimuli(axes: Axes, view: ConditionView, centre: np.ndarray, extent: float, written: Text) -> None:
    """Labels stimuli whose label overlaps none that stands already, nor what is `written` in a right corner,
    nor the bar in the lower left one.
    """
    grid = view.grid
    box = axes.get_window_extent()
    point = 2 * extent / min(box.width, box.height) * axes.figure.dpi / 72  # of type, in units of the codes
    corner = (
        np.array([_GLYPH * len(written.get_text()), 2 * _LINE]) * written.get_fontsize() * point
        + 0.06 * extent
    )
    upper = extent if written.get_verticalalignment() == "top" else -extent
    taken = [(np.array(place), corner) for place in ((-extent, -extent), (extent, upper))]
    for stimulus in _labelled(grid):
        own = view.points[view.stimuli == stimulus]
        own = own[np.isfinite(own).all(axis=1)]
        if not len(own):  # it does not occur
            continue
        place = own.mean(axis=0) - centre
        words = ",".join(grid.word(stimulus, factor) for factor in range(len(grid.names)))
        text = axes.annotate(words, place, ha="center", va="center", fontsize=SMALL, color=INK)
        half = np.array([_GLYPH * len(text.get_text()), _LINE]) * text.get_fontsize() * point / 2
        if any(np.all(np.abs(place - other) < half + size) for other, size in taken):
            text.remove()
            continue
        taken.append((place, half))
        text.set_path_effects([_HALO])


def _labelled(grid: FactorGrid) -> np.ndarray:
    """Stimuli that get a label: every fourth value of each factor; of values without order, every one."""
    if len(grid.names) not in (1, 2) or len(grid.ranks) > _MOST_LABELLED or not grid.are_apart:
        return np.zeros(0, int)
    every = [1 if kind == "categorical" else _LABELLED_EVERY for kind in grid.kinds]
    return np.flatnonzero(np.all(grid.ranks % every == 0, axis=1))


def map_extent(views: Sequence[ConditionView]) -> float:
    """Half the side of a square that holds the maps of all `views`, and the scale bar."""
    reach = [np.nanmax(np.abs(view.points - middle(view.points))) for view in views if view.sound]
    return max([*reach, 0.75]) * 1.12


def middle(points: np.ndarray) -> np.ndarray:
    """Middle of the points of a map that are finite."""
    found = points[np.isfinite(points).all(axis=1)]
    return (found.min(axis=0) + found.max(axis=0)) / 2 if len(found) else np.full(2, np.nan)


def draw_matrix(
    axes: Axes,
    matrix: ClassDistortion,
    *,
    limit: float,
    names: Sequence[str] = (),
    title: str = "",
    ticks: ClassTicks | None = None,
) -> AxesImage:
    """Class distortion matrix, diverging around 0; numbers where there are few classes, a few ticks where
    there are many.

    Arguments:
        axes: where to draw.
        matrix: what to draw.
        limit: where the colours end.
        names: of the classes.
        title: above the matrix.
        ticks: for many classes, in place of some of the names.
    """
    image = axes.imshow(matrix.values, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_color(RULE)
    if len(matrix.classes) >= MANY:
        _many_ticks(axes, ticks or sparse_ticks(names or [str(one) for one in matrix.classes]))
        return image
    axes.set(xticks=matrix.classes, yticks=matrix.classes)
    axes.tick_params(length=0)
    cell = inches_of(axes)[0] / len(matrix.classes)
    if names:
        _few_names(axes, names, cell)
    size = "medium" if cell > _ROOMY else SMALL
    for (a, b), value in np.ndenumerate(matrix.values):
        if np.isnan(value):  # a class of stimuli that do not occur
            continue
        dark = abs(value) > 0.6 * limit
        words = f"{round(value, 2) + 0:+.2f}".replace("-", "−")
        shown = words.replace("0.", ".") if cell < _TIGHT else words
        colour = "white" if dark else INK
        axes.text(b, a, shown, ha="center", va="center", fontsize=size, color=colour)
    return image


def _few_names(axes: Axes, names: Sequence[str], cell: float) -> None:
    """Names of classes along a cell of so many inches each; slanted where they are longer."""
    if max(map(len, names)) * LETTER <= cell:
        axes.set_xticklabels(names)
        axes.set_yticklabels(names, rotation=90, va="center")
        return
    axes.set_xticklabels(names, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticklabels(names)


def _many_ticks(axes: Axes, ticks: ClassTicks) -> None:
    slanted = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        if max(map(len, ticks.names)) > _LONG
        else {}
    )
    axes.set_xticks(ticks.places, labels=ticks.names, fontsize=SMALL, **slanted)
    axes.set_yticks(ticks.places, labels=ticks.names, fontsize=SMALL)
    axes.tick_params(length=0 if ticks.borders else 2, pad=2, color=RULE)
    for border in ticks.borders:
        axes.axhline(border, color="white", lw=0.6)
        axes.axvline(border, color="white", lw=0.6)


def draw_image(
    axes: Axes,
    image: np.ndarray,
    *,
    bright: bool = False,
    extent: tuple[float, float, float, float] | None = None,
) -> None:
    """An image of the source or a reconstruction as numbers: one channel as grey, 1 dark or `bright`; three
    as colours; else their mean. `extent` as of matplotlib, in axes that hold more.
    """
    if image.ndim == 3 and image.shape[2] != 3:
        image = image.mean(axis=2)
    placed: dict[str, Any] = {"interpolation": "nearest", "extent": extent}
    if extent is not None:
        placed["aspect"] = "auto"
    if image.ndim == 3:
        axes.imshow(np.clip(image, 0, 1), **placed)
    else:
        axes.imshow(
            image,
            cmap=BRIGHT_MAP if bright else IMAGE_MAP,
            vmin=min(0, image.min()),
            vmax=(1.0 if bright else 1.15) * max(1, image.max()),
            **placed,
        )
    if extent is None:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(RULE)

"""The figure of what low capacity does to the distance of every two stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ratewarp._checks import RequestError
from ratewarp._sums import group_means
from ratewarp.report.factor_grid import MOST_FACTORS, FactorGrid, cut
from ratewarp.report.inches import height_of_note
from ratewarp.report.selection import thinned
from ratewarp.report.style import (
    DIVERGING_MAP,
    DOUBLE,
    MUTED,
    RULE,
    SMALL,
    in_lines,
    note_below,
)
from ratewarp.report.views import ConditionView, RunView, distortion_of_some

_MOST_STIMULI = 240  # in rows of the matrix
_FEW_TICKS, _MOST_TICKS = 4, 8
_LETTERS = 10  # of a tick
_ROOM = 18  # letters of all ticks that stand upright
_COLUMNS, _SIDE, _BAR = 4, 1.6, 0.85  # panels side by side; inches of one, and of the bar of colours
_NAMES = 0.4  # for a title and long ticks
_LIMIT = 0.98  # quantile of the entries at which the colours end


def capacity_figure(view: RunView) -> Figure | None:
    """How the distance of every two stimuli changes from the highest capacity to the lowest, a panel per
    model.

    An entry is the mean ratio of distances, low over high capacity, minus the mean over all pairs; stimuli
    are in order of the first factor, then of the second, or where there are none, from left to right on the
    reference's map. Of very many, some are shown. None where a study has one capacity only.
    """
    if view.levels[0] == view.levels[-1]:
        return None
    matrices = {model: capacity_matrix(view, model) for model in view.drawn.names}
    limit = limit_of_ratios(list(matrices.values()))
    columns = min(_COLUMNS, len(matrices))
    rows = ceil(len(matrices) / columns)
    width, note = min(DOUBLE, _SIDE * columns + _BAR), order_note(view)
    size = (width, _SIDE * rows + _NAMES + height_of_note(note, width))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    drawn = [
        draw_ratios(place, view, model, matrix, limit)
        for place, (model, matrix) in zip(axes.flat, matrices.items(), strict=False)
    ]
    for place in axes.flat[len(matrices) :]:
        place.remove()
    note_below(figure, note)
    if images := [image for image in drawn if image is not None]:
        bar = figure.colorbar(
            images[0], ax=list(axes.flat[: len(matrices)]), shrink=0.8, pad=0.01, extend="both"
        )
        name_ratios(bar, view)
    return figure


def order_note(view: RunView) -> str:
    """How stimuli are ordered, and which they are."""
    grid, order = _reference(view).grid, _in_order(_reference(view))
    some = f"{len(order)} of {len(grid.ranks):,} stimuli" if len(order) < len(grid.ranks) else ""
    return f"{_axis(grid)} · {view.note(some, view.seed_note)}"


def name_ratios(bar: Colorbar, view: RunView) -> None:
    """What the colours of matrices mean."""
    low, high = view.label(view.levels[-1]), view.label(view.levels[0])
    told = f"distance ratio, {low} over {high}, minus its mean over all pairs"
    bar.set_label(in_lines(told, _SIDE), fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL, length=2)
    bar.outline.set_visible(False)  # type: ignore[operator]


def limit_of_ratios(matrices: Sequence[np.ndarray | None]) -> float:
    """Where the colours of matrices end."""
    found = [np.abs(matrix) for matrix in matrices if matrix is not None]
    return max([0.1, *(float(np.nanquantile(one, _LIMIT)) for one in found)])


def _reference(view: RunView) -> ConditionView:
    return view.shown(view.study.reference, view.levels[0])


def _axis(grid: FactorGrid) -> str:
    if not grid.names:
        return "stimulus, from left to right on the map of the reference"
    names = [*grid.names[:MOST_FACTORS], *(["others"] if grid.note else [])]
    return f"stimulus, by {' then '.join(names)} ({_TOLD[grid.kinds[0] == 'categorical']}: {grid.names[0]})"


_TOLD = ("numbers", "ticks")


def _in_order(view: ConditionView) -> np.ndarray:
    """Stimuli in the order of the matrix: by their factors, or from left to right on the map; of very many,
    some that are evenly spread.
    """
    order = view.grid.order
    if not view.grid.names and view.sound:
        across = group_means(view.points[:, :1], view.stimuli, len(order))[:, 0]
        order = np.argsort(across, kind="stable")
    return np.array(thinned(order.tolist(), _MOST_STIMULI))


def draw_ratios(
    place: Axes, view: RunView, model: str, matrix: np.ndarray | None, limit: float
) -> AxesImage | None:
    """One panel, its ticks at the values of the first factor; says so where the matrix is not defined."""
    grid, order = _reference(view).grid, _in_order(_reference(view))
    words = grid.words[0] if grid.names else ()
    ranks = grid.ranks[order, 0] if grid.names else np.zeros(len(order), int)
    place.set_title(cut(model, 18))
    if matrix is None:
        place.text(0.5, 0.5, "not defined", ha="center", va="center", transform=place.transAxes, color=MUTED)
        place.set(xticks=[], yticks=[])
        return None
    starts = np.flatnonzero(np.diff(ranks, prepend=ranks[0] - 1))
    middles = starts + np.diff(np.append(starts, len(ranks))) / 2 - 0.5
    every = slice(None, None, _every(len(starts)))
    labels = [cut(words[int(ranks[start])], _LETTERS) for start in starts][every] if words else []
    slanted: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        if max(map(len, labels), default=0) > 5 or sum(map(len, labels)) > _ROOM
        else {}
    )
    place.set_xticks(middles[every] if words else [], labels=labels, **slanted)
    place.set_yticks(middles[every] if words else [], labels=labels)
    place.tick_params(length=2, color=RULE)
    for side in place.spines.values():
        side.set_color(RULE)
    return place.imshow(matrix, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, interpolation="nearest")


def _every(values: int) -> int:
    """Every which value of the first factor has a tick."""
    return 1 if values <= _FEW_TICKS else max(3, ceil(values / _MOST_TICKS))


def capacity_matrix(view: RunView, model: str) -> np.ndarray | None:
    """Class distortion matrix of the lowest capacity against the highest, whose classes are stimuli in their
    order; None where it is not defined.
    """
    order, low, high = _in_order(_reference(view)), view.levels[-1], view.levels[0]
    small, large = view.shown(model, low), view.shown(model, high)
    place = np.full(len(small.record["frequency"]), -1)
    place[order] = np.arange(len(order))
    kept = small.occurs & (place[small.stimuli] >= 0)
    try:
        return distortion_of_some(small.codes, large.codes, place[small.stimuli], kept, len(order)).values
    except RequestError:  # a model that diverged, or collapsed at the highest capacity
        return None

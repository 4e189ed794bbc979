"""The figure of what low capacity does to the distance of every two stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from textwrap import wrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ratewarp._checks import RequestError
from ratewarp._sums import group_means
from ratewarp.report.factor_grid import MOST_FACTORS, FactorGrid, cut
from ratewarp.report.selection import thinned
from ratewarp.report.style import DIVERGING_MAP, INK, MUTED, RULE
from ratewarp.report.views import ConditionView, RunView, distortion_of_some

_MOST_STIMULI = 240  # in rows of the matrix
_FEW_TICKS, _MOST_TICKS = 4, 8
_LETTERS = 10  # of a tick
_ROOM = 18  # letters of all ticks that stand upright
_WRAP = 15.5  # letters to an inch of the words below
_LIMIT = 0.98  # quantile of the entries at which the colours end


def capacity_figure(view: RunView) -> Figure | None:
    """How the distance of every two stimuli changes from the highest capacity to the lowest, a panel per
    model.

    An entry is the mean ratio of distances, low over high capacity, minus the mean over all pairs; stimuli
    are in order of the first factor, then of the second, or where there are none, from left to right on the
    reference's map. Of very many, some are shown. None where a study has one capacity only.
    """
    high, low = view.levels[0], view.levels[-1]
    if high == low:
        return None
    reference = view.shown(view.study.reference, high)
    order = _in_order(reference)
    matrices = {model: _capacity_matrix(view, model, low, high, order) for model in view.drawn.names}
    found = [np.abs(matrix) for matrix in matrices.values() if matrix is not None]
    limit = max([0.1, *(float(np.nanquantile(one, _LIMIT)) for one in found)])
    columns = min(4, len(matrices))
    rows = ceil(len(matrices) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.3 * columns + 0.9, 2.45 * rows + 0.4), squeeze=False, layout="constrained"
    )
    grid = reference.grid
    values = grid.words[0] if grid.names else ()
    first = grid.ranks[order, 0] if grid.names else np.zeros(len(order), int)
    drawn = [
        _draw_matrix(place, model, matrix, first, values, limit)
        for place, (model, matrix) in zip(axes.flat, matrices.items(), strict=False)
    ]
    for place in axes.flat[len(matrices) :]:
        place.set_visible(False)
    some = f"{len(order)} of {len(grid.ranks):,} stimuli" if len(order) < len(grid.ranks) else ""
    words = wrap(f"{_axis(grid)} · {view.note(some, view.seed_note)}", round(_WRAP * figure.get_figwidth()))
    figure.supxlabel("\n".join(words), fontsize=8, color=INK)
    if images := [image for image in drawn if image is not None]:
        bar = figure.colorbar(images[0], ax=axes, shrink=0.7, pad=0.01, extend="both")
        bar.set_label(
            f"distance ratio, {view.label(low)} over {view.label(high)},\nminus its mean over all pairs",
            fontsize=7.5,
        )
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


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


def _draw_matrix(
    place: Axes,
    model: str,
    matrix: np.ndarray | None,
    ranks: np.ndarray,
    words: Sequence[str],
    limit: float,
) -> AxesImage | None:
    """One panel, its ticks at the values of the first factor; says so where the matrix is not defined."""
    place.set_title(model, fontweight="bold")
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


def _capacity_matrix(view: RunView, model: str, low: int, high: int, order: np.ndarray) -> np.ndarray | None:
    """Class distortion matrix whose classes are these stimuli, in their order; None where it is not
    defined.
    """
    small, large = view.shown(model, low), view.shown(model, high)
    place = np.full(len(small.record["frequency"]), -1)
    place[order] = np.arange(len(order))
    kept = small.occurs & (place[small.stimuli] >= 0)
    try:
        return distortion_of_some(small.codes, large.codes, place[small.stimuli], kept, len(order)).values
    except RequestError:  # a model that diverged, or collapsed at the highest capacity
        return None

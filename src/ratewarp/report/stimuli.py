"""Figures over the grid of stimuli: what the images look like, and what low capacity does to the distance of
every two stimuli.
"""

from __future__ import annotations

from itertools import product
from math import ceil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ratewarp._checks import RequestError
from ratewarp.report.factor_grid import FactorGrid, factor_grid, shown_pixels
from ratewarp.report.panels import draw_image
from ratewarp.report.style import DIVERGING_MAP, INK, MUTED, RULE
from ratewarp.report.views import RunView, distortion_of_some

_SHOWN_VALUES = 5  # of each factor, in the figure of images
_LIMIT = 0.98  # quantile of the entries at which the colours end


def images_figure(view: RunView) -> Figure:
    """One image of stimuli spread over the grid: first factor down, second across; some of them in order
    where that is no plane.
    """
    record = view.record(view.conditions[0])
    grid = factor_grid(record)
    if not grid.is_plane:
        return _some_images(view, grid, record["image"].values)
    values, names = record["factor_value"].values, record["factor"].values
    down, across = (np.unique(values[:, axis]) for axis in (0, 1))
    rows, columns = (
        choice[np.linspace(0, len(choice) - 1, min(_SHOWN_VALUES, len(choice))).round().astype(int)]
        for choice in (down, across)
    )
    figure, axes = plt.subplots(
        len(rows), len(columns), figsize=(0.95 * len(columns) + 0.7, 0.95 * len(rows) + 0.6), squeeze=False
    )
    figure.subplots_adjust(left=0.13, right=0.98, top=0.93, bottom=0.02, wspace=0.08, hspace=0.08)
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        stimulus = int(np.flatnonzero((values[:, 0] == row) & (values[:, 1] == column))[0])
        draw_image(axes[i, j], shown_pixels(record["image"].values[stimulus], view.study.source.pixels))
        if i == 0:
            axes[i, j].set_title(f"{names[1]} = {column:g}")
        if j == 0:
            axes[i, j].set_ylabel(f"{names[0]} = {row:g}")
    return figure


def _some_images(view: RunView, grid: FactorGrid, images: np.ndarray) -> Figure:
    order = np.lexsort(grid.ranks.T[::-1]) if grid.names else np.arange(len(images))
    chosen = order[np.linspace(0, len(order) - 1, min(_SHOWN_VALUES**2, len(order))).round().astype(int)]
    rows = ceil(len(chosen) / _SHOWN_VALUES)
    figure, axes = plt.subplots(
        rows, _SHOWN_VALUES, figsize=(5.5, 1.25 * rows), squeeze=False, layout="constrained"
    )
    for place, stimulus in zip(axes.flat, chosen, strict=False):
        draw_image(place, shown_pixels(images[stimulus], view.study.source.pixels))
        described = [
            f"{name} = {value:g}" for name, value in zip(grid.names, grid.values[stimulus], strict=True)
        ]
        place.set_title("\n".join(described) or f"stimulus {stimulus}", fontsize=6.5)
    for place in axes.flat[len(chosen) :]:
        place.set_visible(False)
    return figure


def capacity_figure(view: RunView) -> Figure | None:
    """How the distance of every two stimuli changes from the highest capacity to the lowest, a panel per
    model.

    An entry is the mean ratio of distances, low over high capacity, minus the mean over all pairs; stimuli
    are in order of the first factor, then of the second. None where a study has one capacity only.
    """
    high, low = view.levels[0], view.levels[-1]
    if high == low:
        return None
    matrices = {model: _capacity_matrix(view, model, low, high) for model in view.drawn.names}
    found = [np.abs(matrix) for matrix in matrices.values() if matrix is not None]
    limit = max([0.1, *(float(np.nanquantile(one, _LIMIT)) for one in found)])
    columns = min(4, len(matrices))
    rows = ceil(len(matrices) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.3 * columns + 0.9, 2.45 * rows + 0.4), squeeze=False, layout="constrained"
    )
    record = view.record(view.conditions[0])
    grid = factor_grid(record)
    first = grid.values[:, 0] if grid.names else np.arange(len(grid.values))
    drawn = [
        _draw_matrix(place, model, matrix, first, limit)
        for place, (model, matrix) in zip(axes.flat, matrices.items(), strict=False)
    ]
    for place in axes.flat[len(matrices) :]:
        place.set_visible(False)
    axis = (
        f"stimulus, by {' then '.join(grid.names)} (numbers: {grid.names[0]})" if grid.names else "stimulus"
    )
    figure.supxlabel(f"{axis} · {view.note(view.seed_note)}", fontsize=8, color=INK)
    if images := [image for image in drawn if image is not None]:
        bar = figure.colorbar(images[0], ax=axes, shrink=0.7, pad=0.01, extend="both")
        bar.set_label(
            f"distance ratio, {view.label(low)} over {view.label(high)},\nminus its mean over all pairs",
            fontsize=7.5,
        )
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def _draw_matrix(
    place: Axes, model: str, matrix: np.ndarray | None, values: np.ndarray, limit: float
) -> AxesImage | None:
    """One panel, its ticks at the values of the first factor; says so where the matrix is not defined."""
    place.set_title(model, fontweight="bold")
    if matrix is None:
        place.text(0.5, 0.5, "not defined", ha="center", va="center", transform=place.transAxes, color=MUTED)
        place.set(xticks=[], yticks=[])
        return None
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    middles = starts + np.diff(np.append(starts, len(values))) / 2 - 0.5
    every = slice(None, None, 3)
    labels = [f"{values[start]:g}" for start in starts][every]
    place.set_xticks(middles[every], labels=labels)
    place.set_yticks(middles[every], labels=labels)
    place.tick_params(length=2, color=RULE)
    for side in place.spines.values():
        side.set_color(RULE)
    return place.imshow(matrix, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, interpolation="nearest")


def _capacity_matrix(view: RunView, model: str, low: int, high: int) -> np.ndarray | None:
    """Class distortion matrix whose classes are the stimuli; None where it is not defined."""
    small, large = view.shown(model, low), view.shown(model, high)
    try:
        return distortion_of_some(
            small.codes, large.codes, small.stimuli, small.occurs, len(small.record["frequency"])
        ).values
    except RequestError:  # a model that diverged, or collapsed at the highest capacity
        return None

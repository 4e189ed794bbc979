"""The overview: maps of all models, or of the selection that is drawn, at every level."""

from __future__ import annotations

from itertools import product
from math import ceil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.legends import factor_legend, scheme_legend
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.pictured import are_seen
from ratewarp.report.style import CLASS_COLOURS, fitted, note_below
from ratewarp.report.thumbnails import draw_image_map
from ratewarp.report.views import ConditionView, RunView, scheme_colours

_COLUMNS = 8  # maps side by side; more models stand in strips one below the other


def overview_figure(view: RunView) -> Figure:
    """Maps of models, capacity falling from top to bottom.

    Models with a labelling are coloured by it, the others by a factor.
    """
    models, levels = view.drawn.names, view.map_levels
    strips = ceil(len(models) / _COLUMNS)
    columns = ceil(len(models) / strips)
    height, rows = 2.5 * len(levels) + 0.75, strips * len(levels)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.55 * columns + 0.5, strips * height), squeeze=False, layout="constrained"
    )
    for place in axes.flat:
        place.set_visible(False)

    extents = {level: map_extent([view.shown(model, level) for model in models]) for level in levels}
    for (number, model), (row, level) in product(enumerate(models), enumerate(levels)):
        strip, column = divmod(number, columns)
        place = axes[strip * len(levels) + row, column]
        place.set_visible(True)
        shown = view.shown(model, level)
        _draw(place, shown, extents[level])
        if column == 0:
            place.set_ylabel(view.label(level), fontsize="large")
        if row == 0:
            above = "\n" if strip else ""  # room below the strip before
            place.set_title(above + model, fontsize=fitted(11, model), fontweight="bold", pad=8)
        if row == len(levels) - 1:
            _class_legend(place, shown)

    note_below(figure, view.note(_levels_note(view), view.mapped_note, view.seed_note))
    return figure


def _levels_note(view: RunView) -> str:
    """How many of the levels have a row, where that is not all."""
    rows, all_of_them = len(view.map_levels), len(view.levels)
    return "" if rows == all_of_them else f"{rows} of {all_of_them} capacities, evenly spread"


def _draw(place: Axes, view: ConditionView, extent: float) -> None:
    """The map of one condition, coloured by its first labelling, else by the first factor; with images where
    it has neither.
    """
    setting, grid = view.condition.setting, view.grid
    scheme = next(iter(setting.class_schemes()), None)
    if scheme is None and not grid.names and are_seen(setting.source):
        draw_image_map(place, view, extent=extent)
        return
    if scheme is not None:
        colours = scheme_colours(scheme, setting)
    else:
        colours = grid.stimulus_colours(0) if grid.names else np.full(len(grid.ranks), CLASS_COLOURS[0])
    draw_map(place, view, colours, extent=extent, labels=False)


def _class_legend(axes: Axes, view: ConditionView) -> None:
    """Says below the axes what the colours mean."""
    schemes = view.condition.setting.class_schemes()
    if not schemes:
        factor_legend(axes, view.grid)
        return
    scheme, labels = next(iter(schemes.items()))
    scheme_legend(axes, scheme, int(labels.max()) + 1, view.condition.setting)

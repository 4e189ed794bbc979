"""The overview: maps of all models, or of the selection that is drawn, at every level."""

from __future__ import annotations

from itertools import product
from math import ceil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.factor_grid import cut
from ratewarp.report.inches import axes_at, height_of_note, note_at_foot
from ratewarp.report.legends import Key, draw_key, grid_key, scheme_key
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.pictured import are_seen
from ratewarp.report.style import CLASS_COLOURS, DOUBLE, LETTER
from ratewarp.report.thumbnails import draw_image_map
from ratewarp.report.views import ConditionView, RunView, scheme_colours

_COLUMNS = 7  # maps side by side; more models stand in strips one below the other
_LARGEST = 2.2  # inches of a map
_LEFT, _ABOVE, _GAP = 0.24, 0.24, 0.07


def overview_figure(view: RunView) -> Figure:
    """Maps of models, capacity falling from top to bottom.

    Models with a labelling are coloured by it, the others by a factor.
    """
    models, levels = view.drawn.names, view.map_levels
    strips = ceil(len(models) / _COLUMNS)
    columns = ceil(len(models) / strips)
    side = min(_LARGEST, (DOUBLE - _LEFT) / columns - _GAP)
    keys = {model: _key(view.shown(model, levels[-1]), side) for model in models}
    strip_height = _ABOVE + len(levels) * (side + _GAP) + max(key.inches for key in keys.values())
    width = _LEFT + columns * (side + _GAP)
    note = view.note(_levels_note(view), view.mapped_note, view.seed_note)
    figure = plt.figure(figsize=(width, strips * strip_height + height_of_note(note, width)))
    extents = {level: map_extent([view.shown(model, level) for model in models]) for level in levels}
    for (number, model), (row, level) in product(enumerate(models), enumerate(levels)):
        strip, column = divmod(number, columns)
        left, top = _LEFT + column * (side + _GAP), strip * strip_height + _ABOVE + row * (side + _GAP)
        place = axes_at(figure, left, top, side, side)
        draw_model_map(place, view.shown(model, level), extents[level])
        if column == 0:
            place.set_ylabel(view.label(level), labelpad=3)
        if row == 0:
            place.set_title(cut(model, int(side / LETTER)), pad=4)
        if row == len(levels) - 1:
            draw_key(place, keys[model])
    note_at_foot(figure, note)
    return figure


def _levels_note(view: RunView) -> str:
    """How many of the levels have a row, where that is not all."""
    rows, all_of_them = len(view.map_levels), len(view.levels)
    return "" if rows == all_of_them else f"{rows} of {all_of_them} capacities, evenly spread"


def draw_model_map(place: Axes, view: ConditionView, extent: float) -> None:
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


def _key(view: ConditionView, inches: float) -> Key:
    """What the colours of a map mean."""
    schemes = view.condition.setting.class_schemes()
    if not schemes:
        return grid_key(view.grid, inches)
    scheme, labels = next(iter(schemes.items()))
    return scheme_key(scheme, int(labels.max()) + 1, view.condition.setting, inches)

"""The figure of the reference model: its codes as images, coloured by each factor, and tuning curves."""

from __future__ import annotations

from math import ceil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.factor_grid import cut
from ratewarp.report.inches import axes_at, height_of_note, inches_of, note_at_foot
from ratewarp.report.legends import factor_key
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.pictured import are_seen
from ratewarp.report.style import CLASS_COLOURS, DOUBLE, LETTER
from ratewarp.report.thumbnails import draw_image_map
from ratewarp.report.tuning_panel import draw_tuning, shown_latents, tuning_heading, tuning_plan
from ratewarp.report.views import ConditionView, RunView

_LEFT, _ABOVE, _GAP = 0.24, 0.2, 0.08
_MAP, _KEY = 1.7, 0.22  # inches of a map, and of the key below it
_ACROSS = 4  # maps side by side
_BESIDE, _FEW = 2, 8  # maps and latents up to which tuning curves stand beside the maps


def reference_figure(view: RunView) -> Figure:
    """The reference model, a strip of panels per level (`RunView.panel_levels`)."""
    shown = [view.shown(view.study.reference, level) for level in view.panel_levels]
    panels, first = _panels(shown[0]), shown[0]
    across = ceil(len(panels) / ceil(len(panels) / _ACROSS))
    down = ceil(len(panels) / across)
    side = min(_MAP, (DOUBLE - _LEFT) / across - _GAP)
    beside = len(panels) <= _BESIDE and shown_latents(first) <= _FEW
    left = _LEFT + (len(panels) * (side + _GAP) + 0.1 if beside else 0.0)
    width = DOUBLE - left - 0.04
    plan, maps = tuning_plan(first, width), down * (side + _KEY + _ABOVE)
    each = max(maps, _ABOVE + plan.height + 0.05) if beside else maps + _ABOVE + plan.height + 0.15
    spread = "" if first.grid.is_plane else "bands and bars: ± 1 s.d. over stimuli"
    note = " · ".join(filter(None, (spread, first.grid.note, view.mapped_note, view.seed_note)))
    figure = plt.figure(figsize=(DOUBLE, len(shown) * each + height_of_note(note, DOUBLE)))
    for row, one in enumerate(shown):
        extent = map_extent([one])
        for number, panel in enumerate(panels):
            line, column = divmod(number, across)
            top = row * each + _ABOVE + line * (side + _KEY + _ABOVE)
            axes = axes_at(figure, _LEFT + column * (side + _GAP), top, side, side)
            draw_reference_map(axes, one, panel, extent, titled=row == 0 or down > 1)
            if number == 0:
                axes.set_ylabel(one.label, labelpad=3)
        top = row * each + _ABOVE + (0.0 if beside else maps)
        if (beside and row == 0) or not beside:
            figure.text(
                left / DOUBLE,
                1 - (top - 0.06) / figure.get_figheight(),
                tuning_heading(one),
                fontsize="small",
            )
        draw_tuning(axes_at(figure, left, top, width, plan.height), one, names=row == len(shown) - 1)
    note_at_foot(figure, note)
    return figure


def _panels(view: ConditionView) -> list[int | None]:
    """Factors that maps are coloured by, after None for a map of images; of none, one map."""
    seen = are_seen(view.condition.setting.source) or not view.grid.names
    return [*([None] if seen else []), *view.grid.shown]


def draw_reference_map(
    axes: Axes, view: ConditionView, factor: int | None, extent: float, *, titled: bool
) -> None:
    """A map coloured by a factor, with a key below; of images, or in one colour, where there is none."""
    grid, room = view.grid, int(inches_of(axes)[0] / LETTER)
    if factor is not None:
        title = cut(f"codes, coloured by {grid.names[factor]}", room)
        labels = not are_seen(view.condition.setting.source)
        colours = grid.stimulus_colours(factor)
        draw_map(axes, view, colours, extent=extent, title=title if titled else "", labels=labels)
        factor_key(axes, grid, factor)
    elif are_seen(view.condition.setting.source):
        draw_image_map(axes, view, extent=extent, title="codes, as images" if titled else "")
    else:
        colours = np.full(len(grid.ranks), CLASS_COLOURS[0])
        draw_map(axes, view, colours, extent=extent, title="codes" if titled else "", labels=False)

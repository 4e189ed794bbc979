"""The figure of the reference model for any factors: its codes as images, coloured by each factor, and tuning
curves.
"""

from __future__ import annotations

from math import ceil

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from ratewarp.report.legends import factor_key
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.pictured import are_seen
from ratewarp.report.style import CLASS_COLOURS, MUTED
from ratewarp.report.thumbnails import draw_image_map
from ratewarp.report.tuning_rows import draw_tuning_row, height_of_rows, shown_latents
from ratewarp.report.views import ConditionView, RunView

_MAP, _KEY, _TITLE = 2.3, 0.32, 0.26  # of a map, the key below and the title above it, inches
_LATENT = 0.85
_ACROSS = 4  # maps side by side
_LEFT, _ABOVE, _BELOW = 0.42, 0.5, 0.3
_APART, _FAR_APART = 0.3, 0.45  # between a level and the next; where each has several rows of maps


def tuning_heading(view: ConditionView) -> str:
    """Over tuning curves: how many of the latents have them, where not all do."""
    shown, latents = shown_latents(view), len(view.order)
    return "tuning curves" if shown == latents else f"tuning curves of {shown} of {latents} latents"


def factors_figure(view: RunView) -> Figure:
    """The reference model, a strip of panels per level (`RunView.panel_levels`)."""
    shown = [view.shown(view.study.reference, level) for level in view.panel_levels]
    panels = _panels(shown[0])
    across = ceil(len(panels) / ceil(len(panels) / _ACROSS))
    down = ceil(len(panels) / across)
    each = max(down * (_MAP + _KEY + _TITLE), height_of_rows(shown[0]))
    strip = _LATENT * shown_latents(shown[0])
    width = _LEFT + across * (_MAP + 0.15) + strip + 0.35
    apart = _APART if down == 1 else _TITLE + _FAR_APART
    height = _ABOVE + len(shown) * each + (len(shown) - 1) * apart + _BELOW
    figure = plt.figure(figsize=(width, height))
    grid = GridSpec(
        len(shown),
        2,
        figure,
        width_ratios=[across * (_MAP + 0.15), strip],
        left=_LEFT / width,
        right=1 - 0.1 / width,
        top=1 - _ABOVE / height,
        bottom=_BELOW / height,
        hspace=apart / each,
        wspace=0.5 / (across * (_MAP + 0.15) + strip),
    )
    for row, one in enumerate(shown):
        cells = grid[row, 0].subgridspec(down, across, wspace=0.06, hspace=(_KEY + _TITLE) / _MAP)
        extent = map_extent([one])
        for number, panel in enumerate(panels):
            axes = figure.add_subplot(cells[number // across, number % across])
            _draw_panel(axes, one, panel, extent, first=row == 0 or down > 1)
            if number == 0:
                axes.set_ylabel(one.label, fontsize="large")
        heading = tuning_heading(one) if row == 0 else ""
        draw_tuning_row(figure, grid[row, 1], one, heading=heading, lowest=row == len(shown) - 1)
    spread = "" if shown[0].grid.is_plane else "bands and bars: ± 1 s.d. over stimuli"
    note = " · ".join(filter(None, (spread, shown[0].grid.note, view.mapped_note, view.seed_note)))
    figure.text(0.995, 0.05 / height, note, ha="right", va="bottom", fontsize="small", color=MUTED)
    return figure


def _panels(view: ConditionView) -> list[int | None]:
    """Factors that maps are coloured by, after None for a map of images; of none, one map."""
    seen = are_seen(view.condition.setting.source) or not view.grid.names
    return [*([None] if seen else []), *view.grid.shown]


def _draw_panel(axes: Axes, view: ConditionView, factor: int | None, extent: float, *, first: bool) -> None:
    grid = view.grid
    if factor is not None:
        title = f"codes, coloured by {grid.names[factor]}"
        labels = not are_seen(view.condition.setting.source)
        colours = grid.stimulus_colours(factor)
        draw_map(axes, view, colours, extent=extent, title=title if first else "", labels=labels)
        factor_key(axes, grid, factor)
    elif are_seen(view.condition.setting.source):
        draw_image_map(axes, view, extent=extent, title="codes, as images" if first else "")
    else:
        colours = np.full(len(grid.ranks), CLASS_COLOURS[0])
        draw_map(axes, view, colours, extent=extent, title="codes" if first else "", labels=False)

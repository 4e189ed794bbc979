"""The figure of one model under one labelling, beside the reference."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ratewarp.report.class_panels import ClassPanels
from ratewarp.report.classes import MANY
from ratewarp.report.factor_grid import cut
from ratewarp.report.inches import axes_at, height_of_note, note_at_foot
from ratewarp.report.legends import draw_key, scheme_key
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.style import DOUBLE, LETTER, LINE, SMALL
from ratewarp.report.tuning_panel import draw_tuning, shown_latents, tuning_heading, tuning_plan
from ratewarp.report.views import ConditionView, RunView, scheme_colours

_LEFT, _ABOVE, _GAP = 0.24, 0.42, 0.08
_MAP, _MATRIX, _NAMES = 1.58, 1.15, 0.5  # inches of a map, of a matrix, and of the names beside it
_HEADING = LINE + 0.02
_FEW, _FEW_BELOW = 6, 8  # latents up to which tuning curves stand beside the maps; below, side by side
_BAR = 0.45  # below a matrix, for the colours of many classes


def model_figure(view: RunView, model: str, scheme: str) -> Figure:
    """One model under one labelling: the reference's map and its own, tuning curves of both, class distortion
    matrix; a row is a level of `RunView.panel_levels`.
    """
    levels, first = view.panel_levels, view.shown(model, view.panel_levels[0])
    plan = _Plan(first, scheme)
    note = " · ".join(filter(None, (view.mapped_note, view.seed_note)))
    height = _ABOVE + len(levels) * plan.each + plan.below + height_of_note(note, DOUBLE)
    figure = plt.figure(figsize=(DOUBLE, height))
    matrices = ClassPanels(view, model, scheme, levels)
    for row, level in enumerate(levels):
        top, last = _ABOVE + row * plan.each, row == len(levels) - 1
        shown = view.shown(model, level)
        pair = (view.reference_of(shown), shown)
        _draw_maps(figure, view, pair, scheme, top, titled=row == 0)
        if last or not plan.beside:
            draw_key(_over_both(figure, top), plan.key)
        for one, (left, start) in zip(pair, plan.tuning(top), strict=True):
            place = axes_at(figure, left, start, plan.width, plan.curves.height)
            _draw_tuning(place, one, scheme, plan.width, names=last and one is shown)
        place = axes_at(figure, plan.matrix, top, _MATRIX, _MATRIX)
        image = matrices.draw(place, level, room=_MATRIX + _NAMES if row == 0 else 0.0)
        if image is not None and plan.classes >= MANY and last:
            _draw_scale(figure, image, plan.matrix, top + _MATRIX + 0.24)
    note_at_foot(figure, note)
    return figure


class _Plan:
    """Where the panels of a level are, inches: tuning curves beside the maps, or below them where they are
    many: those of the reference and of the model above each other or, below the maps, side by side if there
    is room.
    """

    def __init__(self, view: ConditionView, scheme: str) -> None:
        setting, latents = view.condition.setting, shown_latents(view)
        self.classes = int(setting.class_schemes()[scheme].max()) + 1
        self.key = scheme_key(scheme, self.classes, setting, 2 * _MAP)
        self.beside = view.grid.is_plane and latents <= _FEW
        maps = _LEFT + 2 * (_MAP + _GAP)
        self.matrix = DOUBLE - _MATRIX - 0.03 if self.beside else maps + _NAMES + 0.1
        self.left = maps + 0.05 if self.beside else _LEFT
        self.stacked = self.beside or latents > _FEW_BELOW
        free = DOUBLE - self.left - 0.05 - (_MATRIX + _NAMES if self.beside else 0.0)
        self.width = free if self.stacked else free / 2 - 0.1
        self.curves = tuning_plan(view, self.width, scheme)
        under = max(self.key.inches, _BAR if self.classes >= MANY else 0.2)
        curves = (1 + self.stacked) * (self.curves.height + _HEADING)
        self.each = max(_MAP, curves) + 0.1 if self.beside else _MAP + under + curves + 0.12
        self.below = under if self.beside else 0.0
        self.under = _MAP + under

    def tuning(self, top: float) -> list[tuple[float, float]]:
        """Left and upper end of both panels of tuning curves of a level."""
        start = top + _HEADING + (0.0 if self.beside else self.under)
        if self.stacked:
            return [(self.left, start), (self.left, start + self.curves.height + _HEADING)]
        return [(self.left, start), (self.left + self.width + 0.2, start)]


def _draw_maps(
    figure: Figure,
    view: RunView,
    pair: tuple[ConditionView, ConditionView],
    scheme: str,
    top: float,
    *,
    titled: bool,
) -> None:
    """The reference and the model, on one scale and in the same colours."""
    extent, model = map_extent(pair), pair[1].condition.model
    colours = scheme_colours(scheme, view.settings[model])
    for column, one in enumerate(pair):
        axes = axes_at(figure, _LEFT + column * (_MAP + _GAP), top, _MAP, _MAP)
        name = cut(one.condition.model, int(_MAP / LETTER))
        draw_map(axes, one, colours, extent=extent, title=name if titled else "")
        if column == 0:
            axes.set_ylabel(one.label, labelpad=3)


def _over_both(figure: Figure, top: float) -> Axes:
    """Axes as wide as both maps, of which nothing is seen."""
    axes = axes_at(figure, _LEFT, top, 2 * _MAP + _GAP, _MAP)
    axes.set_axis_off()
    return axes


def _draw_tuning(axes: Axes, view: ConditionView, scheme: str, width: float, *, names: bool) -> None:
    """Tuning curves below a heading, which is short where there is little room."""
    heading = f"{cut(view.condition.model, 20)}: {tuning_heading(view)}"
    short = heading if len(heading) * LETTER < width else heading.partition(" (")[0]
    axes.annotate(short, (0, 1), (0, 1), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL)
    draw_tuning(axes, view, scheme=scheme, names=names)


def _draw_scale(figure: Figure, image: AxesImage, left: float, top: float) -> None:
    """The colours of matrices without numbers, below them."""
    place = axes_at(figure, left + 0.03, top, _MATRIX - 0.06, 0.06)
    bar = figure.colorbar(image, cax=place, extend="both", orientation="horizontal")
    bar.set_label("distance ratio − its mean", fontsize=SMALL, labelpad=1)
    bar.ax.tick_params(labelsize=SMALL, length=2, pad=1)
    bar.outline.set_visible(False)  # type: ignore[operator]

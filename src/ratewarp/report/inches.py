"""Figures laid out in inches from their upper left corner, where panels are alike: no search for places."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.style import LINE, MUTED, SMALL, in_lines

_EDGE = 0.05


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes whose frame is there, inches."""
    across, down = figure.get_size_inches()
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def inches_of(axes: Axes) -> tuple[float, float]:
    """Width and height of axes, inches."""
    box = axes.get_window_extent()
    dpi = axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    return box.width / dpi, box.height / dpi


def height_of_note(note: str, width: float) -> float:
    """Inches that a note takes at the foot of a figure of this width; 0 without one."""
    return LINE * (in_lines(note, width).count("\n") + 1) + _EDGE if note else 0.0


def note_at_foot(figure: Figure, note: str) -> None:
    """What to know of a figure, in its lower right corner."""
    across, down = figure.get_size_inches()
    place = (1 - _EDGE / across, _EDGE / down)
    told = in_lines(note, across)
    figure.text(*place, told, ha="right", va="bottom", fontsize=SMALL, color=MUTED, linespacing=1.1)

"""A row of tuning curves in a cell of a figure's grid."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from ratewarp.report.marginals import draw_marginals, readings
from ratewarp.report.panels import draw_tuning
from ratewarp.report.style import MUTED
from ratewarp.report.views import ConditionView

MOST_LATENTS = 16  # that have tuning curves
_FEW_LATENTS = 4  # above whose tuning curves a line is short
_LINE, _TALLEST = 0.42, 0.72  # heights of a panel of a small line, inches
_BETWEEN, _WORDS = 0.22, 0.75  # of the room below each, and for words above and below all


def shown_latents(view: ConditionView) -> int:
    """How many latents have tuning curves: all, or of many those of the highest rate."""
    return min(len(view.order), MOST_LATENTS)


def height_of_rows(view: ConditionView) -> float:
    """Inches that the tuning curves of one condition take, with the words above and below them."""
    return 0.0 if view.grid.is_plane else _WORDS + (_LINE + _BETWEEN) * max(1, len(view.grid.shown))


def draw_tuning_row(
    figure: Figure,
    cell: SubplotSpec,
    view: ConditionView,
    *,
    heading: str,
    lowest: bool,
    scheme: str = "",
) -> None:
    """Tuning curves of a condition, with a heading above: over the plane of two factors, or by one factor at
    a time.

    Arguments:
        figure: where the cell is.
        cell: of the figure's grid.
        view: the condition.
        heading: above; empty for none.
        lowest: whether to say what is across.
        scheme: labelling by whose classes stimuli without factors are told apart.
    """
    if view.grid.is_plane:
        _draw_planes(figure, cell, view, heading=heading, lowest=lowest)
        return
    rows, latents = readings(view, scheme), shown_latents(view)
    height = cell.get_position(figure).height * figure.get_figheight()
    line = min(_TALLEST, max(_LINE, (height - _WORDS) / len(rows) - _BETWEEN))
    taken = len(rows) * line + (len(rows) - 1) * _BETWEEN
    free = max(0.1, height - taken)
    inner = cell.subgridspec(3, 1, height_ratios=[free / 2, taken, free / 2], hspace=0)
    lines = inner[1].subgridspec(len(rows), latents, wspace=0.12, hspace=_BETWEEN / line)
    axes = [[figure.add_subplot(lines[i, j]) for j in range(latents)] for i in range(len(rows))]
    draw_marginals(axes, view, rows, latents)
    if heading:
        _write_heading(axes[0], heading, latents, above=26)


def _draw_planes(
    figure: Figure, cell: SubplotSpec, view: ConditionView, *, heading: str, lowest: bool
) -> None:
    """The first factor at the side, the second below the lowest row."""
    latents = shown_latents(view)
    inner = cell.subgridspec(1, latents, wspace=0.1)
    axes = [figure.add_subplot(inner[0, i]) for i in range(latents)]
    draw_tuning(axes, view)
    down, across = view.grid.names
    # turned, so that the arrow points down
    axes[0].set_ylabel(f"← {down}", fontsize="x-small", color=MUTED, labelpad=2)
    if lowest:
        below: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "ha": "center",
            "va": "top",
        }
        axes[0].annotate(f"{across} →", (0.5, 0), (0, -16), fontsize="x-small", color=MUTED, **below)
    if heading:
        _write_heading(axes, heading, latents, above=20)


def _write_heading(axes: list[Axes], heading: str, latents: int, *, above: float) -> None:
    how = (
        "(number below: rate of the latent, nats)"
        if latents > _FEW_LATENTS
        else "(number below: rate\nof the latent, nats)"
    )
    middle = axes[latents // 2]
    middle.annotate(
        f"{heading}\n{how}",
        (0.5 if latents % 2 else -0.05, 1),  # of an even number, the middle lies between two
        (0, above),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="bottom",
    )

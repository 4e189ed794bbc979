"""Tuning curves of all latents of a condition in one pair of axes."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes

from ratewarp.report.factor_grid import cut
from ratewarp.report.inches import inches_of
from ratewarp.report.marginals import Box, Reading, draw_marginal, marginal, readings
from ratewarp.report.style import INK, LETTER, LINE, MUTED, SMALL, TUNING_MAP
from ratewarp.report.views import ConditionView

MOST_LATENTS = 16  # that have tuning curves
_NARROWEST, _WIDEST = 0.34, 0.72  # of a latent, inches
_GAP = 0.06  # between two
_CURVE = 0.4  # height of a curve by one factor
_SIDE = 0.14  # for a name beside planes
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Plan(NamedTuple):
    """Where tuning curves stand, inches.

    Attributes:
        columns: of latents.
        rows: likewise.
        pitch: from a latent to the next.
        tall: height of one picture of a latent.
        lines: pictures of a latent, one below the other.
        height: of all.
    """

    columns: int
    rows: int
    pitch: float
    tall: float
    lines: int
    height: float


def shown_latents(view: ConditionView) -> int:
    """How many latents have tuning curves: all, or of many those of the highest rate."""
    return min(len(view.order), MOST_LATENTS)


def tuning_heading(view: ConditionView) -> str:
    """Over tuning curves: how many of the latents have them, where not all do."""
    shown, latents = shown_latents(view), len(view.order)
    of = "tuning curves" if shown == latents else f"tuning curves of {shown} of {latents} latents"
    return f"{of} (number below: rate of the latent, nats)"


def tuning_plan(view: ConditionView, width: float, scheme: str = "") -> Plan:
    """Where they stand in a panel of this width."""
    latents, plane = shown_latents(view), view.grid.is_plane
    free = width - _SIDE * plane
    columns = min(latents, max(1, int(free / _NARROWEST)))
    columns = ceil(latents / ceil(latents / columns))
    pitch = min(_WIDEST, free / columns)
    tall, lines = _CURVE, 1
    if plane:
        tall = (pitch - _GAP) * _height_of_plane(view)
    else:
        lines = len(readings(view, scheme))
    rows = ceil(latents / columns)
    each = 2 * LINE + lines * tall + (lines - plane) * LINE
    return Plan(columns, rows, pitch, tall, lines, rows * each + LINE * plane)


def draw_tuning(axes: Axes, view: ConditionView, *, scheme: str = "", names: bool = True) -> None:
    """Draws tuning curves, most informative latent first, on a common scale of 0–1: over the plane of two
    factors (first down, second across) or by one factor at a time.

    Arguments:
        axes: where to draw.
        view: the condition.
        scheme: labelling by whose classes stimuli without factors are told apart.
        names: whether to write the names of the factors of a plane.
    """
    width, height = inches_of(axes)
    plan, plane = tuning_plan(view, width, scheme), view.grid.is_plane
    rows = (
        []
        if plane
        else [(reading, marginal(view.tuning, reading.groups)) for reading in readings(view, scheme)]
    )
    each = (plan.height - LINE * plane) / plan.rows
    for latent in range(shown_latents(view)):
        row, column = divmod(latent, plan.columns)
        box: Box = (_SIDE * plane + column * plan.pitch, row * each + LINE, plan.pitch - _GAP, plan.tall)
        _name(axes, view, latent, box, below=each - 2 * LINE if plane else 0.0)
        if plane:
            _draw_plane(axes, view, latent, box)
        for line, (reading, found) in enumerate(rows):
            left, top, wide, tall = box
            place = (left, top + LINE + line * (tall + LINE), wide, tall)
            draw_marginal(axes, place, reading, found, latent)
            if column == 0:
                _name_reading(axes, reading, place, plan)
    if plane and names:
        _name_factors(axes, view, plan, each)
    axes.set(xlim=(0, width), ylim=(max(height, plan.height), 0))
    axes.set_axis_off()


def _height_of_plane(view: ConditionView) -> float:
    """Height over width of a plane: that of its numbers of values, or 1 where one factor has many more."""
    down, across = view.grid.sizes
    return down / across if max(down, across) <= 2 * min(down, across) else 1.0


def _name(axes: Axes, view: ConditionView, latent: int, box: Box, *, below: float) -> None:
    """The latent's number above it, and its rate below that, or below a plane."""
    left, top, wide, _ = box
    middle, number = left + wide / 2, str(int(view.order[latent]) + 1).translate(_SUBSCRIPTS)
    axes.text(middle, top - 0.02, f"z{number}", ha="center", va="bottom", fontsize=SMALL, color=INK)
    under = top + below + 0.02 if below else top - 0.01
    rate = f"{view.latent_rates[latent]:.2f}"
    axes.text(middle, under, rate, ha="center", va="top", fontsize=SMALL, color=MUTED)


def _draw_plane(axes: Axes, view: ConditionView, latent: int, box: Box) -> None:
    left, top, wide, tall = box
    axes.imshow(
        view.grid.laid_out(view.tuning[:, latent]),
        cmap=TUNING_MAP,
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(left, left + wide, top + tall, top),
        aspect="auto",
    )


def _name_reading(axes: Axes, reading: Reading, place: Box, plan: Plan) -> None:
    left, top, _, tall = place
    words = cut(reading.title, int(plan.columns * plan.pitch / LETTER))
    axes.text(left, top + tall + 0.01, words, ha="left", va="top", fontsize=SMALL, color=MUTED)


def _name_factors(axes: Axes, view: ConditionView, plan: Plan, each: float) -> None:
    """The first factor at the side, the second below the lowest row."""
    down, across = (cut(name, max(3, int(plan.tall / LETTER) + 2)) for name in view.grid.names)
    side = {"ha": "center", "va": "center", "rotation": 90, "fontsize": SMALL, "color": MUTED}
    axes.text(_SIDE / 2 - 0.02, LINE + plan.tall / 2, f"← {down}", **side)
    low = plan.rows * each + 0.01
    axes.text(_SIDE, low, f"{across} →", ha="left", va="top", fontsize=SMALL, color=MUTED)

"""Phase diagrams: over capacity and two more axes, where each warp stands out, where several coexist, and
where they do in optimal codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from ratewarp.report.phase_view import Grid, PhaseView, phase_view
from ratewarp.report.style import (
    DIVERGING_MAP,
    DOUBLE,
    INK,
    LETTER,
    LINE,
    MUTED,
    PANEL_WIDTH,
    RULE,
    SMALL,
    note_below,
)
from ratewarp.report.views import RunView
from ratewarp.results.phases import LEVEL, WARPS

# which of the three warps are there, as bits → colour: the more, the darker
PHASE_COLOURS = ("#eceff2", "#8ecbee", "#f2c14e", "#c4668f", "#7fcfae", "#2a78a8", "#8a7a1f", "#1d2733")
_LIMIT = 0.98  # quantile of the values at which colours end
_PANEL, _NAMES = 1.2, 1.25  # inches of a panel, at most, and of what stands beside all
_SWATCH = 0.5  # inches of a legend's colour and the room around it
_MOST_TICKS = 4
_UPRIGHT = 20  # letters of all ticks that stand side by side below a panel
_TITLES = dict(zip(WARPS, ("Specialization", "Prototypization", "Orthogonalization"), strict=True))
_OPTIMAL = "of optimal codes"
_ABOVE: dict[str, Any] = {"title_fontsize": SMALL, "alignment": "left", "borderaxespad": 0.2}


def phase_figure(view: RunView) -> Figure | None:
    """Which warps stand out together: of models above, of optimal codes below; a column a capacity."""
    phase = phase_view(view)
    if phase is None:
        return None
    sides = {"trained models": phase.stands_out}
    if not view.table("normative").empty:
        sides["optimal codes"] = phase.optimal_stands_out
    figure, axes = _panels(phase, len(sides))
    for row, (name, stands_out) in zip(axes, sides.items(), strict=True):
        bits = which_stand_out(phase, stands_out)
        for place, grid in zip(row, bits, strict=True):
            draw_phases(place, grid)
        row[0].set_ylabel(f"{name}\n{row[0].get_ylabel()}")
    handles = phase_handles([which_stand_out(phase, stands_out) for stands_out in sides.values()])
    room = LETTER * max(len(str(handle.get_label())) for handle in handles) + _SWATCH
    columns = min(len(handles), max(1, int(figure.get_figwidth() / room)))
    figure.set_figheight(figure.get_figheight() + 1.3 * LINE * -(-len(handles) // columns))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    note_below(figure, _note(phase))
    return figure


def phase_indices_figure(view: RunView) -> Figure | None:
    """Every warp's change from the reference, a column a capacity; a dot where it stands out from chance."""
    phase = phase_view(view)
    if phase is None:
        return None
    rows: list[tuple[str, str]] = [(warp, "") for warp in phase.warps]
    if not view.table("normative").empty:
        rows = [(warp, side) for warp in phase.warps for side in ("", _OPTIMAL)]
    figure, axes = _panels(phase, len(rows))
    for strip, (warp, side) in zip(axes, rows, strict=True):
        image: AxesImage | None = None
        for column, place in enumerate(strip):
            image = draw_change(place, phase, warp, column, optimal=bool(side))
        strip[0].set_ylabel(f"{_TITLES[warp]}\n{side}\n{strip[0].get_ylabel()}".replace("\n\n", "\n"))
        assert image is not None
        bar = figure.colorbar(image, ax=list(strip), shrink=0.85, pad=0.01, aspect=12, extend="both")
        name_change(bar)
    note_below(
        figure, f"dots: stands out from chance ({LEVEL:.0%} false discoveries over all maps) · {_note(phase)}"
    )
    return figure


def draw_phases(axes: Axes, grid: np.ndarray) -> None:
    """Which warps are there at one capacity, as bits of every place (`which_stand_out`)."""
    axes.imshow(grid, cmap=ListedColormap(PHASE_COLOURS), vmin=-0.5, vmax=7.5, origin="lower")


def phase_handles(grids: Sequence[np.ndarray]) -> list[Patch]:
    """What the colours of these mean, for a legend."""
    shown = sorted({int(one) for grid in grids for one in np.unique(grid)})
    return [Patch(facecolor=PHASE_COLOURS[bit], edgecolor=RULE, label=phase_name(bit)) for bit in shown]


def draw_change(axes: Axes, phase: PhaseView, warp: str, column: int, *, optimal: bool = False) -> AxesImage:
    """A warp's change from the reference at one capacity, with a dot where it stands out from chance."""
    values, limit = phase.optimal(warp) if optimal else phase.values(warp), _limit(phase, warp)
    image = axes.imshow(values[column], cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, origin="lower")
    if not optimal:
        _dots(axes, phase.stands_out(warp)[column] != 0)
    return image


def name_change(bar: Colorbar) -> None:
    """Says what the colours of a change are."""
    bar.set_label("change", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)  # type: ignore[operator]


def dress_phase(axes: Axes, phase: PhaseView, column: int) -> None:
    """Title, ticks and names of the axes of one panel."""
    (across, values), (down, others) = phase.across, phase.down
    axes.set(title=f"{phase.capacities[column]:g} nats", xlabel=_short(across))
    axes.tick_params(length=2)
    axes.spines[:].set_color(RULE)
    _ticks(axes.set_xticks, values)
    if down:
        _ticks(axes.set_yticks, others)
        axes.set_ylabel(_short(down))
    else:
        axes.set_yticks([])


def phase_slices_figure(view: RunView) -> Figure | None:
    """Every warp along each axis, a line a place of another, with 95 % intervals."""
    phase = phase_view(view)
    if phase is None:
        return None
    cuts = _cuts(phase)
    figure, axes = plt.subplots(
        len(phase.warps),
        len(cuts),
        figsize=(PANEL_WIDTH * len(cuts), 1.9 * len(phase.warps) + 0.8),
        squeeze=False,
        layout="constrained",
    )
    for strip, warp in zip(axes, phase.warps, strict=True):
        for place, (name, ticks, lines, title) in zip(strip, cuts, strict=True):
            _draw_cut(place, phase, warp, ticks, lines)
            place.set_xlabel(name)
            if warp == next(iter(phase.warps)):
                place.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, title=title, **_ABOVE)
        strip[0].set_ylabel(f"{_TITLES[warp]}: change")
    note_below(figure, f"bars: 95 % intervals over seeds · {_note(phase)}")
    return figure


Cut = tuple[str, list[str], list[tuple[str, tuple[Any, ...]]], str]


def _cuts(phase: PhaseView) -> list[Cut]:
    """Along capacity, and along each further axis: its name, ticks, lines (label and index into a grid), and
    where they are.
    """
    (across, columns), (down, rows) = phase.across, phase.down
    middle = [len(one) // 2 for one in (phase.capacities, rows, columns)]
    nats = [f"{one:g}" for one in phase.capacities]
    chosen = lambda many: sorted({0, len(many) // 2, len(many) - 1})  # noqa: E731
    by_capacity: list[tuple[str, tuple[Any, ...]]] = [
        (f"{_short(across)} {columns[x]:g}", (slice(None), middle[1], x)) for x in chosen(columns)
    ]
    at = f"at {_short(down)} {rows[middle[1]]:g}" if down else ""
    by_first: list[tuple[str, tuple[Any, ...]]] = [
        (f"{nats[c]} nats", (c, middle[1], slice(None))) for c in chosen(nats)
    ]
    found: list[Cut] = [
        ("capacity, nats", nats, by_capacity, at),
        (_short(across), [f"{one:g}" for one in columns], by_first, at),
    ]
    if down:
        by_second: list[tuple[str, tuple[Any, ...]]] = [
            (f"{nats[c]} nats", (c, slice(None), middle[2])) for c in chosen(nats)
        ]
        title = f"at {_short(across)} {columns[middle[2]]:g}"
        found.append((_short(down), [f"{one:g}" for one in rows], by_second, title))
    return found


def _draw_cut(
    place: Axes, phase: PhaseView, warp: str, ticks: list[str], lines: Sequence[tuple[str, Any]]
) -> None:
    values, reach = phase.values(warp), phase.reach(warp)
    for number, ((label, index), colour) in enumerate(zip(lines, ("#56b4e9", "#0072b2", INK), strict=False)):
        x = np.arange(len(ticks)) + 0.08 * (number - 1)
        place.errorbar(x, values[index], reach[index], color=colour, marker="o", ms=3, lw=1.1, label=label)
    place.axhline(0, color=MUTED, lw=0.7)
    turned: dict[str, Any] = {"rotation": 45} if sum(map(len, ticks)) > _UPRIGHT else {}
    place.set_xticks(range(len(ticks)), labels=ticks, **turned)
    place.spines[["top", "right"]].set_visible(False)


def _panels(phase: PhaseView, rows: int) -> tuple[Figure, np.ndarray]:
    """Empty panels, a column a capacity, with titles and ticks."""
    columns = len(phase.capacities)
    side = min(_PANEL, (DOUBLE - _NAMES) / columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(side * columns + _NAMES, (side + 0.25) * rows + 0.7),
        squeeze=False,
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    (across, values), (down, others) = phase.across, phase.down
    for place, capacity in zip(axes[0], phase.capacities, strict=True):
        place.set_title(f"{capacity:g} nats")
    for place in axes.flat:
        place.tick_params(length=2)
        place.spines[:].set_color(RULE)
    _ticks(axes[0, 0].set_xticks, values)
    if down:
        _ticks(axes[0, 0].set_yticks, others)
        for strip in axes:
            strip[0].set_ylabel(_short(down))
    else:
        axes[0, 0].set_yticks([])
    for place in axes[-1]:
        place.set_xlabel(_short(across))
    return figure, axes


def _ticks(place: Callable[..., Any], values: Sequence[Any]) -> None:
    every = -(-len(values) // _MOST_TICKS)
    shown = range(0, len(values), every)
    place(list(shown), labels=[f"{values[one]:g}" for one in shown])


def which_stand_out(phase: PhaseView, stands_out: Callable[[str], Grid]) -> Grid:
    """Which warps stand out above their reference, as bits in the order of `WARPS`."""
    bits = [2**number * (stands_out(warp) > 0) for number, warp in enumerate(WARPS) if warp in phase.warps]
    return np.sum(bits, axis=0)


def phase_name(bit: int) -> str:
    """What a phase is called: the warps that are there, as bits in the order of `WARPS`."""
    there = [name for number, name in enumerate(WARPS.values()) if bit >> number & 1]
    return ("all three" if len(there) == 3 else " + ".join(there)) or "none"


def _limit(phase: PhaseView, warp: str) -> float:
    """Where the colours of a warp end."""
    found = np.abs(phase.values(warp))
    return max(1e-3, float(np.nanquantile(found, _LIMIT))) if np.isfinite(found).any() else 1.0


def _dots(place: Axes, there: np.ndarray) -> None:
    rows, columns = np.nonzero(there)
    place.plot(columns, rows, ls="", marker="o", ms=1.5, color=INK)


def _short(key: str) -> str:
    return key.rpartition(".")[2].replace("_", " ")


def _note(phase: PhaseView) -> str:
    seeds = len(phase.view.study.seeds)
    return f"{phase.model} against {phase.view.study.reference} · {seeds} seed{'s' if seeds > 1 else ''}"

"""What colours mean: of the classes of a labelling, of the values of a factor, and of models in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from ratewarp.report.factor_grid import FactorGrid, cut
from ratewarp.report.style import MUTED, cyclic_colours
from ratewarp.report.views import RunView, class_names, class_palette, scheme_title
from ratewarp.studies import Setting

_MOST_NAMES = 12  # of values that a legend holds
_LETTERS = 12  # of one of them
_ROW_LETTERS = 30  # of a row of them below a map


def scheme_legend(axes: Axes, scheme: str, classes: int, setting: Setting) -> None:
    """What a labelling's colours mean, below the axes."""
    names = class_names(scheme, classes, setting)
    if not names or len(names) > _MOST_NAMES:
        axes.set_xlabel(f"colour: class of {scheme},\nfirst (blue) to last (red)", color=MUTED, labelpad=8)
        return
    axes.set_xlabel(scheme_title(scheme, setting), color=MUTED, labelpad=4)
    _name_colours(axes, names, class_palette(scheme, classes, setting), below=-0.08)


def _name_colours(axes: Axes, names: Sequence[str], colours: Sequence[str], *, below: float) -> None:
    """A dot for each colour with its name, in rows below the axes."""
    names = [cut(name, _LETTERS) for name in names]
    columns = min(len(names), max(1, _ROW_LETTERS // (max(map(len, names)) + 3)))
    columns = -(-len(names) // -(-len(names) // columns))  # rows of equal length
    axes.legend(
        handles=[
            Line2D([], [], marker="o", ls="", ms=4.5, mec="none", color=colour, label=name)
            for colour, name in zip(colours, names, strict=True)
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, below),
        ncols=columns,
        handletextpad=0.1,
        columnspacing=1,
        fontsize=None if len(names) == 2 else "small",
    )


def factor_key(axes: Axes, grid: FactorGrid, factor: int) -> None:
    """What colours by a factor mean, below the axes: names of values without order, else a strip of colours
    with its ends.
    """
    words, colours = grid.words[factor], grid.colours(factor)
    if grid.kinds[factor] == "categorical":
        if len(words) > _MOST_NAMES:
            axes.set_xlabel(f"{len(words)} values", color=MUTED, labelpad=4)
            return
        _name_colours(axes, words, colours, below=0.01)
        return
    first, period = grid.values[:, factor].min(), grid.periods[factor]
    if period is not None:
        colours = cyclic_colours((first / period + np.linspace(0, 1, 60)) % 1.0)
    strip = axes.inset_axes((0.22, -0.075, 0.56, 0.035))
    strip.imshow([[to_rgb(colour) for colour in colours]], aspect="auto", interpolation="nearest")
    strip.set(xticks=[], yticks=[])
    for side in strip.spines.values():
        side.set_visible(False)
    ends = (words[0], words[-1] if period is None else f"{first + period:g}")
    for place, word, side in ((0, ends[0], "right"), (1, ends[1], "left")):
        strip.annotate(
            cut(word, _LETTERS),
            (place, 0.5),
            (4 * (2 * place - 1), 0),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize="x-small",
            color=MUTED,
        )


def factor_legend(axes: Axes, grid: FactorGrid) -> None:
    """What colours by the first factor mean, in words below the axes, with the names of values without
    order.
    """
    if not grid.names:
        axes.set_xlabel("", labelpad=8)
        return
    name, words = grid.names[0], grid.words[0]
    if grid.kinds[0] == "categorical" and len(words) <= _MOST_NAMES:
        axes.set_xlabel(f"colour: {name}", color=MUTED, labelpad=4)
        _name_colours(axes, words, grid.colours(0), below=-0.08)
        return
    how = {"ordered": "low (dark) to high (bright)", "circular": "around the circle"}
    told = how.get(grid.kinds[0], f"{len(words)} values")
    axes.set_xlabel(f"colour: {name}, {told}", color=MUTED, labelpad=8)


def draw_others(axes: Axes, view: RunView, x: str, y: str, *, line: bool = False) -> None:
    """The models that are not drawn in colours, in grey behind the others, with one entry of the legend.

    Arguments:
        axes: where to draw.
        view: the run.
        x: column of the table of models.
        y: likewise.
        line: join the capacities of a model and seed by a line.
    """
    others = view.others
    if others.empty:
        return
    number = len(set(others["model"]))
    style: dict[str, Any] = {
        "color": MUTED,
        "alpha": 0.4,
        "marker": "o",
        "ms": 2.5,
        "mew": 0,
        "lw": 0.6,
        "zorder": 0.5,
    }
    axes.plot(
        *_apart(others, x, y),
        ls="-" if line else "",
        label=f"{number} other model{'s' if number > 1 else ''}",
        **style,
    )


def _apart(table: pd.DataFrame, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns, with a gap between one model and seed and the next."""
    parts = []
    for _, rows in table.groupby(["model", "seed"], sort=False):
        parts += [rows.sort_values(by=x)[[x, y]].to_numpy(dtype=float), np.full((1, 2), np.nan)]
    joined = np.concatenate(parts)
    return joined[:, 0], joined[:, 1]

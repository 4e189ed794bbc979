"""What colours mean: of the classes of a labelling, of the values of a factor, and of models in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from ratewarp.report.factor_grid import FactorGrid, cut
from ratewarp.report.inches import inches_of
from ratewarp.report.style import LETTER, LINE, MUTED, SMALL, cyclic_colours, in_lines
from ratewarp.report.views import RunView, class_names, class_palette, scheme_title
from ratewarp.studies import Setting

_MOST_NAMES = 12  # of values that a legend holds
_LETTERS = 12  # of one of them
_DOT = 3  # letters that a dot and the room around it take
_PAD = 0.05  # inches above a key


class Key(NamedTuple):
    """What the colours of a map mean, in small type below it.

    Attributes:
        title: in lines.
        names: of the colours; none where the title says it all.
        colours: of the names.
        columns: of names.
    """

    title: str
    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    columns: int = 1

    @property
    def inches(self) -> float:
        """Its height."""
        lines = (self.title.count("\n") + 1) * bool(self.title) + -(-len(self.names) // self.columns)
        return _PAD + LINE * lines + 0.06 * bool(self.names) if lines else 0.0


def scheme_key(scheme: str, classes: int, setting: Setting, inches: float) -> Key:
    """Of the classes of a labelling, in so many inches."""
    names = class_names(scheme, classes, setting)
    if not names or len(names) > _MOST_NAMES:
        return Key(in_lines(f"colour: class of {scheme}, first (blue) to last (red)", inches))
    return _named(scheme_title(scheme, setting), names, class_palette(scheme, classes, setting), inches)


def grid_key(grid: FactorGrid, inches: float) -> Key:
    """Of the first factor, in so many inches."""
    if not grid.names:
        return Key("")
    name, words = grid.names[0], grid.words[0]
    if grid.kinds[0] == "categorical" and len(words) <= _MOST_NAMES:
        return _named(f"colour: {name}", words, grid.colours(0), inches)
    how = {"ordered": "low (dark) to high (bright)", "circular": "around the circle"}
    told = how.get(grid.kinds[0], f"{len(words)} values")
    return Key(in_lines(f"colour: {name}, {told}", inches))


def _named(title: str, names: Sequence[str], colours: Sequence[str], inches: float) -> Key:
    """A dot for each colour with its name, in rows of equal length."""
    names = tuple(cut(name, _LETTERS) for name in names)
    room = int(inches / LETTER)
    columns = min(len(names), max(1, room // (max(map(len, names)) + _DOT)))
    return Key(in_lines(title, inches), names, tuple(colours), -(-len(names) // -(-len(names) // columns)))


def draw_key(axes: Axes, key: Key) -> None:
    """Draws a key below axes, which have no ticks there."""
    lines = (key.title.count("\n") + 1) * bool(key.title)
    axes.annotate(
        key.title,
        (0.5, 0),
        (0, -72 * _PAD),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=SMALL,
        color=MUTED,
        linespacing=1.1,
        annotation_clip=False,
    )
    if key.names:
        _name_colours(axes, key, below=(_PAD / 2 + LINE * lines) / inches_of(axes)[1])


def _name_colours(axes: Axes, key: Key, *, below: float) -> None:
    dots = [
        Line2D([], [], marker="o", ls="", ms=4.5, mec="none", color=colour, label=f" {name}".rstrip() or " ")
        for colour, name in zip(key.colours, key.names, strict=True)
    ]
    axes.legend(
        handles=dots,
        loc="upper center",
        bbox_to_anchor=(0.5, -below),
        ncols=key.columns,
        handlelength=1,
        handletextpad=0.2,
        columnspacing=0.9,
        labelspacing=0.1,
        borderaxespad=0,
        borderpad=0.2,
    )


def factor_key(axes: Axes, grid: FactorGrid, factor: int) -> None:
    """What colours by a factor mean, below the axes: names of values without order, else a strip of colours
    with its ends.
    """
    words, colours = grid.words[factor], grid.colours(factor)
    if grid.kinds[factor] == "categorical":
        plain = len(words) <= _MOST_NAMES
        width = inches_of(axes)[0]
        draw_key(axes, _named("", words, colours, width) if plain else Key(f"{len(words)} values"))
        return
    first, period = grid.values[:, factor].min(), grid.periods[factor]
    if period is not None:
        colours = cyclic_colours((first / period + np.linspace(0, 1, 60)) % 1.0)
    strip = axes.inset_axes((0.22, -0.085, 0.56, 0.04))
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
            fontsize=SMALL,
            color=MUTED,
        )


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

"""What colours mean: of the classes of a labelling, and of models that are drawn in grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ratewarp.report.style import MUTED, class_colours
from ratewarp.report.views import RunView, class_names, scheme_title
from ratewarp.studies import Setting


def scheme_legend(axes: Axes, scheme: str, classes: int, setting: Setting) -> None:
    """What a labelling's colours mean, below the axes."""
    names = class_names(scheme, classes)
    if not names:
        axes.set_xlabel(f"colour: class of {scheme},\nfirst (blue) to last (red)", color=MUTED, labelpad=8)
        return
    axes.set_xlabel(scheme_title(scheme, setting), color=MUTED, labelpad=4)
    dots = [
        Line2D([], [], marker="o", ls="", ms=4.5, mec="none", color=colour, label=name)
        for colour, name in zip(class_colours(2), names, strict=True)
    ]
    axes.legend(
        handles=dots,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.08),
        ncols=2,
        handletextpad=0.1,
        columnspacing=1,
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

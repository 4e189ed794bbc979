"""The figure of example images, and what each model makes of them."""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ratewarp.report.pictured import (
    draw_picture,
    highest_response,
    image_of,
    mean_responses,
    pictured_stimuli,
    reconstruction_of,
)
from ratewarp.report.style import MUTED
from ratewarp.report.views import RunView

_LINE = 0.1  # height of a line of titles, inches


def examples_figure(view: RunView, stimuli: int = 8) -> Figure:
    """Images of some stimuli, above what each model makes of them (decoded mean code) at each of
    `RunView.panel_levels`.
    """
    shown = [view.shown(m, c) for m, c in product(view.drawn.names, view.panel_levels)]
    record, grid = shown[0].record, shown[0].grid
    setting = shown[0].condition.setting
    source, pictured = setting.source, pictured_stimuli(record)
    places = np.linspace(0, len(pictured) - 1, stimuli + 2).round().astype(int)[1:-1]
    places = places.tolist() if len(pictured) >= stimuli else list(range(len(pictured)))
    titles = [grid.title(int(pictured[one]), int(setting.measured()[pictured[one]])) for one in places]
    expected = mean_responses(setting, pictured[places])
    note = view.note("" if expected is None else "line: mean response to the stimulus")
    lines, rows, stimuli = max(title.count("\n") for title in titles) + 1, len(shown) + 1, len(places)
    figure, axes = plt.subplots(
        rows, stimuli, figsize=(0.8 * stimuli + 1.5, 0.84 * rows + 0.4), squeeze=False
    )
    top, bottom = (
        1 - (0.4 + _LINE * max(0, lines - 2)) / figure.get_figheight(),
        (0.25 if note else 0.06) / figure.get_figheight(),
    )
    figure.subplots_adjust(left=0.17, right=0.99, top=top, bottom=bottom, wspace=0.06, hspace=0.06)
    highest = highest_response(expected, record["image"].values[places])
    for column, place in enumerate(places):
        line = None if expected is None else expected[column]
        draw_picture(axes[0, column], image_of(record, place, source), source, highest=highest, expected=line)
        axes[0, column].set_title(titles[column], fontsize=6.5)
        for row, one in enumerate(shown, start=1):
            made = reconstruction_of(one.record, place)
            draw_picture(axes[row, column], made, source, highest=highest, expected=line)
    names = [f"{v.condition.model}\n{v.label}" for v in shown]
    for row, text in enumerate(["image" if expected is None else "response", *names]):
        axes[row, 0].set_ylabel(text, rotation=0, ha="right", va="center", labelpad=8)
    figure.text(
        0.99,
        0.03 / figure.get_figheight(),
        note,
        ha="right",
        va="bottom",
        fontsize="x-small",
        color=MUTED,
    )
    return figure

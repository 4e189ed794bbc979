"""The figure of example images, and what each model makes of them."""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ratewarp.report.factor_grid import factor_grid
from ratewarp.report.inches import axes_at, height_of_note, note_at_foot
from ratewarp.report.mosaic import Mosaic, Tile, draw_mosaic
from ratewarp.report.pictured import (
    highest_response,
    image_of,
    mean_responses,
    pictured_stimuli,
    reconstruction_of,
)
from ratewarp.report.style import DOUBLE, LETTER, LINE
from ratewarp.report.views import RunView

STIMULI = 8
_MOST_LETTERS = 20  # of the name of a row


def examples_figure(view: RunView) -> Figure:
    """Images of some stimuli, above what each model makes of them (decoded mean code) at each of
    `RunView.panel_levels`.
    """
    cells = [(model, level) for model, level in product(view.drawn.names, view.panel_levels)]
    mosaic = examples(view, cells)
    left = (
        LETTER * min(_MOST_LETTERS, max(len(part) for name in mosaic.names for part in name.split("\n")))
        + 0.15
    )
    width = DOUBLE - left - 0.05
    note = view.note("" if mosaic.highest == 1.0 else "line: mean response to the stimulus")
    above = 0.1 + LINE * (1 + max(title.count("\n") for title in mosaic.titles))
    height = mosaic.down(width / mosaic.across) * width / mosaic.across
    figure = plt.figure(figsize=(DOUBLE, above + height + height_of_note(note, DOUBLE)))
    draw_mosaic(axes_at(figure, left, above, width, height), mosaic)
    note_at_foot(figure, note)
    return figure


def examples(view: RunView, cells: list[tuple[str, int]], stimuli: int = STIMULI) -> Mosaic:
    """Images of stimuli that are evenly spread, above what models make of them.

    Arguments:
        view: the run.
        cells: model and level of every further row.
        stimuli: how many, where there are as many.
    """
    shown = [view.condition_of(*cell) for cell in cells]
    setting, records = shown[0].setting, [view.record(one) for one in shown]
    grid, pictured = factor_grid(records[0], setting.source), pictured_stimuli(records[0])
    places = np.linspace(0, len(pictured) - 1, stimuli + 2).round().astype(int)[1:-1]
    places = places.tolist() if len(pictured) >= stimuli else list(range(len(pictured)))
    titles = [grid.title(int(pictured[one]), int(setting.measured()[pictured[one]])) for one in places]
    expected = mean_responses(setting, pictured[places])
    lines = [None] * len(places) if expected is None else list(expected)
    rows = [
        [
            Tile(image_of(records[0], one, setting.source), "", line)
            for one, line in zip(places, lines, strict=True)
        ],
        *(
            [Tile(reconstruction_of(record, one), "", line) for one, line in zip(places, lines, strict=True)]
            for record in records
        ),
    ]
    names = ["image" if expected is None else "response"]
    names += [f"{model}\n{view.label(level)}" for model, level in cells]
    highest = highest_response(expected, records[0]["image"].values[places])
    return Mosaic(setting.source, rows, names, titles, 1.0 if expected is None else highest)

"""The figure of `ratewarp measure FOLDER`: a panel an index."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import RequestError
from ratewarp._files import disk_errors
from ratewarp.codes.several import Several
from ratewarp.report.sets_panels import draw_over_sets, key_to, numbers_of, sets_panel
from ratewarp.report.style import figure_style, note_below

MOST_PANELS = 24
_WIDTH, _HEIGHT = 6.6, 2.4  # inches, of the page and of a panel


def save_several_figure(found: Several, file: Path) -> None:
    """Draws the figure into a file whose suffix says the format.

    Raises:
        RatewarpError: the file cannot be written.
        RequestError: no number has a mean.
    """
    with figure_style(), disk_errors(file, intact="nothing else was changed"):
        figure, _ = several_figure(found)
        try:
            figure.savefig(file)
        finally:
            plt.close(figure)


def several_figure(found: Several) -> tuple[Figure, dict[str, Axes]]:
    """A panel an index or its change, three beside each other, or two where there is a third axis.

    Returns:
        The figure, and axes by measure, followed by a space and the task where there is one.

    Raises:
        RequestError: no number has a mean.
    """
    numbers = numbers_of(found)
    if not numbers:
        raise RequestError("found: no set has any number; the column note of .table says why")
    panels = [sets_panel(found, number) for number in numbers[:MOST_PANELS]]
    most = 3 if found.third is None else 2
    columns = min(most, len(panels))
    rows = ceil(len(panels) / columns)
    size = (_WIDTH / most * columns, _HEIGHT * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    axes = {}
    for place, shown in zip(grid.flat, panels, strict=False):
        draw_over_sets(place, shown)
        axes[" ".join(filter(None, shown.number))] = place
    for empty in grid.flat[len(panels) :]:
        empty.remove()
    left = f"\nthe first {MOST_PANELS} of {len(numbers)} numbers" if len(numbers) > MOST_PANELS else ""
    note_below(figure, key_to(panels[0]) + left)
    return figure, axes

"""The figure of `ratewarp measure`: for every task a map of the codes and the distances of its classes, and
once the indices with their intervals.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import RequestError
from ratewarp._files import disk_errors
from ratewarp.codes.measurement import Measurement
from ratewarp.report.measured_panels import (
    codes_map,
    draw_class_distance,
    draw_codes,
    draw_indices,
    index_rows,
)
from ratewarp.report.style import figure_style, note_below

MOST_TASKS = 6
_WIDTHS = {"codes": 3.3, "class_distance": 3.3, "indices": 4.6}  # inches
_HEIGHT, _LINE = 3.4, 0.19  # inches, of a task and of an index


def save_measured(found: Measurement, file: Path) -> None:
    """Draws the figure into a file whose suffix says the format.

    Raises:
        RatewarpError: the file cannot be written.
    """
    with figure_style(), disk_errors(file, intact="nothing else was changed"):
        figure, _ = measured_figure(found)
        try:
            figure.savefig(file)
        finally:
            plt.close(figure)


def measured_figure(found: Measurement) -> tuple[Figure, dict[str, Axes]]:
    """One row per task: map of the codes coloured by it, distances of its classes (or their change from the
    reference); beside them the indices of all tasks, once.

    Returns:
        The figure, and axes by name: "indices", "codes" and "class_distance", the latter two followed by a
        space and the task, where there is one.
    """
    tasks = list(found.classes)[:MOST_TASKS]
    rows, matrices = index_rows(found), {task: class_distance_of(found, task) for task in tasks}
    drawn = [matrix for matrix in matrices.values() if matrix is not None]
    columns = ["codes", *(["class_distance"] if drawn else []), *(["indices"] if rows else [])]
    widths, lines = [_WIDTHS[name] for name in columns], max(1, len(tasks))
    figure = plt.figure(figsize=(sum(widths), _HEIGHT * lines), layout="constrained")
    grid, axes = figure.add_gridspec(lines, len(columns), width_ratios=widths), {}
    shown = codes_map(found)
    for line, task in enumerate(tasks or [None]):
        name = "codes" if task is None else f"codes {task}"
        axes[name] = figure.add_subplot(grid[line, 0])
        draw_codes(axes[name], shown, task)
        matrix = None if task is None else matrices[task]
        if task is not None and matrix is not None:
            name = f"class_distance {task}"
            axes[name] = figure.add_subplot(grid[line, 1])
            draw_class_distance(axes[name], found, task, matrix)
    if rows:
        deep = min(lines, ceil(_LINE * len(rows) / _HEIGHT))
        axes["indices"] = figure.add_subplot(grid[:deep, -1])
        draw_indices(axes["indices"], found, rows)
    left = len(found.classes) - len(tasks)
    note_below(figure, f"maps of the first {MOST_TASKS} of {len(found.classes)} tasks" if left else "")
    return figure, axes


def class_distance_of(found: Measurement, task: str) -> xr.DataArray | None:
    """Change of the distances of the classes of a task; the distances where there is no reference; None where
    they are not defined.
    """
    try:
        return found.class_distance(task)
    except RequestError:
        return None

"""Panels of what was measured of codes, and whole figures of it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import RequestError, refuse_name
from ratewarp.codes.measurement import Measurement
from ratewarp.codes.several import Several
from ratewarp.plot.new_figures import drawn, style
from ratewarp.report.measured import measured_figure
from ratewarp.report.measured_panels import (
    codes_map,
    draw_class_distance,
    draw_codes,
    draw_indices,
    index_rows,
)
from ratewarp.report.sets_figure import several_figure
from ratewarp.report.sets_panels import Number, draw_over_sets, key_to, sets_panel
from ratewarp.report.style import note_below

_LINE, _MARGIN = 0.22, 0.9  # inches, of an index and around them all


def measurement(found: Measurement) -> tuple[Figure, dict[str, Axes]]:
    """The whole figure: a map and the class distances of every task (six at most), and the indices.

    Arguments:
        found: what `ratewarp.measure` returned.

    Returns:
        The figure, and its axes by name: "indices", "codes labels", "class_distance labels", with the name of
        every task.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure
        >>> found = measure(np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10, permutations=0)
        >>> figure, axes = measurement(found)
        >>> list(axes)
        ['codes labels', 'class_distance labels', 'indices']
        >>> plt.close(figure)
    """
    with style():
        return measured_figure(found)


def codes(found: Measurement, task: str | None = None, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Map of the codes (metric multidimensional scaling), one dot per item; of more than 800 items, 800 drawn
    at random.

    Arguments:
        found: what `ratewarp.measure` returned.
        task: whose classes colour the dots; the first if not given.
        ax: where to draw; axes of a new figure if not given.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: no such task.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure
        >>> found = measure(np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10, permutations=0)
        >>> figure, ax = codes(found)
        >>> ax.get_title()
        'map of 20 codes, by labels'
        >>> plt.close(figure)
    """
    coloured = next(iter(found.classes), None) if task is None else _known(found, task)
    shown = codes_map(found)
    return drawn(lambda axes: draw_codes(axes, shown, coloured), ax, (3.3, 3.6))


def indices(found: Measurement, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Indices of all tasks with their intervals, each followed by its change from the reference; hollow where
    trial noise is included.

    Arguments:
        found: what `ratewarp.measure` returned.
        ax: where to draw; axes of a new figure if not given.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: no index was measured, such as without labels, frequency and reference.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure
        >>> found = measure(np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10, permutations=0)
        >>> figure, ax = indices(found)
        >>> [label.get_text() for label in ax.get_yticklabels()][0]
        'prototypization (labels)'
        >>> plt.close(figure)
    """
    rows = index_rows(found)
    if not rows:
        raise RequestError("found: no index was measured; they need labels, frequency or a reference")
    size = (4.8, _MARGIN + _LINE * len(rows))
    return drawn(lambda axes: draw_indices(axes, found, rows), ax, size)


def class_distance(found: Measurement, task: str, ax: Axes | None = None) -> tuple[Figure, Axes]:
    """Distances of the classes of a task, relative to all, logarithms; their change where there is a
    reference.

    Arguments:
        found: what `ratewarp.measure` returned.
        task: whose classes.
        ax: where to draw; axes of a new figure if not given. From five classes on, a bar of colours stands
            beside them.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: no such task, or no distances of its classes.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure
        >>> found = measure(np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10, permutations=0)
        >>> figure, ax = class_distance(found, "labels")
        >>> ax.get_title()
        'log distances of classes, labels'
        >>> plt.close(figure)
    """
    matrix = found.class_distance(_known(found, task))
    return drawn(lambda axes: draw_class_distance(axes, found, task, matrix), ax, (3.5, 3.4))


def several(found: Several) -> tuple[Figure, dict[str, Axes]]:
    """The whole figure of several sets: a panel an index or its change, as `over_sets` draws it; of all
    single numbers where no index was measured.

    Arguments:
        found: what `ratewarp.measure_several` returned.

    Returns:
        The figure, and its axes by name: "linear_cka", "prototypization labels", with the name of every task.

    Raises:
        RequestError: no number has a mean.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure_several
        >>> sets = np.random.default_rng(0).normal(size=(4, 20, 3))
        >>> found = measure_several(sets, ["a", "b"] * 10, workers=1)
        >>> figure, axes = several(found)
        >>> list(axes)
        ['prototypization labels', 'orthogonalization labels', 'free_orthogonalization labels']
        >>> plt.close(figure)
    """
    with style():
        return several_figure(found)


def over_sets(
    found: Several,
    measure: str,
    task: str = "",
    *,
    trial_noise: str | None = None,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """One number of every set, with the mean of all and its interval; where there is a third axis, along it,
    and squares at the foot mark places at which p, corrected over the third axis, is below 0.05.

    Arguments:
        found: what `ratewarp.measure_several` returned.
        measure: name of the number.
        task: the labelling it is of; empty for none.
        trial_noise: "removed" or "included"; without trial noise where there is such a number, if not given.
        ax: where to draw; axes of a new figure if not given, below which stands what is drawn how.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: no such number, or no set has it.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from ratewarp import measure_several
        >>> sets = np.random.default_rng(0).normal(size=(4, 20, 3, 2))
        >>> found = measure_several(sets, ["a", "b"] * 10, third="layer", places=["V1", "IT"], workers=1)
        >>> figure, ax = over_sets(found, "prototypization", "labels")
        >>> ax.get_xlabel(), [label.get_text() for label in ax.get_xticklabels()]
        ('layer', ['V1', 'IT'])
        >>> plt.close(figure)
    """
    shown = sets_panel(found, Number(measure, task), trial_noise)
    size = (2.6, 2.9) if shown.third is None else (3.3, 2.9)
    figure, axes = drawn(lambda axes: draw_over_sets(axes, shown), ax, size)
    if ax is None:
        note_below(figure, key_to(shown))
    return figure, axes


def _known(found: Measurement, task: str) -> str:
    if task not in found.classes:
        refuse_name("task", "task", task, found.classes)
    return task

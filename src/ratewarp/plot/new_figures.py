"""Where a panel is drawn, how large it is, and whose settings count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import refuse_name
from ratewarp._files import disk_errors
from ratewarp.report.inches import axes_at
from ratewarp.report.style import DOUBLE, SETTINGS, SINGLE

Width = Literal["single", "double"]
WIDTHS = {"single": SINGLE, "double": DOUBLE}  # columns of a journal, 89 and 183 mm, in inches
Margins = tuple[float, float, float, float]  # left, above, right, below, inches

_DPI = 300


@contextmanager
def style() -> Iterator[None]:
    """The package's type and colours, below every setting of matplotlib that you changed from its default
    (one that you set to its default counts as unchanged).

    Every function of `ratewarp.plot` uses it. Use it yourself where several panels share a figure.

    Examples:
        >>> with plt.rc_context({"font.size": 12}), style():
        ...     plt.rcParams["font.size"], plt.rcParams["pdf.fonttype"]
        (12.0, 42)
    """
    changed: dict[Any, Any] = {
        name: value for name, value in mpl.rcParams.items() if value != mpl.rcParamsDefault.get(name, value)
    }
    with mpl.rc_context():
        mpl.rcParams.update({**SETTINGS, **changed})
        yield


def save(figure: Figure, file: str | Path) -> None:
    """Writes a figure at its own size, with its fonts embedded; 300 pixels an inch where it is no PDF or SVG.

    Arguments:
        figure: which.
        file: whose suffix says the format: pdf, svg, png, ….

    Raises:
        RatewarpError: the file cannot be written.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     save(plt.figure(figsize=(1, 1)), Path(folder, "empty.pdf"))
        ...     Path(folder, "empty.pdf").read_bytes()[:5]
        b'%PDF-'
    """
    with style(), disk_errors(Path(file), intact="nothing else was changed"):
        figure.savefig(file, dpi=_DPI)


def inches_wide(width: Width) -> float:
    """A column of a journal.

    Raises:
        RequestError: there is none of that name.
    """
    if width not in WIDTHS:
        refuse_name("width", "column", str(width), list(WIDTHS))
    return WIDTHS[width]


def drawn(
    draw: Callable[[Axes], Any],
    ax: Axes | None,
    size: tuple[float, float],
    margins: Margins | None = None,
) -> tuple[Figure, Axes]:
    """A panel in the axes given, or in a figure of its own.

    Arguments:
        draw: draws it.
        ax: where; None for a new figure.
        size: of that, inches.
        margins: around axes that are to keep their place; as much as is needed where not given.
    """
    with style():
        if ax is None:
            ax = _new(size, margins)
        draw(ax)
        _settle(ax)
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure, ax


def _new(size: tuple[float, float], margins: Margins | None) -> Axes:
    if margins is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    left, above, right, below = margins
    width, height = size
    return axes_at(plt.figure(figsize=size), left, above, width - left - right, height - above - below)


def _settle(ax: Axes) -> None:
    """Makes all ticks, which else are made when the figure is shown, with the settings of then."""
    for place in (ax, *ax.child_axes):
        for axis in (place.xaxis, place.yaxis):
            axis.get_ticklabels(which="both")

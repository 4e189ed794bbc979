"""Dots of a map in a raster no larger than their panel, whatever the size of the figure."""

from __future__ import annotations

from math import ceil
from typing import cast

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

_ROUNDING = 1e-6  # pixels


class Dots(Artist):
    """Dots in the coordinates of their axes.

    Matplotlib's own `rasterized=True` makes a raster of the whole figure for every panel, and keeps them all
    until a PDF is finished: memory goes with the square of the number of panels.

    Attributes:
        places: where they are, one row a dot.
        colours: one a dot.
        size: area of a dot, points².
        alpha: opacity.
    """

    def __init__(self, places: np.ndarray, colours: np.ndarray, *, size: float, alpha: float):
        super().__init__()
        self.places, self.colours, self.size = places, colours, size
        self._drawn: tuple[object, np.ndarray] | None = None  # for PNG and PDF, once
        self.set_alpha(alpha)

    @allow_rasterization
    def draw(self, renderer: RendererBase) -> None:
        """Draws the dots on a small canvas of their own, then that as an image."""
        if not self.get_visible():
            return
        axes = cast(Axes, self.axes)
        scale = renderer.get_image_magnification()  # pixels of an image for a unit of the renderer
        sides = (axes.bbox.width, axes.bbox.height)
        across, down = (max(1, ceil(scale * length - _ROUNDING)) for length in sides)
        dpi = scale * cast(Figure, axes.figure).dpi
        key = (across, down, round(dpi, 3), axes.get_xlim(), axes.get_ylim(), self.get_alpha())
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, self._image(axes, across, down, dpi))
        image = self._drawn[1]
        context = renderer.new_gc()
        context.set_alpha(1.0)
        renderer.draw_image(context, round(axes.bbox.x0), round(axes.bbox.y0), image[::-1])
        context.restore()
        self.stale = False

    def _image(self, axes: Axes, across: int, down: int, dpi: float) -> np.ndarray:
        """Red, green, blue and opacity of every pixel of the panel, upper row first."""
        panel = Figure(figsize=(across / dpi, down / dpi), dpi=dpi)
        canvas = FigureCanvasAgg(panel)
        panel.patch.set_alpha(0)
        dots = PathCollection(
            [Path.circle(radius=0.5)],  # an area of size 1, as of markers
            [self.size],
            offsets=self.places,
            offset_transform=axes.transLimits + panel.transFigure,  # linear axes that fill the panel
            facecolors=self.colours,
            linewidths=0,
            alpha=self.get_alpha(),
        )
        dots.set_transform(IdentityTransform())
        panel.add_artist(dots)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())


def draw_dots(axes: Axes, places: np.ndarray, colours: np.ndarray, *, size: float, alpha: float) -> None:
    """Adds dots to axes, whose limits then hold them.

    Arguments:
        axes: where to draw.
        places: one row a dot; NaN for one that is not drawn.
        colours: one a dot.
        size: area of a dot, points².
        alpha: opacity.
    """
    finite = places[np.isfinite(places).all(axis=1)]
    if len(finite):
        axes.update_datalim(finite)
        axes.autoscale_view()
    axes.add_artist(Dots(places, colours, size=size, alpha=alpha))

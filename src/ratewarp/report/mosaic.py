"""Many small pictures in one pair of axes: images of a source, or what is decoded, in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from ratewarp.report.inches import inches_of
from ratewarp.report.pictured import are_responses, draw_picture
from ratewarp.report.style import INK, LINE, RULE, SMALL
from ratewarp.sources import Source

_GAP = 0.07  # between two pictures, as a share of the width of a cell
_TALLEST = 2.0  # height over width of a cell


class Tile(NamedTuple):
    """One picture.

    Attributes:
        image: as numbers.
        title: above it; where one of a mosaic has a title, all have room for it.
        expected: mean responses to the stimulus, as a line.
    """

    image: Num[np.ndarray, "..."]
    title: str = ""
    expected: Float[np.ndarray, " neurons"] | None = None


class Mosaic(NamedTuple):
    """Pictures in rows.

    Attributes:
        source: that they are of.
        rows: of tiles; None where there is none.
        names: beside the rows.
        titles: above the columns.
        highest: upper end of the axis of responses.
    """

    source: Source
    rows: Sequence[Sequence[Tile | None]]
    names: Sequence[str] = ()
    titles: Sequence[str] = ()
    highest: float = 1.0

    @property
    def across(self) -> int:
        """Cells of the longest row."""
        return max(map(len, self.rows))

    def down(self, inches: float) -> float:
        """Height of all rows in widths of a cell, which is so many inches wide."""
        return len(self.rows) * (_GAP + self._picture + self._above(inches))

    def _above(self, inches: float) -> float:
        """Room for a title above a picture, likewise."""
        titled = any(tile is not None and tile.title for row in self.rows for tile in row)
        return LINE / inches if titled else 0.0

    @property
    def _picture(self) -> float:
        """Height of a picture, likewise."""
        height, width, _ = self.source.image_shape
        shape = 1.0 if are_responses(self.source) else height / width
        return (1 - _GAP) * min(shape, _TALLEST)


def draw_mosaic(axes: Axes, mosaic: Mosaic) -> None:
    """Draws all pictures; a unit of the axes is the width of a cell."""
    inches = inches_of(axes)[0] / mosaic.across
    above, height = mosaic._above(inches), mosaic._picture
    pitch, frames = _GAP + height + above, []
    for row, tiles in enumerate(mosaic.rows):
        for column, tile in enumerate(tiles):
            if tile is None:
                continue
            box = (column + _GAP / 2, row * pitch + _GAP / 2 + above, 1 - _GAP, height)
            frames.append(Rectangle(box[:2], *box[2:]))
            _draw_tile(axes, tile, mosaic, box)
            middle: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": SMALL, "color": INK}
            if tile.title:
                axes.text(column + 0.5, box[1] - 0.02, tile.title, **middle)
    if not are_responses(mosaic.source):
        axes.add_collection(PatchCollection(frames, facecolor="none", edgecolor=RULE, lw=0.5, zorder=3))
    _name(axes, mosaic, pitch, above)
    axes.set(xlim=(0, mosaic.across), ylim=(len(mosaic.rows) * pitch, 0))
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)


def _draw_tile(axes: Axes, tile: Tile, mosaic: Mosaic, box: tuple[float, float, float, float]) -> None:
    left, top, width, height = box
    if are_responses(mosaic.source):
        place = axes.inset_axes((left, top, width, height), transform=axes.transData)
        draw_picture(place, tile.image, mosaic.source, highest=mosaic.highest, expected=tile.expected)
        return
    extent = (left, left + width, top + height, top)
    draw_picture(axes, tile.image, mosaic.source, extent=extent)


def _name(axes: Axes, mosaic: Mosaic, pitch: float, above: float) -> None:
    """Names beside rows and titles above columns."""
    axes.tick_params(length=0, pad=3, labelcolor=INK, labeltop=True, labelbottom=False)
    across, down = np.arange(len(mosaic.titles)) + 0.5, (np.arange(len(mosaic.names)) + 0.5) * pitch
    axes.set_xticks(across, labels=mosaic.titles)
    axes.set_yticks(down + above / 2, labels=mosaic.names)

"""A figure as files and as the page's picture, from one rendering."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from fontTools.subset import Options
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ratewarp.report.style import figure_style

_MOST_PIXELS = 9000  # along a side of a PNG; a larger one opens slowly
_SCREEN_PIXELS = 2000  # a page is not wider, also on a sharp screen
_PACKING = 3  # of a PNG; the most takes twice as long for a tenth less
_CLOSE = {"quality": 85, "method": 2}  # WebP that is not exact
_EXACT = {"lossless": True, "quality": 20, "method": 0}
_LISTED, _LAYOUT = "_drop_tables_default", ("GDEF", "GPOS", "GSUB", "MATH", "kern")
_EXACT_SIZE = 1.3  # times as large a picture may be where it is exact


class Order(NamedTuple):
    """What is wanted of a figure beside its picture.

    Attributes:
        name: of the figure.
        png: whether a PNG.
        pdf: whether a PDF.
        dpi: pixels an inch.
    """

    name: str
    png: bool
    pdf: bool
    dpi: float


class Drawn(NamedTuple):
    """A figure that is drawn.

    Attributes:
        png: content of its file; None if none is wanted.
        picture: the page's, as the source of an image.
        inches: its width.
    """

    png: bytes | None
    picture: str
    inches: float


class Drawer:
    """Draws figures in the package's own style, whatever the user's; keeps each until its PDF is made."""

    def __init__(self, makes: Mapping[str, Callable[[], Figure | None]]) -> None:
        self._makes = makes
        self._kept: dict[str, Figure] = {}

    def draw(self, order: Order) -> Drawn | None:
        """The picture of a figure; None where there is nothing to draw."""
        with figure_style():
            figure = self._makes[order.name]()
            if figure is None:
                return None
            try:
                picture = _laid_out(figure, order.dpi)
            finally:
                plt.close(figure)
        if order.pdf:
            self._kept[order.name] = figure
        png = _png(picture, figure.dpi) if order.png else None
        source = "data:image/webp;base64," + base64.b64encode(_for_screen(picture)).decode()
        return Drawn(png, source, float(figure.get_figwidth()))

    def pdf(self, order: Order) -> bytes:
        """The PDF of a figure of which there is something to draw; of one that is not kept, drawn anew."""
        if order.name not in self._kept:
            self.draw(order)
        figure, stream = self._kept.pop(order.name), io.BytesIO()
        with figure_style(), _fonts_without_layout():
            figure.savefig(stream, format="pdf", dpi=figure.dpi, metadata={"CreationDate": None})
        return stream.getvalue()


def _laid_out(figure: Figure, dpi: float) -> Image.Image:
    """Finds the places of all that a figure shows, once and for all; what it looks like."""
    figure.set_dpi(min(dpi, _MOST_PIXELS / max(figure.get_size_inches())))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine(None)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    FigureCanvasBase(figure)  # one without pixels, which take 10 MB
    return picture


@contextmanager
def _fonts_without_layout() -> Iterator[None]:
    """Leaves out of embedded fonts what places letters, which have their places: it would be read, cut and
    written for every figure, which takes as long as drawing it. Where fontTools has no such list, nothing is
    left out.
    """
    listed = getattr(Options, _LISTED, None)
    if not isinstance(listed, list):
        yield
        return
    setattr(Options, _LISTED, [*listed, *_LAYOUT])
    try:
        yield
    finally:
        setattr(Options, _LISTED, listed)


def _png(picture: Image.Image, dpi: float) -> bytes:
    stream, told = io.BytesIO(), PngInfo()
    told.add_text("Software", "ratewarp")
    picture.save(stream, "png", dpi=(dpi, dpi), pnginfo=told, compress_level=_PACKING)
    return stream.getvalue()


def _for_screen(picture: Image.Image) -> bytes:
    """The same picture for a page, exact where that is not much larger."""
    if picture.width > _SCREEN_PIXELS:
        height = round(picture.height * _SCREEN_PIXELS / picture.width)
        picture = picture.resize((_SCREEN_PIXELS, height), Image.Resampling.LANCZOS)
    exact, close = io.BytesIO(), io.BytesIO()
    picture.save(exact, "webp", **_EXACT)
    picture.save(close, "webp", **_CLOSE)
    found = exact if exact.tell() < _EXACT_SIZE * close.tell() else close
    return found.getvalue()

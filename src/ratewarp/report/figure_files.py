"""A figure as the page's picture and as files, from one rendering."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ratewarp.report.style import figure_style

_MOST_PIXELS = 9000  # along a side of a PNG; a larger one opens slowly
_SCREEN_PIXELS = 2000  # a page is not wider, also on a sharp screen
_PACKING = 3  # of a PNG; the most takes twice as long for a tenth less
_QUALITY = 85  # of WebP; exact pictures are two to five times as large
_LISTED, _LAYOUT = "_drop_tables_default", ("GDEF", "GPOS", "GSUB", "MATH", "kern")


class Order(NamedTuple):
    """What is wanted of a figure.

    Attributes:
        name: of the figure.
        kinds: of its files: "png" and "pdf", or one of them, or none.
        dpi: pixels an inch.
    """

    name: str
    kinds: tuple[str, ...]
    dpi: float


class Picture(NamedTuple):
    """A figure on the page.

    Attributes:
        source: of an image.
        inches: width of the figure.
    """

    source: str
    inches: float


class Drawer:
    """Draws figures in the package's own style, whatever the user's; keeps each until its files are made."""

    def __init__(self, makes: Mapping[str, Callable[[], Figure | None]]) -> None:
        self._makes = makes
        self._kept: dict[str, tuple[Figure, Image.Image]] = {}

    def picture(self, order: Order) -> Picture | None:
        """A figure as the page shows it; None where there is nothing to draw."""
        with figure_style():
            figure = self._makes[order.name]()
            if figure is None:
                return None
            try:
                pixels = _laid_out(figure, order.dpi)
            finally:
                plt.close(figure)
        if order.kinds:
            self._kept[order.name] = figure, pixels
        source = "data:image/webp;base64," + base64.b64encode(_for_screen(pixels)).decode()
        return Picture(source, float(figure.get_figwidth()))

    def files(self, order: Order) -> dict[str, bytes]:
        """Contents by kind, of a figure of which there is something to draw; what is not kept is drawn
        anew.
        """
        if order.name not in self._kept:
            self.picture(order)
        figure, pixels = self._kept.pop(order.name)
        make = {"png": lambda: _png(pixels, figure.dpi), "pdf": lambda: _pdf(figure)}
        return {kind: make[kind]() for kind in order.kinds}


def _laid_out(figure: Figure, dpi: float) -> Image.Image:
    """Finds the places of all that a figure shows, once and for all; what it looks like."""
    figure.set_dpi(min(dpi, _MOST_PIXELS / max(figure.get_size_inches())))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine(None)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    FigureCanvasBase(figure)  # one without pixels, which take 10 MB
    return picture


def _pdf(figure: Figure) -> bytes:
    stream = io.BytesIO()
    with figure_style(), _fonts_without_layout():
        figure.savefig(stream, format="pdf", dpi=figure.dpi, metadata={"CreationDate": None})
    return stream.getvalue()


@contextmanager
def _fonts_without_layout() -> Iterator[None]:
    """Leaves out of embedded fonts what places letters, which have their places: it would be read, cut and
    written for every figure, which takes as long as drawing it. Where fontTools has no such list, nothing is
    left out.
    """
    from fontTools.subset import Options  # here: no page needs it

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
    """The same picture for a page: some steps of grey off, a fifth of the size."""
    if picture.width > _SCREEN_PIXELS:
        height = round(picture.height * _SCREEN_PIXELS / picture.width)
        picture = picture.resize((_SCREEN_PIXELS, height), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "webp", quality=_QUALITY, method=2)
    return stream.getvalue()

"""A figure as files and as the page's picture, from one rendering."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from fontTools.subset import Options
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


class Drawn(NamedTuple):
    """A figure that is drawn.

    Attributes:
        files: contents by kind.
        picture: the page's, as the source of an image.
        inches: its width.
    """

    files: dict[str, bytes]
    picture: str
    inches: float


def drawn(make: Callable[[], Figure | None], kinds: Sequence[str], dpi: float) -> Drawn | None:
    """Draws a figure in the package's own style, whatever the user's; None where there is nothing to draw.

    Arguments:
        make: makes the figure.
        kinds: "png" and "pdf", or one of them, or none.
        dpi: pixels an inch.
    """
    with figure_style():
        figure = make()
        if figure is None:
            return None
        try:
            return _drawn(figure, kinds, dpi)
        finally:
            plt.close(figure)


def _drawn(figure: Figure, kinds: Sequence[str], dpi: float) -> Drawn:
    sharp = min(dpi, _MOST_PIXELS / max(figure.get_size_inches()))
    figure.set_dpi(sharp)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine(None)  # places are found once
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    files = {}
    if "png" in kinds:
        files["png"] = _png(picture, sharp)
    if "pdf" in kinds:
        stream = io.BytesIO()
        with _fonts_without_layout():
            figure.savefig(stream, format="pdf", dpi=sharp, metadata={"CreationDate": None})
        files["pdf"] = stream.getvalue()
    source = "data:image/webp;base64," + base64.b64encode(_for_screen(picture)).decode()
    return Drawn(files, source, float(figure.get_figwidth()))


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

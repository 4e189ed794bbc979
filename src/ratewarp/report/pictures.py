"""Pictures: every figure as PNG, PDF and the page's WebP; what an interrupted call finished is not drawn
again.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version

import matplotlib.pyplot as plt
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from ratewarp.report.figures import drawings
from ratewarp.report.style import figure_style
from ratewarp.report.views import RunView
from ratewarp.runs.directory import TABLES, RunDirectory
from ratewarp.runs.run_files import read_signed, signed, sum_or_nothing

_SCREEN_PIXELS = 2000  # a page is not wider, also on a sharp screen
_QUALITY = 85  # of WebP where it is not exact
_EXACT = 1.3  # times as large a picture may be where it is exact
_FILE_DPI, _FILE_PIXELS = 200, 9000  # a larger PNG opens slowly
_NOTHING = "nothing"  # what is kept of a figure for which there is nothing to draw

# kind → its metadata
FILES: dict[str, dict[str, str | None]] = {"png": {"Software": "ratewarp"}, "pdf": {"CreationDate": None}}
_PICTURE = re.compile("data:image/webp;base64,[A-Za-z0-9+/=]+")

Shown = Callable[[str, int, int], None]
"""Called with what is drawn next, how many figures are done, and how many there are."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run.

    Attributes:
        run: the run directory.
    """

    run: RunDirectory

    def draw(self, view: RunView, show: Shown) -> dict[str, Markup]:
        """Draws what is not drawn yet; the page's pictures by name of their figure, as sources of images."""
        self._begin()
        todo = drawings(view)
        pictures = {}
        for number, (name, make) in enumerate(todo.items()):
            show(name, number, len(todo))
            if self._kept(name) is None:
                self._draw(view, name, make)
            if self._kept(name) != _NOTHING:
                pictures[name] = Markup(self._kept(name))
        show("", len(todo), len(todo))
        return pictures

    def done(self) -> None:
        """Removes what was kept for going on, once the page is written."""
        self.run.remove_folder(self.run.drawn)

    def _begin(self) -> None:
        """Keeps what an interrupted call drew of the same study and tables; and removes the rest."""
        inputs, file = self._inputs(), self.run.drawn / "inputs.txt"
        if read_signed(file) != inputs:
            self.run.remove_folder(self.run.drawn)
            self.run.write_text(f"{self.run.drawn.name}/{file.name}", signed(inputs))

    def _inputs(self) -> str:
        """What all figures depend on: the study, its tables, versions of packages."""
        digest = sha256(repr([version(name) for name in ("ratewarp", "matplotlib", "numpy")]).encode())
        for name in ("study.yaml", *(f"tables/{table}.csv" for table in TABLES)):
            digest.update(f"{sum_or_nothing(self.run.path / name)};".encode())
        return digest.hexdigest() + "\n"

    def _kept(self, name: str) -> str | None:
        """The page's picture of a figure that is finished, `_NOTHING` if there is none to draw, or None if it
        is not finished.
        """
        text = read_signed(self.run.drawn / f"{name}.txt")
        # nothing else may get into the page
        if text is None or not (text == _NOTHING or _PICTURE.fullmatch(text)):
            return None
        files = [self.run.path / f"figures/{name}.{kind}" for kind in FILES]
        return text if text == _NOTHING or all(one.exists() for one in files) else None

    def _draw(self, view: RunView, name: str, make: Callable[[RunView], Figure | None]) -> None:
        with figure_style():
            figure = make(view)
            text = _NOTHING
            try:
                if figure is not None:
                    text = self._write(name, figure)
            finally:
                plt.close(figure) if figure is not None else None
        self.run.write_text(f"{self.run.drawn.name}/{name}.txt", signed(text))

    def _write(self, name: str, figure: Figure) -> str:
        """Writes a figure as PNG and PDF; returns it as a WebP that is the source of an image."""
        inches = max(figure.get_size_inches())
        sharp = min(_FILE_DPI, _FILE_PIXELS / inches)
        for kind, metadata in FILES.items():
            self.run.write_bytes(f"figures/{name}.{kind}", _drawn(figure, kind, sharp, metadata))
            figure.set_layout_engine("none")  # places are found once
        screen = min(sharp, _SCREEN_PIXELS / figure.get_figwidth())
        return (
            "data:image/webp;base64," + base64.b64encode(_for_screen(_drawn(figure, "png", screen))).decode()
        )


def _drawn(figure: Figure, kind: str, dpi: float, metadata: dict[str, str | None] | None = None) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, metadata=metadata, dpi=dpi)
    return stream.getvalue()


def _for_screen(png: bytes) -> bytes:
    """The same picture for a page, exact where that is not much larger."""
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    exact, close = io.BytesIO(), io.BytesIO()
    picture.save(exact, "webp", lossless=True)
    picture.save(close, "webp", quality=_QUALITY)
    found = exact if exact.tell() < _EXACT * close.tell() else close
    return found.getvalue()

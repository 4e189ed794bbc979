"""Pictures of a run: every figure as files and as the page's picture; what is drawn of the same study and
tables is not drawn again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ratewarp.report.figure_files import Drawn, drawn
from ratewarp.report.figure_processes import Order, figures_made
from ratewarp.report.figures import drawings
from ratewarp.report.views import RunView
from ratewarp.runs.directory import TABLES, RunDirectory
from ratewarp.runs.run_files import read_signed, signed, sum_or_nothing

FILES: Collection[str] = ("png", "pdf")
_FILE_DPI = 200  # pixels an inch of a PNG, and of what is no line or letter in a PDF
_NOTHING = "nothing"  # what is kept of a figure for which there is nothing to draw
_PICTURE = re.compile(r"([0-9]+\.[0-9]{2}) (data:image/webp;base64,[A-Za-z0-9+/=]+)")

Shown = Callable[[str, int, int], None]
"""Called with what is drawn next, how many figures are done, and how many there are."""


class Picture(NamedTuple):
    """A figure on the page.

    Attributes:
        source: of an image.
        inches: width of the figure.
    """

    source: str
    inches: float


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run.

    What the page needs of each stands in `drawn/`, beside what all were drawn of. While that is the same, a
    figure whose files are there is left as it is; of one whose files were removed, these alone are written
    again. When it is not, all are drawn anew.

    Attributes:
        run: the run directory.
    """

    run: RunDirectory

    def draw(self, view: RunView, show: Shown) -> dict[str, Picture]:
        """Draws what is not drawn yet; the page's pictures by name of their figure."""
        self._begin()
        todo = drawings(view)
        wanted = [Order(name, self._missing(name), _FILE_DPI) for name in todo if not self._whole(name)]
        done, total = len(todo) - len(wanted), len(todo)

        def make(order: Order) -> Drawn | None:
            return drawn(partial(_made, view, order.name, todo[order.name]), order.kinds, order.dpi)

        def tell(name: str, more: int) -> None:
            show(name, done + more, total)

        for name, found in figures_made(self.run.path, wanted, make, tell, alone=bool(view.gaps)):
            self._write(name, found)
        show("", total, total)
        kept = {name: self._kept(name) for name in todo}
        return {name: one for name, one in kept.items() if isinstance(one, Picture)}

    def _begin(self) -> None:
        """Keeps what is drawn of the same study and tables; and forgets the rest."""
        file = self.run.drawn / "inputs.txt"
        if read_signed(file) != self._inputs:
            self.run.remove_folder(self.run.drawn)
            self.run.write_text(f"{self.run.drawn.name}/{file.name}", signed(self._inputs))

    @cached_property
    def _inputs(self) -> str:
        """What all figures depend on: the study, its tables, versions of packages, and how they are drawn."""
        digest = sha256(repr([version(name) for name in ("ratewarp", "matplotlib", "numpy")]).encode())
        for name in ("study.yaml", *(f"tables/{table}.csv" for table in TABLES)):
            digest.update(f"{sum_or_nothing(self.run.path / name)};".encode())
        for file in sorted(Path(__file__).parent.glob("*.py")):  # between versions, these may change
            digest.update(file.read_bytes())
        # of a run that is not finished, figures show what is stored
        conditions = self.run.path / "conditions"
        digest.update(repr(sorted(os.listdir(conditions)) if conditions.is_dir() else []).encode())
        return digest.hexdigest() + "\n"

    def _missing(self, name: str) -> tuple[str, ...]:
        """Kinds of files of a figure that are to be written: those that are not there, or all where it was
        not drawn of these inputs.
        """
        if self._kept(name) is None:
            return tuple(FILES)
        return tuple(kind for kind in FILES if not (self.run.path / f"figures/{name}.{kind}").exists())

    def _whole(self, name: str) -> bool:
        kept = self._kept(name)
        return kept == _NOTHING or (kept is not None and not self._missing(name))

    def _kept(self, name: str) -> Picture | str | None:
        """The page's picture of a figure that is finished, `_NOTHING` if there is none to draw, or None if it
        is not finished.
        """
        text = read_signed(self.run.drawn / f"{name}.txt")
        if text == _NOTHING:
            return text
        # nothing else may get into the page
        found = _PICTURE.fullmatch(text) if text is not None else None
        return Picture(found[2], float(found[1])) if found else None

    def _write(self, name: str, found: Drawn | None) -> None:
        for kind, content in found.files.items() if found is not None else ():
            self.run.write_bytes(f"figures/{name}.{kind}", content)
        text = _NOTHING if found is None else f"{found.inches:.2f} {found.picture}"
        self.run.write_text(f"{self.run.drawn.name}/{name}.txt", signed(text))


def _made(view: RunView, name: str, make: Callable[[RunView], Figure | None]) -> Figure | None:
    """A figure; None where there is nothing to draw, or too little of the run for it."""
    before = set(plt.get_fignums())
    try:
        return make(view)
    except Exception:
        if view.there is None or not view.gaps:
            raise  # of a whole run, every figure can be drawn
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
        view.there.note(f"Without the figure {name}: too little is there to draw it.")
        return None

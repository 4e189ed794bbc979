"""Pictures of a run: every figure as files and as the page's picture; what is drawn of the same study and
tables is not drawn again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ratewarp._figure_helpers import Helper, end_helpers, start_helpers
from ratewarp._progress import Progress
from ratewarp.report.figure_files import Drawer, Order, Picture
from ratewarp.report.figure_processes import Tell, drawing
from ratewarp.report.figures import drawings
from ratewarp.report.views import RunView
from ratewarp.runs.directory import TABLES, RunDirectory
from ratewarp.runs.run_files import read_signed, signed, sum_or_nothing

FILES: Collection[str] = ("png", "pdf")
FEWEST = 8  # figures: fewer are drawn sooner than a helper has started
_FILE_DPI = 200  # pixels an inch of a PNG, and of what is no line or letter in a PDF
_NOTHING = "nothing"  # what is kept of a figure for which there is nothing to draw
_PICTURE = re.compile(r"([0-9]+\.[0-9]{2}) (data:image/webp;base64,[A-Za-z0-9+/=]+)")


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run.

    What the page needs of each that is finished stands in `drawn/`, beside what all were drawn of. While that
    is the same, a figure whose files are there is left as it is; of one whose files were removed, these alone
    are written again. When it is not, all are drawn anew.

    Attributes:
        run: the run directory.
    """

    run: RunDirectory

    def draw(
        self,
        view: RunView,
        progress: Callable[[Progress], None],
        prepare: Callable[[], None],
        when_shown: Callable[[Mapping[str, Picture]], None],
        helpers: list[Helper] | None = None,
    ) -> None:
        """Draws what is not drawn yet.

        Arguments:
            view: the run.
            progress: hears where it stands.
            prepare: called first of all, while helpers draw.
            when_shown: called with the page's pictures by name of their figure, once all are there; files
                are made after it.
            helpers: that draw, too, and end with this; started here if not given.
        """
        self._begin()
        todo = drawings(view)
        known = {name: self._kept(name) for name in todo}
        wanted = [self._order(name) for name in todo if not self._whole(name)]
        drawer = Drawer({name: partial(_made, view, name, make) for name, make in todo.items()})
        if view.gaps:  # helpers read files alone, and know nothing of what stands in for others
            end_helpers(helpers or [])
            helpers = []
        elif helpers is None:
            helpers = start_helpers(self.run.path) if len(wanted) >= FEWEST else []
        done = len(todo) - len(wanted)
        with drawing(drawer, helpers) as work:
            for name, found in work.pictures(wanted, prepare, _telling(progress, "drawing {}", done)):
                known[name] = found or _NOTHING
            when_shown({name: one for name, one in known.items() if isinstance(one, Picture)})
            later = []
            for order in wanted:
                if order.kinds and known[order.name] != _NOTHING:
                    later.append(order)
                else:
                    self._keep(order.name, known[order.name])
            for name, files in work.files(later, _telling(progress, "writing files of {}", 0)):
                for kind, content in files.items():
                    self.run.write_bytes(f"figures/{name}.{kind}", content)
                self._keep(name, known[name])

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

    def _order(self, name: str) -> Order:
        """What is to be made of a figure: files that are not there, or all where it was not drawn of these
        inputs.
        """
        wanted = FILES if self._kept(name) is None else self._missing(name)
        return Order(name, tuple(wanted), _FILE_DPI)

    def _missing(self, name: str) -> list[str]:
        """Kinds of files of a figure that are not there."""
        return [kind for kind in FILES if not (self.run.path / f"figures/{name}.{kind}").exists()]

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

    def _keep(self, name: str, found: Picture | str | None) -> None:
        """Notes that a figure is finished: last of all, when its files are written."""
        text = f"{found.inches:.2f} {found.source}" if isinstance(found, Picture) else _NOTHING
        self.run.write_text(f"{self.run.drawn.name}/{name}.txt", signed(text))


def _telling(progress: Callable[[Progress], None], doing: str, before: int) -> Tell:
    def tell(name: str, done: int, total: int) -> None:
        done, total = before + done, before + total
        progress(Progress(f"{doing.format(name)} (figure {done + 1} of {total})", done, total))

    return tell


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

"""A page that is a stage and little else: of codes that a user measured, of several runs, of a run in a
notebook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from ratewarp._checks import RatewarpError, refuse
from ratewarp._files import can_be_made, disk_errors, write_new
from ratewarp.codes.measurement import Measurement
from ratewarp.report.page.codes_of import Details
from ratewarp.report.page.rendering import rendered
from ratewarp.report.page.stage import ROOM, stage_data
from ratewarp.report.page.stage_of_codes import stage_of_codes
from ratewarp.report.page.stage_of_runs import stage_of_runs
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.results.run_comparison import compare_runs, study_differences
from ratewarp.runs.directory import RunDirectory

SUFFIX = ".html"
_NOTEBOOK_HEIGHT = 760  # CSS pixels
_CODES_NUMBERS = "Value, standard error, interval and tests of every measure; empty where there is none."

_DIFFERENCES = "Keys of the study files that are not the same in all runs."
_BESIDE = (
    "Means over seeds, of what the runs have in common; of two runs also the difference, second less first,"
    " and its standard error over seeds, where there are two or more in each."
)


class Table(NamedTuple):
    """A table behind a stage.

    Attributes:
        heading: above it.
        words: what its rows are.
        rows: of it.
    """

    heading: str
    words: str
    rows: pd.DataFrame

    @property
    def html(self) -> Markup:
        """The rows as HTML, names as text."""
        if self.rows.empty:
            return Markup("<p>Nothing.</p>")
        shown = {"index": False, "border": 0, "na_rep": "", "justify": "left", "escape": True}
        return Markup(self.rows.to_html(float_format=_number, **shown))


@dataclass(frozen=True)
class Stage:
    """A stage, to be kept as a page or looked at in a notebook.

    Attributes:
        data: what it shows, for JSON.
        kicker: what it is of, in a word or two.
        facts: what was run or measured, in a few words each.
        tables: behind it.
    """

    data: Mapping[str, Any]
    kicker: str
    facts: Mapping[str, str] = field(default_factory=dict)
    tables: Sequence[Table] = ()

    def html(self) -> str:
        """The page, one file that opens anywhere, offline."""
        from importlib.metadata import version

        return rendered(
            "alone.html",
            self.data,
            title=self.data["title"],
            kicker=self.kicker,
            facts=self.facts,
            alerts=self.data["alerts"],
            tables=self.tables,
            version=version("ratewarp"),
        )

    def save(self, path: str | PathLike[str]) -> Path:
        """Writes the page to a new file.

        Arguments:
            path: its name ends in .html.

        Returns:
            The path.

        Raises:
            RequestError: another suffix, or the file exists.
            RatewarpError: the file cannot be written.
        """
        file = check_new_page(path, "path")
        with disk_errors(file, intact="nothing else was changed"):
            write_new(file, self.html().encode())
        return file

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that it and the notebook leave each other alone."""
        frame = f'width="100%" height="{_NOTEBOOK_HEIGHT}" style="border: 0"'
        return (
            f'<iframe title="{escape(self.data["title"])}" srcdoc="{escape(self.html())}" {frame}></iframe>'
        )


def check_new_page(path: str | PathLike[str], argument: str) -> Path:
    """The file that a page is to be kept in.

    Raises:
        RequestError: its name does not end in .html, it exists, or its folder does not.
    """
    file = Path(path)
    if file.suffix.lower() != SUFFIX or not can_be_made(file):
        refuse(argument, f"a {SUFFIX} file that does not exist yet, in a folder that does", str(file))
    return file


def stage(
    of: RunDirectory | Measurement | Sequence[RunDirectory],
    *,
    title: str | None = None,
    room: int = ROOM,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> Stage:
    """The stage of a run, of several runs, or of codes that were measured: maps, distances, measures, linked,
    in one page that opens offline.

    Arguments:
        of: a run, several runs of the same stimuli, or what `ratewarp.measure` returned.
        title: of the page; the name of the study, or "codes", if not given.
        room: letters that codes, maps and images of all conditions may have together; those beyond it are
            shown by their numbers.
        show: called with how many conditions are done, and how many there are.

    Returns:
        A stage: a notebook shows it, and `save` writes it.

    Raises:
        RequestError: an argument is wrong, or runs are not of the same stimuli.
        RatewarpError: nothing of a run can be shown; of one that is unfinished or damaged, what is there is
            shown, and the page says what is missing.

    Examples:
        >>> import numpy as np
        >>> from ratewarp import measure
        >>> found = measure(np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10, permutations=0)
        >>> shown = stage(found, title="two kinds")
        >>> [model["name"] for model in shown.data["models"]]
        ['two kinds']
    """
    if isinstance(of, Measurement):
        return _of_codes(of, title or "codes")
    runs = [of] if isinstance(of, RunDirectory) else list(of) if isinstance(of, Sequence) else []
    if not runs or not all(isinstance(one, RunDirectory) for one in runs):
        refuse("of", "a run, several runs, or a measurement", type(of).__name__)
    if len(runs) == 1:
        view = _view(runs[0])
        data = stage_data(view, Details(view, room), show)
        return Stage(data | ({"title": title} if title else {}), f"study {data['study']}")
    return _of_runs(runs, title, room, show)


def _view(run: RunDirectory) -> RunView:
    """Of a run of which parts may be missing; `RatewarpError` where nothing can be shown."""
    there = WhatIsThere(run)
    there.refuse_nothing()
    return RunView(run, there)


def _of_codes(found: Measurement, title: str) -> Stage:
    items, latents = found.codes.shape
    facts = {
        "Measured": f"{items:,} items, {latents:,} latents",
        "Intervals": f"{100 * found.level:g} %, over {found.number:,} {found.units}",
    }
    tasks = ", ".join(f"{task} ({len(names)} classes)" for task, names in found.classes.items())
    facts |= {"Tasks": tasks} if tasks else {}
    data = stage_of_codes(found, title)
    return Stage(data, "measured codes", facts, [Table("Numbers", _CODES_NUMBERS, found.table)])


def _of_runs(
    runs: Sequence[RunDirectory], title: str | None, room: int, show: Callable[[int, int], None]
) -> Stage:
    data = stage_of_runs([_view(run) for run in runs], room, show)
    data |= {"title": title} if title else {}
    tables = [Table("What differs", _DIFFERENCES, study_differences(runs))]
    try:
        tables.append(Table("Numbers beside each other", _BESIDE, compare_runs(runs)))
    except RatewarpError as error:  # a table of a run is not written, or damaged; its view says so, too
        why = str(error)
        for run in runs:
            why = why.replace(str(run.path), run.path.resolve().name)
        data["alerts"] = [f"Numbers of the runs do not stand beside each other: {why}", *data["alerts"]]
    return Stage(data, "runs compared", tables=tables)


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")

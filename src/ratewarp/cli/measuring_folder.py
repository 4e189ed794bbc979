"""`ratewarp measure FOLDER`: every file of a folder is a set, and statistics are over them; which rows
are meant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ratewarp._checks import RequestError, escaped, refuse, refuse_name
from ratewarp.cli.printing import progress_bar
from ratewarp.codes.chosen_rows import average_trials, complete, of_rows, rows_where
from ratewarp.codes.code_files import known_suffixes
from ratewarp.codes.keeping_several import check_new_of_several, contents_of_several
from ratewarp.codes.kinds import is_of_pairs
from ratewarp.codes.request import Request, gather
from ratewarp.codes.several import Several, measure_several

_NAMED = 12  # sets whose names are printed


class Chosen(NamedTuple):
    """Which rows are measured.

    Attributes:
        where: conditions that items meet.
        average: "trials" for mean codes of stimuli.
        drop_missing: whether items with a missing value are left out.
    """

    where: tuple[str, ...]
    average: str | None
    drop_missing: bool

    def of(self, file: Path, request: Request) -> Request:
        """What is to be measured of a file, and what was left out."""
        arguments, told = request.arguments, [*request.told]
        if self.average not in (None, "trials"):
            refuse_name("average", "average", self.average, ("trials",))
        if is_of_pairs(arguments.get("kind")):
            self._check_pairs()
        masks = []
        if self.where:
            masks.append(("where", rows_where(file, list(self.where), len(arguments["codes"]))))
        if self.drop_missing:
            masks.append(("drop-missing", complete(arguments)))
        for name, kept in masks:
            told.append(f"{name}: {int(kept.sum()):,} of {len(kept):,} items")
        if masks:
            arguments = of_rows(arguments, np.logical_and.reduce([kept for _, kept in masks]))
        if self.average:
            items, arguments = len(arguments["codes"]), average_trials(arguments)
            told.append(f"average: {len(arguments['codes']):,} mean codes of {items:,} items")
        return Request(arguments, told)

    def _check_pairs(self) -> None:
        """`RequestError` for what is done with rows of codes, which pairs of stimuli do not have."""
        said = {"where": self.where, "average": self.average, "drop-missing": self.drop_missing}
        asked = [name for name, value in said.items() if value]
        if asked:
            instead = "take rows and columns of the matrix beforehand"
            raise RequestError(
                f"{asked[0]}: dissimilarities have no items to choose or to average; {instead}"
            )


def of_folder(
    folder: Path,
    wanted: Mapping[str, str | None],
    said: Mapping[str, Any],
    chosen: Chosen,
    *,
    third: str,
    as_json: bool,
    out: Path | None,
    figure: Path | None,
    **knobs: Any,
) -> None:
    """Measures every file of a folder, and prints statistics over them; keeps and draws them where asked to.

    Raises:
        RequestError: fewer than two files of a known format, or one that cannot be measured; the message
            names it. Results are to be kept where they exist, or where they would be taken for codes.
    """
    kept = () if out is None else check_new_of_several(out, "out")
    if (
        out is not None
        and out.suffix.lower() in known_suffixes()
        and out.resolve().parent == folder.resolve()
    ):
        refuse("out", "a file outside the folder, where it would be measured next time", str(out))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in known_suffixes())
    if len(files) < 2:
        known = ", ".join(known_suffixes())
        raise RequestError(
            f"{folder}: a folder needs two files or more that are codes ({known}); it has {len(files)}"
        )
    sets, told = {}, {}
    for file in files:
        request = chosen.of(file, gather(file, wanted, **said))
        sets[file.stem], told[file.name] = request.arguments, request.told
    for line in _common(told):
        print(escaped(line), file=sys.stderr)
    with progress_bar() as (show, _):
        found = measure_several(sets, third=third, progress=show, **knobs)
    print(json.dumps(contents_of_several(found)) if as_json else _as_text(found))
    if out is not None:
        found.save(out)
        print(f"results: {', '.join(escaped(file) for file in kept)}", file=sys.stderr)
    if figure is not None:
        from ratewarp.report.sets_figure import save_several_figure

        save_several_figure(found, figure)
        print(f"figure: {escaped(figure)}", file=sys.stderr)


def _common(told: Mapping[str, list[str]]) -> list[str]:
    """What is to be said of all files once, then of single ones."""
    every = list(told.values())
    shared = [line for line in every[0] if all(line in lines for lines in every)]
    rest = [f"{name}: {line}" for name, lines in told.items() for line in lines if line not in shared]
    return shared + rest


def _as_text(found: Several) -> str:
    from ratewarp.cli.measure_command import as_text

    names = ", ".join(map(escaped, found.sets[:_NAMED])) + (", …" if len(found.sets) > _NAMED else "")
    along = f"; {len(found.places)} places of {found.third}" if found.third is not None else ""
    means = f"means over sets, {found.level:.0%} intervals by Student's t"
    return f"{len(found.sets)} sets: {names}{along}; {means}\n\n{as_text(found.group)}"

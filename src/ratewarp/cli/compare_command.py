"""`ratewarp compare`: several runs beside each other, as numbers and on one stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ratewarp._checks import RequestError, escaped, refuse
from ratewarp._files import can_be_made
from ratewarp.cli.printing import JsonOption, leave, progress_bar

_MOST_ROWS = 60  # that are printed

RunsArgument = Annotated[list[Path], typer.Argument(metavar="DIR DIR…", help="Run directories.")]


def compare(
    folders: RunsArgument,
    page: Annotated[
        Path, typer.Option(metavar="FILE", help="The page with all of them on one stage.")
    ] = Path("comparison.html"),
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep all numbers beside each other, as csv.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Set runs beside each other: what differs between their studies, their numbers as means over seeds, and
    a page with the models of all of them on one stage.

    The page needs runs of the same stimuli. Where they are of different ones there are numbers alone, and the
    exit code is 1.
    """
    from ratewarp._progress import Progress
    from ratewarp.report.page.stage_page import check_new_page, stage
    from ratewarp.results.run_comparison import compare_runs, study_differences
    from ratewarp.runs.directory import open_run

    check_new_page(page, "page")
    if out is not None and (out.suffix.lower() != ".csv" or not can_be_made(out)):
        refuse("out", "a csv file that does not exist yet, in a folder that does", str(out))
    runs = [open_run(folder) for folder in folders]
    numbers, differences = compare_runs(runs), study_differences(runs)
    if as_json:
        print(numbers.to_json(orient="records"))
    else:
        _print(differences, "The studies differ in nothing but their names.")
        _print(numbers, "They have no model and measure in common.")
    if out is not None:
        numbers.to_csv(out, index=False, mode="x")
        print(f"numbers: {escaped(out)}", file=sys.stderr)
    try:
        with progress_bar() as (show_bar, _):
            found = stage(runs, show=lambda done, total: show_bar(Progress("drawing maps", done, total)))
    except RequestError as error:
        leave(f"no page: {error}", 1)
    print(f"page: {escaped(found.save(page))}", file=sys.stderr)
    if show:
        typer.launch(page.resolve().as_uri())


def _print(table: object, nothing: str) -> None:
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or table.empty:
        print(f"{nothing}\n")
        return
    shown = table.head(_MOST_ROWS).map(lambda one: escaped(one) if isinstance(one, str) else one)
    print(shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4g}", max_colwidth=40))
    more = len(table) - len(shown)
    print(f"… and {more:,} more rows: see --out\n" if more else "")

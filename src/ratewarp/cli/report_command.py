"""`ratewarp tabulate` and `ratewarp report`: tables, figures and page of a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ratewarp._checks import RequestError
from ratewarp._interrupt import GRACE_SECONDS, when_stopped
from ratewarp.cli.printing import FolderArgument, progress_bar


def tabulate(folder: FolderArgument) -> None:
    """Measure the models of a finished run and write its tables again, such as with a newer version; nothing
    is trained.
    """
    from ratewarp.results.tabulating import tabulate as write_tables
    from ratewarp.runs.directory import open_run, writing_to

    when_stopped(
        "what is measured so far is kept, and the same command measures the rest", grace=GRACE_SECONDS
    )
    with writing_to(open_run(folder), "tabulate") as directory, progress_bar() as (show_bar, _):
        write_tables(directory, show_bar)
    print(folder / "tables")


def report(
    folder: FolderArgument,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    figures_only: Annotated[
        bool, typer.Option("--figures-only", help="Draw figures/ as PNG and PDF, and write no page.")
    ] = False,
) -> None:
    """Write figures and page of a run again; of one that is unfinished or damaged, of what is there. Figures
    that are drawn of the same study and tables stay as they are.
    """
    if show and figures_only:
        raise RequestError(
            "--open shows the page, which --figures-only does not write; leave out one of them"
        )
    from ratewarp._figure_helpers import early_helpers

    when_stopped("finished figures are kept, and the same command draws the others", grace=GRACE_SECONDS)
    with early_helpers(folder) as helpers, progress_bar() as (show_bar, say):
        from ratewarp.report import write_report
        from ratewarp.runs.directory import open_run, writing_to

        with writing_to(open_run(folder), "draw") as directory:
            written = write_report(
                directory,
                show_bar,
                say=say,
                when_written=_open_page if show else lambda path: None,
                figures_only=figures_only,
                helpers=helpers or None,
            )
    print(written)


def _open_page(path: Path) -> None:
    typer.launch(path.resolve().as_uri())

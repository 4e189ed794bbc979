"""`ratewarp merge`: parts of one study put together, and the run finished."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ratewarp._interrupt import GRACE_SECONDS, when_stopped
from ratewarp.cli.printing import JsonOption, print_table, progress_bar

INCOMPLETE = 3  # exit code

PartsArgument = Annotated[
    list[Path], typer.Argument(metavar="DIR DIR…", help="Run directories of one study, such as its shards.")
]


def merge(
    folders: PartsArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run directory to copy them into; runs/NAME if not given."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Draw no figures and no page.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put parts of a study together; when all are there, finish the run: heads on frozen codes, tables, page.

    The directories are only read. Where conditions are missing, they are named by shard, and the exit code is
    3. The same command resumes a merge that was interrupted, or adds what is there by then.
    """
    from ratewarp.api import merge as merge_all
    from ratewarp.runs.status import run_status

    when_stopped(
        "what is copied and measured so far is kept, and the same command resumes", grace=GRACE_SECONDS
    )
    with progress_bar() as (show, say):
        directory = merge_all(folders, out, progress=show, say=say, report=not no_report)
    when_stopped("")
    found = run_status(directory, thorough=False)
    if found.missing:
        if as_json:
            print(json.dumps({"out": str(directory.path), "missing": found.missing}))
        sys.exit(INCOMPLETE)
    print_table(
        directory.table("models"),
        ["model", "capacity_nats", "seed", "rate_nats", "distortion", "status"],
        as_json,
    )
    made = directory.path / ("tables" if no_report else "report.html")
    print(f"{'tables' if no_report else 'page'}: {made}", file=sys.stderr)

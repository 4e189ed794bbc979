"""The command line: parse, call, exit code. Results go to stdout, progress and messages to stderr.

Exit codes: 0 good, 1 the work failed or a threshold does not hold, 2 the request was wrong, 3 a comparison or
a merge is incomplete, 130 interrupted (143 by SIGTERM, 129 by SIGHUP).
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.cli.bench_command import bench
from ratewarp.cli.bound_command import bound
from ratewarp.cli.compare_command import compare
from ratewarp.cli.inspect_command import inspect
from ratewarp.cli.measure_command import measure
from ratewarp.cli.merge_command import merge
from ratewarp.cli.paper_command import check_paper
from ratewarp.cli.printing import leave
from ratewarp.cli.report_command import report, tabulate
from ratewarp.cli.run_command import run, schema
from ratewarp.cli.status_command import status

COMMANDS = (
    run,
    merge,
    status,
    schema,
    tabulate,
    report,
    compare,
    inspect,
    measure,
    bound,
    check_paper,
    bench,
)

app = typer.Typer(
    name="ratewarp",
    help="See how a limited code warps what it represents: train families of rate-limited generative"
    " models, measure the geometry of their codes, look at the result.",
    epilog="Start with: ratewarp run demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Runs the command in `sys.argv`."""
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:  # None where it was closed before
                sys.stdout.flush()  # here, where a full disk or a closed pipe can still be told
    except RequestError as error:
        leave(f"error: {error}", 2)
    except RatewarpError as error:
        leave(f"error: {error}", 1)
    except OSError as error:
        if error.filename is not None:  # not of stdout
            raise
        _leave_without_stdout(error)


def _leave_without_stdout(error: OSError) -> NoReturn:
    """What could not be written is dropped, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever read has seen enough
        sys.exit(1)
    leave(f"error: cannot write what was to be printed: {error.strerror}", 1)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("ratewarp"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that stand before a command."""


for command in COMMANDS:
    app.command(command.__name__.replace("_", "-"))(command)

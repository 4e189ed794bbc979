"""What all commands print: tables, a bar with time left, the last words of one that fails."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ratewarp._checks import refuse
from ratewarp._interrupt import stop_if_asked

if TYPE_CHECKING:
    from ratewarp._progress import Progress
    from ratewarp.bench import Progress as BenchProgress

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def leave(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def numbers(argument: str, text: str | None, *, whole: bool = False) -> tuple[float, ...]:
    """Numbers in an option; none if it was not given."""
    try:
        return () if text is None else tuple((int if whole else float)(part) for part in text.split(","))
    except ValueError:
        refuse(
            argument,
            "whole numbers with commas between, such as 1,8,40"
            if whole
            else "numbers with commas between, such as 0.3,10",
            text,
        )


def print_table(table: Any, columns: list[str], as_json: bool) -> None:
    rows = table[columns]
    print(
        rows.to_json(orient="records")
        if as_json
        else rows.to_string(index=False, float_format=lambda value: f"{value:.4g}")
    )


@contextmanager
def progress_bar() -> Iterator[tuple[Callable[[Progress | BenchProgress], None], Callable[[str], None]]]:
    """A bar with time left on stderr, or a line now and then where stderr is not a terminal; and what prints
    messages beside it.

    Where work tells how far it is, it also hears that it is to stop.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        yield _heeding(_progress_lines()), lambda message: print(message, file=sys.stderr, flush=True)
        return
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("compiling", total=None)
        show = lambda at: bar.update(task, description=at.doing, completed=at.done, total=at.total or 1)  # noqa: E731
        yield (
            _heeding(show),
            lambda message: bar.console.print(message, markup=False, highlight=False, soft_wrap=True),
        )


def _heeding(show: Callable[[Progress | BenchProgress], None]) -> Callable[[Progress | BenchProgress], None]:
    """`show`, which raises where the user asked to stop."""

    def shown(at: Progress | BenchProgress) -> None:
        stop_if_asked()
        show(at)

    return shown


def _progress_lines(every: float = 15.0) -> Callable[[Progress | BenchProgress], None]:
    import time

    first: list[tuple[float, float]] = []  # clock and amount done when the first was done
    last = {"line": "", "time": float("-inf")}

    def show(at: Progress | BenchProgress) -> None:
        now = time.monotonic()
        if first and at.done < first[0][1]:  # something else is done now
            first.clear()
        if at.done and not first:
            first.append((now, at.done))
        if at.doing == last["line"] and now - last["time"] < every:
            return
        last.update(line=at.doing, time=now)
        share = at.done / at.total if at.total else 1.0
        since, begun = first[0] if first else (now, 0)
        left = (
            f", about {(now - since) * (at.total - at.done) / (at.done - begun):.0f} s left"
            if begun < at.done < at.total
            else ""
        )
        print(f"{at.doing}: {share:.0%}{left}", file=sys.stderr, flush=True)

    return show

"""`ratewarp bench`: how fast a training step is on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ratewarp._checks import refuse
from ratewarp._files import can_be_made, write_new
from ratewarp._interrupt import GRACE_SECONDS, when_stopped
from ratewarp.cli.printing import JsonOption, leave, numbers, print_table, progress_bar

_BUSY = 0.5  # load average from which timings are not to be trusted


def bench(
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contestant.")] = 5,
    seconds: Annotated[float, typer.Option(help="About how long a turn lasts.")] = 10.0,
    members: Annotated[
        str, typer.Option(metavar="N,N,…", help="Numbers of models that ratewarp trains together.")
    ] = "1,8,40",
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave a contestant out, such as pythae; repeatable."),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Training images; 200,000 of the published network's if not given, else 10,000."),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME|HxWxC",
            help="What is trained: the published network, or one by size for random images of that shape,"
            " such as 64x64x3.",
        ),
    ] = "published",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything measured to this file, as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time a training step on this machine, against PyTorch and pythae (pip install 'ratewarp[bench]') and
    against its matrix products.

    Takes about ten minutes; close other programs first.
    """
    from ratewarp.bench import BenchSettings, compare
    from ratewarp.bench.hardware import describe_machine

    settings = BenchSettings(
        rounds,
        seconds,
        tuple(map(int, numbers("members", members, whole=True))),
        tuple(without or ()),
        images,
        network,
    )
    if out and not can_be_made(out):
        refuse("out", "a file that does not exist yet, in a folder that does", str(out))
    load = describe_machine()["load_average"] or 0
    if load > _BUSY:
        print(
            f"warning: other programs are at work (load average {load:.1f}); timings will be too long and"
            " uneven",
            file=sys.stderr,
        )
    when_stopped("nothing was written", grace=GRACE_SECONDS)
    with progress_bar() as (show, _):
        result = compare(settings, show)
    _print_comparison(result, as_json)
    if out:
        try:
            write_new(out, json.dumps(result, indent=2).encode())
        except OSError as error:
            leave(f"error: cannot write {out}: {error.strerror}", 1)
    failed = [name for name, why in result["left_out"].items() if why.startswith("failed")]
    if failed:
        leave(f"error: {', '.join(failed)} failed", 1)


def _print_comparison(result: dict[str, Any], as_json: bool) -> None:
    from ratewarp.bench.table import tables

    if as_json:
        print(json.dumps(result))
        return
    for title, table in tables(result).items():
        print(f"{title}\n")
        print_table(table, list(table), as_json=False)
        print()

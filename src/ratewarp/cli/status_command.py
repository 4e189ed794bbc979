"""`ratewarp status`: how far a run is."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ratewarp.cli.printing import FolderArgument, JsonOption


def status(
    folder: FolderArgument,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare every file with its SHA-256; else those missing or of another size are noticed.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say which conditions of a run are finished, how far the others are, and what is damaged."""
    from ratewarp.runs.directory import open_run
    from ratewarp.runs.status import run_status

    found = run_status(open_run(folder), thorough=check)
    for line in found.damaged:
        print(line, file=sys.stderr)
    if found.writer:
        print(f"{folder} {found.writer}", file=sys.stderr)
    if as_json:
        training = {name: reached._asdict() for name, reached in found.training.items()}
        shard = found.shard and found.shard._asdict()
        print(json.dumps({**found._asdict(), "training": training, "shard": shard}))
        return
    total, read = len(found.finished) + len(found.missing), len(found.readouts) - len(found.readouts_missing)
    heads = f", heads on the frozen codes of {read} of {len(found.readouts)}" if found.readouts else ""
    part = f", {found.shard}" if found.shard else ""
    print(f"{found.study}{part}: {len(found.finished)} of {total} conditions finished{heads}")
    missing = set(found.missing)
    for name in found.conditions:
        reached = found.training.get(name)
        begun = f"  training, step {reached.step:,} of {reached.steps:,}" if reached else ""
        print(f"  {'missing' if name in missing else 'done   '}  {name}{begun}")

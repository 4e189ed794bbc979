"""`ratewarp status`: how far a run is."""

from __future__ import annotations

import json
import sys

from ratewarp.cli.printing import FolderArgument, JsonOption


def status(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Say which conditions of a run are finished, how far the others are, and what is damaged."""
    from ratewarp.runs.directory import open_run
    from ratewarp.runs.status import run_status

    found = run_status(open_run(folder))
    for line in found.damaged:
        print(line, file=sys.stderr)
    if found.writer:
        print(f"{folder} {found.writer}", file=sys.stderr)
    if as_json:
        training = {name: reached._asdict() for name, reached in found.training.items()}
        print(json.dumps({**found._asdict(), "training": training}))
        return
    total, read = len(found.finished) + len(found.missing), len(found.readouts) - len(found.readouts_missing)
    heads = f", heads on the frozen codes of {read} of {len(found.readouts)}" if found.readouts else ""
    print(f"{found.study}: {len(found.finished)} of {total} conditions finished{heads}")
    for name in found.conditions:
        reached = found.training.get(name)
        begun = f"  training, step {reached.step:,} of {reached.steps:,}" if reached else ""
        print(f"  {'missing' if name in found.missing else 'done   '}  {name}{begun}")

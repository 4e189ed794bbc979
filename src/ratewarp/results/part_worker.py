"""A process that makes parts of a run's tables: numbers come in, a line each, rows go out as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ratewarp._checks import RatewarpError
from ratewarp.results.table_parts import plain
from ratewarp.results.tables import parts_of
from ratewarp.runs.directory import open_run
from ratewarp.studies import stored_study


def main(folder: str) -> None:
    """Answers every line of the standard input; `null` where a part cannot be made."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # nothing else may get between the answers
    run = open_run(Path(folder))
    parts = parts_of(run, stored_study(run.study, run.path))
    for line in sys.stdin:
        try:
            rows = parts[int(line)].rows()
        except RatewarpError:
            rows = None
        print(json.dumps(rows, default=plain), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

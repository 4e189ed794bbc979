"""A process that draws figures of a run: orders come in, a line each, files and pictures go out as JSON."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

from ratewarp.report.figure_files import drawn
from ratewarp.report.figure_processes import to_plain
from ratewarp.report.figures import drawings
from ratewarp.report.views import RunView
from ratewarp.runs.directory import open_run


def main(folder: str) -> None:
    """Says that it has started, then answers every line of the standard input; "failed" where a figure
    cannot be drawn.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # nothing else may get between the answers
    view = RunView(open_run(Path(folder)))
    makes = drawings(view)
    print("started", file=answers, flush=True)
    for line in sys.stdin:
        name, kinds, dpi = json.loads(line)
        try:
            answer = to_plain(drawn(partial(makes[name], view), kinds, dpi))
        except Exception:  # whoever asked draws it, and says what is wrong
            answer = "failed"
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""A process that draws figures of a run: orders come in, a line each, pictures and files go out as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ratewarp.report.figure_files import Drawer, Order
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
    drawer = Drawer({name: partial(make, view) for name, make in drawings(view).items()})
    make: dict[str, Callable[[Order], Any]] = {
        "picture": drawer.picture,
        "files": lambda order: to_plain(drawer.files(order)),
    }
    print("started", file=answers, flush=True)
    for line in sys.stdin:
        wanted, *order = json.loads(line)
        try:
            answer = make[wanted](Order(*order))
        except Exception:  # whoever asked draws it, and says what is wrong
            answer = "failed"
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Processes that help to draw the figures of a run. They take seconds to import what draws, so that they may
start before their parent has imported it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ratewarp._child_process import close_child, start_child
from ratewarp._cores import cpu_cores

Helper = subprocess.Popen[str]

_MOST = 4  # processes, the parent among them; each takes some 400 MB


def start_helpers(run: Path) -> list[Helper]:
    """A helper for every core that the parent leaves; each reads the run directory alone, and leaves when its
    input ends, however its parent ends.
    """
    more = min(cpu_cores(), _MOST) - 1
    return [
        start_child("ratewarp.report.figure_worker", str(run), env={"MPLBACKEND": "agg"}) for _ in range(more)
    ]


def end_helpers(helpers: list[Helper]) -> None:
    """Ends them, whatever they do; once more has no effect."""
    for helper in helpers:
        helper.kill()
    for helper in helpers:
        close_child(helper)


@contextmanager
def early_helpers(run: Path) -> Iterator[list[Helper]]:
    """Helpers of a run of which no figure is drawn; none of one whose figures may stay as they are."""
    nothing_drawn = os.path.isfile(run / "study.yaml") and not os.path.lexists(run / "drawn")
    helpers = start_helpers(run) if nothing_drawn else []
    try:
        yield helpers
    finally:
        end_helpers(helpers)

"""Parts of the tables made by several processes, one a core: of matrices this small, threads wait for each
other.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from ratewarp._child_process import close_child, start_child
from ratewarp._cores import cpu_cores
from ratewarp._interrupt import stop_if_asked
from ratewarp.results.table_parts import Rows

FEWEST = 48  # parts: fewer are made sooner than processes start
_LOOK_SECONDS = 0.2  # between two looks whether the user asked to stop


def made_by_processes(run: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Rows]]:
    """Rows of parts of a run's tables, each when it is made.

    Arguments:
        run: the run directory, whole; the processes read it alone.
        numbers: places of the parts in `results.tables.parts_of`.

    Yields:
        The number of a part and its rows. A part that a process cannot make, or at which it is lost, is left
        out: whoever makes it then learns why.
    """
    waiting, answers = iter(numbers), Queue[tuple[int, Rows] | None]()
    children = [_child(run) for _ in range(min(cpu_cores(), len(numbers)))]
    threads = [Thread(target=_feed, args=(one, waiting, answers), daemon=True) for one in children]
    for thread in threads:
        thread.start()
    try:
        working = len(threads)
        while working:
            stop_if_asked()
            with suppress(Empty):
                answer = answers.get(timeout=_LOOK_SECONDS)
                if answer is None:
                    working -= 1
                else:
                    yield answer
    finally:
        for child, thread in zip(children, threads, strict=True):
            child.kill()
            thread.join()  # its process is gone, and with it what it waits for
            close_child(child)


def _child(run: Path) -> subprocess.Popen[str]:
    """A process that makes parts; it leaves when its input ends, however this process ends."""
    return start_child("ratewarp.results.part_worker", str(run))


def _feed(
    child: subprocess.Popen[str], waiting: Iterator[int], answers: Queue[tuple[int, Rows] | None]
) -> None:
    """Asks a process for one part after the other; None at the end, also where the process is lost."""
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(OSError, ValueError):  # ValueError: it was ended in the middle of a line
        for number in waiting:
            child.stdin.write(f"{number}\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                break
            rows = json.loads(line)
            if rows is not None:
                answers.put((number, rows))
    answers.put(None)

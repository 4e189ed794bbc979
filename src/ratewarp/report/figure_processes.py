"""Figures drawn by this process and some others: drawing one keeps a core busy, and two share nothing."""

from __future__ import annotations

import base64
import json
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple

from ratewarp._child_process import close_child, start_child
from ratewarp._cores import cpu_cores
from ratewarp._interrupt import stop_if_asked
from ratewarp.report.figure_files import Drawn

FEWEST = 8  # figures: fewer are drawn sooner than another process has started
_MOST = 4  # processes; each takes some 400 MB
_LOOK_SECONDS = 0.2  # between two looks at what others have drawn, and whether the user asked to stop
_OF_MAPS = ("overview", "model_")  # beginnings of names of figures of maps, which every process lays out anew

Made = tuple[str, Drawn | None]


class Order(NamedTuple):
    """What is to be drawn.

    Attributes:
        name: of the figure.
        kinds: of its files.
        dpi: pixels an inch.
    """

    name: str
    kinds: tuple[str, ...]
    dpi: float


def figures_made(
    run: Path,
    orders: Sequence[Order],
    make: Callable[[Order], Drawn | None],
    tell: Callable[[str, int], None],
    *,
    alone: bool = False,
) -> Iterator[Made]:
    """Figures of a run, each when it is drawn; None for one for which there is nothing to draw.

    Arguments:
        run: the run directory; the other processes read it alone.
        orders: what to draw. This process begins with what shows maps, the others with what does not.
        make: draws one in this process.
        tell: called with the name of what this process draws next, and how many are done.
        alone: whether this process draws all of them, such as of a run that others could not read.
    """
    others = min(cpu_cores(), _MOST) - 1 if len(orders) >= FEWEST and not alone else 0
    first = sorted(orders, key=lambda one: not one.name.startswith(_OF_MAPS)) if others else orders
    waiting, answers = deque(first), Queue[Made]()
    children = [_child(run) for _ in range(others)]
    threads = [Thread(target=_feed, args=(one, waiting, answers), daemon=True) for one in children]
    for thread in threads:
        thread.start()
    try:
        left = {order.name: order for order in orders}
        while left:
            stop_if_asked()
            own = _next(waiting, left, answers, threads)
            if own is not None:
                tell(own.name, len(orders) - len(left))
                del left[own.name]
                yield own.name, make(own)
            for name, found in _answered(answers, wait=own is None):
                if left.pop(name, None) is not None:
                    yield name, found
    finally:
        for child, thread in zip(children, threads, strict=True):
            child.kill()
            thread.join()  # its process is gone, and with it what it waits for
            close_child(child)


def _next(
    waiting: deque[Order], left: dict[str, Order], answers: Queue[Made], threads: Sequence[Thread]
) -> Order | None:
    """What this process draws next; once all others have ended, what one was lost at, or could not draw:
    here one learns why.
    """
    with suppress(IndexError):
        return waiting.popleft()
    lost = not any(thread.is_alive() for thread in threads) and answers.empty()
    return next(iter(left.values())) if lost else None


def _answered(answers: Queue[Made], *, wait: bool) -> Iterator[Made]:
    """What others have drawn; waits a moment for it where this process has nothing else to do."""
    with suppress(Empty):
        yield answers.get(timeout=_LOOK_SECONDS) if wait else answers.get_nowait()
        while True:
            yield answers.get_nowait()


def _child(run: Path) -> subprocess.Popen[str]:
    """A process that draws figures; it leaves when its input ends, however this process ends."""
    return start_child("ratewarp.report.figure_worker", str(run), env={"MPLBACKEND": "agg"})


def _feed(child: subprocess.Popen[str], waiting: deque[Order], answers: Queue[Made]) -> None:
    """Asks a process for one figure after the other, from the end of what is waiting."""
    assert child.stdin is not None
    assert child.stdout is not None
    # IndexError: nothing waits; ValueError: the process was ended in the middle of a line
    with suppress(IndexError, OSError, ValueError):
        child.stdout.readline()  # it has started
        while True:
            order = waiting.pop()
            child.stdin.write(json.dumps(order) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                break
            answer = json.loads(line)
            if answer != "failed":
                answers.put((order.name, from_plain(answer)))


def to_plain(made: Drawn | None) -> dict[str, Any] | None:
    """For JSON."""
    if made is None:
        return None
    files = {kind: base64.b64encode(content).decode() for kind, content in made.files.items()}
    return {"files": files, "picture": made.picture, "inches": made.inches}


def from_plain(plain: dict[str, Any] | None) -> Drawn | None:
    """The inverse of `to_plain`."""
    if plain is None:
        return None
    files = {kind: base64.b64decode(content) for kind, content in plain["files"].items()}
    return Drawn(files, plain["picture"], plain["inches"])

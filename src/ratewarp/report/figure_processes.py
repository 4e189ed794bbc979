"""Figures drawn by this process and its helpers: drawing one keeps a core busy, and two share nothing."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Thread
from typing import Any, TypeVar

from ratewarp._figure_helpers import Helper, end_helpers
from ratewarp._interrupt import stop_if_asked
from ratewarp.report.figure_files import Drawer, Order, Picture

_LOOK_SECONDS = 0.2  # between two looks at what helpers have drawn, and whether the user asked to stop
_OF_MAPS = ("overview", "model_")  # beginnings of names of figures of maps, which every process lays out anew

T = TypeVar("T")
Tell = Callable[[str, int, int], None]
"""Called with the name of what this process draws next, how many are done, and how many there are."""


class Drawing:
    """Figures that are drawn: first the pictures of all, which the page waits for, then their files.

    Who has drawn a figure makes its files, too. Helpers go on to these while this process writes the page.
    """

    def __init__(self, drawer: Drawer, helpers: Sequence[Helper]) -> None:
        self._drawer = drawer
        self._waiting, self._own = deque[Order](), deque[Order]()
        self._pictures = Queue[tuple[str, Picture | None]]()
        self._files = Queue[tuple[str, dict[str, bytes]]]()
        self._threads = [Thread(target=self._ask, args=(one,), daemon=True) for one in helpers]

    def pictures(
        self, orders: Sequence[Order], prepare: Callable[[], None], tell: Tell
    ) -> Iterator[tuple[str, Picture | None]]:
        """The picture of every figure, when it is drawn; None where there is nothing to draw.

        Arguments:
            orders: what to draw. This process begins with what shows maps, its helpers with what does not.
            prepare: what this process does before it draws.
            tell: hears what comes next.
        """
        maps_first = sorted(orders, key=lambda one: not one.name.startswith(_OF_MAPS))
        self._waiting.extend(maps_first if self._threads else orders)
        for thread in self._threads:
            thread.start()
        prepare()

        def draw(order: Order) -> Picture | None:
            found = self._drawer.picture(order)
            if found is not None and order.kinds:
                self._own.append(order)
            return found

        yield from self._made(orders, self._waiting, self._pictures, draw, tell)

    def files(self, orders: Sequence[Order], tell: Tell) -> Iterator[tuple[str, dict[str, bytes]]]:
        """The files of every figure, by kind, when they are made.

        Arguments:
            orders: those of `pictures` that had one, and want files.
            tell: hears what comes next.
        """
        yield from self._made(orders, self._own, self._files, self._drawer.files, tell)

    def _made(
        self,
        orders: Sequence[Order],
        own: deque[Order],
        answers: Queue[tuple[str, T]],
        make: Callable[[Order], T],
        tell: Tell,
    ) -> Iterator[tuple[str, T]]:
        left = {order.name: order for order in orders}
        while left:
            stop_if_asked()
            order = self._next(own, left, answers)
            if order is not None:
                tell(order.name, len(orders) - len(left), len(orders))
                del left[order.name]
                yield order.name, make(order)
            for name, found in _answered(answers, wait=order is None):
                if left.pop(name, None) is not None:
                    yield name, found

    def _next(self, own: deque[Order], left: dict[str, Order], answers: Queue[tuple[str, T]]) -> Order | None:
        """What this process draws next; once all helpers have ended, what one was lost at, or could not draw:
        here one learns why.
        """
        with suppress(IndexError):
            return own.popleft()
        lost = not any(thread.is_alive() for thread in self._threads) and answers.empty()
        return next(iter(left.values())) if lost else None

    def _ask(self, helper: Helper) -> None:
        """Asks a helper for figure after figure, from the end of what is waiting; then for their files."""
        own = list[Order]()
        # OSError: it is lost; ValueError: it was ended in the middle of a line
        with suppress(OSError, ValueError, EOFError):
            _line(helper)  # it has started
            while (order := self._last_waiting()) is not None:
                answer = _answer(helper, "picture", order)
                if answer == "failed":
                    continue
                self._pictures.put((order.name, answer and Picture(*answer)))
                if answer is not None and order.kinds:
                    own.append(order)
            for order in own:
                answer = _answer(helper, "files", order)
                if answer != "failed":
                    self._files.put((order.name, from_plain(answer)))

    def _last_waiting(self) -> Order | None:
        with suppress(IndexError):
            return self._waiting.pop()
        return None

    def join(self) -> None:
        """Waits for what asks the helpers; these have ended."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()


@contextmanager
def drawing(drawer: Drawer, helpers: list[Helper]) -> Iterator[Drawing]:
    """Figures that are drawn; in the end, helpers have ended, and with them what waits for them."""
    found = Drawing(drawer, helpers)
    try:
        yield found
    finally:
        for helper in helpers:
            helper.kill()
        found.join()
        end_helpers(helpers)


def _answered(answers: Queue[tuple[str, T]], *, wait: bool) -> Iterator[tuple[str, T]]:
    """What helpers have made; waits a moment for it where this process has nothing else to do."""
    with suppress(Empty):
        yield answers.get(timeout=_LOOK_SECONDS) if wait else answers.get_nowait()
        while True:
            yield answers.get_nowait()


def _answer(helper: Helper, wanted: str, order: Order) -> Any:
    assert helper.stdin is not None
    helper.stdin.write(json.dumps([wanted, *order]) + "\n")
    helper.stdin.flush()
    return json.loads(_line(helper))


def _line(helper: Helper) -> str:
    assert helper.stdout is not None
    line = helper.stdout.readline()
    if not line:
        raise EOFError
    return line


def to_plain(files: dict[str, bytes]) -> dict[str, str]:
    """Contents of files for JSON."""
    return {kind: base64.b64encode(content).decode() for kind, content in files.items()}


def from_plain(plain: dict[str, str]) -> dict[str, bytes]:
    """The inverse of `to_plain`."""
    return {kind: base64.b64decode(text) for kind, text in plain.items()}

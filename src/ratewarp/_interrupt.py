"""Stopping when asked: Ctrl-C, SIGTERM and SIGHUP are noted, long work looks at the note, and no signal is
lost.

Python raises `KeyboardInterrupt` wherever it happens to be, and drops it where that is a destructor or a
callback of the garbage collector; the other two signals end a process without a word. Here a signal raises
nothing. A thread of its own hears it. Work that has something to keep is given some seconds to come to a
place where it looks (`stop_if_asked`); all other work, and work that is compiling or computing one large
product meanwhile, is ended by that thread, and so is everything at a second signal.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

GRACE_SECONDS = 2.5  # from a signal until work that has something to keep is ended whatever it does
# those that a system does not have, or that the caller ignores, are left alone
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_WRITE_SECONDS = 1.5  # how long the end waits for a write at hand
_SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it


class Stopped(BaseException):
    """Somebody asked this process to stop. No error: only the command line catches it."""


class _Note:
    """What is known of a request to stop, and what holds until the process ends."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.number = 0  # of the first signal
        self.kept = ""  # what is kept and how to resume, in words
        self.grace = 0.0  # seconds
        self.writing = threading.RLock()
        self.sockets: tuple[socket.socket, ...] = ()


_note = _Note()


def stop_asked() -> bool:
    """Whether somebody asked this process to stop."""
    return _note.asked.is_set()


def stop_if_asked() -> None:
    """Raises `Stopped` if somebody asked this process to stop; long work calls it between its parts."""
    if _note.asked.is_set():
        raise Stopped


def when_stopped(kept: str, *, grace: float = 0.0) -> None:
    """Says what a signal means for the work that begins now.

    Arguments:
        kept: what is said at the end: what is kept, and how to resume.
        grace: seconds the work gets to come to a place where it looks; 0 for work that has nothing to keep.
    """
    _note.kept, _note.grace = kept, grace


@contextmanager
def unbroken() -> Iterator[None]:
    """Lets a write at hand come to its end before a signal ends the process, unless it takes more than a
    second or two.
    """
    with _note.writing:
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Turns signals into requests to stop for the rest of the process, and ends it when its work has heard of
    one.

    Exit codes are those of a shell: 128 and the number of the signal (130 for Ctrl-C, 143 for SIGTERM, 129
    for SIGHUP).
    """
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    watched = frozenset(
        number for number in numbers if signal.getsignal(number) not in (signal.SIG_IGN, None)
    )
    incoming, outgoing = _note.sockets = socket.socketpair()
    outgoing.setblocking(False)
    signal.set_wakeup_fd(outgoing.fileno(), warn_on_full_buffer=False)
    for number in watched:
        signal.signal(number, lambda *_: None)  # its number arrives at the other socket
    threading.Thread(target=_watch, args=(incoming, watched), daemon=True, name="ratewarp-signals").start()
    try:
        yield
    except Stopped:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        _leave()


def _watch(incoming: socket.socket, watched: frozenset[int]) -> None:
    """Notes the first signal; at a second one, or when the grace is over, ends the process."""
    _note.number = _next_signal(incoming, watched)
    _note.asked.set()
    if _note.grace > 0:
        incoming.settimeout(_note.grace)
        with suppress(TimeoutError):
            _next_signal(incoming, watched)
    _leave()


def _next_signal(incoming: socket.socket, watched: frozenset[int]) -> int:
    """Number of the next signal that is ours."""
    while (number := incoming.recv(1)[0]) not in watched:
        continue
    return number


def _leave() -> NoReturn:
    """Ends the process at once, whatever other threads do: nothing is left to be done that could fail or
    wait.
    """
    _note.writing.acquire(timeout=_WRITE_SECONDS)
    ending = _SHOW_CURSOR if os.isatty(2) else b""
    with suppress(OSError):
        os.write(2, ending + f"{_said()}\n".encode(errors="backslashreplace"))
    os._exit(128 + _note.number)


def _said() -> str:
    name = (
        "interrupted" if _note.number == signal.SIGINT else f"stopped by {signal.Signals(_note.number).name}"
    )
    return f"{name}; {_note.kept}" if _note.kept else name

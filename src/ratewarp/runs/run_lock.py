"""The lock of a run directory: one process at a time writes to it.

The lock is a file `.ratewarp-lock` in the folder. The kernel holds it for the process (`flock`; on Windows
`msvcrt.locking`), so that it is free at once when the process ends, however it ends. The file says who holds
it, for the message to the next one, and for file systems on which the kernel's lock is worth nothing: there a
holder that still lives on this machine is respected as well, and one on another machine wherever kernel locks
cannot be had at all.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from ratewarp._checks import RatewarpError, shorten
from ratewarp._files import disk_errors

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # not Windows
    msvcrt = None

LOCK = ".ratewarp-lock"

_MOST_BYTES = 4096  # of a lock file that are read
_WORDS = {
    "run": "is being run by",
    "draw": "is being drawn by",
    "compare": "is being compared by",
    "tabulate": "is being tabulated by",
}
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
# looks at a file whose holder has not written its name yet, and seconds between them
_PATIENCE, _NAP = 20, 0.01


class BusyError(RatewarpError):
    """Another process works on the run directory."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        host: name of the machine.
        process: id of the process there.
        began: when that process began, by the clock of its kernel, with the kernel's start; empty where that
            is not told.
        since: when the lock was taken, ISO 8601.
        doing: a key of the words for it.
    """

    host: str
    process: int
    began: str
    since: str
    doing: str

    def describe(self) -> str:
        """Who it is and what it does, to be read after the name of the folder."""
        doing = _WORDS.get(self.doing, "is in use by")
        return f"{doing} process {self.process} on host {_plain(self.host)} since {_plain(self.since)}"


class RunLock:
    """A lock that is held, from `lock_run`."""

    def __init__(self, file: Path, descriptor: int):
        self._file, self._descriptor = file, descriptor

    @property
    def lost(self) -> bool:
        """Whether the lock is held no longer because its folder was removed, moved or made anew."""
        return self._descriptor >= 0 and not _same(self._file, self._descriptor)

    def release(self) -> None:
        """Removes the file, then lets go of it."""
        descriptor, self._descriptor = self._descriptor, -1
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        with suppress(OSError):
            if os.name != "nt" and _same(self._file, descriptor):
                self._file.unlink()
        os.close(descriptor)
        if os.name == "nt":  # where an open file cannot be removed
            with suppress(OSError):
                self._file.unlink()


@contextmanager
def lock_run(folder: Path, doing: str = "run") -> Iterator[RunLock]:
    """Holds the lock of a run directory that exists.

    Arguments:
        folder: the run directory.
        doing: what it is held for: "run", "draw", "compare" or "tabulate".

    Yields:
        The lock.

    Raises:
        BusyError: another process holds it.
        RatewarpError: the folder cannot be written.
    """
    lock = _take(folder, doing)
    try:
        yield lock
    finally:
        lock.release()


def holder_of(folder: Path) -> Holder | None:
    """Who writes to a run directory, by its lock file; None if nobody. A holder on another machine cannot be
    seen, and is believed.

    The kernel's lock is not tried, so that a process that wants it just now is not refused.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | _careful())
    except OSError:
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        found = _read(descriptor) if regular else None
        return found if found and _respected(found, None) else None
    finally:
        os.close(descriptor)


def _take(folder: Path, doing: str) -> RunLock:
    """Opens and locks the file; again if its holder has just removed it."""
    file = folder / LOCK
    while True:
        descriptor = _open(file)
        try:
            locked = _lock(descriptor)
            other = _patiently(file, descriptor) if locked is False else None
            if locked is False and (other or _same(file, descriptor)):
                _refuse(folder, other)
            if not _same(file, descriptor):
                os.close(descriptor)
                continue
            before = _read(descriptor)
            if before and _respected(before, locked):
                _refuse(folder, before)
            with disk_errors(file):
                _write(descriptor, doing)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        return RunLock(file, descriptor)


def _open(file: Path) -> int:
    with disk_errors(file):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | _careful(), 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RatewarpError(f"{file} is not a regular file; remove it")
    return descriptor


def _careful() -> int:
    """Flags with which a link is not followed, a pipe does not block, and no child inherits the file."""
    return sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def _lock(descriptor: int) -> bool | None:
    """Takes the kernel's lock; False if another has it, None where there are no such locks."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            os.lseek(descriptor, _MOST_BYTES, os.SEEK_SET)  # beyond the text, which others read
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        else:
            return None
    except OSError as error:
        return False if error.errno in _BUSY else None
    return True


def _same(file: Path, descriptor: int) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.stat(file, follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def _respected(found: Holder, locked: bool | None) -> bool:
    """Whether a holder that the file names still lives, although the kernel did not say so."""
    if found.host != socket.gethostname():
        return locked is None
    if not found.began:  # only the number of the process is known, which may be that of a later one by now
        return locked is None and _lives(found.process)
    return found.began == _began(found.process)


def _lives(process: int) -> bool:
    if os.name == "nt":  # where this question would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _began(process: int) -> str:
    """When a process of this machine began; empty if there is none, or where that is not told."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{fields[19]} {boot}" if fields[0] not in "ZX" else ""
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def _write(descriptor: int, doing: str) -> None:
    process = os.getpid()
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    holder = Holder(socket.gethostname(), process, _began(process), since, doing)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(holder.__dict__).encode())


def _read(descriptor: int) -> Holder | None:
    """Who the file names; None if nobody, or nothing that can be read."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        content: Any = json.loads(os.read(descriptor, _MOST_BYTES))
        texts = {name: str(content[name]) for name in ("host", "began", "since", "doing")}
        return Holder(process=int(content["process"]), **texts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _patiently(file: Path, descriptor: int) -> Holder | None:
    """Who the file names; its holder may be just about to write it, or to remove it."""
    for _ in range(_PATIENCE):
        found = _read(descriptor)
        if found or not _same(file, descriptor):
            return found
        time.sleep(_NAP)
    return None


def _refuse(folder: Path, found: Holder | None) -> NoReturn:
    who = found.describe() if found else "is in use by another process"
    elsewhere = found is not None and found.host != socket.gethostname()
    stale = f"; if that process is gone, remove {folder / LOCK}" if elsewhere else ""
    raise BusyError(f"{folder} {who}; wait for it or end it, then run the same command again{stale}")


def _plain(text: str) -> str:
    """A name of the file as it can be printed."""
    return text if text.isprintable() and len(text) <= 80 else shorten(text)

"""Files: those of others are read in small amounts and never end in a stack trace; own ones are written whole
or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from ratewarp._checks import RatewarpError, RequestError, refuse
from ratewarp._interrupt import unbroken
from ratewarp._yaml import read_yaml

MAX_BYTES = 1_000_000
MAX_STUDY_BYTES = 128_000_000  # of a study file: one of thousands of models with a table of frequencies each
PARTIAL = ".partial-"  # begins the names of files and folders that are still being written


def exists(path: Path) -> bool:
    """Whether anything stands at `path`; nothing does under a name that no file can have, such as a very long
    one.
    """
    return _answer(path.exists)


def is_file(path: Path) -> bool:
    """Whether a regular file stands at `path`, also where a link leads to it."""
    return _answer(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether a folder stands at `path`, also where a link leads to it."""
    return _answer(path.is_dir)


def can_be_made(path: Path) -> bool:
    """Whether a new file can have this name: nothing has it yet, in a folder that exists."""
    try:
        path.lstat()  # also of a link that leads nowhere
    except FileNotFoundError:
        return is_folder(path.parent)
    except (OSError, ValueError):
        pass
    return False


def _answer(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except (OSError, ValueError):  # a name no file can have, or a folder that may not be looked into
        return False


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """Contents of a UTF-8 text file of at most `limit` bytes, or `RequestError`."""
    try:
        if path.stat().st_size > limit:
            refuse(str(path), f"at most {limit:,} bytes", f"{path.stat().st_size:,} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RequestError(f"{path} is not a text file in UTF-8") from None
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from None


def parse_mapping(text: str, origin: str) -> dict[str, Any]:
    """A YAML mapping with names as keys, or `RequestError`."""
    data = read_yaml(text, origin)
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        refuse(origin, "a mapping of keys to values", data)
    return data


@contextmanager
def disk_errors(place: Path, intact: str = "what was finished before is intact") -> Iterator[None]:
    """Says in plain words that a file or folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise RatewarpError(f"cannot write {place}: {error.strerror or error}; {intact}") from error


@unbroken()
def write_whole(file: Path, content: bytes) -> None:
    """Writes a file at once: a reader finds the old or the new one whole, and so does who comes after a
    crash.

    Raises:
        OSError: it cannot be written; what was there before is untouched.
    """
    make_folder(file.parent)
    partial = file.with_name(f"{PARTIAL}{token_hex(8)}")  # no two writers share one
    try:
        with partial.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, file)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    sync(file.parent)


@unbroken()
def write_new(file: Path, content: bytes) -> None:
    """Writes a file that is not there yet; none is left behind where that fails.

    Raises:
        OSError: it cannot be written, or is there already.
    """
    with file.open("xb") as stream:
        try:
            stream.write(content)
            stream.flush()
        except OSError:
            file.unlink(missing_ok=True)
            raise


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing, so that they outlive a crash."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(place: Path) -> None:
    """Makes sure that the contents of a file, or the names in a folder, outlive a crash."""
    if place.is_dir() and os.name == "nt":  # where folders cannot be opened, and are written at once
        return
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

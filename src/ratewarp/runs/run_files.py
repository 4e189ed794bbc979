"""Files below a run directory: only regular ones of a sane size are read, and nothing is written through a
symbolic link.

Every folder of a condition has `sums.json`: whose it is, and of each of its files the size and the SHA-256. A
folder without it was written by an earlier version and is taken as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from ratewarp._checks import RatewarpError, shorten
from ratewarp._files import PARTIAL, disk_errors, sync

SUMS = "sums.json"
MOST_JSON, MOST_TABLE, MOST_ARRAYS = 100_000_000, 1_000_000_000, 16_000_000_000  # bytes

_CHUNK = 1 << 20


class DamagedError(RatewarpError):
    """A file of a run that is not as it was written.

    Attributes:
        file: the file.
        reason: what is wrong, to be read after its name.
    """

    def __init__(self, file: Path, reason: str, remedy: str = ""):
        super().__init__(f"{file} {reason}{remedy and '; '}{remedy}")
        self.file, self.reason = file, reason


@contextmanager
def damage(file: Path, remedy: str) -> Iterator[None]:
    """Turns any failure to read a file this package wrote into one message that names it and what to do."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(error.file, error.reason, remedy) from error
    except RatewarpError:
        raise
    except Exception as error:
        what = str(error.strerror) if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise DamagedError(file, f"is damaged or missing ({what})", remedy) from error


def check_regular(file: Path, most: int) -> int:
    """Size of a regular file of at most so many bytes; a link to one is as good.

    Raises:
        DamagedError: it is missing, something else (such as a pipe or a device, which would be read without
            end), or larger.
    """
    try:
        found = file.stat()
    except OSError as error:
        raise DamagedError(file, f"is damaged or missing ({error.strerror})") from None
    if not stat.S_ISREG(found.st_mode):
        raise DamagedError(file, "is damaged: it is not a regular file")
    if found.st_size > most:
        raise DamagedError(file, f"is damaged: it has {found.st_size:,} bytes, more than {most:,}")
    return found.st_size


def read_regular(file: Path, most: int) -> bytes:
    """Contents of a regular file of at most so many bytes."""
    size = check_regular(file, most)
    try:
        with file.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise DamagedError(file, f"cannot be read ({error.strerror})") from None


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object."""
    content = read_regular(file, MOST_JSON)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise DamagedError(file, "is damaged: it holds no JSON object")
    return data


def sum_of(file: Path, most: int) -> str:
    """SHA-256 of a regular file, which is read in pieces."""
    left = check_regular(file, most)
    found = sha256()
    try:
        with file.open("rb") as stream:
            while left > 0 and (piece := stream.read(min(left, _CHUNK))):
                found.update(piece)
                left -= len(piece)
    except OSError as error:
        raise DamagedError(file, f"cannot be read ({error.strerror})") from None
    return found.hexdigest()


def sum_or_nothing(file: Path | None) -> str:
    """SHA-256 of a regular file; empty if there is none, or something else that is not to be read."""
    try:
        return sum_of(file, MOST_ARRAYS) if file is not None else ""
    except DamagedError:
        return ""


def sums_of(name: str, files: Mapping[str, bytes]) -> bytes:
    """Contents of `sums.json` for the files of the condition of that name."""
    sums = {
        file: {"bytes": len(content), "sha256": sha256(content).hexdigest()}
        for file, content in files.items()
    }
    return (json.dumps({"condition": name, "files": sums}, indent=1) + "\n").encode()


def check_sum(file: Path) -> None:
    """Compares a file of a condition with the sum that was written beside it, if there is one.

    Raises:
        DamagedError: they differ, or the sums themselves are damaged.
    """
    check_sums(file.parent, (file.name,))


def check_sums(folder: Path, files: Sequence[str], *, thorough: bool = True) -> dict[str, str]:
    """Compares files of a condition with the sums that were written beside them, if there are any.

    Arguments:
        folder: of the condition.
        files: their names.
        thorough: whether to read the files; if not, their sizes are compared only.

    Returns:
        The SHA-256 of each file, as it was written; empty where the folder has no sums.

    Raises:
        DamagedError: they differ, or the sums themselves are damaged.
    """
    sums = folder / SUMS
    if not os.path.lexists(sums):
        return {}
    content, wanted = read_json(sums), {}
    for name in files:
        try:
            owner, told = content["condition"], content["files"][name]
            size, wanted[name] = told["bytes"], told["sha256"]
        except (KeyError, TypeError):
            raise DamagedError(sums, f"is damaged: it has no sum of {name}") from None
        if owner != folder.name:
            raise DamagedError(sums, f"is damaged or was moved: it is of {shorten(owner)}")
        file = folder / name
        if check_regular(file, MOST_ARRAYS) != size or (
            thorough and sum_of(file, MOST_ARRAYS) != wanted[name]
        ):
            raise DamagedError(file, "is damaged: it does not match its SHA-256")
    return wanted


def signed(text: str) -> str:
    """A text below its SHA-256, for `read_signed`."""
    return f"{sha256(text.encode('utf-8')).hexdigest()}\n{text}"


def read_signed(file: Path) -> str | None:
    """A text that was written with its SHA-256; None if there is none that is whole, so that it is to be made
    anew.
    """
    try:
        digest, _, text = read_regular(file, MOST_TABLE).decode("utf-8").partition("\n")
    except (DamagedError, UnicodeDecodeError):
        return None
    return text if sha256(text.encode("utf-8")).hexdigest() == digest else None


def refuse_link(folder: Path) -> None:
    """Refuses to write through a symbolic link.

    Raises:
        RatewarpError: the folder is one.
    """
    if folder.is_symlink():
        raise RatewarpError(
            f"{folder} is a symbolic link; nothing is written through links below a run directory. Put the"
            " folder itself there, or"
            " remove the link"
        )


def folder_within(run: Path, name: str) -> Path:
    """A folder right below a run directory, made if need be; the run directory itself is not made."""
    folder = run / name
    refuse_link(folder)
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        sync(run)
    return folder


def remove_partial(run: Path) -> None:
    """Removes what an interrupted write of this package left behind, and follows no link.

    Raises:
        RatewarpError: it cannot be removed.
    """
    for where, folders, files in os.walk(run):
        for name in [name for name in (*folders, *files) if name.startswith(PARTIAL)]:
            partial = Path(where, name)
            with disk_errors(partial):
                shutil.rmtree(partial) if partial.is_dir() and not partial.is_symlink() else partial.unlink()
        folders[:] = [name for name in folders if not name.startswith(PARTIAL)]


def set_aside(place: Path) -> Path:
    """Renames a damaged file or folder to the first free `<name>.damaged-N`; returns the new name.

    Raises:
        RatewarpError: it cannot be renamed.
    """
    number = 1
    while os.path.lexists(aside := place.with_name(f"{place.name}.damaged-{number}")):
        number += 1
    with disk_errors(place):
        os.rename(place, aside)
        sync(place.parent)
    return aside

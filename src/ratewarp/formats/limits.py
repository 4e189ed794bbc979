"""How large a file and its arrays may be: what unpacks to far more than the file holds is no recording."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ratewarp._checks import RequestError, refuse
from ratewarp._files import exists

MAX_BYTES = 4 * 10**9  # of a file that is read, and of an array in it
_AT_MOST = f"at most {MAX_BYTES / 1e9:g} GB; measure a part of the items"
SMALL = 10**8  # bytes that an array may always have
MOST_UNPACKED = 100  # times what it takes in the file, for an array that is larger


def check_place(path: Path, *, folder: bool = False, most: float = MAX_BYTES) -> None:
    """Refuses what is no file to read: nothing, a pipe, a device, a folder (unless asked for), too much.

    Arguments:
        path: of the file.
        folder: whether it may be a folder of files.
        most: bytes that it may have.

    Raises:
        RequestError: it is not to be opened; opening a pipe would wait, and a device may have no end.
    """
    if not exists(path):
        raise RequestError(f"{path}: no such file")
    found = path.stat()
    if folder and stat.S_ISDIR(found.st_mode):
        _check_folder(path)
        return
    if not stat.S_ISREG(found.st_mode):
        refuse(str(path), "a file", "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device")
    if found.st_size > most:
        refuse(str(path), _AT_MOST, f"{found.st_size / 1e9:.1f} GB")
    blocks = getattr(found, "st_blocks", 0)  # 0 also where a system does not say
    if blocks:
        check_unpacked(str(path), found.st_size, 512 * blocks, most=most)


def _check_folder(folder: Path) -> None:
    """Nothing in a folder may lead out of it, or wait."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = os.lstat(os.path.join(above, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                refuse(str(folder), "a folder of files", f"a link, a pipe or a device, {name}")


def check_unpacked(
    name: str, size: int, packed: int, *, most: float = MAX_BYTES, times: int = MOST_UNPACKED
) -> None:
    """Refuses an array by the bytes it says it has, before any of them is read.

    Arguments:
        name: what it is called in messages.
        size: bytes of the array.
        packed: bytes that it takes in the file.
        most: bytes that it may have.
        times: its bytes in the file, that it may have where it is large.

    Raises:
        RequestError: it is larger than `most`, 4 GB if not given, or large and more than `times`, a hundred
            if not given, its bytes in the file.

    Examples:
        >>> check_unpacked("codes.npz: codes", 10**9, 3 * 10**8)
        >>> check_unpacked("codes.npz: codes", 10**9, 10**6)
        Traceback (most recent call last):
        ...
        ratewarp._checks.RequestError: codes.npz: codes must be an array of which the file holds at least ...
    """
    if size > most:
        refuse(name, _AT_MOST, f"{size / 1e9:.1f} GB")
    if size > SMALL and size > times * packed:
        share = "hundredth" if times == MOST_UNPACKED else f"{times:,}th"
        requirement = f"an array of which the file holds at least a {share}; save it without compression"
        refuse(name, requirement, f"{size / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB")

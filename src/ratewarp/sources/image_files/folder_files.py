"""The picture files of a folder and the folders in it: which they are, and their rows."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Num

from ratewarp._checks import RatewarpError, RequestError, escaped
from ratewarp._progress import Progress
from ratewarp.sources.image_files.picture import SUFFIXES, UnfitError, read_picture, without_warnings

_TOGETHER = 64  # files that a thread reads before it is given others
_THREADS = 4
_LARGE = 8192  # bytes of a file; below, threads would only wait for each other
_DEEPEST = 50  # folders within folders
_MOST = 5_000_000  # entries of them
_SKIPPED = "__MACOSX"
_SHOWN = 5  # files named in a message
_LIKE = "images must be of one size and kind"

Spec = tuple[tuple[int, ...], np.dtype]


class Listed(NamedTuple):
    """What stands in a folder.

    Attributes:
        names: picture files, as paths from the folder with `/`, in alphabetical order.
        wrong: what looks like one but cannot be read: why.
        others: names of some other files.
        size: bytes of the largest file among the first ones.
    """

    names: tuple[str, ...]
    wrong: dict[str, str]
    others: tuple[str, ...]


class PictureRows:
    """Rows that are files; each is decoded when it is asked for."""

    together, sound = 1, False

    def __init__(self, folder: Path, names: Sequence[str], spec: Spec, threads: int):
        self.folder, self.names = folder, names
        self.count, (self.row, self.dtype) = len(names), spec
        self._threads = threads

    def read(self, rows: Int[np.ndarray, " images"]) -> Num[np.ndarray, "images ..."]:
        """Pictures in the order that is asked for.

        Raises:
            RatewarpError: a file is not what it was.
        """
        found = np.empty((len(rows), *self.row), self.dtype)

        def one(place: int) -> None:
            name = self.names[int(rows[place])]
            try:
                array = read_picture(self.folder / name)
            except UnfitError as error:
                raise RatewarpError(f"{self.folder / name} {error}") from None
            if (array.shape, array.dtype) != (self.row, self.dtype):
                raise RatewarpError(f"{self.folder / name} has changed since it was looked at")
            found[place] = array

        for _ in _each(one, len(rows), self._threads):
            pass
        return found


def list_folder(folder: Path) -> Listed:
    """The picture files in a folder, and in the folders in it. Hidden ones are passed over, and so are files
    of other kinds.

    A link to a file within the folder is that file; one that leads elsewhere, and one to a folder, is not
    followed.

    Raises:
        RequestError: the folder cannot be looked into, or has no picture in it.
    """
    names: list[str] = []
    wrong: dict[str, str] = {}
    others: list[str] = []
    root, waiting, seen = os.path.realpath(folder), [""], 0
    while waiting:
        above = waiting.pop()
        try:
            with os.scandir(folder / above) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not above:
                raise RequestError(f"cannot read {folder}: {error.strerror}") from None
            wrong[above.rstrip("/")] = f"cannot be looked into: {error.strerror}"
            continue
        seen += len(inside)
        if seen > _MOST:
            raise RequestError(f"{folder} holds more than {_MOST:,} files; give the folder of the images")
        for entry in inside:
            name = f"{above}{entry.name}"
            if entry.name.startswith(".") or entry.name == _SKIPPED:
                continue
            if not _is_text(entry.name) and (entry.is_dir() or _is_picture(entry.name)):
                wrong[name] = "has a name that is not UTF-8; give it another"
            elif entry.is_dir(follow_symlinks=False):
                if above.count("/") >= _DEEPEST:
                    raise RequestError(f"{folder}: its folders lie more than {_DEEPEST} levels deep")
                waiting.append(f"{name}/")
            elif why := _unusable_or_gone(entry, root):
                wrong[name] = why
            elif _is_picture(entry.name):
                names.append(name)
            else:
                others.append(name)
    if not names and not wrong:
        held = f"; it holds {', '.join(map(escaped, sorted(others)[:_SHOWN]))}" if others else ""
        raise RequestError(f"{folder} holds no image files ({', '.join(SUFFIXES)}){held}")
    return Listed(tuple(sorted(names)), wrong, tuple(others))


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unusable_or_gone(entry: os.DirEntry[str], root: str) -> str:
    try:
        return _unusable(entry, root)
    except OSError as error:  # somebody removed it meanwhile, or it is one of the system's own
        return f"cannot be looked at: {error.strerror}" if _is_picture(entry.name) else ""


def _unusable(entry: os.DirEntry[str], root: str) -> str:
    """Why an entry that may be a picture cannot be read; empty where it can, or is none."""
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if os.path.isdir(target):
            return "is a link to a folder, which is not followed; put the folder itself there"
        if _is_picture(entry.name) and not (target.startswith(root + os.sep) and os.path.isfile(target)):
            return "is a link that leads out of the folder, or nowhere; put the file itself there"
    if not _is_picture(entry.name):
        return ""
    mode = entry.stat().st_mode
    return "" if stat.S_ISREG(mode) else "is a pipe or a device"


def checked_rows(
    folder: Path, names: Sequence[str], progress: Callable[[Progress], None]
) -> tuple[PictureRows, dict[int, str]]:
    """Rows of a folder, each decoded once: which cannot be used, and why. Most are alike; those that are not
    are among them.

    Raises:
        RequestError: not one can be read.
    """
    specs: list[Spec | None] = [None] * len(names)
    wrong: dict[int, str] = {}

    def one(place: int) -> None:
        try:
            array = read_picture(folder / names[place])
        except UnfitError as error:
            wrong[place] = str(error)
            return
        specs[place] = array.shape, array.dtype
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong[place] = "holds numbers that are not finite"

    threads = _threads_for(folder, names)
    for done in _each(one, len(names), threads):
        progress(Progress("looking at image files", done, len(names)))
    counts = Counter(spec for spec in specs if spec is not None)
    if not counts:
        first = min(wrong)
        raise RequestError(
            f"{folder}: none of {len(names):,} image files can be used; {names[first]} {wrong[first]}"
        )
    usual = counts.most_common(1)[0][0]
    for place, spec in enumerate(specs):
        if spec is not None and spec != usual and place not in wrong:
            wrong[place] = f"is {_words(spec)}, where most are {_words(usual)}; {_LIKE}"
    return PictureRows(folder, names, usual, threads), wrong


def _threads_for(folder: Path, names: Sequence[str]) -> int:
    sizes = []
    for name in names[:: max(1, len(names) // 20)]:
        try:
            sizes.append(os.stat(folder / name).st_size)
        except OSError:
            continue
    return _THREADS if sizes and np.mean(sizes) > _LARGE else 1


def _each(one: Callable[[int], None], count: int, threads: int) -> Iterator[int]:
    """Does `one` for every number; how many are done, now and then."""
    parts = [range(start, min(start + _TOGETHER, count)) for start in range(0, count, _TOGETHER)]

    def several(part: range) -> int:
        for place in part:
            one(place)
        return part.stop

    with without_warnings():
        if threads == 1 or len(parts) < 2:
            yield from map(several, parts)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(several, parts)


def _words(spec: Spec) -> str:
    shape, dtype = spec
    return f"{' × '.join(map(str, shape))} {dtype}"

"""Tables that describe images: a row an image, in order or by the name of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean
from ratewarp.formats.limits import check_place
from ratewarp.formats.reading import readable
from ratewarp.formats.text_tables import csv_frame, parquet_frame
from ratewarp.sources.image_files.columns import Columns, of_frame

FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "name")
TOO_LARGE = "use fewer columns, or fewer images"
_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": csv_frame,
    ".tsv": csv_frame,
    ".parquet": parquet_frame,
}


class Matched(NamedTuple):
    """A table beside the images it describes.

    Attributes:
        columns: in the order of the images.
        wrong: image → what is wrong with what the table says of it.
        without: names in the table that no image has: why they are left out.
    """

    columns: dict[str, np.ndarray]
    wrong: dict[int, str]
    without: dict[str, str]


def read_table(path: Path) -> pd.DataFrame:
    """A table as pandas reads it.

    Raises:
        RequestError: no such file, another format, no rows, or one that cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise RequestError(
            f"{path}: unknown format {suffix or '(no suffix)'!r} of a table.{did_you_mean(suffix, _READERS)}"
            f" Known: {', '.join(_READERS)}"
        )
    check_place(path)
    with readable(path, too_large=TOO_LARGE):
        frame = _READERS[suffix](path)
    if not len(frame):
        raise RequestError(f"{path} holds no rows")
    return frame


def in_order(path: Path, count: int) -> Matched:
    """A table with a row an image, in the order of the images.

    Raises:
        RequestError: it cannot be read, or has another number of rows.
    """
    frame = read_table(path)
    if len(frame) != count:
        raise RequestError(
            f"{path} must have a row for each of {count:,} images, in their order; it has {len(frame):,}"
        )
    columns = _columns(path, frame)
    return Matched(columns.values, columns.wrong, {})


def by_name(path: Path, names: Sequence[str]) -> Matched:
    """A table with a column of file names, brought into the order of `names`.

    Names are paths from the folder of the images, or names of files without their folders where these are
    unique.

    Raises:
        RequestError: it cannot be read, has no such column, or names none of the files.
    """
    frame = read_table(path)
    column = next((key for key in FILE_COLUMNS if key in frame.columns), None)
    if column is None:
        raise RequestError(
            f"{path} must have a column with the names of files, called {', '.join(FILE_COLUMNS)}; its"
            f" columns are {', '.join(map(str, frame.columns[:20]))}"
        )
    told = [_plain(text) for text in frame[column].astype(str).where(frame[column].notna(), "")]
    own = _own_names(names, told)
    wrong, without = _mismatches(path, names, own, told)
    if len(wrong) == len(names):
        first = f"{path} names none of the {len(names):,} image files"
        raise RequestError(f"{first}: its first is {told[0]!r}, the first image is {names[0]!r}")
    places = {name: row for row, name in enumerate(told)}
    rows = np.array([places.get(name, -1) for name in own])
    columns = _columns(path, frame.drop(columns=column))
    wrong |= {image: columns.wrong[row] for image, row in enumerate(rows.tolist()) if row in columns.wrong}
    return Matched(_in_order(columns, rows), wrong, without)


def _columns(path: Path, frame: pd.DataFrame) -> Columns:
    with readable(path, too_large=TOO_LARGE):
        return of_frame(frame, str(path))


def _in_order(columns: Columns, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Columns by image; missing where no row is of it."""
    found: dict[str, np.ndarray] = {}
    for name, values in columns.values.items():
        taken = values[rows]
        if (rows < 0).any():
            taken = taken if taken.dtype.kind == "U" else taken.astype(np.float64)
            taken[rows < 0] = "" if taken.dtype.kind == "U" else np.nan
        found[name] = taken
    return found


def _plain(text: str) -> str:
    """A path as the folder has it; empty where there is none."""
    return PurePosixPath(text.strip().replace("\\", "/")).as_posix() if text.strip() else ""


def _own_names(names: Sequence[str], told: Sequence[str]) -> list[str]:
    """What the table calls the files: their paths, or their names alone where it names no path."""
    if set(told).intersection(names):
        return list(names)
    short = [name.rpartition("/")[2] for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _mismatches(
    path: Path, names: Sequence[str], own: Sequence[str], told: Sequence[str]
) -> tuple[dict[int, str], dict[str, str]]:
    """Images without a row or with several; rows without an image."""
    times, known = Counter(told), set(own)
    wrong: dict[int, str] = {}
    for image, name in enumerate(own):
        if times[name] == 0:
            wrong[image] = f"has no row in {path.name}"
        elif times[name] > 1:
            wrong[image] = f"has {times[name]} rows in {path.name}"
    without = {name: f"has a row in {path.name}, but no file" for name in times if name not in known}
    if without.pop("", None):
        without[f"row {told.index('')} of {path.name}"] = "names no file"
    return wrong, without

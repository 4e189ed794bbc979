"""Tables with a row an image: its pixels, row by row, and columns that describe it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import isqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, escaped, refuse
from ratewarp.formats.content import UnreadableError
from ratewarp.formats.text_tables import check_text, is_number, separator_of
from ratewarp.sources.image_files.columns import Columns, of_frame
from ratewarp.sources.image_files.image_rules import SIDES

_LARGEST = 5 * 10**8  # bytes of a file
_CELLS = 2 * 10**7  # read at a time
_PUBLISHED = ("x_UC", "x_LC")  # the last two columns of the publication's tables, which have no first row
_MOST_COLUMNS = SIDES[1] ** 2 + 1000


class PixelTable(NamedTuple):
    """What a table of pixels holds.

    Attributes:
        images: (images, height, width).
        columns: that describe them.
        wrong: row → why its pixels are none.
    """

    images: np.ndarray
    columns: Columns
    wrong: dict[int, str]


def read_pixels(path: Path) -> PixelTable:
    """The images of a table and what describes them.

    With a first row of names, the pixels are the columns whose names differ in their numbers only (pixel0,
    pixel1, …), all others describe the images. Without names, the last two columns are x_UC and x_LC, as in
    the tables of the publication. Pixels that are whole numbers up to 255 are taken as uint8, up to 65,535 as
    uint16, all others as float32; those of images of 0 and 1 alone as float32, too.

    Raises:
        RequestError: pixels that make no square, or a table that is too large.
        UnreadableError: no table.
    """
    if path.stat().st_size > _LARGEST:
        size = f"{path.stat().st_size / 1e9:.1f} GB"
        refuse(str(path), f"at most {_LARGEST / 1e9:g} GB as a table; save the images as npy or HDF5", size)
    check_text(path, separator_of(path))
    first = _first_row(path)
    named = not all(map(is_number, first))
    names = first if named else [*map(str, range(len(first) - 2)), *_PUBLISHED]
    if len(names) > _MOST_COLUMNS:
        refuse(str(path), f"a table of at most {_MOST_COLUMNS:,} columns", f"{len(names):,} columns")
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise RequestError(f"{path}: two columns are named {twice[0]!r}")
    pixels = _pixel_columns(path, names) if named else list(range(len(names) - 2))
    side = _side(path, len(pixels))
    return _read(path, names, pixels, side, skip=int(named))


def _first_row(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        row = next(filter(None, csv.reader(stream, delimiter=separator_of(path))), None)
    if row is None:
        raise UnreadableError("holds no rows")
    return [cell.strip() for cell in row]


def _pixel_columns(path: Path, names: Sequence[str]) -> list[int]:
    """Places of the columns whose names differ in numbers alone, the largest such group."""
    stems = [re.sub(r"\d+", "#", name) for name in names]
    numbered = Counter(stem for stem in stems if "#" in stem)
    if not numbered:
        came = ", ".join(map(escaped, names[:4]))
        raise RequestError(
            f"{path} has no columns of pixels, such as pixel0, pixel1, …; it has {came}. For a folder of"
            " images with a table, give the folder, and the table as --table"
        )
    usual = numbered.most_common(1)[0][0]
    return [place for place, stem in enumerate(stems) if stem == usual]


def _side(path: Path, pixels: int) -> int:
    side = isqrt(max(0, pixels))
    if side * side != pixels or not SIDES[0] <= side <= SIDES[1]:
        sizes = f"{SIDES[0]} × {SIDES[0]} to {SIDES[1]} × {SIDES[1]}"
        requirement = f"a table with the pixels of a square image in a row, {sizes}"
        refuse(str(path), f"{requirement}; save others as npy", f"{pixels:,} columns of pixels")
    return side


def _read(path: Path, names: list[str], pixels: list[int], side: int, skip: int) -> PixelTable:
    known = set(pixels)
    others = [place for place in range(len(names)) if place not in known]
    images, described = [], []
    wrong: dict[int, str] = {}
    for part in _parts(path, names, skip):
        if not isinstance(part.index, pd.RangeIndex):
            raise RequestError(f"{path}: rows have more cells than the first")
        numbers, bad = _numbers(part.iloc[:, pixels])
        start = sum(map(len, images))
        wrong |= {start + row: why for row, why in bad.items()}
        images.append(numbers)
        described.append(part.iloc[:, others])
    if not sum(map(len, images)):
        raise UnreadableError("holds no rows")
    table = pd.concat(described, ignore_index=True)
    whole = _as_small(np.concatenate(images)).reshape(-1, side, side)
    return PixelTable(whole, of_frame(table, str(path)), wrong)


def _parts(path: Path, names: list[str], skip: int) -> Iterator[pd.DataFrame]:
    rows = max(1, _CELLS // len(names))
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from pd.read_csv(
            stream,
            sep=separator_of(path),
            header=None,
            names=names,
            skiprows=skip,
            chunksize=rows,
            low_memory=False,
        )


def _numbers(part: pd.DataFrame) -> tuple[np.ndarray, dict[int, str]]:
    """Pixels as float32, which holds whole numbers up to 16 million, and rows in which one is none."""
    texts = [place for place, dtype in enumerate(part.dtypes) if dtype.kind not in "iuf"]
    if texts:
        columns = {place: pd.to_numeric(part.iloc[:, place], errors="coerce") for place in texts}
        part = part.assign(**{str(part.columns[place]): column for place, column in columns.items()})
    with np.errstate(over="ignore"):
        numbers = part.to_numpy(dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(numbers).all(axis=1))
    return numbers, dict.fromkeys(bad.tolist(), "has a pixel that is missing, or no number")


def _as_small(pixels: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest type of images that holds them; 0 and 1 alone stay as they are."""
    known = np.isfinite(pixels)
    low, high = np.min(pixels, where=known, initial=0), np.max(pixels, where=known, initial=0)
    if high <= 1 or low < 0 or high > 65535:
        return pixels
    kept = np.where(known, pixels, 0).astype(np.uint8 if high <= 255 else np.uint16)
    return kept if np.array_equal(kept, np.where(known, pixels, 0)) else pixels

"""Images that cannot be used because of what is in them: found in one pass, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from ratewarp._checks import escaped
from ratewarp._progress import Progress
from ratewarp.formats.reading import why
from ratewarp.sources.image_files.rows import Rows

_BLOCK = 2**24  # bytes read at a time
_LARGEST = float(np.finfo(np.float32).max)
_NOT_FINITE = "holds numbers that are not finite (NaN or infinite)"


def unsound_rows(rows: Rows, progress: Callable[[Progress], None]) -> dict[int, str]:
    """Rows that cannot be read or hold numbers that are not finite, and why."""
    if rows.sound:
        return {}
    wrong: dict[int, str] = {}
    size = max(1, prod(rows.row) * rows.dtype.itemsize)
    step = max(1, _BLOCK // size // rows.together) * rows.together
    for start in range(0, rows.count, step):
        progress(Progress("looking at images", start, rows.count))
        here = np.arange(start, min(start + step, rows.count))
        wrong |= _unsound(rows, here)
    progress(Progress("looking at images", rows.count, rows.count))
    return wrong


def _unsound(rows: Rows, here: np.ndarray) -> dict[int, str]:
    """Of some rows; those that fail together are tried by what can be read at once."""
    try:
        images = rows.read(here)
    except Exception as error:  # readers of other packages raise whatever they like
        if len(here) > rows.together:
            parts = np.split(here, range(rows.together, len(here), rows.together))
            return {row: said for part in parts for row, said in _unsound(rows, part).items()}
        return dict.fromkeys(here.tolist(), f"cannot be read ({escaped(why(error))})")
    if images.dtype.kind != "f":
        return {}
    half = images.dtype.itemsize == 2
    largest = images.dtype.type(np.finfo(np.float16).max if half else _LARGEST)
    with np.errstate(invalid="ignore"):
        sound = (np.abs(images) <= largest).reshape(len(images), -1).all(axis=1)
    return dict.fromkeys(here[~sound].tolist(), _NOT_FINITE)

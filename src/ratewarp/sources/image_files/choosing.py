"""Which array of a file holds the images, and which describe them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import numpy as np

from ratewarp._checks import RequestError, did_you_mean, escaped, refuse
from ratewarp.sources.image_files.array_files import ArrayFile
from ratewarp.sources.image_files.columns import MOST_SIDE_BY_SIDE

IMAGES = "images"
_MOST_COLUMN = 4 * 10**8  # bytes
_SHOWN = 20  # arrays named in a message


def images_in(name: str, shapes: Mapping[str, tuple[int, ...]], asked: str | None) -> str:
    """The array that holds images: the one that is asked for, or `images`, or the only one of at least three
    axes, or, where none has so many, the only one of two.

    Arguments:
        name: of the file, for messages.
        shapes: of its arrays.
        asked: name of the array; None where it is to be found.

    Raises:
        RequestError: no such array, or several that it could be.

    Examples:
        >>> images_in("faces.npz", {"x": (9, 28, 28), "identity": (9,)}, None)
        'x'
    """
    held = f"It holds: {_listed(shapes)}"
    if asked is not None:
        if asked not in shapes:
            raise RequestError(f"{name} holds no array named {asked!r}.{did_you_mean(asked, shapes)} {held}")
        return asked
    called = [key for key in shapes if _last(key) == IMAGES and len(shapes[key]) > 1]
    if len(called) == 1:
        return called[0]
    for found in (
        [key for key, shape in shapes.items() if len(shape) >= 3],
        [key for key, shape in shapes.items() if len(shape) == 2],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise RequestError(
        f"{name}: it is not clear which array holds the images; say it with --images NAME (images=NAME)."
        f" {held}"
    )


def described_by(
    file: ArrayFile, images: str, count: int, argument: str
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Arrays with a row an image, by the last part of their names where that is unique; and those that are
    not used, in words.

    Raises:
        RequestError: an array that cannot be read.
    """
    others = {key: shape for key, shape in file.shapes.items() if key != images}
    unused = [f"{key} {why}" for key, why in file.refused.items()]
    found: dict[str, np.ndarray] = {}
    ends = [_last(key) for key in others]
    for key, shape in others.items():
        array = _read(file, key, shape, count, argument)
        if array is None:
            unused.append(f"{key} {shape}")
        else:
            found[_last(key) if ends.count(_last(key)) == 1 else key] = array
    return found, tuple(unused)


def _read(file: ArrayFile, key: str, shape: tuple[int, ...], count: int, argument: str) -> np.ndarray | None:
    """An array of numbers or texts with a row an image; None where it is none."""
    if len(shape) not in (1, 2) or shape[0] != count or not 1 <= (*shape, 1)[1] <= MOST_SIDE_BY_SIDE:
        return None
    try:
        array = file.read(key)
    except UnicodeDecodeError:
        return None
    if array.dtype.kind == "S":
        array = _decoded(array)
    if array.dtype.kind not in "biufU":
        return None
    if array.nbytes > _MOST_COLUMN:
        refuse(f"{argument}: {key}", "a column of short texts", f"{array.nbytes / 1e6:,.0f} MB")
    return array


def _decoded(array: np.ndarray) -> np.ndarray:
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        return array


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Names with shapes, for messages."""
    return ", ".join(f"{escaped(key)} {shape}" for key, shape in islice(shapes.items(), _SHOWN)) or "nothing"

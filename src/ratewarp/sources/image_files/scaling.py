"""What the stored numbers of images are, and which of them become 0 and 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_MOST_COUNTED = 65_535
_LARGEST = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65_535}


class Scaling(NamedTuple):
    """How stored numbers become those that networks and measures see.

    Attributes:
        zero: stored number that becomes 0; None where a study must say it.
        one: stored number that becomes 1.
        words: the rule.
        pixels: the kind of pixels, a name of `PIXELS`.
    """

    zero: float | None
    one: float | None
    words: str
    pixels: str


def scaling(
    dtype: np.dtype, lowest: float, highest: float, *, responses: bool = False, whole: bool = False
) -> Scaling:
    """The rule for images of a type whose numbers lie between two.

    Arguments:
        dtype: uint8, uint16, float32 or float64.
        lowest: smallest stored number.
        highest: largest stored number.
        responses: whether "images" are responses, N × 1.
        whole: whether all numbers are whole.

    Examples:
        >>> scaling(np.dtype("u1"), 0, 250).words
        '8 bits: divided by 255'
        >>> scaling(np.dtype("f4"), -1, 1).zero is None
        True
    """
    if responses and whole and lowest >= 0 and highest <= _MOST_COUNTED:
        return Scaling(0, 1, "counts, as they are", "count")
    if dtype.kind == "u" and highest <= 1:
        return Scaling(0, 1, "0 and 1, as they are", "binary")
    if dtype in _LARGEST:
        bits, largest = 8 * dtype.itemsize, _LARGEST[dtype]
        return Scaling(0, largest, f"{bits} bits: divided by {largest:,}", f"{bits}-bit")
    if lowest >= 0 and highest <= 1:
        return Scaling(0, 1, "real numbers within 0 and 1, as they are", "real")
    told = "real numbers beyond 0 and 1: a study says by `range` which become 0 and 1"
    return Scaling(None, None, told, "real")

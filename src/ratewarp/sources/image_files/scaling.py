"""Which stored number of an image becomes 0, and which 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Scaling(NamedTuple):
    """How stored numbers become those that networks and measures see.

    Attributes:
        zero: stored number that becomes 0; None where a study must say it.
        one: stored number that becomes 1.
        words: the rule.
    """

    zero: float | None
    one: float | None
    words: str


def scaling(dtype: np.dtype, lowest: float, highest: float) -> Scaling:
    """The rule for images of a type whose numbers lie between two.

    Arguments:
        dtype: uint8, uint16, float32 or float64.
        lowest: smallest stored number.
        highest: largest stored number.

    Examples:
        >>> scaling(np.dtype("u1"), 0, 250).words
        '8 bits: divided by 255'
        >>> scaling(np.dtype("f4"), -1, 1).zero is None
        True
    """
    if dtype.kind == "u" and highest <= 1:
        return Scaling(0, 1, "0 and 1, as they are")
    if dtype == np.uint8:
        return Scaling(0, 255, "8 bits: divided by 255")
    if dtype == np.uint16:
        return Scaling(0, 65535, "16 bits: divided by 65,535")
    if lowest >= 0 and highest <= 1:
        return Scaling(0, 1, "real numbers within 0 and 1, as they are")
    told = "real numbers beyond 0 and 1: a study says by `range` which become 0 and 1"
    return Scaling(None, None, told)

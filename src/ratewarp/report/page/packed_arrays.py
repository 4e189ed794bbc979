"""Arrays as text that a page unpacks: whole numbers of 8 or 16 bits, deflated, in base64."""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import Any, Literal

import numpy as np

Kind = Literal["u1", "u2"]
_MOST = {"u1": 2**8 - 1, "u2": 2**16 - 1}


def packed(values: np.ndarray, kind: Kind = "u2") -> dict[str, Any]:
    """An array as data for JSON: value = offset + scale × whole number.

    Numbers are kept to half a step of the range of the array over 254 (u1) or 65,534 (u2) steps; the largest
    whole number stands for NaN and infinity. Whole numbers that fit are kept as they are.

    Arguments:
        values: real or whole numbers, of any shape.
        kind: bits of a whole number.

    Returns:
        `kind`, `shape`, `offset`, `scale`, and `data`: little-endian whole numbers, deflated (zlib), base64.

    Examples:
        >>> found = packed(np.array([[0, 3], [254, 7]]), "u1")
        >>> found["shape"], found["offset"], found["scale"]
        ([2, 2], 0.0, 1.0)
    """
    numbers, most = np.asarray(values), _MOST[kind]
    missing = ~np.isfinite(numbers)
    known = numbers[~missing]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    whole = numbers.dtype.kind in "iub" and low >= 0 and high < most
    offset = 0.0 if whole else low
    scale = 1.0 if whole or high == low else (high - low) / (most - 1)
    steps = np.where(missing, most, np.round((np.where(missing, offset, numbers) - offset) / scale))
    data = zlib.compress(np.ascontiguousarray(steps.astype(f"<{kind}")).tobytes(), 9)
    return {
        "kind": kind,
        "shape": list(numbers.shape),
        "offset": offset,
        "scale": scale,
        "data": b64encode(data).decode("ascii"),
    }

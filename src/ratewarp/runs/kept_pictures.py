"""Of which stimuli a record keeps pictures."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

MOST_PIXELS = 4_000_000  # numbers in the images of a record, and as many in their reconstructions


def pictured(stimuli: int, pixels: int) -> Int[np.ndarray, " pictured"] | None:
    """Of which stimuli pictures are kept: None for all, or some that are evenly spread where all would be
    more than `MOST_PIXELS` numbers.

    Arguments:
        stimuli: how many are measured.
        pixels: of an image, times its channels.

    Examples:
        >>> pictured(169, 49)
        >>> pictured(2000, 64 * 64 * 3)[:4], len(pictured(2000, 64 * 64 * 3))
        (array([ 0,  6, 12, 19]), 325)
    """
    if stimuli * pixels <= MOST_PIXELS:
        return None
    return np.unique(np.linspace(0, stimuli - 1, max(2, MOST_PIXELS // pixels)).round().astype(int))

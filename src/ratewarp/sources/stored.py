"""Images that exist already: a set of which every image is a stimulus, seen as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Num


class Stored(NamedTuple):
    """What a source of stored images says of them.

    Attributes:
        held_out: stimuli that models are measured on and not trained on, in rising order; all others are
            trained on.
        read: images of these stimuli as stored, on the host; from several threads at once.
    """

    held_out: Int[np.ndarray, " held_out"]
    read: Callable[[Int[np.ndarray, " images"]], Num[np.ndarray, "images height width channels"]]

    def trained(self, stimuli: int) -> Bool[np.ndarray, " stimuli"]:
        """Which of so many stimuli are trained on."""
        return ~np.isin(np.arange(stimuli), self.held_out)

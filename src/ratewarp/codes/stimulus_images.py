"""Images that a user has of measured stimuli, as a page shows them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ratewarp._checks import refuse

_MOST_PICTURED = 400  # stimuli with an image on the page
_MOST_NUMBERS = 1_500_000  # of all images together


class Shown(NamedTuple):
    """Images on the page.

    Attributes:
        places: of which of the stimuli.
        values: (stimuli, height, width, channels), 0 to 1.
    """

    places: np.ndarray
    values: np.ndarray


class StimulusImages:
    """Images of stimuli.

    Arguments:
        images: (items or stimuli, height, width) or (…, height, width, channels) with 1 or 3 channels: whole
            numbers from 0 to 255, or real ones from 0 to 1.
        stimulus: number of the stimulus of every item.
        number: how many stimuli there are.

    Attributes:
        shape: (height, width, channels).

    Raises:
        RequestError: another shape, or other values.
    """

    def __init__(self, images: Any, stimulus: np.ndarray, number: int) -> None:
        values = np.asarray(images)
        grey = values[..., None] if values.ndim == 3 else values
        if grey.ndim != 4 or grey.shape[3] not in (1, 3):
            required = "(items or stimuli, height, width), or with 1 or 3 channels behind"
            refuse("images", required, f"shape {values.shape}")
        if len(grey) not in (len(stimulus), number):
            refuse("images", f"one for each of {len(stimulus)} items or {number} stimuli", f"{len(grey)}")
        self._images = grey
        first = np.zeros(number, np.int64)
        first[stimulus[::-1]] = np.arange(len(stimulus))[::-1]
        self._place = first if len(grey) == len(stimulus) else np.arange(number)
        self._scale = _scale_of(grey)
        self.shape = grey.shape[1:]

    def of(self, stimuli: np.ndarray) -> Shown:
        """Images of some stimuli, by their places among these; of very many, some that are evenly spread."""
        room = max(1, min(_MOST_PICTURED, _MOST_NUMBERS // int(np.prod(self.shape))))
        places = np.unique(np.linspace(0, len(stimuli) - 1, min(len(stimuli), room)).round().astype(int))
        chosen = stimuli[places]
        values = self._images[self._place[chosen]].astype(float) * self._scale
        return Shown(places, values)


def _scale_of(images: np.ndarray) -> float:
    """What takes the numbers to 0 … 1."""
    low, high = float(images.min()), float(images.max())  # NaN where there is any
    whole, real = images.dtype.kind in "ui" and high <= 255, images.dtype.kind in "bf" and high <= 1
    if not low >= 0 or not (whole or real):
        refuse("images", "whole numbers from 0 to 255, or real ones from 0 to 1", f"{low:g} to {high:g}")
    return 1 / 255 if whole and high > 1 else 1.0

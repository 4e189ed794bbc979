"""What came with the codes that were measured, item by item: what a page shows beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ratewarp.codes.arguments import as_array, as_ids, factor_columns
from ratewarp.codes.stimulus_images import StimulusImages


@dataclass(frozen=True)
class Given:
    """What came with the codes.

    Attributes:
        stimulus: number of the stimulus of every item, 0 …; of its own where none repeat.
        names: of every stimulus, where it has one: of `stimuli`, or of `ids` where none repeat.
        factors: value of every stimulus, by name of the factor.
        reference: the reference's codes of the same items.
        frequency: of every stimulus.
        images: of stimuli.
    """

    stimulus: Int[np.ndarray, " items"]
    names: tuple[str, ...] = ()
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    reference: Float[np.ndarray, "items latents"] | None = None
    frequency: Float[np.ndarray, " stimuli"] | None = None
    images: StimulusImages | None = None


def what_came(
    units: np.ndarray,
    number: int,
    *,
    stimuli: Any,
    ids: Any,
    factors: Any,
    reference: np.ndarray | None,
    frequency: np.ndarray | None,
    images: Any,
) -> Given:
    """What came with codes whose arguments are checked; `units` and `number` as `units_of` gives them."""
    names: tuple[str, ...] = ()
    if stimuli is not None:
        names = tuple(str(one) for one in np.unique(as_array(stimuli, "stimuli")))
    elif ids is not None and number == len(units):
        names = tuple(str(one) for one in as_ids(ids, len(units), "ids"))
    columns = {} if factors is None else factor_columns(factors, units, number)
    pictures = None if images is None else StimulusImages(images, units, number)
    return Given(units, names, columns, reference, frequency, pictures)

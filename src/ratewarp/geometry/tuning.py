"""Tuning: what each latent says of each stimulus."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp._sums import group_means
from ratewarp.geometry.code_checks import check_codes, check_labels


def tuning_curves(
    codes: Float[np.ndarray, "items latents"], stimuli: Int[np.ndarray, " items"], number: int | None = None
) -> Float[np.ndarray, "stimuli latents"]:
    """Mean code of every stimulus.

    Arguments:
        codes: one row per item.
        stimuli: stimulus index of every item, from 0.
        number: how many stimuli there are; the largest index plus one if not given.

    Returns:
        One row per stimulus, in the units of the codes; NaN for a stimulus without items.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, indices of the wrong length or
            outside 0 … number − 1.

    Examples:
        >>> tuning_curves(np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]]), np.array([0, 0, 1]))
        array([[2., 0.],
               [0., 5.]])
    """
    codes = check_codes(codes)
    indices = check_labels(stimuli, len(codes), argument="stimuli")
    size = int(indices.max()) + 1 if number is None else number
    if indices.min() < 0 or indices.max() >= size:
        refuse("stimuli", f"indices from 0 to {size - 1}", f"{indices.min()} to {indices.max()}")
    return group_means(codes, indices, size)


def scaled_tuning(curves: Float[np.ndarray, "stimuli latents"]) -> Float[np.ndarray, "stimuli latents"]:
    """Tuning curves scaled to 0–1 over all latents together, so that a silent latent looks flat; constant
    curves become 0.5.

    Examples:
        >>> scaled_tuning(np.array([[0.0, 1.0], [4.0, 1.0]]))
        array([[0.  , 0.25],
               [1.  , 0.25]])
    """
    low, high = np.nanmin(curves), np.nanmax(curves)
    # means of different counts of equal codes differ by rounding
    differ = high - low > 1e-14 * max(abs(low), abs(high))
    return (curves - low) / (high - low) if differ else np.full_like(curves, 0.5)

"""Specialization: how well codes tell a stimulus from its neighbours."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.distances import check_codes, check_labels
from ratewarp.geometry.tuning import tuning_curves


def local_resolution(
    codes: Float[np.ndarray, "items latents"], stimuli: Int[np.ndarray, " items"], factors: Float[np.ndarray, "stimuli factors"]
) -> Float[np.ndarray, " stimuli"]:
    """Mean d′ between every stimulus and its neighbours, which differ from it by 1 in one factor.

    d′ of two stimuli is the distance of their mean codes over the root mean square deviation, of one latent, of the codes from the
    mean of their stimulus, pooled over all stimuli. Range 0 upwards, 0 for stimuli coded alike. Invariant to rotation, shift and
    common scale.

    Arguments:
        codes: one row an item; at least two items of every stimulus.
        stimuli: stimulus of every item, from 0.
        factors: factor values of every stimulus.

    Returns:
        One number a stimulus; NaN for one without neighbours.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, a stimulus with fewer than two items, or codes that do not
            differ within any stimulus.

    Source: d′ of signal detection theory, with a pooled isotropic noise (Green & Swets 1966).

    Examples:
        >>> codes = np.array([[0.0], [0.2], [1.0], [1.2], [4.0], [4.2]])
        >>> local_resolution(codes, np.array([0, 0, 1, 1, 2, 2]), np.array([[0.0], [1.0], [2.0]])).round(1)
        array([ 7.1, 14.1, 21.2])
    """
    codes = check_codes(codes)
    places = check_labels(stimuli, len(codes), argument="stimuli")
    counts = np.bincount(places, minlength=len(factors))
    if counts.min() < 2 or len(counts) > len(factors):
        refuse("stimuli", f"at least two items of each of the {len(factors)} stimuli", f"{counts.min()} of stimulus {counts.argmin()}")
    means = tuning_curves(codes, places, len(factors))
    noise = np.sqrt(np.sum((codes - means[places]) ** 2) / ((len(codes) - len(factors)) * codes.shape[1]))
    if not noise > 0:
        refuse("codes", "different for at least two items of a stimulus", "codes that are the same for all items of a stimulus")
    near = np.abs(factors[:, None] - factors[None]).sum(axis=-1) == 1
    distances = np.linalg.norm(means[:, None] - means[None], axis=-1) / noise
    return np.divide((distances * near).sum(axis=1), near.sum(axis=1), out=np.full(len(factors), np.nan), where=near.any(axis=1))

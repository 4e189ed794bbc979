"""What runs add to the codes of all their items: estimated beside the stimuli, and taken off."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array, diags_array
from scipy.sparse.csgraph import connected_components

from ratewarp._checks import refuse


def without_run_effects(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    runs: Int[np.ndarray, " items"],
) -> Float[np.ndarray, "items latents"]:
    """Codes as they would be if no run added anything to all of its items.

    A code is taken as the sum of an effect of its stimulus, an effect of its run, and noise. Effects are
    estimated together by least squares, so that runs need not hold the same stimuli; where they do, the
    effect of a run is its mean. Estimating them takes some of the noise along: what is left about the mean of
    a stimulus is stretched by √((n − S)/(n − S − R + 1)), for n items of S stimuli in R runs, so that its
    variance is on average that of the noise.

    Arguments:
        codes: (items, latents).
        stimuli: of every item, 0 …, all of them.
        runs: of every item, likewise.

    Raises:
        RequestError: runs that do not differ from stimuli enough to be told from them.

    Examples:
        >>> stimuli, runs = np.tile(np.arange(3), 2), np.repeat([0, 1], 3)
        >>> codes = np.array([[1.0], [2.0], [3.0], [11.0], [12.0], [13.0]])
        >>> without_run_effects(codes, stimuli, runs).ravel()
        array([6., 7., 8., 6., 7., 8.])
    """
    items, number, kinds = len(codes), int(stimuli.max()) + 1, int(runs.max()) + 1
    counts = coo_array((np.ones(items), (stimuli, runs)), shape=(number, kinds)).tocsr()
    together, _ = connected_components(coo_array(counts.T @ counts))
    if together > 1:
        refuse(
            "runs",
            "connected by stimuli that are in several of them, else runs cannot be told from stimuli",
            f"{together} groups of runs that have no stimulus in common",
        )
    free = items - number - kinds + 1
    if free < 1:
        refuse(
            "runs",
            "of at least as many items as there are stimuli and runs together",
            f"{items} items of {number} stimuli in {kinds} runs",
        )
    means = _means(codes, stimuli, number)
    # effects of runs, from what items differ by from the mean of their stimulus
    share = diags_array(1 / np.bincount(stimuli)) @ counts
    normal = np.diag(np.bincount(runs).astype(float)) - (counts.T @ share).toarray()
    sums = np.zeros((kinds, codes.shape[1]))
    np.add.at(sums, runs, codes - means[stimuli])
    effects, *_ = np.linalg.lstsq(normal, sums)
    effects -= (np.bincount(runs) @ effects) / items  # means over all items stay
    cleaned = codes - effects[runs]
    means = _means(cleaned, stimuli, number)[stimuli]
    return means + np.sqrt((items - number) / free) * (cleaned - means)


def _means(
    codes: Float[np.ndarray, "items latents"], stimuli: Int[np.ndarray, " items"], number: int
) -> Float[np.ndarray, "stimuli latents"]:
    sums = np.zeros((number, codes.shape[1]))
    np.add.at(sums, stimuli, codes)
    return sums / np.bincount(stimuli)[:, None]

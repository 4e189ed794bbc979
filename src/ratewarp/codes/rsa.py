"""Exchange of dissimilarities with rsatoolbox (pip install 'ratewarp[rsa]')."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.distance import pdist

from ratewarp._checks import RequestError, refuse
from ratewarp.codes.dissimilarities import Scaled, from_dissimilarities
from ratewarp.geometry import tuning_curves
from ratewarp.geometry.code_checks import check_codes

if TYPE_CHECKING:
    from rsatoolbox.rdm.rdms import RDMs

SQUARED = "squared euclidean"
# dissimilarities that are distances; the others are squares of distances
_OF_DISTANCES = ("euclidean", "mahalanobis")


def to_rsatoolbox(codes: Any, stimuli: Any = None) -> RDMs:
    """Dissimilarities of the mean codes of stimuli: squared Euclidean distance over the number of latents, as
    rsatoolbox computes it.

    Arguments:
        codes: (items, latents), one row per item.
        stimuli: stimulus of every item, numbers or names; every item is one if not given.

    Returns:
        An `rsatoolbox.rdm.RDMs` of one matrix, with the pattern descriptor `stimulus`.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, stimuli of the wrong length, or
            rsatoolbox is not installed.
    """
    values = check_codes(codes)
    names = np.arange(len(values)) if stimuli is None else np.asarray(stimuli)
    if names.shape != (len(values),):
        refuse("stimuli", f"one for each of the {len(values)} items", f"shape {names.shape}")
    found, places = np.unique(names, return_inverse=True)
    squares = pdist(tuning_curves(values, places), "sqeuclidean") / values.shape[1]
    return _rdms()(squares[None], SQUARED, pattern_descriptors={"stimulus": [str(name) for name in found]})


def from_rsatoolbox(dissimilarities: RDMs, index: int = 0) -> Scaled:
    """Codes with the given dissimilarities, by classical scaling: for `ratewarp.measure`.

    Dissimilarities named "euclidean" or "mahalanobis" are taken as distances, all others (squared Euclidean,
    Mahalanobis, crossnobis, correlation, …) as squares of distances. Codes are up to rotation and to a common
    scale.

    Arguments:
        dissimilarities: an `rsatoolbox.rdm.RDMs`, such as of neural recordings or of similarity judgements.
        index: which of its matrices.

    Returns:
        Codes, names of the stimuli, and how much of the dissimilarities codes can have.

    Raises:
        RequestError: no matrix of that index, dissimilarities that are not finite, distances that are
            negative, or all 0.

    Source: Torgerson, Psychometrika 1952.
    """
    matrices = np.asarray(dissimilarities.get_matrices(), dtype=float)
    if not 0 <= index < len(matrices):
        refuse("index", f"from 0 to {len(matrices) - 1}", index)
    squared = dissimilarities.dissimilarity_measure not in _OF_DISTANCES
    found = from_dissimilarities(matrices[index], squared=squared)
    descriptors = dissimilarities.pattern_descriptors
    names = descriptors.get("stimulus", descriptors.get("conds", descriptors.get("index", found.stimuli)))
    return found._replace(stimuli=tuple(str(name) for name in names))


def _rdms() -> Any:
    """The class RDMs, with a plain message where rsatoolbox is missing."""
    try:
        from rsatoolbox.rdm.rdms import RDMs
    except ImportError:
        raise RequestError("rsatoolbox is not installed: pip install 'ratewarp[rsa]'") from None
    return RDMs

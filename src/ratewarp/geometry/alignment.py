"""Orthogonalization: whether a task has a latent of its own."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ratewarp._checks import refuse
from ratewarp.geometry.dimensions import ACTIVE_VARIANCE
from ratewarp.geometry.distances import check_codes, check_labels


def orthogonalization(codes: Float[np.ndarray, "items latents"], classes: Int[np.ndarray, " items"]) -> float:
    """How nearly the axis that tells two classes apart is one latent's axis.

    max_j |w_j σ_j| / ‖w ∘ σ‖, with w the discriminant direction of a linear discriminant analysis with Ledoit–Wolf shrinkage and σ
    the latents' standard deviations, over latents whose variance exceeds 0.01. Range 1/√(active latents) … 1: 1 when one latent
    alone tells the classes apart. A direction at random gives, on average, 0.90 with two active latents, 0.83 with three
    and 0.74 with five. Not invariant to rotation: it asks about the latents' own axes.

    Arguments:
        codes: posterior means, one row an item.
        classes: class of every item, of two.

    Returns:
        The alignment; 1 if only one latent is active.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, that have no active latent, or not exactly two classes.

    Examples:
        >>> codes = np.random.default_rng(0).standard_normal((500, 3))
        >>> round(orthogonalization(codes, codes[:, 1] > 0), 2)
        1.0
        >>> round(orthogonalization(codes, codes[:, 0] + codes[:, 1] > 0), 1)
        0.7
    """
    codes = check_codes(codes)
    labels = check_labels(classes, len(codes))
    if len(np.unique(labels)) != 2:
        refuse("classes", "labels of exactly two classes", f"{len(np.unique(labels))} classes")
    spread = codes.std(axis=0)
    active = spread**2 > ACTIVE_VARIANCE
    if not active.any():
        refuse("codes", f"of a variance above {ACTIVE_VARIANCE} in at least one latent", "no active latent")
    analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(codes[:, active], labels)
    weights = np.abs(analysis.coef_[0] * spread[active])
    return float(weights.max() / np.linalg.norm(weights))

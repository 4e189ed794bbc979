"""How many dimensions the codes use."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes
from ratewarp.geometry.reach import scaled, spanned

ACTIVE_VARIANCE = 0.01


def participation_ratio(codes: Float[np.ndarray, "items latents"]) -> float:
    """Effective number of dimensions over which the variance of the codes is spread.

    PR = (Σ λ_k)² / Σ λ_k², with λ the eigenvalues of the codes' covariance. Range 1 … latents; 1 when all
    variance lies on one line, the number of latents when it is equal in all directions. Invariant to
    rotation, shift and common scale.

    Arguments:
        codes: one row per item.

    Returns:
        The ratio.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are all equal.

    Source: Gao et al., bioRxiv 214262, 2017.

    Examples:
        >>> participation_ratio(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
        2.0
    """
    codes = spanned(scaled(check_codes(codes)))
    if not np.ptp(codes, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    return float(spread_of_dimensions(np.cov(codes.T, bias=True).reshape(codes.shape[1], codes.shape[1])))


def spread_of_dimensions(
    covariance: Float[np.ndarray, "*draws latents latents"],
) -> Float[np.ndarray, "*draws"]:
    """Participation ratio of every covariance; NaN for one of zeros."""
    total, squares = np.trace(covariance, axis1=-2, axis2=-1), np.sum(covariance**2, axis=(-2, -1))
    return np.divide(total**2, squares, out=np.full_like(np.asarray(squares), np.nan), where=squares > 0)


def active_units(codes: Float[np.ndarray, "items latents"], threshold: float = ACTIVE_VARIANCE) -> int:
    """Number of latents whose mean code varies over items by more than `threshold`.

    A latent with posterior equal to the prior has a mean code of variance 0. Range 0 … latents. Not invariant
    to rotation or scale.

    Arguments:
        codes: posterior means, one row per item.
        threshold: variance above which a latent counts as active, in squared units of the prior's standard
            deviation.

    Returns:
        The number of active latents.

    Raises:
        RequestError: codes that are not a finite (items, latents) array.

    Source: Burda, Grosse, Salakhutdinov, arXiv 1509.00519, 2015.

    Examples:
        >>> active_units(np.array([[0.0, 1.0], [0.001, -1.0]]))
        1
    """
    return int(np.sum(np.var(check_codes(codes), axis=0) > threshold))

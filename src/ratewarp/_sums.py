"""Sums that several folders need: over groups of rows, and the divergence of Gaussian posteriors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def group_sums(
    rows: Float[np.ndarray, "items columns"], groups: Int[np.ndarray, " items"], number: int
) -> Float[np.ndarray, "groups columns"]:
    """Sum of the rows of every group, in their order.

    Examples:
        >>> group_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 2, 0]), 3).ravel()
        array([5., 0., 2.])
    """
    columns = [np.bincount(groups, column, number) for column in rows.T]
    return np.stack(columns, axis=1) if columns else np.zeros((number, 0))


def group_means(
    rows: Float[np.ndarray, "items columns"], groups: Int[np.ndarray, " items"], number: int
) -> Float[np.ndarray, "groups columns"]:
    """Mean of the rows of every group; NaN for a group without rows.

    Examples:
        >>> group_means(np.array([[1.0], [2.0], [4.0]]), np.array([0, 2, 0]), 3).ravel()
        array([2.5, nan, 2. ])
    """
    sums, counts = group_sums(rows, groups, number), np.bincount(groups, minlength=number)[:, None]
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def gaussian_divergence(
    means: Float[np.ndarray, "*shape"], variances: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ (μ² + σ² − log σ² − 1), nats, entry by entry.

    Examples:
        >>> gaussian_divergence(np.array([1.0]), np.array([1.0]))
        array([0.5])
    """
    return 0.5 * (means**2 + variances - np.log(variances) - 1)

"""Trial noise: how far the items of a stimulus stray from its mean code, and what that does to the mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ratewarp.geometry.tuning import tuning_curves


class Errors(NamedTuple):
    """Errors of mean codes: the sum of e eᵀ over the rows of a unit is, on average, the covariance of the
    error of its mean code, whatever the distribution of the noise and however it differs between units.

    Attributes:
        rows: e; deviations of items from the mean of their unit, over √(n (n − 1)) for a unit of n items.
        units: unit of every row.
    """

    rows: Float[np.ndarray, "rows latents"]
    units: Int[np.ndarray, " rows"]

    def variances(self, number: int) -> Float[np.ndarray, " units"]:
        """Variance of the error of every mean code, summed over latents."""
        return np.bincount(self.units, np.sum(self.rows**2, axis=1), number)


def repeating(units: Int[np.ndarray, " items"]) -> Bool[np.ndarray, " units"]:
    """Which units have the two items or more from which their noise can be told."""
    return np.bincount(units) >= 2


def averaged(
    codes: Float[np.ndarray, "items latents"], units: Int[np.ndarray, " items"]
) -> tuple[Float[np.ndarray, "units latents"], Errors]:
    """Mean code of every unit, of two items at least, and the errors of these means.

    Examples:
        >>> means, errors = averaged(np.array([[0.0], [2.0], [5.0], [5.0]]), np.array([0, 0, 1, 1]))
        >>> means.ravel(), errors.variances(2)
        (array([1., 5.]), array([1., 0.]))
    """
    means, counts = tuning_curves(codes, units), np.bincount(units)[units].astype(float)
    return means, Errors((codes - means[units]) / np.sqrt(counts * (counts - 1))[:, None], units)

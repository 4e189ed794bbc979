"""The cost of telling binary pixels their probabilities, or counts their means: a divergence from each
stimulus's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.special import xlogy

from ratewarp._checks import refuse
from ratewarp.theory.closed_forms import binary_entropy
from ratewarp.theory.number_checks import check_array

_LARGEST = 1e12  # mean count


class BernoulliDivergence:
    """Log loss of binary pixels beyond their entropy, nats per pixel: d(s, y) = Σ KL(Bernoulli(m_s) ‖
    Bernoulli(y)) / P.

    The best point for many stimuli is the mean of their m, as for every Bregman divergence.

    Arguments:
        means: m_s, probability of a 1 at every pixel of every stimulus; one entry per stimulus, of any shape
            with P pixels. A point is a flattened image.

    Raises:
        RequestError: means that are not probabilities.

    Source: Banerjee et al., J Mach Learn Res 6: 1705–1749, 2005, for the best point.

    Examples:
        >>> BernoulliDivergence([[0.5], [1.0]]).distances(np.array([[0.5]])).round(3)
        array([[0.   ],
               [0.693]])
    """

    def __init__(self, means: object):
        required = "probabilities, 0–1, one entry per stimulus"
        array = check_array(means, "means", required)
        if array.ndim < 1 or array.min(initial=0) < 0 or array.max(initial=0) > 1:
            refuse("means", required, means)
        self.means: Float[np.ndarray, "stimuli pixels"] = array.reshape(len(array), -1)
        self._entropy = binary_entropy(self.means).sum(axis=1)

    @property
    def stimuli(self) -> int:
        return len(self.means)

    def distances(self, points: Float[np.ndarray, "points pixels"]) -> Float[np.ndarray, "stimuli points"]:
        loss = _products(self.means, points) + _products(1 - self.means, 1 - points)
        return np.maximum(loss - self._entropy[:, None], 0) / self.means.shape[1]

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points pixels"]:
        return np.clip(weights @ self.means, 0, 1)

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> BernoulliDivergence:
        return BernoulliDivergence(self.means[kept])


class PoissonDivergence:
    """Log loss of Poisson counts beyond their entropy, nats per response: d(s, y) = Σ KL(Poisson(m_s) ‖
    Poisson(y)) / P = Σ (m_s log(m_s / y) − m_s + y) / P.

    The best point for many stimuli is the mean of their m, as for every Bregman divergence.

    Arguments:
        means: m_s, expected count of every response to every stimulus; one entry per stimulus, of any shape
            with P responses. A point is a flattened one.

    Raises:
        RequestError: means that are not finite numbers from 0 to 1e+12.

    Source: Banerjee et al., J Mach Learn Res 6: 1705–1749, 2005, for the best point.

    Examples:
        >>> PoissonDivergence([[1.0], [0.0]]).distances(np.array([[2.0]])).round(3)
        array([[0.307],
               [2.   ]])
    """

    def __init__(self, means: object):
        required = f"finite numbers from 0 to {_LARGEST:g}, one entry per stimulus"
        array = check_array(means, "means", required)
        if array.ndim < 1 or array.min(initial=0) < 0 or array.max(initial=0) > _LARGEST:
            refuse("means", required, means)
        self.means: Float[np.ndarray, "stimuli responses"] = array.reshape(len(array), -1)
        self._own = np.sum(xlogy(self.means, self.means) - self.means, axis=1)

    @property
    def stimuli(self) -> int:
        return len(self.means)

    def distances(self, points: Float[np.ndarray, "points responses"]) -> Float[np.ndarray, "stimuli points"]:
        loss = _products(self.means, points) + points.sum(axis=1)
        return np.maximum(loss + self._own[:, None], 0) / self.means.shape[1]

    def points(self, weights: Float[np.ndarray, "points stimuli"]) -> Float[np.ndarray, "points responses"]:
        return weights @ self.means

    def restricted(self, kept: Int[np.ndarray, " kept"]) -> PoissonDivergence:
        return PoissonDivergence(self.means[kept])


def _products(
    means: Float[np.ndarray, "stimuli pixels"], points: Float[np.ndarray, "points pixels"]
) -> Float[np.ndarray, "stimuli points"]:
    """−Σ m log y; 0 where m is 0 whatever y, ∞ where y is 0 and m is not."""
    impossible = points <= 0
    with np.errstate(divide="ignore"):
        logs = np.where(impossible, 0, np.log(points, where=~impossible, out=np.zeros_like(points)))
    found = -(means @ logs.T)
    never = (means > 0).astype(float) @ impossible.T.astype(float) > 0
    return np.where(never, np.inf, found)

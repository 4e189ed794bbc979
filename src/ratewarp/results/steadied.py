"""Variances of a few seeds at each of many places, steadied by those of all places."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import digamma, polygamma

_MOST_FREEDOM = 1e6  # beyond, all places have the same variance
_LEAST = 1e-5  # share of the median below which a variance is taken for so much: its logarithm says nothing


class Steadied(NamedTuple):
    """Variances of places, and of how many degrees of freedom each is."""

    variance: Float[np.ndarray, " places"]
    freedom: Float[np.ndarray, " places"]


def steadied(
    variance: Float[np.ndarray, " places"],
    freedom: Int[np.ndarray, " places"],
    trend: Float[np.ndarray, "places columns"] | None = None,
) -> Steadied:
    """Variances drawn towards what is usual at such a place, by how alike the places are.

    A place's own variance s² with d degrees of freedom is one draw from σ² χ²(d)/d, and 1/σ² of places is
    taken to vary as χ²(d₀)/(d₀ s₀²). The best guess of σ² is then (d₀ s₀² + d s²)/(d₀ + d), and a mean over
    its standard error has Student's t distribution of d₀ + d degrees of freedom. d₀ and s₀² come from mean
    and variance of log s² over places; d₀ is infinite where these vary no more than chance would have them.

    Arguments:
        variance: s² of every place, at least 0.
        freedom: d of every place; where it is 0 the place has no variance of its own.
        trend: what log s₀² may change with, a column each, beside a constant.

    Returns:
        Variances and degrees of freedom; NaN and 0 where no place has a variance of its own.

    Source: Smyth, Statistical Applications in Genetics and Molecular Biology 2004 (moderated t).

    Examples:
        >>> found = steadied(np.array([1.0, 1.1, 0.9, 1.0]), np.array([3, 3, 3, 3]))
        >>> found.variance.round(1), found.freedom
        (array([1., 1., 1., 1.]), array([inf, inf, inf, inf]))
    """
    known = (freedom > 0) & (variance > 0)
    if not known.any():
        return Steadied(np.full(len(variance), np.nan), np.zeros(len(variance)))
    d, s2 = freedom[known], variance[known]
    logs = np.log(np.maximum(s2, _LEAST * np.median(s2))) - digamma(d / 2) + np.log(d / 2)  # about log σ²
    columns = np.ones((len(variance), 1)) if trend is None else np.c_[np.ones(len(variance)), trend]
    weights, _, rank, _ = np.linalg.lstsq(columns[known], logs, rcond=None)
    usual = columns @ weights

    left = len(logs) - rank
    spread = np.sum((logs - usual[known]) ** 2) / left if left > 0 else 0.0
    prior = _freedom(spread - float(np.mean(polygamma(1, d / 2))))
    if math.isinf(prior):
        usual = np.exp(usual)
        usual *= d @ (s2 / usual[known]) / d.sum()
        return Steadied(usual, np.full(len(usual), np.inf))
    usual = np.exp(usual + digamma(prior / 2) - math.log(prior / 2))
    own = np.where(freedom > 0, variance, 0.0)
    return Steadied((prior * usual + freedom * own) / (prior + freedom), prior + freedom)


def _freedom(variance: float) -> float:
    """d₀ for which log σ² varies so much."""
    if variance <= float(polygamma(1, _MOST_FREEDOM / 2)):
        return math.inf
    least = 2 * 1e-3
    if variance >= float(polygamma(1, least / 2)):
        return least
    from scipy.optimize import brentq  # its import takes a third of a second

    found: Any = brentq(lambda d: float(polygamma(1, d / 2)) - variance, least, _MOST_FREEDOM)
    return float(found)

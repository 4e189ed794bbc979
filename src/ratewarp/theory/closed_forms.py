"""Sources whose rate–distortion function has a closed form, and entropies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import entr, gammaln

from ratewarp._checks import refuse
from ratewarp.theory.number_checks import check_array, check_number, check_whole

_LARGE_MEAN = 100.0  # from which the expansion of a Poisson entropy is exact to 1e-8


def binary_hamming(p: float, distortion: object) -> Float[np.ndarray, "..."]:
    """Rate of a biased coin under the share of wrong bits: R(D) = h(p) − h(D) for D ≤ min(p, 1 − p), then 0,
    nats.

    Arguments:
        p: probability of one side, 0–1.
        distortion: D, one or several, 0 or more.

    Raises:
        RequestError: numbers outside these ranges.

    Source: Cover & Thomas, Elements of Information Theory, 2nd edition, theorem 10.3.1.

    Examples:
        >>> binary_hamming(0.5, [0.0, 0.11, 0.5]).round(3)
        array([0.693, 0.347, 0.   ])
    """
    share = check_number(p, "p", least=0)
    if share > 1:
        refuse("p", "a probability, 0–1", p)
    wrong = np.minimum(_distortions(distortion), min(share, 1 - share))
    return np.maximum(binary_entropy(np.asarray(share)) - binary_entropy(wrong), 0)


def uniform_hamming(symbols: int, distortion: object) -> Float[np.ndarray, "..."]:
    """Rate of m equally likely symbols under the share of wrong ones: R(D) = log m − h(D) − D log(m − 1),
    nats, for D ≤ 1 − 1/m, then 0.

    Arguments:
        symbols: m, at least 2.
        distortion: D, one or several, 0 or more.

    Raises:
        RequestError: numbers outside these ranges.

    Source: Cover & Thomas, Elements of Information Theory, 2nd edition, problem 10.5.

    Examples:
        >>> uniform_hamming(4, [0.0, 0.75]).round(3)
        array([1.386, 0.   ])
    """
    m = check_whole(symbols, "symbols", 2)
    wrong = np.minimum(_distortions(distortion), 1 - 1 / m)
    return np.maximum(np.log(m) - binary_entropy(wrong) - wrong * np.log(m - 1), 0)


def gaussian(variances: object, distortion: object) -> Float[np.ndarray, "..."]:
    """Rate of independent Gaussian coordinates under squared error, summed over coordinates: reverse
    water-filling, nats.

    R(D) = Σ_i ½ log(σ_i² / min(θ, σ_i²)), where the water level θ solves Σ_i min(θ, σ_i²) = D; 0 from D = Σ
    σ_i² on, ∞ at D = 0.

    Arguments:
        variances: σ_i², non-negative.
        distortion: D, one or several, 0 or more: the sum over coordinates, not the mean.

    Raises:
        RequestError: numbers outside these ranges.

    Source: Cover & Thomas, Elements of Information Theory, 2nd edition, theorem 10.3.3.

    Examples:
        >>> gaussian([1.0, 4.0], [0.5, 2.0, 5.0]).round(3)
        array([2.079, 0.693, 0.   ])
    """
    requirement = "a list of finite, non-negative variances"
    sizes = np.sort(check_array(variances, "variances", requirement, 1))
    if sizes[0] < 0:
        refuse("variances", requirement, float(sizes[0]))
    asked = _distortions(distortion)
    # With the i smallest variances below the water, D = Σ of those + θ · (the number of the others).
    below = np.append(0, np.cumsum(sizes)[:-1])
    above = len(sizes) - np.arange(len(sizes))
    corners = below + sizes * above
    i = np.minimum(np.searchsorted(corners, asked, side="left"), len(sizes) - 1)
    level = np.minimum((asked - below[i]) / above[i], sizes[-1])[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return 0.5 * np.sum(np.where(sizes > level, np.log(sizes / level), 0), axis=-1)


def _distortions(values: object) -> Float[np.ndarray, "..."]:
    array = check_array(values, "distortion", "finite and non-negative")
    if array.min() < 0:
        refuse("distortion", "finite and non-negative", float(array.min()))
    return array


def binary_entropy(p: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """h(p) = −p log p − (1 − p) log(1 − p), nats."""
    return np.asarray(entr(p) + entr(1 - p))


def poisson_entropy(means: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Entropy of Poisson counts, nats: H = m − m log m + E[log k!], by its sum over k up to a mean of 100 and
    by its expansion ½ log(2πe m) − 1/(12m) − 1/(24m²) − 19/(360m³), within 1e-8, from there on.

    Examples:
        >>> poisson_entropy(np.array([0.0, 1.0, 400.0])).round(3)
        array([0.   , 1.305, 4.414])
    """
    m = np.minimum(means, _LARGE_MEAN)
    chance, expected = np.exp(-m), np.zeros(np.shape(m))
    for k in range(1, int(2.5 * _LARGE_MEAN)):
        chance = chance * m / k
        expected += chance * gammaln(k + 1)
    summed = m + entr(m) + expected
    large = np.maximum(means, _LARGE_MEAN)
    expanded = 0.5 * np.log(2 * np.pi * np.e * large) - 1 / (12 * large) - 1 / (24 * large**2)
    return np.where(means < _LARGE_MEAN, summed, expanded - 19 / (360 * large**3))

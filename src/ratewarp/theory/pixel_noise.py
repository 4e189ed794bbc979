"""Distortion of noisy images: the floor that the noise of the pixels sets, and curves that are proved on
either side of it.

An image X of stimulus S has pixels that are independent given S, each in 0 … 1, with means m_S. Its
distortion is the squared error per pixel between X and what is decoded, E‖X − Y‖²/P; that of the stimulus
(semantic) is E‖m_S − Y‖²/P, bounded by R_S(D).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import expit

from ratewarp._checks import refuse
from ratewarp.theory.closed_forms import binary_entropy
from ratewarp.theory.curve import Curve
from ratewarp.theory.number_checks import check_array, check_number, check_probabilities, check_rates

_SLOPES = 200  # tangents of the lower curve
_STEEPEST = 60.0  # β per pixel at which a coin is told almost without error


def noise_floor(p: object, means: object) -> float:
    """Mean variance of the pixels of binary images, E‖X − m_S‖²/P: the distortion of a code that holds the
    stimulus and nothing else.

    Arguments:
        p: probability of every stimulus.
        means: probability of a 1 at every pixel of every stimulus, one entry per stimulus.

    Raises:
        RequestError: probabilities or means out of range.

    Examples:
        >>> noise_floor([0.5, 0.5], [[0.5, 0.5], [0.0, 1.0]])
        0.125
    """
    probabilities, pixels = _checked(p, means)
    return float(probabilities @ np.mean(pixels * (1 - pixels), axis=1))


def bernoulli_squared_error(p: object, distortion: float) -> Float[np.ndarray, "..."]:
    """Rate of biased coins under squared error: R(D) = h(p) − h(y), y(1 − y) = D, for D ≤ p(1 − p), then 0,
    nats.

    A code word stands for a coin by the probability of 1 it leaves, y or 1 − y, whose variance is the
    distortion: R is the concave envelope of h(y) − β y(1 − y), which is symmetric about ½, so that its one
        chord is level.

    Arguments:
        p: probabilities of 1.
        distortion: D, squared error of a coin, 0 or more.

    Examples:
        >>> bernoulli_squared_error([0.5, 0.1], 0.09).round(3)
        array([0.368, 0.   ])
    """
    chances = check_array(p, "p", "probabilities, 0–1")
    if chances.min() < 0 or chances.max() > 1:
        refuse("p", "probabilities, 0–1", p)
    distortion = check_number(distortion, "distortion", least=0)
    left = (1 - np.sqrt(max(0.0, 1 - 4 * distortion))) / 2
    return np.maximum(binary_entropy(chances) - binary_entropy(np.asarray(left)), 0) * (
        chances * (1 - chances) > distortion
    )


def pixel_bounds(p: object, means: object, curve: Curve, rates: object) -> pd.DataFrame:
    """Lower and upper curve of the raw-pixel distortion of binary images with independent noise.

    *Upper, achieved*: a code of the stimulus alone reaches floor + D_S(R) (the channel that draws it from the
        stimulus given the image
    tells no more of the image). From H(S) on, one may name the stimulus and spend the rest on the noise,
    pixel by pixel: H(S) + Σ R_Bernoulli. What lies on a chord between achieved points is achieved.

    *Lower, proved as far as the curve's own certificate is*: for every β in (0, 2), β per squared error of a
    pixel,

        R ≥ G_S(β(1 − β/2)) − βP·(D − floor),    G_S(β) = min R_S + βP·D_S,

    because e^{β‖X − m_S‖²} A_S, with A_S from the dual of the stimulus's problem, satisfies the dual of the
    image's: the noise enters as E e^{2β(X − m)(y − m)} ≤ e^{β²(y − m)²/2} (Hoeffding), which widens e^{−β‖y −
    m‖²} to β(1 − β/2). And R ≥ R(X | S), the rate of the noise when the stimulus is known, pixel by pixel.

    Arguments:
        p: probability of every stimulus.
        means: probability of a 1 at every pixel of every stimulus.
        curve: the semantic curve, of `SquaredError(means)`.
        rates: nats.

    Returns:
        One row per rate: rate_nats, low, high (squared error per pixel).

    Source: Csiszár, IEEE Trans Inf Theory 20(1): 122–124, 1974, for the dual; Gray, IEEE Trans Inf Theory
        19(4): 480–489, 1973, for
    R(X | S); Hoeffding, JASA 58: 13–30, 1963. The combination is of this project.
    """
    probabilities, pixels = _checked(p, means)
    asked = check_rates(rates)
    floor = noise_floor(probabilities, pixels)
    noise = _noise_curve(probabilities, pixels)
    return pd.DataFrame(
        {
            "rate_nats": asked,
            "low": _lower(curve, pixels.shape[1], floor, noise, asked),
            "high": _upper(curve, floor, noise, asked),
        }
    )


def _lower(
    curve: Curve, pixels: int, floor: float, noise: Float[np.ndarray, "slopes three"], rates: np.ndarray
) -> np.ndarray:
    """Highest of all tangents at each rate."""
    beta = np.linspace(0, 2, _SLOPES + 1)[1:]
    stimulus = (curve.lagrangian(beta * (1 - beta / 2) * pixels) - rates[:, None]) / (beta * pixels) + floor
    slope, rate, distortion = noise.T
    given = distortion + (rate - rates[:, None]) / (slope * pixels)
    return np.maximum(np.maximum(stimulus.max(axis=1), given.max(axis=1)), 0)


def _upper(
    curve: Curve, floor: float, noise: Float[np.ndarray, "slopes three"], rates: np.ndarray
) -> np.ndarray:
    """Lower convex hull of the achieved points."""
    corners = np.column_stack([curve.envelope.rates, curve.envelope.distortions + floor])
    beyond = np.column_stack(
        [curve.maximum_rate + noise[:, 1], noise[:, 2] + curve.distortion(curve.maximum_rate)]
    )
    hull: list[np.ndarray] = []
    for point in np.concatenate([corners, beyond[np.argsort(beyond[:, 0])]]):
        while len(hull) > 1 and _turns_right(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    known = np.array(hull)
    return np.interp(rates, known[:, 0], known[:, 1])


def _turns_right(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
    """Whether the way from a over b to c bends to the right, or not at all."""
    return bool((b[0] - a[0]) * (c[1] - b[1]) <= (b[1] - a[1]) * (c[0] - b[0]))


def _noise_curve(
    p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli pixels"]
) -> Float[np.ndarray, "slopes three"]:
    """R(X | S): β per squared error of a pixel, rate in nats, mean distortion per pixel.

    At one β all pixels share one y, or are not told.
    """
    chances, places = np.unique(means.round(12), return_inverse=True)
    # expected number of pixels of every chance
    mass = np.bincount(places.ravel(), np.repeat(p, means.shape[1]))
    variance = chances * (1 - chances)
    rows = []
    for odds in np.geomspace(0.01, _STEEPEST, _SLOPES):  # log (1 − y)/y, so that β = −dR/dD has a closed form
        left, beta = expit(-odds), odds / np.tanh(odds / 2)
        told = variance > left * (1 - left)
        rate = np.where(told, binary_entropy(chances) - binary_entropy(np.asarray(left)), 0)
        rows.append(
            (
                beta,
                mass @ np.maximum(rate, 0),
                mass @ np.where(told, left * (1 - left), variance) / means.shape[1],
            )
        )
    return np.array(rows)


def _checked(
    p: object, means: object
) -> tuple[Float[np.ndarray, " stimuli"], Float[np.ndarray, "stimuli pixels"]]:
    probabilities = check_probabilities(p)
    requirement = f"probabilities of a 1, 0–1, one entry for each of the {len(probabilities)} stimuli"
    pixels = check_array(means, "means", requirement)
    if pixels.ndim < 2 or len(pixels) != len(probabilities):
        refuse("means", requirement, f"shape {pixels.shape}")
    if pixels.min() < 0 or pixels.max() > 1:
        refuse("means", requirement, f"{pixels.min():g} to {pixels.max():g}")
    return probabilities, pixels.reshape(len(pixels), -1)

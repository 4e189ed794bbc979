"""Codes brought within reach of arithmetic: of a size whose powers a float can hold, and with no more
coordinates than they span.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from jaxtyping import Float

_DROWNED = 1e200  # variance beside which codes of ordinary size are nothing
# powers of two on either side of 1 within which codes are left as they are: their eighth powers are far from
# overflow
_SAFE = 30


def exponent(codes: Float[np.ndarray, "items latents"]) -> int:
    """Power of two to divide codes by so that the largest is near 1; 0 where they are of ordinary size.

    Examples:
        >>> exponent(np.array([[3.0], [-4.0]])), exponent(np.array([[1e200], [0.0]]))
        (0, 665)
    """
    found = int(np.frexp(np.abs(codes).max())[1])
    return found if abs(found) > _SAFE else 0


def scaled(
    codes: Float[np.ndarray, "items latents"], power: int | None = None
) -> Float[np.ndarray, "items latents"]:
    """Codes divided by a power of two, their own `exponent` if none is given: exact."""
    chosen = exponent(codes) if power is None else power
    return np.ldexp(codes, -chosen) if chosen else codes


def scaled_noise(noise: Float[np.ndarray, "items latents"], power: int) -> Float[np.ndarray, "items latents"]:
    """Variances of codes that are divided by a power of two; what drowns them altogether stays finite."""
    with np.errstate(over="ignore"):
        return np.minimum(scaled(noise, 2 * power), _DROWNED)


def spanned(codes: Float[np.ndarray, "items latents"]) -> Float[np.ndarray, "items coordinates"]:
    """Codes in coordinates of the space that they span, one per item, where there are more than two latents
    an item.

    Distances, angles and scatter about the mean stay as they are, and equal codes stay equal. With fewer
    latents it does not pay.

    Examples:
        >>> spanned(np.array([[0.0, 0.0, 0.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0, 0.0]])).shape
        (2, 2)
    """
    if codes.shape[1] <= 2 * len(codes):
        return codes
    rows, back = np.unique(codes + 0.0, axis=0, return_inverse=True)  # −0 is 0
    centred = rows - rows.mean(axis=0)
    triangle = cast(np.ndarray, np.linalg.qr(centred.T, mode="r"))
    return triangle.T[back.reshape(-1)]


def shrinkage(deviations: Float[np.ndarray, "items latents"], latents: int | None = None) -> float:
    """Ledoit and Wolf's shrinkage of the covariance of deviations towards a multiple of the identity, 0 … 1.

    Arguments:
        deviations: about their mean, one row per item.
        latents: how many latents there are, where deviations are given in fewer coordinates.

    Source: Ledoit & Wolf, Journal of Multivariate Analysis 2004.

    Examples:
        >>> round(shrinkage(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])), 3)
        0.944
    """
    items, width = deviations.shape
    if not width:
        return 0.0
    gram = deviations @ deviations.T if items < width else deviations.T @ deviations
    sizes, squares = np.sum(deviations**2, axis=1), np.sum(gram**2) / items**2
    above = (np.sum(sizes**2) / items - squares) / items
    below = squares - (sizes.sum() / items) ** 2 / (latents or width)
    return float(min(max(above, 0.0), below) / below) if below > 0 else 0.0

"""Log densities of points under many Gaussian posteriors, and their exponentials."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROUNDING = 1e-8  # error of a log density that expanding its square may cause, nats
_DEPTH = 600.0  # nats below the highest term of a sum at which terms no longer count


def log_densities(
    points: Float[np.ndarray, "points latents"],
    codes: Float[np.ndarray, "images latents"],
    variances: Float[np.ndarray, "images latents"],
) -> Float[np.ndarray, "points images"]:
    """log N(z; μ, diag σ²) of every point z for every image.

    −½ Σ (z − μ)²/σ² as one matrix product, [z², z, 1] · [−½/σ², μ/σ², −½ Σ μ²/σ²], about the mean code; one
    latent at a time where posteriors are so narrow for their distances that its terms would cancel.
    """
    middle = codes.mean(axis=0)
    points, codes, precisions = points - middle, codes - middle, 1 / variances
    constants = -0.5 * np.sum(np.log(2 * np.pi * variances), axis=1)
    reach = np.maximum(np.abs(points).max(axis=0), np.abs(codes).max(axis=0))
    if np.sum(reach**2 * precisions.max(axis=0)) * np.finfo(float).eps < _ROUNDING:
        weights = np.hstack(
            [
                -0.5 * precisions,
                codes * precisions,
                (constants - 0.5 * np.sum(codes**2 * precisions, axis=1))[:, None],
            ]
        )
        return np.hstack([points**2, points, np.ones((len(points), 1))]) @ weights.T
    found = np.tile(constants, (len(points), 1))
    for z, code, precision in zip(points.T, codes.T, precisions.T, strict=True):
        found -= 0.5 * precision * (z[:, None] - code) ** 2
    return found


def exponentiate(exponents: np.ndarray) -> np.ndarray:
    """exp (x − highest of the row), in place, at least e^−_DEPTH; returns the highest of every row. Terms
    that hardly are numbers would take several times as long.
    """
    highest = exponents.max(axis=1)
    np.subtract(exponents, highest[:, None], out=exponents)
    np.exp(np.maximum(exponents, -_DEPTH, out=exponents), out=exponents)
    return highest

"""The best weights of given reproduction points: maximum likelihood of a mixture's proportions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve

_BOUNDARY = 0.995  # share of the way to the nearest bound that a step may go
_MOST_STEPS = 60
# of the diagonal of a matrix that rounding has made indefinite, as a share
_LEAST_LIFT, _MOST_LIFT = 1e-14, 1e-2


def best_weights(
    p: Float[np.ndarray, " stimuli"],
    kernel: Float[np.ndarray, "stimuli points"],
    start: Float[np.ndarray, " points"],
    tolerance: float,
) -> Float[np.ndarray, " points"]:
    """q that maximises Σ_s p_s log Σ_k q_k K_sk over the simplex.

    Primal–dual interior point on min −Σ_s p_s log (K q)_s + Σ_k q_k, q ≥ 0, whose solution sums to 1 by
    itself, with slack σ_k = 1 − Σ_s p_s K_sk / (K q)_s. A step costs one Cholesky factor, as large as the
    fewer of stimuli and points; ten to twenty steps do, however close to each other the points are, where
    fixed-point (EM, Blahut–Arimoto) steps run into the thousands.

    Arguments:
        p: probabilities, positive.
        kernel: K = exp(−β d), 0–1, a positive entry in every row.
        start: first guess, non-negative and summing to 1; zeros are lifted.
        tolerance: of the objective, nats.

    Returns:
        q, positive, summing to 1; entries with no part in the optimum are tiny. Short of the tolerance if 60
        steps do not do: the caller's certificate tells.

    Source: Koenker & Mizera, JASA 109(506): 674–685, 2014, for the interior point; Kim, Carbonetto, Stephens
        & Anitescu,
    J Comput Graph Stat 29(2): 261–273, 2020, for the form without the sum constraint; Mehrotra, SIAM J Optim
    2(4): 575–601, 1992, for the steps.
    """
    points = len(start)
    q = 0.95 * start + 0.05 / points
    z = kernel @ q
    gradient = kernel.T @ (p / z)
    slack = np.maximum(1 - gradient, 0.05)
    for _ in range(_MOST_STEPS):
        complementarity = float(q @ slack)
        residual = 1 - gradient - slack
        if complementarity < tolerance and np.max(np.abs(residual)) < tolerance:
            break
        newton = _newton(kernel * (np.sqrt(p) / z)[:, None], slack / q)
        affine = newton(gradient - 1)
        slack_affine = -slack - slack / q * affine
        left = (
            (q + _reach(q, affine) * affine)
            @ (slack + _reach(slack, slack_affine) * slack_affine)
            / complementarity
        )
        target = max(left**3, 0.01) * complementarity / points
        corrected = (target - affine * slack_affine) / q
        step = affine + newton(corrected)
        slack_step = corrected - slack - slack / q * step
        q = q + _reach(q, step) * step
        slack = slack + _reach(slack, slack_step) * slack_step
        z = kernel @ q
        gradient = kernel.T @ (p / z)
    return q / q.sum()


def _newton(
    B: Float[np.ndarray, "stimuli points"], diagonal: Float[np.ndarray, " points"]
) -> Callable[[Float[np.ndarray, " points"]], Float[np.ndarray, " points"]]:
    """Solver of (BᵀB + diag) x = v, by a factor of the smaller side (Woodbury's identity when points
    outnumber stimuli).
    """
    if B.shape[1] <= B.shape[0]:
        hessian = B.T @ B
        hessian[np.diag_indices_from(hessian)] += diagonal
        factor = _factor(hessian)
        return lambda v: cho_solve(factor, v, check_finite=False)
    root = np.sqrt(diagonal)
    C = B / root
    inner = C @ C.T
    inner[np.diag_indices_from(inner)] += 1
    factor = _factor(inner)
    return lambda v: (v / root - C.T @ cho_solve(factor, C @ (v / root), check_finite=False)) / root


def _factor(matrix: Float[np.ndarray, "side side"]) -> tuple[np.ndarray, bool]:
    """Cholesky factor of a matrix that is positive definite but for rounding, its diagonal lifted until it
    is.

    Points whose kernels are alike, and weights that lie many orders of magnitude apart, leave eigenvalues
    below rounding. A lift only shortens a step.
    """
    lift = 0.0
    while True:
        try:
            return cho_factor(matrix, lower=True, check_finite=False)
        except LinAlgError:
            lift = 100 * lift or _LEAST_LIFT
            if lift > _MOST_LIFT:
                raise
            matrix[np.diag_indices_from(matrix)] *= 1 + lift


def _reach(values: np.ndarray, step: np.ndarray) -> float:
    """How far along `step`, at most all of it, positive values stay positive by a margin."""
    shrinking = step < 0
    return (
        min(1.0, _BOUNDARY * float(np.min(-values[shrinking] / step[shrinking])))
        if np.any(shrinking)
        else 1.0
    )

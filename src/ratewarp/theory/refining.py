"""Which slopes to solve, so that few of them hold the curve within a tolerance at every asked rate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ratewarp.theory.alphabets import Alphabet
from ratewarp.theory.envelope import Envelope, envelope
from ratewarp.theory.slopes import Aim, Solved, solve

SHARE = 0.4  # of the tolerance, that a single slope may use up
_NEAR = 4.0  # slopes of neighbours within this factor tell where the slope between them goes
_SAME_SLOPE = 1e-10  # relative
_MOST_TRIES = 20  # slopes for one rate


def refined(
    alphabet: Alphabet, ends: list[Solved], asked: Float[np.ndarray, " rates"], tolerance: float, most: int
) -> Envelope:
    """Solves one more slope for the rate where the gap is widest, again and again.

    Arguments:
        alphabet: stimuli and what may stand for them.
        ends: rate 0 and the smallest distortion.
        asked: rates, nats.
        tolerance: widest gap at these rates, nats.
        most: most slopes.
    """
    solved = list(ends)
    tries = np.zeros(len(asked), int)
    while True:
        _corrected(alphabet, solved, SHARE * tolerance)
        strip = envelope(solved)
        gaps = np.where(tries < _MOST_TRIES, gaps_at(strip, asked), 0)
        widest = int(gaps.argmax())
        if gaps[widest] <= tolerance or len(solved) - len(ends) >= most:
            return strip
        above = int(np.clip(np.searchsorted(strip.rates, asked[widest]), 1, len(strip.rates) - 1))
        left, right = solved[strip.corners[above - 1]], solved[strip.corners[above]]
        beta, aim = _next(strip, left, right, asked[widest], SHARE * tolerance, again=tries[widest] % 2 == 1)
        tries[widest] += 1
        if np.any(np.isclose(beta, [one.beta for one in solved], rtol=_SAME_SLOPE, atol=0)):
            continue
        points = np.concatenate([left.points, right.points])
        weights = np.concatenate([left.weights, right.weights]) / 2
        solved.append(solve(alphabet, beta, points, weights, SHARE * tolerance, aim))


def _corrected(alphabet: Alphabet, solved: list[Solved], tolerance: float) -> None:
    """Solves again, in place, slopes whose bound another channel has since beaten: a search may have missed a
    peak.

    The channel that beat it joins the start, so that the new bound lies below it.
    """
    betas = np.array([one.beta for one in solved])
    rates, distortions = np.array([one.rate for one in solved]), np.array([one.distortion for one in solved])
    for i in np.flatnonzero((betas > 0) & np.isfinite(betas)):
        paid = rates + betas[i] * distortions
        best = int(paid.argmin())
        if solved[i].lower > paid[best] + 0.1 * tolerance:
            points = np.concatenate([solved[i].points, solved[best].points])
            weights = np.concatenate([solved[i].weights, solved[best].weights]) / 2
            solved[i] = solve(alphabet, betas[i], points, weights, tolerance)


def gaps_at(strip: Envelope, rates: Float[np.ndarray, " rates"]) -> Float[np.ndarray, " rates"]:
    """Achieved rate minus certified rate, at the distortion achieved at given rates."""
    achieved = np.minimum(rates, strip.rates[-1])
    return np.maximum(achieved - strip.lower_rate(strip.upper_distortion(rates))[0], 0)


def _next(
    strip: Envelope, left: Solved, right: Solved, rate: float, tolerance: float, *, again: bool
) -> tuple[float, Aim | None]:
    """The next slope to solve between two neighbours.

    Either the slope of their chord, which is the curve's own where it is straight, so that its tangent closes
    the gap at once; or, where the curve bends gently, the slope that it should have at the rate itself, to be
    adjusted until it has. Where one of them has not done, it is the other's turn.
    """
    far = not 0 < right.beta < _NEAR * left.beta
    if far != again or left.beta == 0 or np.isinf(right.beta):
        return (right.rate - left.rate) / (left.distortion - right.distortion), None
    inner = [strip.solved[i] for i in strip.corners if 0 < strip.solved[i].beta < np.inf]
    from scipy.interpolate import PchipInterpolator  # its import takes half a second

    logs = PchipInterpolator([one.rate for one in inner], np.log([one.beta for one in inner]))
    rate = float(np.clip(rate, left.rate, right.rate))  # beyond the last corner nothing is known
    bend = float(logs.derivative()(rate))
    # what the chords to the neighbours then lose, 1/2 of the tolerance
    near = tolerance / max(bend * (right.rate - left.rate), 1e-9)
    return float(np.exp(logs(rate))), Aim(rate, bend, near, left.beta, right.beta)

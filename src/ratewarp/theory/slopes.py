"""One point of the rate–distortion curve: the best channel at a given slope, with a bound to certify it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ratewarp.theory.alphabets import Alphabet, Peaks, kernel
from ratewarp.theory.mixing import best_weights

_WEIGHTLESS = 1e-6  # points with less weight, and less of a share in any stimulus, are left out
_SHARELESS = 1e-3
# probability, in tolerances over the number of stimuli, up to which a stimulus needs no point of its own
_RARE = 1e-5
# of Z; below it a stimulus needs one after all: at four times the slope it would be no number
_VANISHING = 1e-70
_GIVEN = 0.05  # tolerances that all stimuli may give away
_UNHEARD = 40.0  # nats below their own largest at which weights no longer count
_FIRM_ROUNDS = 2  # from then on less and less is left out, lest points come and go
_MOST_ROUNDS = 60
_SEARCH_MARGIN = 0.1  # what climbers may still lack of their tops when they rest, in tolerances
_AIMING_ROUNDS = 10
_ENTRANTS = 200  # most new points in a round


@dataclass(frozen=True)
class Solved:
    """The best channel found at one slope.

    Attributes:
        beta: β = −dR/dD, nats per unit of distortion; ∞ at the smallest distortion, 0 at rate 0.
        rate: R, mutual information of the channel, nats.
        distortion: D, mean distortion of the channel.
        lower: no channel has R + βD below this; at β = ∞, no channel of the smallest distortion has R below
            this.
        proved: whether `lower` is proved, or rests on a search.
        points: reproduction points before the last step of the solver, in the alphabet's own coordinates.
        weights: q of these points.
    """

    beta: float
    rate: float
    distortion: float
    lower: float
    proved: bool
    points: Shaped[np.ndarray, "points ..."]
    weights: Float[np.ndarray, " points"]


@dataclass(frozen=True)
class Aim:
    """A rate that a channel should have, by small changes of the slope.

    Attributes:
        rate: R to be met, nats.
        bend: d log β / dR of the curve there, about.
        near: how near is near enough, nats.
        low, high: limits of β.
    """

    rate: float
    bend: float
    near: float
    low: float
    high: float

    def corrected(self, beta: float, rate: float) -> float:
        """The slope to go on with from one that has been found to have a rate."""
        off = self.rate - rate
        if abs(off) <= self.near:
            return beta
        return float(np.exp(np.clip(np.log(beta) + self.bend * off, np.log(self.low), np.log(self.high))))


def solve(
    alphabet: Alphabet,
    beta: float,
    points: np.ndarray,
    weights: Float[np.ndarray, " points"],
    tolerance: float,
    aim: Aim | None = None,
) -> Solved:
    """Minimises R + βD over reproduction points and channels.

    min over q of −Σ_s p_s log Z_s, Z_s = Σ_k q_k exp(−β d(s, y_k)), which is convex in the measure q. Column
    generation: find the best weights of the points at hand, add the points where c(y) = Σ_s p_s exp(−β d(s,
        y)) / Z_s exceeds 1, until no log c exceeds the
    tolerance; then R + βD ≥ −Σ p log Z − log max c for every channel (Csiszár's dual).

    Arguments:
        alphabet: stimuli and what may stand for them.
        beta: β, positive; ∞ for the smallest distortion.
        points, weights: where to start; some point must be at a finite distance from every stimulus.
        tolerance: of R + βD, nats.
        aim: the rate for which β is adjusted in the first rounds.

    Returns:
        The channel and its bound, which tells how near it is even where the rounds ran out.

    Source: Blahut, IEEE Trans Inf Theory 18(4): 460–473, 1972; Csiszár, IEEE Trans Inf Theory 20(1): 122–124,
        1974; Lindsay, Ann Stat
    11(1): 86–94, 1983.
    """
    points, weights = _condensed(alphabet, beta, points, weights)
    rare = alphabet.p < _RARE * tolerance / len(alphabet.p)
    done = 0
    while True:
        K = kernel(beta, alphabet.distances(points), alphabet.same)
        weights = best_weights(alphabet.p, K, weights, 0.003 * tolerance)
        kept = _worth(K, weights, 0.1 ** min(max(0, done - _FIRM_ROUNDS), 3), rare)
        points, weights = _condensed(alphabet, beta, points[kept], weights[kept] / weights[kept].sum())
        aimed = (
            aim.corrected(beta, channel_of(alphabet, beta, points, weights)[0])
            if aim and done < _AIMING_ROUNDS
            else beta
        )
        hit, beta = aimed == beta, aimed
        z = kernel(beta, alphabet.distances(points), alphabet.same) @ weights
        given = _given(alphabet.p, z, beta, tolerance)
        logw = np.log(alphabet.p) - np.log(z) - given
        peaks = alphabet.peaks(beta, logw, points, level=tolerance, thorough=False)
        # by a margin, since a thorough look costs most
        if (hit and peaks.highest <= 0.6 * tolerance) or done == _MOST_ROUNDS:
            peaks = alphabet.peaks(beta, logw, points, level=tolerance, thorough=True)
            if peaks.highest <= tolerance or done == _MOST_ROUNDS:
                break
        points, weights = _joined(points, weights, peaks, 0.01 * tolerance)
        done += 1
    lower = (
        -float(alphabet.p @ (np.log(z) + given))
        - max(0.0, peaks.highest)
        - (0 if peaks.proved else _SEARCH_MARGIN * tolerance)
    )
    rate, distortion, _, _ = channel_of(alphabet, beta, points, weights)
    lower += 0 if np.isinf(beta) else beta * alphabet.offset
    return Solved(beta, rate, distortion + alphabet.offset, lower, peaks.proved, points, weights)


def _condensed(
    alphabet: Alphabet, beta: float, points: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points that nearly coincide made one; at β = ∞ none, since a point between two stimuli is the best of
    neither.
    """
    return (points, weights) if np.isinf(beta) else alphabet.condensed(beta, points, weights)


def _given(
    p: Float[np.ndarray, " stimuli"], z: Float[np.ndarray, " stimuli"], beta: float, tolerance: float
) -> Float[np.ndarray, " stimuli"]:
    """By how much log w of every stimulus is lowered.

    Csiszár's bound holds for any w, and costs p times what is taken off: next to nothing for a stimulus that
    hardly ever comes, whose own peak of c, however high, need then not be met by a point. All stimuli
    together give away a small share of the tolerance.
    """
    if np.isinf(beta):
        return np.zeros(len(p))
    affordable = np.minimum(_GIVEN * tolerance / (len(p) * p), _UNHEARD - np.log(z))
    return np.where(affordable > tolerance, affordable, 0)


def _worth(
    K: Float[np.ndarray, "stimuli points"],
    weights: Float[np.ndarray, " points"],
    leniency: float,
    rare: Bool[np.ndarray, " stimuli"],
) -> Bool[np.ndarray, " points"]:
    """Points of some weight, or of some share in a stimulus, unless that is so rare that another may stand
    for it at whatever cost.
    """
    shares = K * weights / (K @ weights)[:, None]
    heavy = (weights > _WEIGHTLESS * leniency) | (np.max(shares[~rare], axis=0) > _SHARELESS * leniency)
    left = (K[:, heavy] @ weights[heavy]) < _VANISHING
    return heavy | (np.max(shares[left], axis=0, initial=0) > _SHARELESS * leniency)


def _joined(
    points: np.ndarray, weights: np.ndarray, peaks: Peaks, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """The points at hand and the highest peaks above `least`, the new ones without weight."""
    order = np.argsort(-peaks.heights)[:_ENTRANTS]
    order = order[peaks.heights[order] > least]
    return np.concatenate([points, peaks.points[order]]), np.append(weights, np.zeros(len(order)))


def channel_of(
    alphabet: Alphabet, beta: float, points: np.ndarray, weights: Float[np.ndarray, " points"]
) -> tuple[float, float, Float[np.ndarray, " points"], Float[np.ndarray, "points merged"]]:
    """The channel r(k|s) = q_k exp(−β d(s, y_k)) / Z_s after one more step of the solver in weights and
    points, which never makes it worse.

    Returns:
        Its rate Σ p r log(r / q̄) with the true marginal q̄, and mean distortion above the alphabet's offset;
        the weights and the share of every stimulus in each point (its position is `alphabet.moved`) that make
        it.
    """
    p = alphabet.p
    before = _posterior(kernel(beta, alphabet.distances(points), alphabet.same), weights)
    joint = (p[:, None] * before).T
    weights = joint.sum(axis=1)
    backward = joint / weights[:, None]
    distances = alphabet.distances(alphabet.moved(points, backward))
    r = _posterior(kernel(beta, distances, alphabet.same), weights)
    used = r > 0
    marginal = np.broadcast_to(p @ r, r.shape)
    terms = np.zeros_like(r)
    np.divide(r, marginal, out=terms, where=used)
    np.log(terms, out=terms, where=used)
    rate = float(p @ np.sum(r * terms, axis=1))
    distortion = float(p @ np.sum(r * np.where(used, distances, 0), axis=1))
    return max(rate, 0.0), distortion, weights, backward


def _posterior(
    K: Float[np.ndarray, "stimuli points"], weights: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "stimuli points"]:
    r = K * weights
    return r / r.sum(axis=1, keepdims=True)

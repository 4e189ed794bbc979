"""The rate–distortion function of a source: how much must be lost at a given rate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ratewarp._checks import refuse
from ratewarp._threads import threads
from ratewarp.theory.alphabets import SAME, Alphabet, Anywhere, Columns
from ratewarp.theory.costs import Cost
from ratewarp.theory.curve import Curve
from ratewarp.theory.number_checks import (
    check_distortions,
    check_number,
    check_probabilities,
    check_rates,
    check_whole,
)
from ratewarp.theory.refining import SHARE, refined
from ratewarp.theory.slopes import Solved, solve

_MOST_SLOPES = 12  # solved slopes for every asked rate, at most
_SMALL = 1000  # stimuli up to which one thread multiplies faster than several, which wait for each other


def rate_distortion(
    p: object,
    cost: object,
    *,
    points: int = 60,
    rates: object = None,
    tolerance: float = 1e-4,
    max_slopes: int | None = None,
) -> Curve:
    """Rate–distortion function of stimuli of given probabilities.

    R(D) = min I(S; Y) over channels of mean distortion Σ_s p_s E[d(s, Y) | s] ≤ D, nats. `cost` says what may
    stand for a stimulus: with a matrix its columns; with a `Cost` any point at all, so that the best points
    are found along with the channel. Slopes are solved where the strip between achievable chords and
    certified tangents is widest, until at every asked rate it is within the tolerance.

    Arguments:
        p: probability of every stimulus, summing to 1 (to 1e-6; then divided by the sum). Stimuli of
            probability 0 do not count.
        cost: d(s, y) as a (stimuli, points) matrix, finite and non-negative, or a cost such as
            `SquaredError`, `LogLoss`, `Weighted`.
        points: number of rates, evenly spread from 0 to the rate of the smallest distortion.
        rates: the rates themselves, nats, instead.
        tolerance: widest gap between achieved and certified rate, nats.
        max_slopes: most slopes to solve; by default 12 for every rate. A curve that ends short of the
            tolerance says so in its gaps.

    Returns:
        The curve.

    Raises:
        RequestError: probabilities, distortions, rates or numbers outside the ranges above.

    Source: Shannon, IRE Nat Conv Rec 4: 142–163, 1959; Rose, IEEE Trans Inf Theory 40(6): 1939–1952, 1994,
        for free points; Rote,
    Computing 48: 337–361, 1992, for the choice of slopes.

    Examples:
        >>> curve = rate_distortion([0.5, 0.5], [[0, 1], [1, 0]], points=5)  # a fair coin: R = log 2 − h(D)
        >>> float(curve.distortion(np.log(2) / 2).round(3))
        0.11
    """
    probabilities = check_probabilities(p)
    alphabet = _alphabet(probabilities, cost)
    tolerance = check_number(tolerance, "tolerance", above=0)
    with threads(1 if len(probabilities) <= _SMALL else None):
        return _solved(alphabet, points, rates, tolerance, max_slopes)


def _solved(alphabet: Alphabet, points: int, rates: object, tolerance: float, max_slopes: object) -> Curve:
    ends = _ends(alphabet, SHARE * tolerance)
    asked = _asked(points, rates, ends[1].rate)
    most = _MOST_SLOPES * len(asked) if max_slopes is None else check_whole(max_slopes, "max_slopes", 0)
    return Curve(asked, refined(alphabet, ends, asked, tolerance, most), alphabet)


def _alphabet(p: Float[np.ndarray, " stimuli"], cost: object) -> Alphabet:
    if not isinstance(cost, Cost):
        return Columns(p, check_distortions(cost, len(p)))
    if cost.stimuli != len(p):
        refuse("cost", f"a cost of the {len(p)} stimuli of p", f"one of {cost.stimuli}")
    return Anywhere(p, cost)


def _asked(points: object, rates: object, highest: float) -> Float[np.ndarray, " rates"]:
    if rates is None:
        return np.linspace(0, highest, check_whole(points, "points", 2))
    asked = np.sort(check_rates(rates))
    # such as log n, rounded otherwise
    return np.where(np.isclose(asked, highest, rtol=SAME, atol=0), highest, asked)


def _ends(alphabet: Alphabet, tolerance: float) -> list[Solved]:
    """Rate 0, where one point stands for all, and the smallest distortion."""
    largest = float(alphabet.p @ alphabet.distances(alphabet.middle)[:, 0]) + alphabet.offset
    silent = Solved(0.0, 0.0, largest, 0.0, True, alphabet.middle, np.ones(1))
    own = alphabet.own
    return [silent, solve(alphabet, np.inf, own, np.full(len(own), 1 / len(own)), tolerance)]

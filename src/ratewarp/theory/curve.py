"""A solved rate–distortion curve: what it says at any rate, distortion or slope, and the channel that
achieves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from ratewarp._checks import refuse
from ratewarp.theory.alphabets import SAME, Alphabet, kernel
from ratewarp.theory.envelope import Envelope
from ratewarp.theory.number_checks import check_array
from ratewarp.theory.slopes import Solved, channel_of


@dataclass(frozen=True)
class Channel:
    """What stands for what, how often.

    Attributes:
        probabilities: r(k|s), rows sum to 1; a row also for stimuli of probability 0.
        points: reproduction points: column numbers of the matrix, or rows in the space of the cost (flattened
            images, distributions).
        weights: probability of every point.
        distortions: d(s, y_k).
    """

    probabilities: Float[np.ndarray, "stimuli points"]
    points: Shaped[np.ndarray, "points ..."]
    weights: Float[np.ndarray, " points"]
    distortions: Float[np.ndarray, "stimuli points"]


@dataclass(frozen=True)
class Curve:
    """Rate–distortion function R(D) of a source, between what is achieved and what is certified.

    Attributes:
        asked: rates at which the gap is within the tolerance, nats.
        envelope: solved points, chords between them, tangents.
        alphabet: the stimuli and what may stand for them.

    Examples:
        >>> from ratewarp.theory import rate_distortion
        >>> curve = rate_distortion([0.5, 0.5], [[0, 1], [1, 0]], points=3)
        >>> curve.table[["rate_bits", "distortion", "certificate"]].round(3)
           rate_bits  distortion certificate
        0        0.0        0.50      proved
        1        0.5        0.11      proved
        2        1.0        0.00      proved
    """

    asked: Float[np.ndarray, " rates"]
    envelope: Envelope
    alphabet: Alphabet

    @property
    def maximum_rate(self) -> float:
        """Rate at the smallest distortion, nats; more buys nothing."""
        return float(self.envelope.rates[-1])

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an asked rate.

        Columns: rate_nats, rate_bits; distortion, achieved; slope, dD/dR ≤ 0, distortion per nat; gap_nats,
            by how much less rate might
        do at this distortion; support, number of reproduction points; certificate, whether that bound is
        proved or rests on a search.
        """
        distortions = self.envelope.upper_distortion(self.asked)
        lower, tangent = self.envelope.lower_rate(distortions)
        proved = np.array([one.proved for one in self.envelope.solved])[tangent]
        return pd.DataFrame(
            {
                "rate_nats": self.asked,
                "rate_bits": self.asked / np.log(2),
                "distortion": distortions,
                "slope": self.slope(self.asked),
                "gap_nats": np.maximum(np.minimum(self.asked, self.maximum_rate) - lower, 0),
                "support": [
                    sum(len(one.weights) for one, share in self._mixed(rate) if share > 0)
                    for rate in self.asked
                ],
                "certificate": np.where(proved, "proved", "searched"),
            }
        )

    def distortion(self, rate: object) -> Float[np.ndarray, "..."]:
        """Distortion achieved at a rate or an array of rates, nats; beyond the maximum rate the smallest
        distortion.
        """
        return self._at(rate, "rate", self.envelope.upper_distortion)

    def distortion_below(self, rate: object) -> Float[np.ndarray, "..."]:
        """Certified lower bound on the distortion at a rate or rates, nats."""
        return self._at(rate, "rate", self.envelope.lower_distortion)

    def rate(self, distortion: object) -> Float[np.ndarray, "..."]:
        """Rate that achieves a distortion or distortions, nats; ∞ below the smallest distortion, 0 from the
        largest on.
        """
        return self._at(
            distortion, "distortion", lambda asked: self._if_possible(asked, self.envelope.upper_rate(asked))
        )

    def rate_below(self, distortion: object) -> Float[np.ndarray, "..."]:
        """Certified lower bound on the rate at a distortion or distortions, nats."""
        return self._at(
            distortion,
            "distortion",
            lambda asked: self._if_possible(asked, self.envelope.lower_rate(asked)[0]),
        )

    def lagrangian(self, beta: object) -> Float[np.ndarray, "..."]:
        """Certified lower bound on min R + βD at β or several, nats: what any code must pay that trades a nat
        for 1/β of distortion.
        """
        return self._at(beta, "beta", self.envelope.lower_lagrangian)

    def slope(self, rate: object) -> Float[np.ndarray, "..."]:
        """Marginal distortion of a nat, dD/dR = −1/β ≤ 0, at a rate or rates; 0 from the maximum rate on."""
        return self._at(rate, "rate", self._slope)

    def channel(self, rate: float) -> Channel:
        """A channel of this rate, in nats, and of the distortion that `distortion` says: at most two solved
        channels, mixed.

        Of two mixed channels a point of either stays a point of its own, even where both have the same.
        """
        at = self._at(rate, "rate", lambda rates: rates)
        if at.ndim > 0:
            refuse("rate", "a single rate in nats", rate)
        parts = [(_shown(self.alphabet, one), share) for one, share in self._mixed(float(at)) if share > 0]
        return Channel(
            np.hstack([share * part.probabilities for part, share in parts]),
            np.concatenate([part.points for part, _ in parts]),
            np.concatenate([share * part.weights for part, share in parts]),
            np.hstack([part.distortions for part, _ in parts]),
        )

    def _if_possible(
        self, distortions: Float[np.ndarray, " asked"], rates: Float[np.ndarray, " asked"]
    ) -> Float[np.ndarray, " asked"]:
        """∞ for distortions below the smallest, by more than the rounding of whoever summed them up."""
        least = self.envelope.distortions[-1] * (1 - SAME) - self.alphabet.same
        return np.where(distortions >= least, rates, np.inf)

    def _slope(self, rates: Float[np.ndarray, " asked"]) -> Float[np.ndarray, " asked"]:
        """Interpolated in log β between corners; a corner at the curve's end has the slope of its chord."""
        corners, solved = self.envelope.corners, self.envelope.solved
        if len(corners) == 1:
            return np.zeros(len(rates))
        chords = -np.diff(self.envelope.rates) / np.diff(self.envelope.distortions)
        beta = np.array([chords[0], *[solved[i].beta for i in corners[1:-1]], chords[-1]])
        return np.where(
            rates >= self.maximum_rate * (1 - SAME),
            0.0,
            -1 / np.exp(np.interp(rates, self.envelope.rates, np.log(beta))),
        )

    def _mixed(self, rate: float) -> list[tuple[Solved, float]]:
        """The ends of the chord above a rate, and their shares."""
        rates, corners = self.envelope.rates, self.envelope.corners
        ends = [self.envelope.solved[i] for i in corners]
        right = int(np.searchsorted(rates, rate))
        if right == 0 or right == len(rates):
            return [(ends[min(right, len(rates) - 1)], 1.0)]
        share = float((rate - rates[right - 1]) / (rates[right] - rates[right - 1]))
        if min(share, 1 - share) < SAME:  # a rate that is a corner's but for rounding
            return [(ends[right if share > 0.5 else right - 1], 1.0)]
        return [(ends[right - 1], 1 - share), (ends[right], share)]

    def _at(
        self, values: object, argument: str, function: Callable[[np.ndarray], np.ndarray]
    ) -> Float[np.ndarray, "..."]:
        """`function` of what was asked; numbers that only rounding has made negative count as 0."""
        requirement = "finite and non-negative"
        array = check_array(values, argument, requirement)
        scale = float(self.envelope.distortions[0]) if argument == "distortion" else 1.0
        if array.min() < -SAME * scale:
            refuse(argument, requirement, float(array.min()))
        return function(np.maximum(array.ravel(), 0)).reshape(array.shape)


def _shown(alphabet: Alphabet, solved: Solved) -> Channel:
    """A solved channel for all stimuli, in the user's own coordinates."""
    _, _, weights, backward = channel_of(alphabet, solved.beta, solved.points, solved.weights)
    points, distortions = alphabet.shown(solved.points, backward)
    finite = np.where(np.isfinite(distortions), distortions, np.finfo(float).max)
    above = distortions - finite.min(axis=1, keepdims=True)
    same = alphabet.same + SAME * finite.min(axis=1, keepdims=True)
    K = kernel(solved.beta, above, same) if solved.beta > 0 else np.ones_like(above)
    K[K.sum(axis=1) == 0] = 1  # a stimulus of probability 0 that no point may stand for
    r = K * weights
    return Channel(r / r.sum(axis=1, keepdims=True), points, weights, distortions)

"""Between solved points: chords that can be achieved, tangents that cannot be beaten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ratewarp.theory.alphabets import SAME
from ratewarp.theory.slopes import Solved


@dataclass(frozen=True)
class Envelope:
    """The strip that holds the curve.

    Attributes:
        solved: solved points.
        corners: indices of the solved points on the lower convex hull, by increasing rate; the first has rate
            0, the last the smallest distortion. What lies on a chord is achieved by mixing the channels at
            its ends.
    """

    solved: Sequence[Solved]
    corners: Int[np.ndarray, " corners"]

    @property
    def rates(self) -> Float[np.ndarray, " corners"]:
        return np.array([self.solved[i].rate for i in self.corners])

    @property
    def distortions(self) -> Float[np.ndarray, " corners"]:
        return np.array([self.solved[i].distortion for i in self.corners])

    def upper_distortion(self, rates: Float[np.ndarray, " asked"]) -> Float[np.ndarray, " asked"]:
        """Distortion on the chords at given rates; beyond the last corner its distortion."""
        return np.interp(rates, self.rates, self.distortions)

    def upper_rate(self, distortions: Float[np.ndarray, " asked"]) -> Float[np.ndarray, " asked"]:
        """Rate on the chords at given distortions; that of the smallest below it, 0 above the largest."""
        return np.interp(distortions, self.distortions[::-1], self.rates[::-1])

    def lower_rate(
        self, distortions: Float[np.ndarray, " asked"]
    ) -> tuple[Float[np.ndarray, " asked"], Int[np.ndarray, " asked"]]:
        """Rate on the highest tangent at given distortions, and the solved point whose tangent it is."""
        beta, bound = self._tangents()
        finite = np.isfinite(beta)
        heights = np.where(finite, bound, -np.inf) - np.where(finite, beta, 0) * distortions[:, None]
        smallest = ~finite & (distortions[:, None] <= self.distortions[-1])
        heights = np.where(smallest, bound, heights)
        return np.maximum(heights.max(axis=1), 0), heights.argmax(axis=1)

    def lower_distortion(self, rates: Float[np.ndarray, " asked"]) -> Float[np.ndarray, " asked"]:
        """Distortion on the highest tangent at given rates."""
        beta, bound = self._tangents()
        usable = np.isfinite(beta) & (beta > 0)
        tangents = (bound[usable] - rates[:, None]) / beta[usable]
        return np.maximum(tangents.max(axis=1, initial=-np.inf), self.distortions[-1])

    def lower_lagrangian(self, betas: Float[np.ndarray, " asked"]) -> Float[np.ndarray, " asked"]:
        """Below min R + βD at given β: that minimum is concave in β, so chords between its certified lower
        values are below it.
        """
        beta, bound = self._tangents()
        order = np.argsort(beta)[: int(np.isfinite(beta).sum())]
        beta, bound = beta[order], bound[order]
        beyond = np.maximum(betas - beta[-1], 0) * self.distortions[-1]
        return np.interp(betas, beta, bound) + beyond

    def _tangents(self) -> tuple[Float[np.ndarray, " solved"], Float[np.ndarray, " solved"]]:
        return np.array([one.beta for one in self.solved]), np.array([one.lower for one in self.solved])


def envelope(solved: Sequence[Solved]) -> Envelope:
    """The envelope of solved points, of which the first has rate 0 and the second the smallest distortion."""
    rates, distortions = np.array([one.rate for one in solved]), np.array([one.distortion for one in solved])
    corners: list[int] = []
    for i in np.lexsort((distortions, rates)):
        # no corner for what rounding tells apart
        if corners and distortions[i] >= distortions[corners[-1]] * (1 - SAME):
            continue
        while len(corners) > 1 and _bends_up(rates, distortions, corners[-2], corners[-1], i):
            corners.pop()
        corners.append(int(i))
    return Envelope(solved, np.array(corners))


def _bends_up(rates: np.ndarray, distortions: np.ndarray, a: int, b: int, c: int) -> bool:
    """Whether b lies on or above the chord from a to c."""
    return bool(
        (distortions[b] - distortions[a]) * (rates[c] - rates[a])
        >= (distortions[c] - distortions[a]) * (rates[b] - rates[a])
    )

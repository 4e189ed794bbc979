"""How far codes are spread within and between classes, from sums over stimuli: what it would be over all
stimuli of their kind, not over those at hand, for many weightings of these at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp._sums import group_sums

_ALONE = 1e-9  # of the correction for estimated means, below which a class has one stimulus


class Spread(NamedTuple):
    """Weighted sums over the stimuli of every class, of many draws of them.

    A stimulus has n items whose codes z sum to s.

    Attributes:
        stimuli: how many there are.
        counts, counts2, counts3: of items: n, n² and n³.
        sums, sums2: of s and n s.
        norms: of |s|².
        squares: of |z|², without trial noise where that is removed.
        own_counts, own_squares: over the ordered pairs of items of one stimulus, or of two copies of it: how
            many they are, and their squared distances.
    """

    stimuli: Float[np.ndarray, "draws classes"]
    counts: Float[np.ndarray, "draws classes"]
    counts2: Float[np.ndarray, "draws classes"]
    counts3: Float[np.ndarray, "draws classes"]
    sums: Float[np.ndarray, "draws classes latents"]
    sums2: Float[np.ndarray, "draws classes latents"]
    norms: Float[np.ndarray, "draws classes"]
    squares: Float[np.ndarray, "draws classes"]
    own_counts: Float[np.ndarray, "draws classes"]
    own_squares: Float[np.ndarray, "draws classes"]

    @property
    def shares(self) -> Float[np.ndarray, "draws classes"]:
        """Share of every class in all items."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    @property
    def means(self) -> Float[np.ndarray, "draws classes latents"]:
        """Mean code of every class; 0 for one of weight 0."""
        return _over(self.sums, self.counts[:, :, None])

    def errors_of_means(self) -> Float[np.ndarray, "draws classes"]:
        """Variance of the mean code of every class, summed over latents, from how its stimuli differ.

        Unbiased where the stimuli of a class have one variance. Of a class with one stimulus it is that of
        single stimuli of the other classes; NaN where these have one each, too.
        """
        means = self.means
        apart = self.norms - 2 * np.sum(means * self.sums2, axis=2) + self.counts2 * np.sum(means**2, axis=2)
        return errors_of_means(self.stimuli, self.counts, self.counts2, self.counts3, apart)

    def variances(self) -> tuple[Float[np.ndarray, " draws"], Float[np.ndarray, " draws"]]:
        """Variance between classes and within them, summed over latents: unbiased, so that the first may be
        below 0.
        """
        shares, means, errors = self.shares, self.means, self.errors_of_means()
        centre = np.sum(shares[:, :, None] * means, axis=1, keepdims=True)
        seen = np.sum(shares * np.sum((means - centre) ** 2, axis=2), axis=1)
        around = _over(self.squares, self.counts) - np.sum(means**2, axis=2)
        return (
            seen - np.sum(shares * (1 - shares) * errors, axis=1),
            np.sum(shares * (around + errors), axis=1),
        )

    def between_share(self) -> Float[np.ndarray, " draws"]:
        """Share of the variance that is between classes; NaN where there is none at all, or trial noise
        leaves less than none within classes.
        """
        between, within = self.variances()
        total = between + within
        defined = (total > 0) & (within >= -_ALONE * total)
        return np.divide(between, total, out=np.full_like(total, np.nan), where=defined)

    def squared_distances(
        self,
    ) -> tuple[Float[np.ndarray, "draws classes classes"], Float[np.ndarray, " draws"]]:
        """Mean squared distance of items of every two classes, and of all items, over pairs of different
        stimuli; NaN where there is no such pair.
        """
        crossed = 2 * np.einsum("dal,dbl->dab", self.sums, self.sums)
        sums = self.squares[:, :, None] * self.counts[:, None, :]
        sums = sums + np.swapaxes(sums, 1, 2) - crossed
        pairs = self.counts[:, :, None] * self.counts[:, None, :]
        diagonal = np.arange(self.counts.shape[1])
        sums[:, diagonal, diagonal] -= self.own_squares
        pairs[:, diagonal, diagonal] -= self.own_counts
        above, below = sums.sum(axis=(1, 2)), pairs.sum(axis=(1, 2))
        return _or_nan(sums, pairs), _or_nan(above, below)


@dataclass(frozen=True)
class Cells:
    """The items of every class of every stimulus; sorted by class.

    Attributes:
        label: class, 0 … classes − 1.
        block: what is drawn together, 0 … blocks − 1.
        counts: how many items.
        sums: of their codes.
        squares: sum of the squares of their codes, without trial noise where that is removed.
    """

    label: Int[np.ndarray, " cells"]
    block: Int[np.ndarray, " cells"]
    counts: Float[np.ndarray, " cells"]
    sums: Float[np.ndarray, "cells latents"]
    squares: Float[np.ndarray, " cells"]

    @staticmethod
    def of(
        codes: Float[np.ndarray, "items latents"],
        stimuli: Int[np.ndarray, " items"],
        labels: Int[np.ndarray, " items"],
        blocks: Int[np.ndarray, " stimuli"],
        noise: Float[np.ndarray, " items"] | None = None,
    ) -> Cells:
        """Of codes; `noise` is taken off the square of every code."""
        number = int(stimuli.max()) + 1
        found, place = np.unique(labels * number + stimuli, return_inverse=True)
        centred = codes - codes.mean(axis=0)  # so that sums of squares lose no digits
        squares = np.sum(centred**2, axis=1) - (0 if noise is None else noise)
        return Cells(
            found // number,
            blocks[found % number],
            np.bincount(place).astype(float),
            group_sums(centred, place, len(found)),
            np.bincount(place, squares),
        )

    @cached_property
    def _classes(self) -> list[slice]:
        ends = np.searchsorted(self.label, np.arange(int(self.label.max()) + 2))
        return [slice(*pair) for pair in pairwise(ends)]

    @cached_property
    def _numbers(self) -> Float[np.ndarray, "cells numbers"]:
        """What is summed over stimuli as a number each."""
        n, norms = self.counts, np.sum(self.sums**2, axis=1)
        return np.stack([np.ones_like(n), n, n**2, n**3, norms, self.squares], axis=1)

    @cached_property
    def _own(self) -> Float[np.ndarray, "cells two"]:
        """How many ordered pairs the items of a stimulus make, and their squared distances."""
        norms = np.sum(self.sums**2, axis=1)
        return np.stack([self.counts**2, 2 * (self.counts * self.squares - norms)], axis=1)

    def spread(self, weights: Float[np.ndarray, "draws blocks"]) -> Spread:
        """The spread when blocks count as often as `weights` says, a draw a row."""

        def total(values: np.ndarray, of: np.ndarray) -> np.ndarray:
            parts = [of[:, self.block[cells]] @ values[cells] for cells in self._classes]
            return np.stack(parts, axis=1)

        numbers, own = total(self._numbers, weights), total(self._own, weights**2)
        stimuli, counts, counts2, counts3, norms, squares = np.moveaxis(numbers, 2, 0)
        sums = total(self.sums, weights)
        sums2 = (
            total(self.sums * self.counts[:, None], weights) if np.ptp(self.counts) else sums * self.counts[0]
        )
        return Spread(
            stimuli, counts, counts2, counts3, sums, sums2, norms, squares, own[:, :, 0], own[:, :, 1]
        )


def errors_of_means(
    stimuli: Float[np.ndarray, "draws classes"],
    counts: Float[np.ndarray, "draws classes"],
    counts2: Float[np.ndarray, "draws classes"],
    counts3: Float[np.ndarray, "draws classes"],
    apart: Float[np.ndarray, "draws classes"],
) -> Float[np.ndarray, "draws classes"]:
    """As `Spread.errors_of_means`, from sums over the stimuli of every class; `apart` is that of |s − n μ|²,
    with μ the mean code of the class.
    """
    second = _over(counts2, counts**2)  # Σ q², with q the share of a stimulus in its class
    third = _over(counts3, counts**3)
    known = 1 + second - 2 * _over(third, second)
    several = known > _ALONE
    of_means = _over(apart, counts**2 * np.where(several, known, 0))
    freedom = np.where(several, stimuli - 1, 0)
    of_one = (freedom * _over(of_means, second)).sum(axis=1), freedom.sum(axis=1)
    pooled = np.divide(*of_one, out=np.full(len(counts), np.nan), where=of_one[1] > 0)
    return np.where(several | (counts <= 0), np.where(several, of_means, 0), pooled[:, None])


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotients, 0 where there is nothing below."""
    return np.divide(
        above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below > 0
    )


def _or_nan(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)

"""Scatter of codes by class, for many weightings of the sample at once: what the indices and their intervals
are computed from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp._sums import group_sums


class Scatter(NamedTuple):
    """Weighted sums of codes, of one sample or (with leading axes) of many draws of it.

    Attributes:
        counts: weight of every class.
        sums: weighted sum of the codes of every class.
        products: weighted sum of z zᵀ over all codes.
    """

    counts: Float[np.ndarray, "*draws classes"]
    sums: Float[np.ndarray, "*draws classes latents"]
    products: Float[np.ndarray, "*draws latents latents"]

    @property
    def means(self) -> Float[np.ndarray, "*draws classes latents"]:
        """Mean code of every class; NaN for one of weight 0."""
        counts = self.counts[..., None]
        return np.divide(self.sums, counts, out=np.full_like(self.sums, np.nan), where=counts > 0)

    @property
    def total(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the codes, over the weight of all of them."""
        weight = self.counts.sum(axis=-1)[..., None]
        mean = self.sums.sum(axis=-2) / weight
        return self.products / weight[..., None] - mean[..., :, None] * mean[..., None, :]

    @property
    def between(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the class means, each by the weight of its class."""
        weight = self.counts.sum(axis=-1)[..., None]
        offsets = np.nan_to_num(self.means) - (self.sums.sum(axis=-2) / weight)[..., None, :]
        shares = (self.counts / weight)[..., None]
        return np.swapaxes(offsets * shares, -1, -2) @ offsets

    @property
    def within(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the codes around the mean of their class."""
        return self.total - self.between


# of products of latents that are held at once; where units need more, they are made anew for every draw
MOST_BYTES = 2**28


@dataclass(frozen=True)
class Sample:
    """Codes in units that are drawn together, such as the items of a stimulus.

    Attributes:
        codes: one row per item.
        unit: unit of every item, 0 … units − 1.
        label: class of every item, 0 … classes − 1; all 0 where there are none.
    """

    codes: Float[np.ndarray, "items latents"]
    unit: Int[np.ndarray, " items"]
    label: Int[np.ndarray, " items"]

    @cached_property
    def units(self) -> int:
        """How many units there are."""
        return int(self.unit.max()) + 1

    @cached_property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.label.max()) + 1

    @cached_property
    def _centred(self) -> np.ndarray:
        """Codes about their mean, so that sums of squares lose no digits."""
        return self.codes - self.codes.mean(axis=0)

    @cached_property
    def _by_unit(self) -> tuple[np.ndarray, np.ndarray]:
        """Counts and sums of every class in every unit."""
        cells, number = self.unit * self.classes + self.label, self.units * self.classes
        counts = np.bincount(cells, minlength=number).reshape(self.units, self.classes)
        sums = group_sums(self._centred, cells, number)
        return counts.astype(float), sums.reshape(self.units, self.classes, -1)

    @cached_property
    def _products(self) -> np.ndarray:
        """Products of every unit."""
        order = np.argsort(self.unit, kind="stable")
        starts = np.searchsorted(self.unit[order], np.arange(self.units + 1))
        rows = self._centred[order]
        return np.stack([rows[a:b].T @ rows[a:b] for a, b in pairwise(starts)])

    @cached_property
    def _whole(self) -> np.ndarray:
        """Products of all codes."""
        return self._centred.T @ self._centred

    def _drawn(self, weights: np.ndarray) -> np.ndarray:
        """Products of one draw, from the codes of the units whose weight is not 1."""
        extra = (weights - 1)[self.unit]
        changed = np.flatnonzero(extra)
        rows = self._centred[changed]
        return self._whole + (rows * extra[changed, None]).T @ rows

    def scatter(self, weights: Float[np.ndarray, "draws units"]) -> Scatter:
        """The scatter when units count as often as `weights` says, a draw a row."""
        counts, sums = self._by_unit
        flat = lambda array: (weights @ array.reshape(self.units, -1)).reshape(len(weights), *array.shape[1:])  # noqa: E731
        held = 8 * self.units * self.codes.shape[1] ** 2 <= MOST_BYTES
        products = flat(self._products) if held else np.stack([self._drawn(one) for one in weights])
        return Scatter(flat(counts), flat(sums), products)

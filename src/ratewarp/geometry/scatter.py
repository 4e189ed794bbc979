"""Scatter of codes by class, for many weightings of the sample at once: what the indices and their intervals
are computed from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp._sums import group_sums
from ratewarp.geometry.trial_noise import Errors


class Scatter(NamedTuple):
    """Weighted sums of codes, of one sample or (with leading axes) of many draws of it.

    Attributes:
        counts: weight of every class.
        sums: weighted sum of the codes of every class.
        products: weighted sum of z zᵀ over all codes.
        noise: weighted sum of the covariances of the codes' errors, which is taken off; 0 where codes
            are taken as they are.
        noise_of_means: what these errors add to the covariance of the class means, likewise.
    """

    counts: Float[np.ndarray, "*draws classes"]
    sums: Float[np.ndarray, "*draws classes latents"]
    products: Float[np.ndarray, "*draws latents latents"]
    noise: Float[np.ndarray, "*draws latents latents"] | Literal[0] = 0
    noise_of_means: Float[np.ndarray, "*draws latents latents"] | Literal[0] = 0

    @property
    def means(self) -> Float[np.ndarray, "*draws classes latents"]:
        """Mean code of every class; NaN for one of weight 0."""
        counts = self.counts[..., None]
        return np.divide(self.sums, counts, out=np.full_like(self.sums, np.nan), where=counts > 0)

    @property
    def total(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the codes, over the weight of all of them."""
        weight = self._weight
        mean = self.sums.sum(axis=-2) / weight
        spread = self.products / weight[..., None] - mean[..., :, None] * mean[..., None, :]
        return spread - (1 - 1 / weight[..., None]) * self._error

    @property
    def between(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the class means, each by the weight of its class."""
        offsets = np.nan_to_num(self.means) - (self.sums.sum(axis=-2) / self._weight)[..., None, :]
        shares = (self.counts / self._weight)[..., None]
        return np.swapaxes(offsets * shares, -1, -2) @ offsets - self.noise_of_means

    @property
    def within(self) -> Float[np.ndarray, "*draws latents latents"]:
        """Covariance of the codes around the mean of their class."""
        return self.total - self.between

    @property
    def _weight(self) -> Float[np.ndarray, "*draws one"]:
        return self.counts.sum(axis=-1)[..., None]

    @property
    def _error(self) -> Float[np.ndarray, "*draws latents latents"] | Literal[0]:
        """Mean covariance of the codes' errors."""
        return 0 if isinstance(self.noise, int) else self.noise / self._weight[..., None]


# of products of latents that are held at once; where units need more, they are made anew for every draw
MOST_BYTES = 2**28


@dataclass(frozen=True)
class Products:
    """Sums of products of rows, in units that are drawn together.

    Attributes:
        rows: what is multiplied.
        unit: unit of every row, 0 … units − 1.
        units: how many there are.
    """

    rows: Float[np.ndarray, "rows latents"]
    unit: Int[np.ndarray, " rows"]
    units: int

    @cached_property
    def _of_units(self) -> np.ndarray:
        order = np.argsort(self.unit, kind="stable")
        starts = np.searchsorted(self.unit[order], np.arange(self.units + 1))
        rows = self.rows[order]
        return np.stack([rows[a:b].T @ rows[a:b] for a, b in pairwise(starts)])

    @cached_property
    def _whole(self) -> np.ndarray:
        return self.rows.T @ self.rows

    def _drawn(self, weights: np.ndarray) -> np.ndarray:
        """Of one draw, from the rows of the units whose weight is not 1."""
        extra = (weights - 1)[self.unit]
        changed = np.flatnonzero(extra)
        return self._whole + (self.rows[changed] * extra[changed, None]).T @ self.rows[changed]

    def sums(self, weights: Float[np.ndarray, "draws units"]) -> Float[np.ndarray, "draws latents latents"]:
        """Sums when units count as often as `weights` says, a draw a row."""
        size = self.rows.shape[1]
        if 8 * self.units * size**2 > MOST_BYTES:
            return np.stack([self._drawn(one) for one in weights])
        return (weights @ self._of_units.reshape(self.units, -1)).reshape(-1, size, size)


@dataclass(frozen=True)
class Sample:
    """Codes in units that are drawn together, such as the items of a stimulus.

    Attributes:
        codes: one row per item.
        unit: unit of every item, 0 … units − 1.
        label: class of every item, 0 … classes − 1; all 0 where there are none.
        errors: of the codes, whose products are taken off, with their units.
    """

    codes: Float[np.ndarray, "items latents"]
    unit: Int[np.ndarray, " items"]
    label: Int[np.ndarray, " items"]
    errors: Errors | None = None

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
    def _products(self) -> Products:
        return Products(self._centred, self.unit, self.units)

    @cached_property
    def _noise(self) -> Products | None:
        return None if self.errors is None else Products(*self.errors, self.units)

    def scatter(self, weights: Float[np.ndarray, "draws units"]) -> Scatter:
        """The scatter when units count as often as `weights` says, a draw a row."""
        counts, sums = self._by_unit
        flat = lambda array: (weights @ array.reshape(self.units, -1)).reshape(len(weights), *array.shape[1:])  # noqa: E731
        drawn, products = flat(counts), self._products.sums(weights)
        if self._noise is None:
            return Scatter(drawn, flat(sums), products)
        # Σ_c p_c (1 − p_c) / n_c² Σ_i C_i over classes c of n_c items i, p_c their share; of a unit the
        # class of its items, or the mean over several
        whole = drawn.sum(axis=1, keepdims=True)
        of_classes = np.divide(1 - drawn / whole, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        of_units = of_classes @ (counts / counts.sum(axis=1, keepdims=True)).T
        of_means = self._noise.sums(weights * of_units) / whole[:, :, None]
        return Scatter(drawn, flat(sums), products, self._noise.sums(weights), of_means)

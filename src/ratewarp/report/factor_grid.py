"""How stimuli lie on the grid of their factors, for figures that show them in rows and columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from ratewarp.sources import PIXELS


class FactorGrid(NamedTuple):
    """Factors of a run's stimuli.

    Attributes:
        names: of the factors.
        values: of every stimulus, as numbers.
        ranks: place of each value among those that its factor takes.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "stimuli factors"]
    ranks: Int[np.ndarray, "stimuli factors"]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor takes."""
        return tuple(int(column.max()) + 1 for column in self.ranks.T)

    @property
    def is_plane(self) -> bool:
        """Whether there are two factors, and every combination of their values is one stimulus."""
        return len(self.names) == 2 and len(self.ranks) == np.prod(self.sizes) == len(
            np.unique(self.ranks, axis=0)
        )

    def laid_out(self, numbers: Float[np.ndarray, " stimuli"]) -> Float[np.ndarray, "rows columns"]:
        """One number per stimulus, first factor down and second across; in one row, in order of the factors,
        where that is no plane.
        """
        order = np.lexsort(self.ranks.T[::-1]) if self.names else np.arange(len(numbers))
        return numbers[order].reshape(self.sizes if self.is_plane else (1, -1))


def factor_grid(record: xr.Dataset) -> FactorGrid:
    """The factors of a stored condition."""
    values = record["factor_value"].values.astype(float)
    ranks = [np.unique(column, return_inverse=True)[1] for column in values.T]
    return FactorGrid(
        tuple(map(str, record["factor"].values)),
        values,
        np.array(ranks, int).T if ranks else np.zeros(values.shape, int),
    )


def shown_pixels(image: np.ndarray, pixels: str) -> np.ndarray:
    """A stored image as the numbers that reconstructions are in."""
    largest = PIXELS[pixels].largest
    return image if largest is None else image / largest

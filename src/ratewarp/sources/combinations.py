"""Which combinations of factor values are stimuli: all of them or, where those are too many, a random sample
that is drawn without a list of all.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Annotated, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int
from pydantic import Field

MOST_COMBINATIONS = 2**31 - 1  # that a device can number

MostStimuli = Annotated[int, Field(ge=2, le=1_000_000)]
StimuliSeed = Annotated[int, Field(ge=0, lt=2**31)]


class Crossing(NamedTuple):
    """Factors that are crossed; combinations are numbered with the last factor running fastest.

    Attributes:
        sizes: number of values of every factor.
        most: stimuli; where there are more combinations, so many of them are drawn, without replacement.
        seed: of that sample.

    Examples:
        >>> Crossing((2, 3), 100, 0).table.tolist()
        [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
        >>> Crossing((1000, 1000, 1000), 5, 0).numbers.shape
        (5,)
    """

    sizes: tuple[int, ...]
    most: int
    seed: int

    @property
    def combinations(self) -> int:
        """Number of combinations, of which stimuli may be a sample."""
        return prod(self.sizes)

    @property
    def numbers(self) -> Int[np.ndarray, " stimuli"]:
        """Which combination every stimulus is, in rising order."""
        return _numbers(self)

    @property
    def table(self) -> Int[np.ndarray, "stimuli factors"]:
        """Which of its values each factor has, for every stimulus; factors of one value have no column."""
        return _table(self)

    def places(self, stimuli: Int[Array | np.ndarray, " images"]) -> Int[Array, "images factors"]:
        """Which of its values each factor has, for these stimuli and all factors, found on the device."""
        chosen = jnp.asarray(stimuli, jnp.int32)
        if self.combinations > self.most:
            chosen = jnp.asarray(self.numbers, jnp.int32)[chosen]
        return jnp.stack(jnp.unravel_index(chosen, self.sizes), axis=-1)


def check_crossing(crossing: Crossing) -> None:
    """Refuses a crossing of fewer than two combinations, or of more than can be numbered.

    Raises:
        ValueError: as validators of pydantic do.
    """
    if not 2 <= crossing.combinations <= MOST_COMBINATIONS:
        sizes = " · ".join(str(size) for size in crossing.sizes)
        raise ValueError(
            f"must be of 2 to {MOST_COMBINATIONS:,} combinations of factor values; got"
            f" {sizes} = {crossing.combinations:,}"
        )


@lru_cache(maxsize=32)
def _numbers(crossing: Crossing) -> np.ndarray:
    total, most = crossing.combinations, crossing.most
    if total <= most:
        found = np.arange(total)
    elif 2 * most <= total:
        found = np.sort(_distinct(most, total, crossing.seed))
    else:
        kept = np.ones(total, bool)
        kept[_distinct(total - most, total, crossing.seed)] = False
        found = np.flatnonzero(kept)
    found.setflags(write=False)
    return found


@lru_cache(maxsize=32)
def _table(crossing: Crossing) -> np.ndarray:
    columns = zip(crossing.sizes, np.unravel_index(_numbers(crossing), crossing.sizes), strict=True)
    table = np.stack([column for size, column in columns if size > 1], axis=1)
    table.setflags(write=False)
    return table


def _distinct(count: int, total: int, seed: int) -> np.ndarray:
    """So many different whole numbers below `total`, which is at least twice as large: the first ones of a
    sequence of independent numbers. Raw bits are the same in every version of NumPy.
    """
    bits, found = np.random.PCG64(seed), np.zeros(0, np.int64)
    while len(found) < count:
        drawn = bits.random_raw(2 * count + 16) % np.uint64(total)
        together = np.concatenate([found, drawn.astype(np.int64)])
        found = together[np.sort(np.unique(together, return_index=True)[1])]
    return found[:count]

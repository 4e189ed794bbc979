"""What the built-in worlds share that draw images of crossed factors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Num
from pydantic import BaseModel, ConfigDict

from ratewarp.sources.combinations import Crossing
from ratewarp.sources.factor import Factor
from ratewarp.sources.stored import Stored

_BLOCK = 1024  # images computed by one call


class World(BaseModel):
    """A source that draws images of crossed factors; its name is the key `kind`. A factor of one value is
    fixed, and no coordinate of the stimuli.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    @abstractmethod
    def axes(self) -> tuple[Factor, ...]:
        """All its factors, those of one value too."""

    @property
    @abstractmethod
    def crossing(self) -> Crossing:
        """Of the axes."""

    @property
    def name(self) -> str:
        return type(self).model_fields["kind"].get_default()

    @property
    def factors(self) -> tuple[Factor, ...]:
        return tuple(axis for axis in self.axes if len(axis.values) > 1)

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        return self.crossing.table

    @property
    def task_sets(self) -> Mapping[str, tuple[str, ...]]:
        return {}

    @property
    def independent_pixels(self) -> bool:
        return True

    @property
    def stored(self) -> Stored | None:
        return None

    @property
    def digest(self) -> str:
        return sha256(self.model_dump_json().encode()).hexdigest()


def numbers_of(axis: Factor) -> Array:
    """Values of an axis, on the device."""
    return jnp.asarray(axis.table, jnp.float32)


def evenly(first: float, last: float, count: int) -> tuple[float, ...]:
    """So many values at even distances, both ends among them; of one value, the middle.

    Examples:
        >>> evenly(0, 1, 5)
        (0.0, 0.25, 0.5, 0.75, 1.0)
    """
    if count == 1:
        return ((first + last) / 2,)
    return tuple(round(float(value), 6) for value in np.linspace(first, last, count))


def around(period: float, count: int) -> tuple[float, ...]:
    """So many values at even distances around a circle, from 0.

    Examples:
        >>> around(180, 4)
        (0.0, 45.0, 90.0, 135.0)
    """
    return tuple(round(period * place / count, 6) for place in range(count))


def in_blocks(
    compute: Callable[[Int[Array, " images"]], Num[Array, "images height width channels"]],
    stimuli: Int[np.ndarray, " images"],
) -> Num[np.ndarray, "images height width channels"]:
    """Images of many stimuli by a compiled function that sees blocks of one size, a power of 2."""
    size = min(_BLOCK, 1 << max(0, len(stimuli) - 1).bit_length())
    blocks: list[np.ndarray] = []
    for first in range(0, max(1, len(stimuli)), size):
        chosen = np.resize(stimuli[first : first + size], size) if len(stimuli) else np.zeros(1, int)
        blocks.append(np.asarray(compute(jnp.asarray(chosen, jnp.int32)))[: len(stimuli) - first])
    return np.concatenate(blocks)


def chosen_of(stimuli: Sequence[int] | np.ndarray | None, count: int) -> Int[np.ndarray, " chosen"]:
    """The chosen stimuli, all where none are given."""
    return np.arange(count) if stimuli is None else np.asarray(stimuli, int)


def check_lists(world: World, *keys: str) -> None:
    """Refuses lists in which a value stands twice, or none.

    Raises:
        ValueError: as validators of pydantic do.
    """
    for key in keys:
        values = getattr(world, key)
        if isinstance(values, tuple) and (not values or len(set(values)) < len(values)):
            raise ValueError(f"{key} must be values that differ from each other; got {list(values)}")

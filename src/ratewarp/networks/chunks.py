"""A batch through layers: the large ones a part of the batch after the other, so that what lies between them
stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from math import ceil
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

CHUNK_NUMBERS = 800_000  # that a layer reads and writes at once; 3.2 MB (docs/speed.md)


class Step(NamedTuple):
    """A layer, or some that are computed together.

    Attributes:
        apply: takes and gives "height width batch channels".
        numbers: that it reads and writes for one image; 0 if the batch is not to be divided.
    """

    apply: Callable[[Array], Array]
    numbers: int


def chunk_count(numbers: int, batch: int) -> int:
    """Parts of a batch: a power of 2, so that neighbouring layers mostly share it.

    Examples:
        >>> chunk_count(45_056, 64), chunk_count(12_288, 64)
        (4, 1)
    """
    least = ceil(numbers * batch / CHUNK_NUMBERS)
    return min(batch, 1 << max(0, least - 1).bit_length())


def through(
    steps: Sequence[Step], images: Float[Array, "batch height width channels"]
) -> Float[Array, "batch new_height new_width new_channels"]:
    """Images through all steps; neighbours of as many parts take each part through together."""
    hidden = jnp.moveaxis(images, 0, 2)
    for count, group in groupby(steps, lambda step: chunk_count(step.numbers, len(images))):
        hidden = _in_chunks([step.apply for step in group], hidden, count)
    return jnp.moveaxis(hidden, 2, 0)


def _in_chunks(layers: Sequence[Callable[[Array], Array]], images: Array, count: int) -> Array:
    def all_layers(hidden: Array) -> Array:
        for layer in layers:
            hidden = layer(hidden)
        return hidden

    if count == 1:
        return all_layers(images)
    height, width, batch, channels = images.shape
    each = ceil(batch / count)
    filled = jnp.pad(images, ((0, 0), (0, 0), (0, each * count - batch), (0, 0)))
    apart = jnp.moveaxis(filled.reshape(height, width, count, each, channels), 2, 0)
    found = jnp.moveaxis(jax.lax.map(all_layers, apart), 0, 2)
    return found.reshape(*found.shape[:2], each * count, -1)[:, :, :batch]

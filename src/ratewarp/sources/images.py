"""Images of a source, by stimulus and place: a pool on the device, or a stream that draws or reads them
shortly before they are needed.

Image k of stimulus s depends on the key, s and k alone; of a source of stored images, on s alone. So it makes
no difference which of them a training reads from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from math import prod
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key, Num

from ratewarp.sources.pixels import PIXELS
from ratewarp.sources.source import Source

_BLOCK = 4096  # images drawn by one call
_AHEAD_BYTES = 64_000_000  # of images drawn ahead for one piece of training

Chosen = tuple[Int[Array, "members steps batch"], Int[Array, "members steps batch"]]
"""Stimuli, and the place of an image among those of its stimulus."""


class Reader(Protocol):
    """How a compiled step gets its images; arrays in it are shared by all members."""

    def batch(
        self, ahead: Any, step: Array, stimuli: Array, places: Array
    ) -> Num[Array, "batch height width channels"]:
        """Images of a step, stored as their source stores them.

        Arguments:
            ahead: what `Images.ahead` gave for the piece, of one member.
            step: of the piece, from 0.
            stimuli: of the images.
            places: of the images among those of their stimuli.
        """
        ...


class Images(Protocol):
    """Images that members train on. Which implementation it is, only this file knows."""

    @property
    def reader(self) -> Reader:
        """What compiled steps read from."""
        ...

    def steps(self, most: int, images_a_step: int) -> int:
        """How many steps to draw ahead, at most `most`, where all members see so many images per step."""
        ...

    def ahead(self, pieces: Sequence[int], chosen: Callable[[int], Chosen]) -> Iterator[Any]:
        """For every piece of training, which begins at a step of `pieces`, what its steps read besides the
        reader, stacked by member.

        `chosen(step)` says which images the steps of a piece see.
        """
        ...

    def first_of(
        self, stimuli: Int[np.ndarray, " chosen"], count: int
    ) -> Num[Array, "chosen count height width channels"]:
        """The first images of these stimuli; beyond those that one has, any."""
        ...


class Pool(NamedTuple):
    """Images on the device, those of a stimulus one after the other from its offset on."""

    images: Num[Array, "images height width channels"]
    offsets: Int[Array, " stimuli"]

    @property
    def reader(self) -> Pool:
        return self

    def batch(
        self, ahead: Any, step: Array, stimuli: Array, places: Array
    ) -> Num[Array, "batch height width channels"]:
        del ahead, step
        return self.images[self.offsets[stimuli] + places]

    def steps(self, most: int, images_a_step: int) -> int:
        del images_a_step
        return most

    def ahead(self, pieces: Sequence[int], chosen: Callable[[int], Chosen]) -> Iterator[tuple[()]]:
        del chosen
        return iter([()] * len(pieces))

    def first_of(
        self, stimuli: Int[np.ndarray, " chosen"], count: int
    ) -> Num[Array, "chosen count height width channels"]:
        return _from(self.images, self.offsets[stimuli], count)


class Held(NamedTuple):
    """Stored images on the device, one a stimulus.

    Attributes:
        images: of the stimuli that are trained on.
        rows: for every stimulus, where its image is; any place for one that is not trained on.
    """

    images: Num[Array, "images height width channels"]
    rows: Int[Array, " stimuli"]

    @property
    def reader(self) -> Held:
        return self

    def batch(
        self, ahead: Any, step: Array, stimuli: Array, places: Array
    ) -> Num[Array, "batch height width channels"]:
        del ahead, step, places
        return self.images[self.rows[stimuli]]

    def steps(self, most: int, images_a_step: int) -> int:
        del images_a_step
        return most

    def ahead(self, pieces: Sequence[int], chosen: Callable[[int], Chosen]) -> Iterator[tuple[()]]:
        del chosen
        return iter([()] * len(pieces))

    def first_of(
        self, stimuli: Int[np.ndarray, " chosen"], count: int
    ) -> Num[Array, "chosen count height width channels"]:
        return jnp.repeat(self.images[self.rows[stimuli]][:, None], count, axis=1)


class _Drawn(NamedTuple):
    """Reads images that were drawn ahead."""

    def batch(
        self, ahead: Any, step: Array, stimuli: Array, places: Array
    ) -> Num[Array, "batch height width channels"]:
        del stimuli, places
        return ahead[step]


class Stream:
    """Images drawn, or read, for each piece of training while the one before it is trained; costs no memory,
    however many there are.
    """

    def __init__(self, source: Source, *, key: Key[Array, ""]):
        self._source, self._key = source, key

    @property
    def reader(self) -> Reader:
        return _Drawn()

    def steps(self, most: int, images_a_step: int) -> int:
        image = prod(self._source.image_shape) * PIXELS[self._source.pixels].dtype.itemsize
        return max(1, min(most, _AHEAD_BYTES // (image * images_a_step)))

    def ahead(self, pieces: Sequence[int], chosen: Callable[[int], Chosen]) -> Iterator[Any]:
        def drawn(start: int) -> np.ndarray:
            stimuli, places = chosen(start)
            images = draw_images(self._source, np.ravel(stimuli), np.ravel(places), key=self._key)
            return images.reshape(*stimuli.shape, *images.shape[1:])

        with ThreadPoolExecutor(1) as executor:
            waiting: Future[np.ndarray] | None = None
            for start, following in zip(pieces, [*pieces[1:], None], strict=True):
                images = waiting.result() if waiting else drawn(start)
                waiting = None if following is None else executor.submit(drawn, following)
                yield images

    def first_of(
        self, stimuli: Int[np.ndarray, " chosen"], count: int
    ) -> Num[Array, "chosen count height width channels"]:
        each, places = np.repeat(stimuli, count), np.tile(np.arange(count), len(stimuli))
        images = draw_images(self._source, each, places, key=self._key)
        return jnp.asarray(images.reshape(len(stimuli), count, *images.shape[1:]))


def make_images(
    source: Source, counts: Int[np.ndarray, " stimuli"], *, key: Key[Array, ""], most_bytes: float
) -> Images:
    """Images of a source: on the device where they take at most `most_bytes`, else a stream.

    Arguments:
        source: that draws or stores them.
        counts: how many of each stimulus; of one that is stored, its one image stands for all of them.
        key: source of all randomness.
        most_bytes: on the device.
    """
    images = int(counts.sum()) if source.stored is None else np.count_nonzero(counts)
    bytes_needed = images * prod(source.image_shape) * PIXELS[source.pixels].dtype.itemsize
    if bytes_needed > most_bytes:
        return Stream(source, key=key)
    return draw_pool(source, counts, key=key) if source.stored is None else hold(source, counts > 0)


def hold(source: Source, trained: Bool[np.ndarray, " stimuli"]) -> Held:
    """The stored images of the stimuli that are trained on."""
    assert source.stored is not None
    images = source.stored.read(np.flatnonzero(trained))
    return Held(jnp.asarray(images), jnp.asarray(np.maximum(np.cumsum(trained) - 1, 0), jnp.int32))


def draw_pool(source: Source, counts: Int[np.ndarray, " stimuli"], *, key: Key[Array, ""]) -> Pool:
    """As many images of every stimulus as `counts` says.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> pool = draw_pool(Corridors(size=3), np.arange(9), key=jax.random.key(0))
        >>> pool.images.shape, pool.offsets[:4].tolist()
        ((36, 3, 3, 1), [0, 0, 1, 3])
    """
    offsets = np.cumsum(counts) - counts
    stimuli = np.repeat(np.arange(len(counts)), counts)
    return Pool(
        jnp.asarray(draw_images(source, stimuli, np.arange(len(stimuli)) - offsets[stimuli], key=key)),
        jnp.asarray(offsets, jnp.int32),
    )


def draw_images(
    source: Source,
    stimuli: Int[np.ndarray, " images"],
    places: Int[np.ndarray, " images"],
    *,
    key: Key[Array, ""],
) -> Num[np.ndarray, "images height width channels"]:
    """The images at these places of these stimuli; of stored ones, the image of the stimulus.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> draw_images(Corridors(), np.array([0, 168]), np.array([7, 7]), key=jax.random.key(0)).shape
        (2, 13, 13, 1)
    """
    if source.stored is not None:
        return source.stored.read(stimuli)
    images = np.empty((len(stimuli), *source.image_shape), PIXELS[source.pixels].dtype)
    size = min(_BLOCK, len(stimuli))
    for first in range(0, len(stimuli), size or 1):
        chosen = np.minimum(first + np.arange(size), len(stimuli) - 1)
        block = _draw_block(
            source, jnp.asarray(stimuli[chosen], jnp.int32), jnp.asarray(places[chosen], jnp.int32), key
        )
        images[first : first + size] = np.asarray(block)[: len(stimuli) - first]
    return images


@partial(jax.jit, static_argnums=0)
def _draw_block(source: Source, stimuli: Array, places: Array, key: Array) -> Array:
    keys = jax.vmap(lambda stimulus, place: jax.random.fold_in(jax.random.fold_in(key, stimulus), place))(
        stimuli, places
    )
    return source.sample(stimuli, keys=keys)


@partial(jax.jit, static_argnums=2)
def _from(images: Array, first: Array, count: int) -> Array:
    return images[jnp.minimum(first[:, None] + jnp.arange(count)[None], len(images) - 1)]

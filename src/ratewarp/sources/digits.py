"""The Digits source: 1,797 handwritten digits that scikit-learn brings along."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8
from pydantic import BaseModel, ConfigDict, Field

from ratewarp.sources.factor import Factor
from ratewarp.sources.stored import Stored
from ratewarp.sources.world import chosen_of

_LEVELS = 16  # of ink, in the images as they are published


class _Images(NamedTuple):
    """All images in the order of the data set, as stored, and the digit of each."""

    images: UInt8[np.ndarray, "stimuli 8 8 1"]
    digits: Int[np.ndarray, " stimuli"]


class Digits(BaseModel):
    """Handwritten digits, grey images of 8 × 8 pixels, black 0 and ink up to 255.

    Every image is a stimulus of its own, and its own mean image. The factor `digit` (0–9) says what it shows,
    so that many stimuli have the same value. Published pixels, 0–16, are stored as 255 / 16 times that,
    rounded.

    A share of the images of every digit is held out: models are measured on them and trained on the others.
    Which ones is settled by hashes of the images, so that it is the same everywhere, and equal images are on
    one side.

    Attributes:
        held_out: share of the images of every digit.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        1998, its test set, as scikit-learn has it.

    Examples:
        >>> digits = Digits()
        >>> digits.stimuli.shape, digits.image_shape, len(digits.stored.held_out)
        ((1797, 1), (8, 8, 1), 359)
        >>> digits.stored.read(np.array([0]))[0, :, :, 0].max()
        np.uint8(239)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["digits"] = "digits"
    held_out: Annotated[float, Field(ge=0.01, le=0.9, allow_inf_nan=False)] = 0.2

    @property
    def name(self) -> str:
        return self.kind

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return 8, 8, 1

    @property
    def pixels(self) -> str:
        return "8-bit"

    @property
    def factors(self) -> tuple[Factor, ...]:
        return (Factor("digit", tuple(range(10)), "categorical"),)

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        return _digits().digits[:, None]

    @property
    def tasks(self) -> Mapping[str, str]:
        return {"odd": "digit % 2 == 1", "ten": "digit"}

    @property
    def task_sets(self) -> Mapping[str, tuple[str, ...]]:
        return {}

    @property
    def frequencies(self) -> Mapping[str, str]:
        """Images of the digit 1 five times as often as others."""
        return {"skewed": "5 if digit == 1 else 1"}

    @property
    def independent_pixels(self) -> bool:
        return False

    @property
    def stored(self) -> Stored | None:
        return Stored(_held_out(self.held_out), lambda stimuli: _digits().images[stimuli])

    @property
    def digest(self) -> str:
        content = sha256(self.model_dump_json().encode())
        for array in _digits():
            content.update(array.tobytes())
        return content.hexdigest()

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"]:
        """The chosen images, all if not given, as numbers 0–1."""
        return _digits().images[chosen_of(stimuli, len(_digits().images))] / 255

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> UInt8[Array, "images height width channels"]:
        """The images themselves, whatever the keys."""
        del keys
        return jnp.asarray(_digits().images)[jnp.asarray(stimuli)]


@cache
def _digits() -> _Images:
    from sklearn.datasets import load_digits  # its import takes a second

    found: Any = load_digits()
    images = np.round(found.images * (255 / _LEVELS)).astype(np.uint8)[..., None]
    digits = found.target.astype(np.int64)
    for array in (images, digits):
        array.setflags(write=False)
    return _Images(images, digits)


@lru_cache(maxsize=8)
def _held_out(share: float) -> Int[np.ndarray, " held_out"]:
    """Of every digit the images whose hashes come first, as many as the share says; equal images have one
    hash, and stay together.
    """
    images, digits = _digits()
    hashes = np.array([sha256(image.tobytes()).hexdigest() for image in images])
    held: set[str] = set()
    for digit in range(10):
        own, counts = np.unique(hashes[digits == digit], return_counts=True)  # in order of the hashes
        wanted = round(share * counts.sum())
        held.update(own[np.cumsum(counts) <= wanted])
    found = np.flatnonzero(np.isin(hashes, sorted(held)))
    found.setflags(write=False)
    return found

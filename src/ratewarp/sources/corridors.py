"""The Corridors source: corridors at independent places, seen through pixel noise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ratewarp.sources.combinations import Crossing, MostStimuli, StimuliSeed, check_crossing
from ratewarp.sources.factor import Factor
from ratewarp.sources.stored import Stored
from ratewarp.sources.world import chosen_of

_DRAW_BITS = 31  # resolution of a pixel's draw: probabilities are exact to 2⁻³²
_TWO = ("x_UC", "x_LC")
_LATER = ("corridors", "most_stimuli", "stimuli_seed")  # keys that a digest counts where they are set


class Corridors(BaseModel):
    """Square images, 1 = wall and 0 = corridor, with an upper and a lower corridor at columns x_UC and x_LC.

    The rows above the middle one hold the upper corridor, the middle row is all corridor, the rows below it
    hold the lower one. A pixel in column c of a corridor's rows is corridor with probability exp(−(c − x)² /
    (2 · width²)), independently of all others. With n = `size`, the n² stimuli are numbered x_UC · n + x_LC.

    There can be another number k of corridors, one below the other, between k − 1 rows that are all corridor
    and leave them equal heights, as nearly as whole rows go; their columns are x_1 … x_k, from the top. Of
    the n^k combinations, `most_stimuli` at most are the stimuli, in rising order: a random sample without
    replacement where there are more.

    Draws compare random integers with a table of integers, so a key gives the same image on every platform.

    Named frequencies and tasks are the publication's at 13 × 13; at other sizes the same rules hold with
    their middle and their number of bins moved along. They are of two corridors.

    Attributes:
        size: height and width, pixels.
        width: standard deviation of a corridor's profile, pixels.
        middle: the row that is all corridor, of two corridors; size // 2 if not given.
        corridors: how many, at most (size + 1) / 2.
        most_stimuli: the most stimuli that there are.
        stimuli_seed: of the sample of combinations.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025, Methods.

    Examples:
        >>> import jax
        >>> corridors = Corridors()
        >>> image = corridors.sample(np.array([3 * 13 + 9]), keys=jax.random.split(jax.random.key(0), 1))[0]
        >>> image.shape, int(image[0, 3, 0]), int(image[6].sum()), int(image[12, 9, 0])
        ((13, 13, 1), 0, 0, 0)
        >>> Corridors(size=5).stimuli.shape
        (25, 2)
        >>> Corridors(size=9, corridors=3).factors[0].name
        'x_1'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["corridors"] = "corridors"
    size: Annotated[int, Field(ge=3, le=64)] = 13
    width: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.2
    middle: Annotated[int, Field(ge=1)] | None = None
    corridors: Annotated[int, Field(ge=1, le=8)] = 2
    most_stimuli: MostStimuli = 100_000
    stimuli_seed: StimuliSeed = 0

    @model_validator(mode="after")
    def _check(self) -> Corridors:
        if self.middle is not None and self.middle > self.size - 2:
            raise ValueError(f"middle must be a row between others, 1 to {self.size - 2}; got {self.middle}")
        if self.middle is not None and self.corridors != 2:
            raise ValueError(f"middle must not be given for {self.corridors} corridors; got {self.middle}")
        if self.corridors > (self.size + 1) // 2:
            raise ValueError(
                f"corridors must be at most {(self.size + 1) // 2} in images of {self.size} rows; got"
                f" {self.corridors}"
            )
        check_crossing(self.crossing)
        return self

    @property
    def name(self) -> str:
        return self.kind

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.size, self.size, 1

    @property
    def pixels(self) -> str:
        return "binary"

    @property
    def factors(self) -> tuple[Factor, ...]:
        columns = tuple(range(self.size))
        names = _TWO if self.corridors == 2 else [f"x_{place}" for place in range(1, self.corridors + 1)]
        return tuple(Factor(name, columns) for name in names)

    @property
    def crossing(self) -> Crossing:
        return Crossing((self.size,) * self.corridors, self.most_stimuli, self.stimuli_seed)

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        return self.crossing.table

    @property
    def independent_pixels(self) -> bool:
        return True

    @property
    def stored(self) -> Stored | None:
        return None

    @property
    def digest(self) -> str:
        fields = type(self).model_fields
        unset = {name for name in _LATER if getattr(self, name) == fields[name].get_default()}
        return sha256(self.model_dump_json(exclude=unset).encode()).hexdigest()

    @property
    def frequencies(self) -> Mapping[str, str]:
        """Images per stimulus of the published data sets. Its README names E1M1_README; its published figures
        load E1M1.
        """
        half = self.size // 2
        if self.corridors != 2:
            return {}
        return {
            "E1M1": f"2000 if x_LC <= {half} else 260",
            "E1M1_README": f"1000 if x_LC <= {half} else 100",
            "E1M2": "3000 if x_UC == x_LC else 300",
        }

    @property
    def tasks(self) -> Mapping[str, str]:
        """The published tasks; E2M4 bins each factor into {0,1} {2,3,4} {5,6,7} {8,9,10} {11,12}."""
        half, bins = self.size // 2, self.size // 3 + 1
        if self.corridors != 2:
            return {}
        return {
            "E2M1": "x_UC <= x_LC",
            "E2M2": f"x_UC < {half} or (x_UC >= {half} and x_LC >= {half})",
            "E2M3": "x_UC == x_LC",
            "E2M4": f"{bins} * ((x_UC + 1) // 3) + (x_LC + 1) // 3",
        }

    @property
    def task_sets(self) -> Mapping[str, tuple[str, ...]]:
        return {"E2M5": ("E2M1", "E2M2", "E2M3", "E2M4")} if self.corridors == 2 else {}

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"]:
        """Probability of wall at every pixel of the chosen stimuli, all if not given, 0–1."""
        walls = 1 - self._probability()
        columns = self.stimuli[chosen_of(stimuli, len(self.stimuli))]
        return np.stack([walls[self._offsets(own)] for own in columns])[..., None]

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> UInt8[Array, "images height width channels"]:
        """One image of each given stimulus.

        Arguments:
            stimuli: stimulus indices.
            keys: one key per image.

        Returns:
            Images of 0 (corridor) and 1 (wall).
        """
        thresholds = jnp.asarray(np.round(self._probability() * 2.0**_DRAW_BITS).astype(np.uint32))
        columns = self.crossing.places(stimuli)

        def draw(own: Array, key: Array) -> Array:
            bits = jax.random.bits(key, self.image_shape[:2], jnp.uint32) >> (32 - _DRAW_BITS)
            return (bits >= thresholds[self._offsets(own)]).astype(jnp.uint8)[..., None]

        return jax.vmap(draw)(columns, keys)

    def _probability(self) -> np.ndarray:
        return _corridor_probability(self.size, self.width)

    def _offsets(self, columns: Any) -> Any:
        """For every pixel, the entry of `_probability` that holds there, of corridors at these columns."""
        corridor, between = _rows(self.size, self.corridors, self.middle)
        offset = abs(np.arange(self.size)[None] - columns[corridor][:, None])
        return offset * ~between[:, None] + self.size * between[:, None]


@cache
def _corridor_probability(size: int, width: float) -> np.ndarray:
    """Probability of corridor at every column offset from the corridor's place; the last entry, 1, is that of
    rows that are all corridor.
    """
    offsets = np.arange(size)
    return np.append(np.exp(-(offsets**2) / (2 * width**2)), 1.0)


@cache
def _rows(size: int, corridors: int, middle: int | None) -> tuple[np.ndarray, np.ndarray]:
    """For every row, the corridor that it is of, and whether it is all corridor instead."""
    rows = np.arange(size)
    ends = [middle] if middle is not None else [place * size // corridors for place in range(1, corridors)]
    return np.searchsorted(ends, rows), np.isin(rows, ends)

"""What every source of images offers: its stimuli, images of them, and their noise-free means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from ratewarp._checks import RequestError
from ratewarp.sources.factor import Factor
from ratewarp.sources.stored import Stored


class Source(Protocol):
    """A finite set of stimuli, each a combination of factor values or, where there are no factors, an image
    of its own.

    Sources are frozen configuration: two equal sources give the same draws. What is computed from one is
    asked of these members alone.
    """

    @property
    def name(self) -> str:
        """What tables and messages call it."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        ...

    @property
    def pixels(self) -> str:
        """A name of `PIXELS`: `binary` (0 and 1), `8-bit` (0–255) or `real` (float32)."""
        ...

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors, in the order of the columns of `stimuli`; none where stimuli are images without
        description.
        """
        ...

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        """For every stimulus, which of its values each factor has; the row number is the stimulus's index
        everywhere else.
        """
        ...

    @property
    def frequencies(self) -> Mapping[str, str]:
        """Its own named frequencies: rules over the factors. All sources have `uniform`."""
        ...

    @property
    def tasks(self) -> Mapping[str, str]:
        """Its own named tasks: rules over the factors."""
        ...

    @property
    def task_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Names that stand for several of its tasks."""
        ...

    @property
    def independent_pixels(self) -> bool:
        """Whether pixels are independent of each other given the stimulus."""
        ...

    @property
    def digest(self) -> str:
        """A text that differs where images, means or stimuli do."""
        ...

    @property
    def stored(self) -> Stored | None:
        """Images that exist already, one a stimulus; None where images are drawn."""
        ...

    def mean_images(
        self, stimuli: Int[np.ndarray, " chosen"] | None = None
    ) -> Float[np.ndarray, "chosen height width channels"] | None:
        """Noise-free mean images of these stimuli, of all if not given, in the numbers that `Pixels.numbers`
        gives; None where there are none. Of a source of stored images, the images themselves.
        """
        ...

    def sample(
        self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]
    ) -> Num[Array, "images height width channels"]:
        """One image of each given stimulus, drawn with the key at the same place, as stored; JAX must be able
        to trace it. Not asked of a source of stored images.
        """
        ...


def variables_of(source: Source, parameters: Mapping[str, float], argument: str) -> dict[str, np.ndarray]:
    """What an expression may name: the factors, and parameters, which have one value for all stimuli.

    Raises:
        RequestError: a parameter has the name of a factor.
    """
    factors = factors_of(source)
    for name in parameters:
        if name in factors:
            raise RequestError(f"{argument}: parameter '{name}' has the name of a factor; give it another")
    return {**factors, **{name: np.full(len(source.stimuli), value) for name, value in parameters.items()}}


def factors_of(source: Source) -> dict[str, np.ndarray]:
    """Factor name → its value at every stimulus, numbers or text: the variables of an expression over the
    source.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> factors_of(Corridors())["x_LC"][:3]
        array([0, 1, 2])
    """
    columns = zip(source.factors, source.stimuli.T, strict=True)
    return {factor.name: factor.table[places] for factor, places in columns}


def coordinates_of(source: Source) -> dict[int, Factor]:
    """The factors that are coordinates of the stimuli, by their column: all but covariates."""
    return {column: factor for column, factor in enumerate(source.factors) if factor.kind != "covariate"}


def factor_numbers(
    source: Source, stimuli: Int[np.ndarray, " chosen"] | None = None
) -> Float[np.ndarray, "chosen coordinates"]:
    """Values of the coordinates of these stimuli, of all if not given, as numbers; of a factor of texts, the
    place of the value.
    """
    table = source.stimuli if stimuli is None else source.stimuli[stimuli]
    numbers = [
        table[:, column] if factor.table.dtype.kind == "U" else factor.table[table[:, column]]
        for column, factor in coordinates_of(source).items()
    ]
    return np.array(numbers).T if numbers else np.zeros((len(table), 0))

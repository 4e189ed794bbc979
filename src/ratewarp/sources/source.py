"""What every source of images offers: its stimuli, images drawn from them, and their noise-free means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8

from ratewarp._checks import RequestError


@runtime_checkable
class Source(Protocol):
    """A finite set of stimuli, each a combination of factor values, that emits noisy images.

    Sources are frozen configuration: two equal sources give the same draws.
    """

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of an image, pixels."""
        ...

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the factors, in the order of the columns of `stimuli`."""
        ...

    @property
    def stimuli(self) -> Int[np.ndarray, "stimuli factors"]:
        """Factor values of every stimulus; the row number is the stimulus's index everywhere else."""
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

    def mean_images(self) -> Float[np.ndarray, "stimuli height width"]:
        """Noise-free mean image of every stimulus."""
        ...

    def sample(self, stimuli: Int[Array | np.ndarray, " images"], *, keys: Key[Array, " images"]) -> UInt8[Array, "images height width"]:
        """One image of each given stimulus, drawn with the key at the same place; pixels are 0 or 1."""
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
    """Factor name → its value at every stimulus: the variables of an expression over the source.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> factors_of(Corridors())["x_LC"][:3]
        array([0, 1, 2])
    """
    return dict(zip(source.factor_names, source.stimuli.T, strict=True))

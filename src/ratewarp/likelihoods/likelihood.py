"""What every likelihood offers: how a decoder's output becomes an expected image, and what an imperfect one
costs.

Training, evaluation, bounds and axis labels ask it; none of them knows which likelihood it is.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Array, Float
from pydantic import BaseModel, ConfigDict

from ratewarp._checks import refuse
from ratewarp.theory import Cost


class Likelihood(BaseModel):
    """The contract of a likelihood; its name is the key `kind`.

    Attributes:
        UNIT: of distortion, in words.
        SHORT: the same where there is little room.
        PIXELS: kinds of pixels that it is for.
        LAST: name of the last nonlinearity, which `expected` applies.
        SQUARED: whether its distortion is the squared error, for which there are bounds on noisy pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    UNIT: ClassVar[str]
    SHORT: ClassVar[str]
    PIXELS: ClassVar[tuple[str, ...]]
    LAST: ClassVar[str]
    SQUARED: ClassVar[bool] = False

    @abstractmethod
    def expected(self, decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        """Expected image of what a decoder gives: the last nonlinearity."""

    @abstractmethod
    def error(self, images: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        """Distortion of every pixel; that of an image is its mean.

        Arguments:
            images: as numbers.
            decoded: what a decoder gives, before `expected`.
        """

    @abstractmethod
    def mean_error(self, means: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        """The same against a noise-free mean image, less what noise costs a perfect reproduction: 0 where
        both are equal.
        """

    @abstractmethod
    def cost(self, means: Float[np.ndarray, "stimuli ..."]) -> Cost:
        """Mean of `mean_error` over the pixels, as a cost whose rate–distortion function can be computed."""

    @abstractmethod
    def noise_floor(self, p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli ..."]) -> float:
        """Distortion of a perfect reproduction of the means of images with independent pixels: binary ones
        or, under a likelihood of counts, Poisson counts.
        """

    def check(self, pixels: str) -> None:
        """Raises `RequestError` if it is not for such pixels."""
        if pixels not in self.PIXELS:
            kind = type(self).model_fields["kind"].get_default()
            refuse("likelihood", f"one for {pixels} pixels", f"{kind}, for {', '.join(self.PIXELS)} pixels")

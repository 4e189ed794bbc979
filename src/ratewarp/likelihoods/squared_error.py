"""Likelihoods whose distortion is the squared error per pixel."""

from __future__ import annotations

from typing import ClassVar, Literal

import jax
import numpy as np
from jaxtyping import Array, Float

from ratewarp.likelihoods.likelihood import Likelihood
from ratewarp.theory import Cost, SquaredError, noise_floor


class BernoulliMean(Likelihood):
    """The publication's: the decoder tells the probability of every pixel, and distortion is its squared
    error.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025, Methods.
    """

    UNIT: ClassVar[str] = "squared error per pixel"
    SHORT: ClassVar[str] = "per pixel"
    PIXELS: ClassVar[tuple[str, ...]] = ("binary", "8-bit", "16-bit")
    LAST: ClassVar[str] = "sigmoid"
    SQUARED: ClassVar[bool] = True

    kind: Literal["bernoulli-mean"] = "bernoulli-mean"

    def expected(self, decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.sigmoid(decoded)

    def error(self, images: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return (images - self.expected(decoded)) ** 2

    def mean_error(self, means: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.error(means, decoded)

    def cost(self, means: Float[np.ndarray, "stimuli ..."]) -> Cost:
        return SquaredError(means)

    def noise_floor(self, p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli ..."]) -> float:
        return noise_floor(p, means)


class Gaussian(Likelihood):
    """Gaussian noise of one variance on every pixel: the decoder tells the mean, and distortion is its
    squared error.

    The sum of squared errors over twice the variance is the negative log likelihood up to a constant.
    """

    UNIT: ClassVar[str] = "squared error per pixel"
    SHORT: ClassVar[str] = "per pixel"
    PIXELS: ClassVar[tuple[str, ...]] = ("binary", "8-bit", "16-bit", "real", "count")
    LAST: ClassVar[str] = "identity"
    SQUARED: ClassVar[bool] = True

    kind: Literal["gaussian"] = "gaussian"

    def expected(self, decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return decoded

    def error(self, images: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return (images - decoded) ** 2

    def mean_error(self, means: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.error(means, decoded)

    def cost(self, means: Float[np.ndarray, "stimuli ..."]) -> Cost:
        return SquaredError(means)

    def noise_floor(self, p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli ..."]) -> float:
        return noise_floor(p, means)

"""The Bernoulli likelihood: log loss of binary pixels."""

from __future__ import annotations

from typing import ClassVar, Literal

import jax
import numpy as np
from jax.scipy.special import xlogy
from jaxtyping import Array, Float

from ratewarp.likelihoods.likelihood import Likelihood
from ratewarp.theory import BernoulliDivergence, Cost, binary_entropy


class Bernoulli(Likelihood):
    """Independent binary pixels: the decoder tells log odds, and distortion is the negative log likelihood
    per pixel, nats.

    Distortion from the mean image is the divergence from it: KL(Bernoulli(m) ‖ Bernoulli(y)) per pixel.
    """

    UNIT: ClassVar[str] = "log loss per pixel, nats"
    SHORT: ClassVar[str] = "nats per pixel"
    PIXELS: ClassVar[tuple[str, ...]] = ("binary",)
    LAST: ClassVar[str] = "sigmoid"

    kind: Literal["bernoulli"] = "bernoulli"

    def expected(self, decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.sigmoid(decoded)

    def error(self, images: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.softplus(decoded) - images * decoded

    def mean_error(self, means: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.error(means, decoded) + xlogy(means, means) + xlogy(1 - means, 1 - means)

    def cost(self, means: Float[np.ndarray, "stimuli ..."]) -> Cost:
        return BernoulliDivergence(means)

    def noise_floor(self, p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli ..."]) -> float:
        return float(p @ binary_entropy(means.reshape(len(means), -1)).mean(axis=1))

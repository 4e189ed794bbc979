"""The Poisson likelihood: log loss of counts."""

from __future__ import annotations

from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Array, Float

from ratewarp.likelihoods.likelihood import Likelihood
from ratewarp.theory import Cost, PoissonDivergence, poisson_entropy

_LOW = -15.0  # below it log softplus(x) is x, in single precision


class Poisson(Likelihood):
    """Independent Poisson counts: the softplus of what the decoder gives is the expected count y, and
    distortion is the negative log likelihood per response, y − k log y + log k!, nats.

    Distortion from the mean response m is the divergence from it, KL(Poisson(m) ‖ Poisson(y)) = m log(m / y)
    − m + y per response. A softplus, unlike an exponential, keeps gradients bounded however wrong a decoder
    is.
    """

    UNIT: ClassVar[str] = "log loss per response, nats"
    SHORT: ClassVar[str] = "nats per response"
    PIXELS: ClassVar[tuple[str, ...]] = ("count",)
    LAST: ClassVar[str] = "softplus"

    kind: Literal["poisson"] = "poisson"

    def expected(self, decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.softplus(decoded)

    def error(self, images: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.softplus(decoded) - images * _log_softplus(decoded) + gammaln(images + 1)

    def mean_error(self, means: Float[Array, "..."], decoded: Float[Array, "..."]) -> Float[Array, "..."]:
        loss = jax.nn.softplus(decoded) - means * _log_softplus(decoded)
        return loss + xlogy(means, means) - means

    def cost(self, means: Float[np.ndarray, "stimuli ..."]) -> Cost:
        return PoissonDivergence(means)

    def noise_floor(self, p: Float[np.ndarray, " stimuli"], means: Float[np.ndarray, "stimuli ..."]) -> float:
        """Mean entropy of Poisson counts of these means."""
        return float(p @ poisson_entropy(means.reshape(len(means), -1)).mean(axis=1))


def _log_softplus(values: Float[Array, "..."]) -> Float[Array, "..."]:
    """log softplus(x), also where softplus(x) is too small for a number, with its gradient."""
    return jnp.where(values < _LOW, values, jnp.log(jax.nn.softplus(jnp.maximum(values, _LOW))))

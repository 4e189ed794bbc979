"""Likelihoods: what a decoder's output means, and what distortion is. One file each, and one name in the
table below.
"""

from typing import Annotated, get_args

from pydantic import Field

from ratewarp.likelihoods.bernoulli import Bernoulli
from ratewarp.likelihoods.likelihood import Likelihood
from ratewarp.likelihoods.poisson import Poisson
from ratewarp.likelihoods.squared_error import BernoulliMean, Gaussian

AnyLikelihood = Annotated[BernoulliMean | Gaussian | Bernoulli | Poisson, Field(discriminator="kind")]
LIKELIHOODS: tuple[type[Likelihood], ...] = get_args(get_args(AnyLikelihood)[0])

__all__ = ["LIKELIHOODS", "AnyLikelihood", "Bernoulli", "BernoulliMean", "Gaussian", "Likelihood", "Poisson"]

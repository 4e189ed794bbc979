"""What rate–distortion theory allows: plain arrays in, curves out. Knows nothing of models."""

from ratewarp.theory.closed_forms import (
    binary_entropy,
    binary_hamming,
    gaussian,
    poisson_entropy,
    uniform_hamming,
)
from ratewarp.theory.costs import Cost, LogLoss, SquaredError, Weighted
from ratewarp.theory.curve import Channel, Curve
from ratewarp.theory.divergence import BernoulliDivergence, PoissonDivergence
from ratewarp.theory.mutual_information import Estimate, Information, information_bounds
from ratewarp.theory.pixel_noise import bernoulli_squared_error, noise_floor, pixel_bounds
from ratewarp.theory.posterior_codes import posterior_codes
from ratewarp.theory.rate_distortion_function import rate_distortion

__all__ = [
    "BernoulliDivergence",
    "Channel",
    "Cost",
    "Curve",
    "Estimate",
    "Information",
    "LogLoss",
    "PoissonDivergence",
    "SquaredError",
    "Weighted",
    "bernoulli_squared_error",
    "binary_entropy",
    "binary_hamming",
    "gaussian",
    "information_bounds",
    "noise_floor",
    "pixel_bounds",
    "poisson_entropy",
    "posterior_codes",
    "rate_distortion",
    "uniform_hamming",
]

"""What rate–distortion theory allows: plain arrays in, curves out. Knows nothing of models."""

from ratewarp.theory.bound import rate_distortion
from ratewarp.theory.closed_forms import binary_hamming, gaussian, uniform_hamming
from ratewarp.theory.costs import Cost, LogLoss, SquaredError, Weighted
from ratewarp.theory.curve import Channel, Curve

__all__ = [
    "Channel",
    "Cost",
    "Curve",
    "LogLoss",
    "SquaredError",
    "Weighted",
    "binary_hamming",
    "gaussian",
    "rate_distortion",
    "uniform_hamming",
]

"""What rate–distortion theory allows: plain arrays in, curves out. Knows nothing of models."""

from ratewarp.theory.bound import rate_distortion
from ratewarp.theory.costs import Cost, LogLoss, SquaredError, Weighted
from ratewarp.theory.curve import Channel, Curve

__all__ = ["Channel", "Cost", "Curve", "LogLoss", "SquaredError", "Weighted", "rate_distortion"]

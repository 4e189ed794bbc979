"""Limits of what codes can do and estimates of how much they carry: plain arrays in, numbers out. Knows nothing of models."""

from ratewarp.theory.information import Estimate, Information, information_bounds

__all__ = ["Estimate", "Information", "information_bounds"]

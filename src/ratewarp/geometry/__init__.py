"""Geometry of codes: plain arrays in, numbers out. Knows nothing of models."""

from ratewarp.geometry.alignment import orthogonalization
from ratewarp.geometry.dimensions import active_units, participation_ratio
from ratewarp.geometry.distances import ClassDistortion, class_distortion_matrix, distance_ratios, merge_classes
from ratewarp.geometry.embedding import Map, embed
from ratewarp.geometry.inference import Interval, bootstrap, jackknife
from ratewarp.geometry.prototypes import prototypization
from ratewarp.geometry.resolution import local_resolution
from ratewarp.geometry.tuning import scaled_tuning, tuning_curves

__all__ = [
    "ClassDistortion",
    "Interval",
    "Map",
    "active_units",
    "bootstrap",
    "class_distortion_matrix",
    "distance_ratios",
    "embed",
    "jackknife",
    "local_resolution",
    "merge_classes",
    "orthogonalization",
    "participation_ratio",
    "prototypization",
    "scaled_tuning",
    "tuning_curves",
]

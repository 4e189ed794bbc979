"""Geometry of codes: plain arrays in, numbers out. Knows nothing of models."""

from ratewarp.geometry.alignment import free_orthogonalization, orthogonalization, task_angles
from ratewarp.geometry.dimensions import active_units, participation_ratio
from ratewarp.geometry.disentanglement import Disentanglement, disentanglement, mutual_information_gap
from ratewarp.geometry.distances import (
    ClassDistortion,
    class_distortion_matrix,
    class_distortion_statistic,
    distance_ratios,
)
from ratewarp.geometry.embedding import Map, embed
from ratewarp.geometry.inference import adjusted, infer, permutation_p
from ratewarp.geometry.information import effective_prototypes, latent_rates, stimulus_information
from ratewarp.geometry.interval import Interval
from ratewarp.geometry.kernel_share import kernel_prototypization
from ratewarp.geometry.measure import Measure, Optimal, Scheme
from ratewarp.geometry.measures import MEASURES
from ratewarp.geometry.planted import Planted, planted_codes
from ratewarp.geometry.prototypes import prototypization
from ratewarp.geometry.similarity import linear_cka, procrustes_distance
from ratewarp.geometry.specialization import local_resolution, resolution_ratio, specialization
from ratewarp.geometry.stimulus_space import FactorKind, Space
from ratewarp.geometry.tuning import scaled_tuning, tuning_curves

__all__ = [
    "MEASURES",
    "ClassDistortion",
    "Disentanglement",
    "FactorKind",
    "Interval",
    "Map",
    "Measure",
    "Optimal",
    "Planted",
    "Scheme",
    "Space",
    "active_units",
    "adjusted",
    "class_distortion_matrix",
    "class_distortion_statistic",
    "disentanglement",
    "distance_ratios",
    "effective_prototypes",
    "embed",
    "free_orthogonalization",
    "infer",
    "kernel_prototypization",
    "latent_rates",
    "linear_cka",
    "local_resolution",
    "mutual_information_gap",
    "orthogonalization",
    "participation_ratio",
    "permutation_p",
    "planted_codes",
    "procrustes_distance",
    "prototypization",
    "resolution_ratio",
    "scaled_tuning",
    "specialization",
    "stimulus_information",
    "task_angles",
    "tuning_curves",
]

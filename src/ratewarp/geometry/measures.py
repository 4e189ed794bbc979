"""All measures of codes: one entry each, read by `measure`, by the tables of a run, by normative codes,
figures, docs and tests.
"""

from __future__ import annotations

import math

from ratewarp._checks import RequestError
from ratewarp.geometry.alignment import free_orthogonalization
from ratewarp.geometry.dimensions import participation_ratio
from ratewarp.geometry.measure import Measure, Optimal
from ratewarp.geometry.of_codes import (
    find_effective_prototypes,
    find_latent_rates,
    find_linear_cka,
    find_participation_ratio,
    find_procrustes_distance,
    find_reliability,
)
from ratewarp.geometry.of_factors import find_dci, find_mutual_information_gap
from ratewarp.geometry.of_frequency import find_resolution_ratio, find_specialization
from ratewarp.geometry.of_stimuli import find_joint_effects, find_kernel_prototypization
from ratewarp.geometry.of_task import (
    find_class_distance,
    find_class_distortion,
    find_free_orthogonalization,
    find_orthogonalization,
    find_prototypization,
)
from ratewarp.geometry.prototypes import prototypization
from ratewarp.geometry.specialization import slope_of

_POINTS = 0.999  # prototypization from which what is left within classes is below a solver's tolerance
_AXES = frozenset({"shift", "scale", "order"})  # what keeps a measure that asks about single latents

_DISTANCES = frozenset({"shift", "rotation", "order"})  # what keeps distances


def _optimal_freedom(one: Optimal) -> float:
    if prototypization(one.codes, one.labels) >= _POINTS:
        raise RequestError("classes are points: nothing within them can be orthogonal to the task")
    return free_orthogonalization(one.codes, one.labels)


def _optimal_slope(one: Optimal) -> float:
    if not one.space.has_neighbours:
        raise RequestError("no way to tell which stimuli are neighbours")
    return slope_of(one.codes, one.space, one.frequency)


MEASURES = (
    Measure(
        "reliability",
        "reliability of mean codes",
        "codes",
        find_reliability,
        bounds=(-math.inf, 1),
        asked_of="codes",
    ),
    Measure(
        "participation_ratio",
        "participation ratio",
        "codes",
        find_participation_ratio,
        bounds=(1, math.inf),
        change=True,
        optimum=lambda one: participation_ratio(one.codes),
        figures=("warps", "normative"),
        panel="Dimensions: participation ratio",
    ),
    Measure(
        "latent_rate",
        "rate of each latent, nats",
        "codes",
        find_latent_rates,
        bounds=(0, math.inf),
        keeps=frozenset(),
        trial_noise=False,
    ),
    Measure(
        "effective_prototypes",
        "effective prototypes",
        "codes",
        find_effective_prototypes,
        bounds=(1, math.inf),
        change=True,
        figures=("warps",),
        panel="Effective prototypes",
        scale="log",
        trial_noise=False,
    ),
    Measure(
        "linear_cka",
        "linear CKA to reference",
        "codes",
        find_linear_cka,
        bounds=(-math.inf, 1),
        needs_reference=True,
        figures=("measured",),
    ),
    Measure(
        "procrustes_distance",
        "Procrustes distance to reference",
        "codes",
        find_procrustes_distance,
        bounds=(0, math.pi / 2),
        needs_reference=True,
    ),
    Measure(
        "prototypization",
        "prototypization",
        "task",
        find_prototypization,
        bounds=(-math.inf, 1),
        change=True,
        optimum=lambda one: prototypization(one.codes, one.labels),
        figures=("warps", "normative", "measured"),
        panel="Prototypization: change of the share",
    ),
    Measure(
        "kernel_prototypization",
        "prototypization by a kernel",
        "task",
        find_kernel_prototypization,
        bounds=(-math.inf, 1),
        change=True,
        trial_noise=False,
        asked_of="codes",
    ),
    Measure(
        "orthogonalization",
        "orthogonalization",
        "task",
        find_orthogonalization,
        bounds=(0, 1),
        keeps=_AXES,
        change=True,
        figures=("warps", "measured"),
        panel="Orthogonalization: change of alignment",
        trial_noise=False,
    ),
    Measure(
        "free_orthogonalization",
        "free orthogonalization",
        "task",
        find_free_orthogonalization,
        bounds=(0, 1),
        change=True,
        optimum=_optimal_freedom,
        figures=("normative", "measured"),
        panel="Orthogonalization without axes: change",
    ),
    Measure(
        "class_distance",
        "distance of two classes",
        "task",
        find_class_distance,
        change=True,
    ),
    Measure(
        "joint_effects",
        "category and frequency, each beside the other",
        "task",
        find_joint_effects,
        needs_reference=True,
        asked_of="codes",
    ),
    Measure(
        "class_distortion",
        "class distortion",
        "task",
        find_class_distortion,
        keeps=_DISTANCES,
        needs_reference=True,
        asked_of="runs",
        trial_noise=False,
    ),
    Measure(
        "specialization",
        "specialization",
        "frequency",
        find_specialization,
        change=True,
        optimum=_optimal_slope,
        figures=("warps", "normative", "measured"),
        panel="Specialization: change of slope",
    ),
    Measure(
        "resolution_ratio",
        "resolution of frequent over rare stimuli",
        "frequency",
        find_resolution_ratio,
        change=True,
    ),
    Measure(
        "mutual_information_gap",
        "mutual information gap (MIG)",
        "factors",
        find_mutual_information_gap,
        bounds=(0, 1),
        keeps=_AXES,
        trial_noise=False,
    ),
    Measure(
        "dci",
        "disentanglement, completeness, informativeness (DCI)",
        "factors",
        find_dci,
        bounds=(0, 1),
        keeps=_AXES,
        slow=True,
        trial_noise=False,
    ),
)

"""How distances between codes differ from those between reference codes: distance ratios and the class
distortion matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_labels, check_same_items
from ratewarp.geometry.pairs import pair_sums, ratios
from ratewarp.geometry.reach import scaled

# powers of two between the sizes of two sets of codes, above which no ratio of their distances means anything
_FAR = 400


def distance_ratios(
    codes: Float[np.ndarray, "items latents"], reference: Float[np.ndarray, "items references"]
) -> Float[np.ndarray, "items items"]:
    """Ratio of every pairwise distance between codes to that between the same items' reference codes.

    ρ_ij = ‖z_i − z_j‖ / ‖z⁰_i − z⁰_j‖, with 0/0 = 1 (so the diagonal is 1) and x/0 = ∞.

    Arguments:
        codes: Z, one row per item.
        reference: Z⁰, codes of the same items in the same order; the number of latents may differ.

    Returns:
        Symmetric, non-negative. An n × n array: for class averages of many items use
        `class_distortion_matrix`, which makes no such array.

    Raises:
        RequestError: arrays that are not two-dimensional, differ in length, hold fewer than 2 items, or are
            not finite.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025.

    Examples:
        >>> distance_ratios(np.array([[0.0], [1.0], [4.0]]), np.array([[0.0], [2.0], [4.0]]))
        array([[1. , 0.5, 1. ],
               [0.5, 1. , 1.5],
               [1. , 1.5, 1. ]])
    """
    codes, reference = check_codes(codes), check_codes(reference, argument="reference")
    check_same_items(codes, reference)
    codes, reference = _in_reach(codes, reference)
    return ratios(codes, codes, reference, reference)


@dataclass(frozen=True)
class ClassDistortion:
    """A class distortion matrix with its rows named.

    Attributes:
        values: entry (a, b) is positive where classes a and b lie farther apart than in the reference,
            relative to all pairs.
        classes: label of each row and column.
        counts: items in each class.
    """

    values: Float[np.ndarray, "classes classes"]
    classes: Int[np.ndarray, " classes"]
    counts: Int[np.ndarray, " classes"]


def class_distortion_matrix(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    classes: Int[np.ndarray, " items"],
    *,
    logarithmic: bool = False,
) -> ClassDistortion:
    """Mean distance ratio between each two classes, minus the mean over all pairs of items.

    CDM_ab = mean of ρ_ij over i ∈ a, j ∈ b, minus the mean of ρ_ij over all i, j; both means include i = j,
    where ρ = 1.
    Range: above −(mean ρ); 0 where a pair of classes is as far apart as all pairs are on average. Invariant
        to rotation,
    reflection and shift of either set of codes; scaling the codes scales it.

    Arguments:
        codes: Z, one row per item.
        reference: Z⁰, codes of the same items in the same order.
        classes: class of every item; any integers.
        logarithmic: use log ρ instead of ρ (differences of log geometric means) and leave out pairs that
            coincide in both, such as i = j; swapping codes and reference then flips the sign, and scaling
            either leaves it unchanged. A class without a pair of distinct items gets NaN; items that coincide
            in only one of the two are an error.

    Returns:
        The matrix with its labels, in increasing order of label.

    Raises:
        RequestError: as `distance_ratios`; wrong length of `classes`; items that coincide in the reference
            but not in the codes.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025.

    Examples:
        >>> reference = np.array([[0.0], [1.0], [4.0], [5.0]])
        >>> codes = np.array([[0.0], [0.5], [4.5], [5.0]])  # each class drawn together
        >>> class_distortion_matrix(codes, reference, np.array([0, 0, 1, 1])).values.round(2)
        array([[-0.2,  0.2],
               [ 0.2, -0.2]])
    """
    codes, reference = check_codes(codes), check_codes(reference, argument="reference")
    check_same_items(codes, reference)
    labels, members, counts = np.unique(
        check_labels(classes, len(codes)), return_inverse=True, return_counts=True
    )
    codes, reference = _in_reach(codes, reference)
    sums, pairs = pair_sums(codes, reference, members, len(labels), logarithmic=logarithmic)
    means = np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)
    return ClassDistortion(means - sums.sum() / pairs.sum(), labels, counts)


def class_distortion_statistic(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    classes: Int[np.ndarray, " items"],
    units: Int[np.ndarray, " items"],
) -> Callable[[Float[np.ndarray, "draws units"]], Float[np.ndarray, "draws classes classes"]]:
    """The class distortion matrix of every weighting of units, such as stimuli; a unit that is drawn twice is
    not paired with its copy.

    Arguments:
        codes: Z, one row per item.
        reference: Z⁰, codes of the same items in the same order.
        classes: class of every item, 0 … classes − 1.
        units: unit of every item, 0 … units − 1.

    Returns:
        A statistic for `infer`; NaN where a class has no weight.

    Examples:
        >>> reference, codes = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([[0.0], [0.5], [4.5], [5.0]])
        >>> of = class_distortion_statistic(codes, reference, np.array([0, 0, 1, 1]), np.arange(4))
        >>> of(np.ones((1, 4))).round(2)
        array([[[-0.2,  0.2],
                [ 0.2, -0.2]]])
    """
    codes, reference = _in_reach(codes, reference)
    number, width = int(units.max()) + 1, int(classes.max()) + 1
    found, cells = np.unique(units * width + classes, return_inverse=True)
    sums, pairs = pair_sums(codes, reference, cells, len(found))
    unit, membership = found // width, np.eye(width)[found % width]
    same = np.eye(number)[unit]  # cells × units
    starts = np.searchsorted(unit, np.arange(number + 1))  # cells are in the order of their units
    of_units = [slice(*ends) for ends in pairwise(starts)]
    together = [
        np.stack([membership[own].T @ one[own, own] @ membership[own] for own in of_units])
        for one in (sums, pairs)
    ]

    def statistic(weights: np.ndarray) -> np.ndarray:
        chosen = (weights @ same.T)[:, :, None] * membership
        copies = weights * (weights - 1)
        above, below = (
            np.einsum("dka,dkb->dab", chosen, np.tensordot(one, chosen, (1, 1)).transpose(1, 0, 2))
            - np.tensordot(copies, own, 1)
            for one, own in zip((sums, pairs), together, strict=True)
        )
        means = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        return means - (above.sum(axis=(1, 2)) / below.sum(axis=(1, 2)))[:, None, None]

    return statistic


def _in_reach(codes: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both divided by one power of two where squares of their distances would overflow or vanish; their
    ratios stay as they are.
    """
    own, theirs = (int(np.frexp(np.abs(one).max())[1]) for one in (codes, reference))
    if min(np.abs(codes).max(), np.abs(reference).max()) > 0 and abs(own - theirs) > _FAR:
        refuse(
            "codes and reference",
            "of sizes that can be compared",
            f"{np.abs(codes).max():.0e} and {np.abs(reference).max():.0e}",
        )
    power = (own + theirs) // 2 if max(abs(own), abs(theirs)) > _FAR // 2 else 0
    return scaled(codes, power), scaled(reference, power)

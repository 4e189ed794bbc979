"""How distances between codes differ from those between reference codes: distance ratios and the class distortion matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from ratewarp._checks import RequestError, refuse

BLOCK_BYTES = 64 * 2**20


def distance_ratios(
    codes: Float[np.ndarray, "items latents"], reference: Float[np.ndarray, "items references"]
) -> Float[np.ndarray, "items items"]:
    """Ratio of every pairwise distance between codes to that between the same items' reference codes.

    ρ_ij = ‖z_i − z_j‖ / ‖z⁰_i − z⁰_j‖, with 0/0 = 1 (so the diagonal is 1) and x/0 = ∞.

    Arguments:
        codes: Z, one row an item.
        reference: Z⁰, codes of the same items in the same order; the number of latents may differ.

    Returns:
        Symmetric, non-negative. An n × n array: for class averages of many items use `class_distortion_matrix`, which works in blocks.

    Raises:
        RequestError: arrays that are not two-dimensional, differ in length, hold fewer than 2 items, or are not finite.

    Source: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025.

    Examples:
        >>> distance_ratios(np.array([[0.0], [1.0], [4.0]]), np.array([[0.0], [2.0], [4.0]]))
        array([[1. , 0.5, 1. ],
               [0.5, 1. , 1.5],
               [1. , 1.5, 1. ]])
    """
    codes, reference = check_codes(codes), check_codes(reference, argument="reference")
    check_same_items(codes, reference)
    return _ratios(codes, codes, reference, reference)


@dataclass(frozen=True)
class ClassDistortion:
    """A class distortion matrix with its rows named.

    Attributes:
        values: entry (a, b) is positive where classes a and b lie farther apart than in the reference, relative to all pairs.
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

    CDM_ab = mean of ρ_ij over i ∈ a, j ∈ b, minus the mean of ρ_ij over all i, j; both means include i = j, where ρ = 1.
    Range: above −(mean ρ); 0 where a pair of classes is as far apart as all pairs are on average. Invariant to rotation,
    reflection and shift of either set of codes; scaling the codes scales it.

    Arguments:
        codes: Z, one row an item.
        reference: Z⁰, codes of the same items in the same order.
        classes: class of every item; any integers.
        logarithmic: use log ρ instead of ρ (differences of log geometric means) and leave out pairs that coincide in both,
            such as i = j; swapping codes and reference then flips the sign, and scaling either leaves it unchanged. A class
            without a pair of distinct items gets NaN; items that coincide in only one of the two are an error.

    Returns:
        The matrix with its labels, in increasing order of label.

    Raises:
        RequestError: as `distance_ratios`; wrong length of `classes`; items that coincide in the reference but not in the codes.

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
    labels, members, counts = np.unique(check_labels(classes, len(codes)), return_inverse=True, return_counts=True)
    membership = np.eye(len(labels))[members]
    sums = np.zeros((len(labels), len(labels)))
    pairs = np.outer(counts, counts).astype(float)
    for rows in _blocks(len(codes)):
        ratios = _ratios(codes[rows], codes, reference[rows], reference)
        _check_finite_ratios(ratios, logarithmic)
        if logarithmic:
            ratios = np.log(ratios)
            pairs -= membership[rows].T @ _coincide(codes[rows], codes, reference[rows], reference) @ membership
        sums += membership[rows].T @ ratios @ membership
    means = np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)
    return ClassDistortion(means - sums.sum() / pairs.sum(), labels, counts)


def merge_classes(
    fine: Float[np.ndarray, "fine fine"], classes: Int[np.ndarray, " fine"], drawn: Float[np.ndarray, " fine"] | None = None
) -> Float[np.ndarray, "classes classes"]:
    """Class distortion matrix of coarse classes from that of fine ones of equal size, such as stimuli.

    Arguments:
        fine: class distortion matrix of the fine classes.
        classes: coarse class of every fine one, 0 … classes − 1.
        drawn: how often each fine class counts (a bootstrap draw); once if not given. A fine class drawn twice is not paired with
            its own copy.

    Returns:
        The coarse matrix; NaN where no fine class of a coarse one was drawn.

    Examples:
        >>> fine = np.array([[-1.0, 0.0, 1.0], [0.0, -1.0, 1.0], [1.0, 1.0, -2.0]])
        >>> merge_classes(fine, np.array([0, 0, 1])).round(3)
        array([[-0.5,  1. ],
               [ 1. , -2. ]])
    """
    classes = check_labels(classes, len(fine))
    if classes.min() < 0:
        refuse("classes", "whole numbers from 0", classes.min())
    drawn = np.ones(len(fine)) if drawn is None else drawn
    membership = np.eye(int(classes.max()) + 1)[classes]
    weights = membership * drawn[:, None]
    copies = membership.T @ (drawn * (drawn - 1) * np.diag(fine))
    sums = weights.T @ fine @ weights - np.diag(copies)
    pairs = np.outer(weights.sum(0), weights.sum(0)) - np.diag(membership.T @ (drawn * (drawn - 1)))
    means = np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)
    return means - sums.sum() / pairs.sum()


def check_codes(codes: object, *, argument: str = "codes") -> Float[np.ndarray, "items latents"]:
    """`codes` as a float64 array of (items, latents), or `RequestError`."""
    array = _as_array(codes, argument)
    if array.dtype == object or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        refuse(argument, "an array of real numbers", f"dtype {array.dtype}")
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 1:
        refuse(argument, "two-dimensional (items, latents) with at least 2 items", f"shape {array.shape}")
    if not np.all(np.isfinite(array)):
        bad = int(np.argmin(np.isfinite(array).all(axis=1)))
        refuse(argument, "finite", f"NaN or infinity, first in row {bad}")
    return array.astype(np.float64)


def check_labels(labels: object, items: int, *, argument: str = "classes") -> Int[np.ndarray, " items"]:
    """`labels` as integers, one an item, or `RequestError`."""
    array = _as_array(labels, argument)
    if array.shape != (items,):
        refuse(argument, f"one label for each of the {items} items", f"shape {array.shape}")
    if not (np.issubdtype(array.dtype, np.integer) or array.dtype == bool):
        refuse(argument, "integers", f"dtype {array.dtype}")
    return array.astype(np.int64)


def _as_array(values: object, argument: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError:
        refuse(argument, "a rectangular array", values)


def _ratios(a: np.ndarray, b: np.ndarray, reference_a: np.ndarray, reference_b: np.ndarray) -> np.ndarray:
    above, below = cdist(a, b), cdist(reference_a, reference_b)
    ratios = np.full_like(above, np.inf)
    np.divide(above, below, out=ratios, where=below > 0)
    ratios[(above == 0) & (below == 0)] = 1.0
    return ratios


def _coincide(a: np.ndarray, b: np.ndarray, reference_a: np.ndarray, reference_b: np.ndarray) -> np.ndarray:
    """1 where two items coincide in codes and reference (their log ratio is 0), else 0."""
    return ((cdist(a, b) == 0) & (cdist(reference_a, reference_b) == 0)).astype(float)


def _blocks(items: int) -> Iterator[slice]:
    """Slices of rows whose distances to all items fit in `BLOCK_BYTES`."""
    height = max(1, BLOCK_BYTES // (8 * items))
    return (slice(start, start + height) for start in range(0, items, height))


def check_same_items(codes: np.ndarray, reference: np.ndarray) -> None:
    if len(codes) != len(reference):
        raise RequestError(f"codes and reference must hold the same items; got {len(codes)} and {len(reference)} rows")


def _check_finite_ratios(ratios: np.ndarray, logarithmic: bool) -> None:
    if np.isinf(ratios).any():
        raise RequestError("reference must tell apart every two items that the codes tell apart; some coincide only in the reference")
    if logarithmic and np.any(ratios == 0):
        raise RequestError("codes must tell apart every two items that the reference tells apart when logarithmic=True")

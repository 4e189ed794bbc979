"""How like two sets of codes of the same items are, as wholes: CKA and Procrustes distance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_same_items
from ratewarp.geometry.reach import scaled, spanned

ROUNDING = 1e-9  # share of the squared norm below which the unbiased estimate is a matter of rounding
FEWEST_DEBIASED = 4  # items


def linear_cka(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    *,
    debiased: bool = True,
) -> float:
    """Linear centred kernel alignment of two sets of codes of the same items.

    HSIC(K, L) / √(HSIC(K, K) · HSIC(L, L)) with K = Z Zᵀ and L = Z⁰ Z⁰ᵀ. Debiased, HSIC is the unbiased
    estimate over pairs of different
    items: unrelated codes give 0 on average whatever the number of latents, and single values may lie
        slightly below 0. Otherwise range
    0 … 1, and unrelated codes give more the more latents there are for the items. 1 for equal codes.
    Invariant to rotation, shift and common scale of either. No array of items × items is made.

    Arguments:
        codes: Z, one row per item; at least 4 items for the debiased form.
        reference: Z⁰, codes of the same items in the same order; the number of latents may differ.
        debiased: use the unbiased HSIC.

    Returns:
        The alignment.

    Raises:
        RequestError: arrays that are not finite and of as many rows, too few items, codes that are constant,
            as far apart as can be, or all at one place but one.

    Source: Kornblith, Norouzi, Lee, Hinton, ICML 2019; unbiased HSIC of Song, Smola, Gretton, Bedo,
        Borgwardt, JMLR 2012.

    Examples:
        >>> codes = np.random.default_rng(0).standard_normal((50, 3))
        >>> round(linear_cka(codes, -2 * codes), 6)
        1.0
    """
    first, second = centred(codes, reference)
    if debiased and len(first) < FEWEST_DEBIASED:
        refuse("codes", "at least 4 items for the debiased form", f"{len(first)} items")
    hsic = _unbiased if debiased else lambda a, b: float(np.sum((a.T @ b) ** 2))
    own, theirs = hsic(first, first), hsic(second, second)
    for argument, values, size in (("codes", first, own), ("reference", second, theirs)):
        if not size > ROUNDING * np.sum(values**2) ** 2:
            refuse(
                argument,
                "of unequal distances between items, beyond rounding (codes all as far apart, or at one"
                " place but one, have none)",
                size,
            )
    return float(hsic(first, second) / np.sqrt(own * theirs))


def procrustes_distance(
    codes: Float[np.ndarray, "items latents"], reference: Float[np.ndarray, "items references"]
) -> float:
    """Distance of two sets of codes after the best shift, scale, rotation and reflection: an angle, radians.

    arccos of the nuclear norm of Zᵀ Z⁰, with both centred and of Frobenius norm 1. Range 0 … π/2, 0 for codes
    of the same shape. A metric between shapes, symmetric. Unrelated codes come nearer the more latents there
    are for the items.

    Arguments:
        codes: Z, one row per item.
        reference: Z⁰, codes of the same items in the same order; the number of latents may differ.

    Returns:
        The angle.

    Raises:
        RequestError: arrays that are not finite and of as many rows, or constant codes.

    Source: Kendall's shape space; Williams, Kunz, Kornblith, Linderman, NeurIPS 2021.

    Examples:
        >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        >>> round(procrustes_distance(square, 3 * square @ [[0.0, 1.0], [-1.0, 0.0]]), 6)
        0.0
    """
    first, second = centred(codes, reference)
    overlap = np.linalg.svd(first.T @ second, compute_uv=False).sum() / (
        np.linalg.norm(first) * np.linalg.norm(second)
    )
    return float(np.arccos(min(overlap, 1.0))) if overlap < 1 - 1e-14 else 0.0


def centred(codes: object, reference: object) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of codes about their means, in units that arithmetic can hold."""
    first, second = scaled(check_codes(codes)), scaled(check_codes(reference, argument="reference"))
    check_same_items(first, second)
    for argument, values in (("codes", first), ("reference", second)):
        if not np.ptp(values, axis=0).any():
            refuse(argument, "different for at least two items", "constant codes")
    first, second = spanned(first), spanned(second)
    return first - first.mean(axis=0), second - second.mean(axis=0)


def _unbiased(a: np.ndarray, b: np.ndarray) -> float:
    """n (n − 3) times the unbiased HSIC of the linear kernels of `a` and `b`, without their diagonals."""
    n = len(a)
    own_a, own_b = np.sum(a**2, axis=1), np.sum(b**2, axis=1)
    rows_a, rows_b = a @ a.sum(axis=0) - own_a, b @ b.sum(axis=0) - own_b
    both = np.sum((a.T @ b) ** 2) - own_a @ own_b
    return float(both + rows_a.sum() * rows_b.sum() / ((n - 1) * (n - 2)) - 2 * (rows_a @ rows_b) / (n - 2))

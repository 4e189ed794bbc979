"""Prototypization by a kernel: whether classes lie in places of their own, though their means may
coincide.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import pdist, squareform

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.interval import Statistic
from ratewarp.geometry.reach import scaled

_WIDTH = 0.5  # of the kernel, over the median distance


def kernel_prototypization(
    codes: Float[np.ndarray, "items latents"], classes: Int[np.ndarray, " items"]
) -> float:
    """Share of the variance that lies between categories, in the space of a Gaussian kernel.

    1 − V_W / V_T, with V_T = 1 − mean k(z, z′) over pairs of different items, V_W = Σ_c p_c (1 − mean k) over
    pairs of category c, and k(z, z′) = exp(−|z − z′|² / 2 m²), m half the median of |z − z′|: narrower than
    all codes, so that several clusters of one category are seen, and wide enough for few items.
    `prototypization` compares the means of categories and is blind where these coincide, as those of an
    exclusive or; this compares their places. At most 1; 0 on average where labels say nothing, so that it
    may lie slightly below. Invariant to rotation, shift and common scale.

    Arguments:
        codes: one row per item.
        classes: category of every item, any integers; at least one category has two items.

    Returns:
        The share.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are all equal; labels of the
            wrong length, or all different.

    Source: ratio of kernel within-group scatter, as in the kernel two-sample statistic (Gretton et al., JMLR
        2012).

    Examples:
        >>> corners = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]])
        >>> codes = np.repeat(corners, 10, axis=0) + np.random.default_rng(0).standard_normal((40, 2))
        >>> round(kernel_prototypization(codes, np.repeat([0, 1, 1, 0], 10)), 1)  # an exclusive or
        0.2
    """
    values = scaled(check_codes(codes))
    _, members = np.unique(check_labels(classes, len(values)), return_inverse=True)
    if not np.ptp(values, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    found = float(kernel_share(values, members)(np.ones((1, len(values))))[0])
    if np.isnan(found):
        refuse("classes", "labels of which at least one comes twice", "labels that are all different")
    return found


def kernel_share(codes: Float[np.ndarray, "items latents"], members: Int[np.ndarray, " items"]) -> Statistic:
    """`kernel_prototypization` of every weighting of items; NaN where no class has two."""
    apart, inside = _apart(codes), np.eye(int(members.max()) + 1)[members]

    def statistic(weights: np.ndarray) -> np.ndarray:
        whole = _mean_over_pairs(weights, apart)
        of_classes = [_mean_over_pairs(weights * one, apart) for one in inside.T]
        shares = (weights @ inside).T
        known = ~np.isnan(of_classes)
        counted = np.where(known, shares, 0)
        within = np.sum(np.where(known, of_classes, 0) * counted, axis=0)
        total = counted.sum(axis=0) * whole
        return 1 - np.divide(within, total, out=np.full_like(whole, np.nan), where=total > 0)

    return statistic


def permuted_shares(
    codes: Float[np.ndarray, "items latents"], members: Int[np.ndarray, " items"]
) -> Callable[[np.random.Generator, int], Float[np.ndarray, " permutations"]]:
    """`kernel_prototypization` of so many permutations of the classes."""
    apart, counts = _apart(codes), np.bincount(members).astype(float)
    whole = apart.sum() / (len(codes) * (len(codes) - 1))
    several = counts > 1
    each = counts[several] / (counts[several] * (counts[several] - 1)) / counts[several].sum()

    def shares(rng: np.random.Generator, number: int) -> np.ndarray:
        found = np.empty(number)
        for turn in range(number):
            inside = np.eye(len(counts))[rng.permutation(members)][:, several]
            found[turn] = 1 - np.sum(inside * (apart @ inside), axis=0) @ each / whole
        return found

    return shares


def _apart(codes: Float[np.ndarray, "items latents"]) -> Float[np.ndarray, "items items"]:
    """1 − k of every two items."""
    squares = pdist(codes, "sqeuclidean")
    median = float(np.median(squares))
    width = _WIDTH**2 * (median if median > 0 else float(squares.max()))
    return squareform(-np.expm1(-squares / (2 * width)))


def _mean_over_pairs(
    weights: Float[np.ndarray, "draws items"], values: Float[np.ndarray, "items items"]
) -> Float[np.ndarray, " draws"]:
    """Mean over ordered pairs of different items; NaN where there are none."""
    pairs = weights.sum(axis=1) ** 2 - np.sum(weights**2, axis=1)
    above = np.sum((weights @ values) * weights, axis=1)
    return np.divide(above, pairs, out=np.full_like(above, np.nan), where=pairs > 0)

"""Likeness of two sets of codes without some blocks of items, for many choices of blocks at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import pdist, squareform

from ratewarp._sums import group_sums
from ratewarp.geometry.interval import Statistic
from ratewarp.geometry.similarity import FEWEST_DEBIASED, ROUNDING, centred
from ratewarp.geometry.trial_noise import Errors

_CONSTANT = 1e-14  # share of the squared norm of all codes below which those that are left are constant


def cka_without(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    blocks: Int[np.ndarray, " items"],
    errors: tuple[Errors, Errors] | None = None,
) -> Statistic:
    """`linear_cka`, debiased, of the items whose blocks have weight 1, the others 0; NaN where it is not
    defined. Without trial noise where the errors of codes and reference are given, a unit an item.
    """
    first, second = _about_means(codes, reference, errors)
    both, own, theirs = _sums(first, second, blocks, errors)

    def statistic(weights: np.ndarray) -> np.ndarray:
        sizes, defined = [], weights @ both.counts >= FEWEST_DEBIASED
        for side in (own, theirs):
            size, scale = side.hsic(weights), side.squared_norm(weights)
            defined &= size > ROUNDING * scale**2
            sizes.append(size)
        norm = np.sqrt(np.where(defined, sizes[0] * sizes[1], 1.0))
        return np.where(defined, both.hsic(weights) / norm, np.nan)

    return statistic


def procrustes_without(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    blocks: Int[np.ndarray, " items"],
) -> Statistic:
    """`procrustes_distance` of the items whose blocks have weight 1, the others 0; NaN where they have
    constant codes.
    """
    overlap_of = overlap_without(codes, reference, blocks)

    def statistic(weights: np.ndarray) -> np.ndarray:
        overlap = overlap_of(weights)
        return np.where(overlap >= 1 - 1e-14, 0.0, np.arccos(np.minimum(overlap, 1.0)))

    return statistic


def overlap_without(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    blocks: Int[np.ndarray, " items"],
    errors: tuple[Errors, Errors] | None = None,
) -> Statistic:
    """The cosine of `procrustes_distance`, likewise. Without trial noise as in `cka_without`: it may then lie
    above 1.
    """
    first, second = _about_means(codes, reference, errors)
    both, own, theirs = _sums(first, second, blocks, errors)
    least = [_CONSTANT * np.sum(side**2) for side in (first, second)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        norms = [side.squared_norm(weights) for side in (own, theirs)]
        defined = (norms[0] > least[0]) & (norms[1] > least[1])
        norm = np.sqrt(np.where(defined, norms[0] * norms[1], 1.0))
        overlap = np.linalg.svd(both.covariance(weights), compute_uv=False).sum(axis=1) / norm
        return np.where(defined, overlap, np.nan)

    return statistic


def dimensions_without(
    codes: Float[np.ndarray, "items latents"], blocks: Int[np.ndarray, " items"], errors: Errors
) -> Statistic:
    """`participation_ratio` without trial noise, of the items whose blocks have weight 1, the others 0: the
    ratio of unbiased estimates of (tr Σ)² and of tr Σ². NaN where either is not above 0.
    """
    rows = codes - codes.mean(axis=0)
    own = _Sums.of(rows, rows, blocks, (errors, errors))
    squared_trace = _squared_trace(rows, blocks, errors, own)

    def statistic(weights: np.ndarray) -> np.ndarray:
        n = np.maximum(weights @ own.counts, FEWEST_DEBIASED)
        above, below = squared_trace(weights), own.hsic(weights) / (n * (n - 3))
        return np.divide(above, below, out=np.full_like(n, np.nan), where=(below > 0) & (above > 0))

    return statistic


def _squared_trace(
    rows: np.ndarray, blocks: np.ndarray, errors: Errors, own: _Sums
) -> Callable[[np.ndarray], np.ndarray]:
    """Unbiased (tr Σ)²: the mean of d_ij d_kl / 4 over four different items, d being squared distances
    without trial noise. Of very many items, whose blocks have several, nearly: (tr Σ)² less its squared
    error.
    """
    variances = errors.variances(len(rows))
    if len(rows) == int(blocks.max()) + 1:
        apart = squareform(pdist(rows, "sqeuclidean")) - variances[:, None] - variances[None]
        np.fill_diagonal(apart, 0)
        placed = apart[np.ix_(np.argsort(blocks), np.argsort(blocks))]

        def exact(weights: np.ndarray) -> np.ndarray:
            n = np.maximum(weights.sum(axis=1), FEWEST_DEBIASED)
            sums = (weights @ placed) * weights
            squares = np.sum((weights @ placed**2) * weights, axis=1)
            above = sums.sum(axis=1) ** 2 - 4 * np.sum(sums**2, axis=1) + 2 * squares
            return above / (4 * n * (n - 1) * (n - 2) * (n - 3))

        return exact
    squares = np.bincount(blocks, (np.sum(rows**2, axis=1) - variances) ** 2)

    def nearly(weights: np.ndarray) -> np.ndarray:
        n = np.maximum(weights @ own.counts, FEWEST_DEBIASED)
        trace = own.squared_norm(weights) / (n - 1)
        return trace**2 - (weights @ squares / n - trace**2) / n

    return nearly


def ceiling_without(
    codes: Float[np.ndarray, "items latents"], blocks: Int[np.ndarray, " items"], errors: Errors
) -> Statistic:
    """The linear CKA, debiased, of mean codes with the codes that they would have without trial noise."""
    rows = codes - codes.mean(axis=0)
    clean, noisy = _Sums.of(rows, rows, blocks, (errors, errors)), _Sums.of(rows, rows, blocks)

    def statistic(weights: np.ndarray) -> np.ndarray:
        above, below = np.maximum(clean.hsic(weights), 0), noisy.hsic(weights)
        return np.sqrt(np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0))

    return statistic


def _sums(
    first: np.ndarray, second: np.ndarray, blocks: np.ndarray, errors: tuple[Errors, Errors] | None
) -> tuple[_Sums, _Sums, _Sums]:
    """Of two sets of codes together, and of each with itself."""
    sides, places = (first, second), ((0, 1), (0, 0), (1, 1))
    both, own, theirs = (
        _Sums.of(sides[a], sides[b], blocks, None if errors is None else (errors[a], errors[b]))
        for a, b in places
    )
    return both, own, theirs


def _about_means(
    codes: np.ndarray, reference: np.ndarray, errors: tuple[Errors, Errors] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Both about their means; in no other coordinates than their errors."""
    if errors is None:
        return centred(codes, reference)
    return codes - codes.mean(axis=0), reference - reference.mean(axis=0)


class _Items(NamedTuple):
    """What is known of the products P = a bᵀ − Σ e fᵀ of single items, e and f being their errors.

    Attributes:
        by_a, by_b: Pᵀ a and P b.
        rows: aᵀ P b.
        squares: ‖P‖².
        crossed: tr Pᵀ Σ e fᵀ.
        variances: Σ |e|² and Σ |f|².
    """

    by_a: Float[np.ndarray, "items references"]
    by_b: Float[np.ndarray, "items latents"]
    rows: Float[np.ndarray, " items"]
    squares: Float[np.ndarray, " items"]
    crossed: Float[np.ndarray, " items"]
    variances: tuple[Float[np.ndarray, " items"], Float[np.ndarray, " items"]]

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray, errors: tuple[Errors, Errors] | None) -> _Items:
        a2, b2 = np.sum(a**2, axis=1), np.sum(b**2, axis=1)
        if errors is None:
            nothing = np.zeros(len(a))
            return cls(b * a2[:, None], a * b2[:, None], a2 * b2, a2 * b2, nothing, (nothing, nothing))
        (e, units), (f, _) = errors
        along_a, along_b = np.sum(e * a[units], axis=1), np.sum(f * b[units], axis=1)
        both = np.bincount(units, along_a * along_b, len(a))
        noise = _squared_products(e, f, units, len(a))
        return cls(
            b * a2[:, None] - group_sums(f * along_a[:, None], units, len(a)),
            a * b2[:, None] - group_sums(e * along_b[:, None], units, len(a)),
            a2 * b2 - both,
            a2 * b2 - 2 * both + noise,
            both - noise,
            (errors[0].variances(len(a)), errors[1].variances(len(a))),
        )


def _squared_products(e: np.ndarray, f: np.ndarray, units: np.ndarray, number: int) -> np.ndarray:
    """‖Σ e fᵀ‖² over the rows of every unit."""
    order = np.argsort(units, kind="stable")
    starts = np.searchsorted(units[order], np.arange(1, number))
    pieces = zip(np.split(e[order], starts), np.split(f[order], starts), strict=True)
    return np.array([np.sum((one @ one.T) * (other @ other.T)) for one, other in pieces])


@dataclass(frozen=True)
class _Sums:
    """Sums over the items of every block, of two codes a and b of each, with P as in `_Items`.

    Attributes:
        counts: of items.
        a, b: of the codes.
        products: of P.
        noise: of a bᵀ − P; 0 where codes are taken as they are.
        a_squared, b_squared: of |a|² and |b|².
        a_variance: of the variance of the errors of a.
        a_by_b, b_by_a: of P b and of Pᵀ a.
        rows, squares, crossed: as in `_Items`.
    """

    counts: Float[np.ndarray, " blocks"]
    a: Float[np.ndarray, "blocks latents"]
    b: Float[np.ndarray, "blocks references"]
    products: Float[np.ndarray, "blocks latents references"]
    noise: Float[np.ndarray, "blocks latents references"] | None
    a_squared: Float[np.ndarray, " blocks"]
    b_squared: Float[np.ndarray, " blocks"]
    a_variance: Float[np.ndarray, " blocks"]
    a_by_b: Float[np.ndarray, "blocks latents"]
    b_by_a: Float[np.ndarray, "blocks references"]
    rows: Float[np.ndarray, " blocks"]
    squares: Float[np.ndarray, " blocks"]
    crossed: Float[np.ndarray, " blocks"]

    @classmethod
    def of(
        cls, a: np.ndarray, b: np.ndarray, blocks: np.ndarray, errors: tuple[Errors, Errors] | None = None
    ) -> _Sums:
        number, items = int(blocks.max()) + 1, _Items.of(a, b, errors)
        products, noise = _of_blocks(a, b, blocks, number), None
        if errors is not None:
            noise = _of_blocks(errors[0].rows, errors[1].rows, blocks[errors[0].units], number)
            products = products - noise

        def total(values: np.ndarray) -> np.ndarray:
            return group_sums(values, blocks, number) if values.ndim == 2 else np.bincount(blocks, values)

        return cls(
            counts=np.bincount(blocks).astype(float),
            a=total(a),
            b=total(b),
            products=products,
            noise=noise,
            a_squared=total(np.sum(a**2, axis=1)),
            b_squared=total(np.sum(b**2, axis=1)),
            a_variance=total(items.variances[0]),
            a_by_b=total(items.by_b),
            b_by_a=total(items.by_a),
            rows=total(items.rows),
            squares=total(items.squares),
            crossed=total(items.crossed),
        )

    def squared_norm(self, weights: np.ndarray) -> np.ndarray:
        """Of a, about its mean."""
        count = np.maximum(weights @ self.counts, 1)
        found = weights @ self.a_squared - np.sum((weights @ self.a) ** 2, axis=1) / count
        return found - (1 - 1 / count) * (weights @ self.a_variance)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Σ (a − mean a)(b − mean b)ᵀ."""
        count = np.maximum(weights @ self.counts, 1)[:, None, None]
        means = (weights @ self.a)[:, :, None] * (weights @ self.b)[:, None, :] / count
        found = np.tensordot(weights, self.products, 1) - means
        return found if self.noise is None else found + np.tensordot(weights, self.noise, 1) / count

    def hsic(self, weights: np.ndarray) -> np.ndarray:
        """n (n − 3) times the unbiased HSIC of the linear kernels, as in `linear_cka`: it does not change
        with a shift, so that what is about the mean of all need not be about that of those left.

        Every product of two codes of one item is P, so that the errors of an item never meet themselves.
        """
        n = np.maximum(weights @ self.counts, FEWEST_DEBIASED)
        a, b, a2, b2 = (weights @ one for one in (self.a, self.b, self.a_squared, self.b_squared))
        products = np.tensordot(weights, self.products, 1)
        both = np.sum(products**2, axis=(1, 2)) - weights @ self.squares

        # sums over the rows of either kernel without its diagonal: of each, and of their product
        rows_a, rows_b = np.sum(a**2, axis=1) - a2, np.sum(b**2, axis=1) - b2
        rows = (
            np.einsum("ki,kij,kj->k", a, products, b)
            - np.sum(a * (weights @ self.a_by_b), axis=1)
            - np.sum(b * (weights @ self.b_by_a), axis=1)
            + weights @ self.rows
        )
        if self.noise is not None:
            crossed = np.sum(products * np.tensordot(weights, self.noise, 1), axis=(1, 2))
            rows = rows - crossed + weights @ self.crossed
        return both + rows_a * rows_b / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)


def _of_blocks(a: np.ndarray, b: np.ndarray, blocks: np.ndarray, number: int) -> np.ndarray:
    """Sum of a bᵀ over the rows of every block."""
    order = np.argsort(blocks, kind="stable")
    starts = np.searchsorted(blocks[order], np.arange(1, number))
    pieces = zip(np.split(a[order], starts), np.split(b[order], starts), strict=True)
    return np.stack([one.T @ other for one, other in pieces])

"""Likeness of two sets of codes without some blocks of items, for many choices of blocks at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ratewarp.geometry.interval import Statistic
from ratewarp.geometry.similarity import FEWEST_DEBIASED, ROUNDING, centred

_CONSTANT = 1e-14  # share of the squared norm of all codes below which those that are left are constant


def cka_without(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    blocks: Int[np.ndarray, " items"],
) -> Statistic:
    """`linear_cka`, debiased, of the items whose blocks have weight 1, the others 0; NaN where it is not
    defined.
    """
    first, second = centred(codes, reference)
    both, own, theirs = _sums(first, second, blocks)

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
    first, second = centred(codes, reference)
    both, own, theirs = _sums(first, second, blocks)
    least = [_CONSTANT * np.sum(side**2) for side in (first, second)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        norms = [side.squared_norm(weights) for side in (own, theirs)]
        defined = (norms[0] > least[0]) & (norms[1] > least[1])
        norm = np.sqrt(np.where(defined, norms[0] * norms[1], 1.0))
        overlap = np.linalg.svd(both.covariance(weights), compute_uv=False).sum(axis=1) / norm
        angle = np.where(overlap < 1 - 1e-14, np.arccos(np.minimum(overlap, 1.0)), 0.0)
        return np.where(defined, angle, np.nan)

    return statistic


def _sums(first: np.ndarray, second: np.ndarray, blocks: np.ndarray) -> tuple[_Sums, _Sums, _Sums]:
    """Of two sets of codes together, and of each with itself."""
    pairs = (first, second), (first, first), (second, second)
    both, own, theirs = (_Sums.of(a, b, blocks) for a, b in pairs)
    return both, own, theirs


@dataclass(frozen=True)
class _Sums:
    """Sums over the items of every block, of two codes a and b of each.

    Attributes:
        counts: of items.
        a, b: of the codes.
        products: of a bᵀ.
        a_squared, b_squared: of |a|² and |b|².
        a_by_b, b_by_a: of a |b|² and of b |a|².
        squares: of |a|² |b|².
    """

    counts: Float[np.ndarray, " blocks"]
    a: Float[np.ndarray, "blocks latents"]
    b: Float[np.ndarray, "blocks references"]
    products: Float[np.ndarray, "blocks latents references"]
    a_squared: Float[np.ndarray, " blocks"]
    b_squared: Float[np.ndarray, " blocks"]
    a_by_b: Float[np.ndarray, "blocks latents"]
    b_by_a: Float[np.ndarray, "blocks references"]
    squares: Float[np.ndarray, " blocks"]

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray, blocks: np.ndarray) -> _Sums:
        order = np.argsort(blocks, kind="stable")
        counts = np.bincount(blocks)
        starts = np.cumsum(counts) - counts
        a, b = a[order], b[order]
        a2, b2 = np.sum(a**2, axis=1), np.sum(b**2, axis=1)
        pieces = zip(np.split(a, starts[1:]), np.split(b, starts[1:]), strict=True)

        def total(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values, starts, axis=0)

        return cls(
            counts=counts.astype(float),
            a=total(a),
            b=total(b),
            products=np.stack([one.T @ other for one, other in pieces]),
            a_squared=total(a2),
            b_squared=total(b2),
            a_by_b=total(a * b2[:, None]),
            b_by_a=total(b * a2[:, None]),
            squares=total(a2 * b2),
        )

    def squared_norm(self, weights: np.ndarray) -> np.ndarray:
        """Of a, about its mean."""
        count = np.maximum(weights @ self.counts, 1)
        return weights @ self.a_squared - np.sum((weights @ self.a) ** 2, axis=1) / count

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Σ (a − mean a)(b − mean b)ᵀ."""
        count = np.maximum(weights @ self.counts, 1)
        means = (weights @ self.a)[:, :, None] * (weights @ self.b)[:, None, :] / count[:, None, None]
        return np.tensordot(weights, self.products, 1) - means

    def hsic(self, weights: np.ndarray) -> np.ndarray:
        """n (n − 3) times the unbiased HSIC of the linear kernels, as in `linear_cka`: it does not change
        with a shift, so that what is about the mean of all need not be about that of those left.
        """
        n = np.maximum(weights @ self.counts, FEWEST_DEBIASED)
        a, b, a2, b2 = (weights @ one for one in (self.a, self.b, self.a_squared, self.b_squared))
        products, squares = np.tensordot(weights, self.products, 1), weights @ self.squares
        both = np.sum(products**2, axis=(1, 2)) - squares

        # sums over the rows of either kernel without its diagonal: of each, and of their product
        rows_a, rows_b = np.sum(a**2, axis=1) - a2, np.sum(b**2, axis=1) - b2
        rows = (
            np.einsum("ki,kij,kj->k", a, products, b)
            - np.sum(a * (weights @ self.a_by_b), axis=1)
            - np.sum(b * (weights @ self.b_by_a), axis=1)
            + squares
        )
        return both + rows_a * rows_b / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)

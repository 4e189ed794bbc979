"""Sums over pairs of items of the ratio of two distances, in tiles: fast, and never an array of items ×
items.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from os import cpu_count
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from ratewarp._checks import RequestError
from ratewarp._threads import threads

TILE = 512  # items a side; a tile of distances is 2 MB
_DIRECT = 8  # latents up to which distances are summed latent by latent, not by a matrix product
# squared distances below this share of the squared norms lose digits in a matrix product, and are computed
# directly
_NEAR = 1e-6


def ratios(a: np.ndarray, b: np.ndarray, reference_a: np.ndarray, reference_b: np.ndarray) -> np.ndarray:
    """Distances of every a to every b over those of their references; 0/0 = 1, x/0 = ∞."""
    above, below = cdist(a, b), cdist(reference_a, reference_b)
    found = np.full_like(above, np.inf)
    np.divide(above, below, out=found, where=below > 0)
    found[(above == 0) & (below == 0)] = 1.0
    return found


def pair_sums(
    codes: Float[np.ndarray, "items latents"],
    reference: Float[np.ndarray, "items references"],
    classes: Int[np.ndarray, " items"],
    number: int,
    *,
    logarithmic: bool = False,
) -> tuple[Float[np.ndarray, "classes classes"], Float[np.ndarray, "classes classes"]]:
    """Sums of ρ over the pairs of every two classes, and how many pairs they are.

    Pairs are ordered and include an item with itself. With `logarithmic`, sums of log ρ, without pairs that
    coincide in both.

    Raises:
        RequestError: items that coincide in the reference but not in the codes, or the reverse with
            `logarithmic`.
    """
    order = np.argsort(classes, kind="stable")
    members = classes[order]
    sides = (_Side.of(codes[order]), _Side.of(reference[order]))
    counts = np.bincount(classes, minlength=number).astype(float)
    sums, coinciding = np.zeros((number, number)), np.zeros((number, number))

    def tile(place: tuple[slice, slice]) -> tuple[_Place, np.ndarray, np.ndarray | None]:
        rows, columns = place
        squared, below = (side.squared(rows, columns) for side in sides)
        alike = _ratio_in_place(squared, below, logarithmic=logarithmic)
        down, across = members[rows], members[columns]
        both = _by_class(alike.astype(float), down, across) if alike is not None and logarithmic else None
        return (
            _Place(np.unique(down), np.unique(across), rows == columns),
            _by_class(squared, down, across),
            both,
        )

    with threads(1), ThreadPoolExecutor(cpu_count()) as pool:
        for at, part, both in pool.map(tile, _tiles(len(codes))):
            _add(sums, at, part)
            if both is not None:
                _add(coinciding, at, both)
    return sums, np.outer(counts, counts) - coinciding


class _Place(NamedTuple):
    """Classes down and across a tile, and whether it lies on the diagonal."""

    first: Int[np.ndarray, " down"]
    second: Int[np.ndarray, " across"]
    diagonal: bool


class _Side(NamedTuple):
    """One of the two sets of codes, prepared for products: about their mean, with their squared norms."""

    codes: Float[np.ndarray, "items latents"]
    norms: Float[np.ndarray, " items"]
    left: Float[np.ndarray, "items extended"]
    right: Float[np.ndarray, "items extended"]

    @staticmethod
    def of(codes: Float[np.ndarray, "items latents"]) -> _Side:
        centred = codes - codes.mean(axis=0)
        norms, ones = np.sum(centred**2, axis=1), np.ones((len(codes), 1))
        left = np.hstack([-2 * centred, norms[:, None], ones])
        return _Side(codes, norms, left, np.hstack([centred, ones, norms[:, None]]))

    def squared(self, rows: slice, columns: slice) -> np.ndarray:
        """Squared distances of a tile."""
        if self.codes.shape[1] <= _DIRECT:
            return cdist(self.codes[rows], self.codes[columns], "sqeuclidean")
        found = self.left[rows] @ self.right[columns].T
        near = _NEAR * (self.norms[rows].max() + self.norms[columns].max())
        if found.min() < near:
            i, j = np.nonzero(found < near)
            found[i, j] = np.sum((self.codes[rows][i] - self.codes[columns][j]) ** 2, axis=1)
        return found


def _ratio_in_place(above: np.ndarray, below: np.ndarray, *, logarithmic: bool) -> np.ndarray | None:
    """Turns squared distances into ρ, or its logarithm; returns which pairs coincide in both, if any coincide
    in the reference.
    """
    alike = None
    apart = below.min() > 0
    if not apart:
        alike = (above == 0) & (below == 0)
        if np.any((below == 0) & ~alike):
            raise RequestError(
                "reference must tell apart every two items that the codes tell apart; some coincide only in"
                " the reference"
            )
        above[alike] = below[alike] = 1.0
    if logarithmic and above.min() == 0:
        raise RequestError(
            "codes must tell apart every two items that the reference tells apart when logarithmic=True"
        )
    np.divide(above, below, out=above)
    np.sqrt(above, out=above)
    if logarithmic:
        np.log(above, out=above)
    return alike


def _by_class(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sums of a tile over runs of equal class, on both sides."""
    starts_down, starts_across = (
        np.flatnonzero(np.diff(side, prepend=side[0] - 1)) for side in (rows, columns)
    )
    return np.add.reduceat(np.add.reduceat(values, starts_across, axis=1), starts_down, axis=0)


def _add(sums: np.ndarray, place: _Place, part: np.ndarray) -> None:
    """Adds a tile's part, and its mirror image unless the tile lies on the diagonal."""
    sums[np.ix_(place.first, place.second)] += part
    if not place.diagonal:
        sums[np.ix_(place.second, place.first)] += part.T


def _tiles(items: int) -> Iterator[tuple[slice, slice]]:
    """Tiles on and above the diagonal."""
    edges = [slice(start, min(start + TILE, items)) for start in range(0, items, TILE)]
    return combinations_with_replacement(edges, 2)

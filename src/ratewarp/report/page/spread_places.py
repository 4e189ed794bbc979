"""Places on a grid in an order in which the first few are spread over all of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Place = tuple[int | None, ...]


def spread_places(places: Sequence[Place], first: Place) -> list[Place]:
    """Places, each as far from those before it as can be.

    Arguments:
        places: different ones; None stands where an axis does not matter.
        first: the one to begin with, or the nearest to it.

    Returns:
        All of them. Distances are Euclidean, with every axis as long as the others.

    Examples:
        >>> spread_places([(0,), (1,), (2,), (3,), (4,)], (4,))
        [(4,), (0,), (2,), (1,), (3,)]
    """
    if not places:
        return []
    numbers = np.array([[at or 0 for at in place] for place in (*places, first)], float)
    numbers = numbers.reshape(len(places) + 1, -1)
    numbers /= np.maximum(np.ptp(numbers, axis=0), 1)
    points, start = numbers[:-1], numbers[-1]
    chosen = [int(((points - start) ** 2).sum(axis=1).argmin())]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < len(points):
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    return [places[one] for one in chosen]

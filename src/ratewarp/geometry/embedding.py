"""Maps: codes laid out in two dimensions so that distances stay as they are, as well as they can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import orthogonal_procrustes

from ratewarp._checks import refuse
from ratewarp._threads import threads
from ratewarp.geometry.code_checks import check_codes
from ratewarp.geometry.majorization import least_stress
from ratewarp.geometry.reach import exponent, scaled


@dataclass(frozen=True)
class Map:
    """A two-dimensional map of codes.

    Attributes:
        points: place of every item, centred, in the units of the codes.
        stress: Kruskal's normalised stress, 0 (every distance kept) to 1.
    """

    points: Float[np.ndarray, "items two"]
    stress: float


def embed(
    codes: Float[np.ndarray, "items latents"],
    *,
    align_to: Float[np.ndarray, "items two"] | None = None,
    iterations: int = 300,
) -> Map:
    """Metric multidimensional scaling of codes into the plane.

    Started from the codes' first two principal axes, so the same codes always give the same map.
    Minimises Σ (d_ij − δ_ij)² over pairs of items, δ the distances between codes and d those on the map.

    Arguments:
        codes: one row per item; memory grows with the square of the number of items.
        align_to: a map of the same items to turn and mirror this one towards (orthogonal Procrustes;
            distances unchanged).
        iterations: most steps of the search.

    Returns:
        The map and how well it keeps distances.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or a map to align to of another
            shape.

    Source: Borg & Groenen, Modern Multidimensional Scaling, 2005.

    Examples:
        >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
        >>> round(embed(square).stress, 6)
        0.0
    """
    from scipy.spatial.distance import pdist, squareform

    codes = check_codes(codes)
    power = exponent(codes)
    codes = scaled(codes, power)
    if align_to is not None and (np.shape(align_to) != (len(codes), 2) or not np.all(np.isfinite(align_to))):
        refuse(
            "align_to",
            f"a finite map of the same {len(codes)} items, shape ({len(codes)}, 2)",
            f"shape {np.shape(align_to)}",
        )
    if iterations < 1:
        refuse("iterations", "at least 1", iterations)
    start = _principal_plane(codes)
    distances = pdist(codes)
    if not distances.any():
        return Map(scaled(start, -power), 0.0)
    with threads(1):  # small products; the same whatever the number of threads
        points = least_stress(squareform(distances), start, iterations)
    stress = float(np.sqrt(np.sum((pdist(points) - distances) ** 2) / np.sum(distances**2)))
    if align_to is not None:
        points = turned(points, np.asarray(align_to, dtype=float))
    return Map(scaled(points, -power), stress)


def turned(
    points: Float[np.ndarray, "items two"], target: Float[np.ndarray, "items two"]
) -> Float[np.ndarray, "items two"]:
    """Points of a map, turned and mirrored towards another map of the same items."""
    near = scaled(target)
    rotation, _ = orthogonal_procrustes(scaled(points), near - near.mean(axis=0))
    return points @ rotation


def _principal_plane(codes: np.ndarray) -> np.ndarray:
    """Projection on the first two principal axes, signs pinned by each axis' largest coefficient."""
    centred = codes - codes.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(min(2, len(axes))), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    plane = centred @ axes.T
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))

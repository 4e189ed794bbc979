"""Maps: codes laid out in two dimensions so that distances stay as they are, as well as they can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import orthogonal_procrustes

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes
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

    SMACOF started from the codes' first two principal axes, so the same codes always give the same map.
    Minimises Σ (d_ij − δ_ij)² over pairs of items, δ the distances between codes and d those on the map.

    Arguments:
        codes: one row per item; memory grows with the square of the number of items.
        align_to: a map of the same items to turn and mirror this one towards (orthogonal Procrustes;
            distances unchanged).
        iterations: most SMACOF iterations.

    Returns:
        The map and how well it keeps distances.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or a map to align to of another
            shape.

    Source: Borg & Groenen, Modern Multidimensional Scaling, 2005; scikit-learn's `smacof`.

    Examples:
        >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
        >>> round(embed(square).stress, 6)
        0.0
    """
    from scipy.spatial.distance import pdist, squareform
    from sklearn.manifold import smacof

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
    found: Any = smacof(
        squareform(distances),
        metric=True,
        n_components=2,
        init=start,
        n_init=1,
        n_jobs=None,
        max_iter=iterations,
        verbose=0,
        eps=1e-6,
        random_state=0,
        return_n_iter=False,
        normalized_stress=False,  # pyright: ignore[reportArgumentType]
    )
    points = found[0] - found[0].mean(axis=0)
    stress = float(np.sqrt(np.sum((pdist(points) - distances) ** 2) / np.sum(distances**2)))
    return Map(
        scaled(
            points if align_to is None else _turned(points, scaled(np.asarray(align_to, dtype=float))), -power
        ),
        stress,
    )


def _principal_plane(codes: np.ndarray) -> np.ndarray:
    """Projection on the first two principal axes, signs pinned by each axis' largest coefficient."""
    centred = codes - codes.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(min(2, len(axes))), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    plane = centred @ axes.T
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))


def _turned(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    rotation, _ = orthogonal_procrustes(points, target - target.mean(axis=0))
    return points @ rotation

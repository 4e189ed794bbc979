"""Polygons of area 1 about the origin, and how much of every pixel a polygon covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_CURVE = 64  # corners that stand for a curve: off by at most 0.2 % of its size
_SHORT = 1e-3  # pixels; along less than this an edge counts as straight up


class Outline(NamedTuple):
    """A shape.

    Attributes:
        corners: (x, y) counter-clockwise, y upwards; their polygon has the area 1 and its centre of mass at
            the origin.
        symmetry: turns by 360° / symmetry leave it as it is.
    """

    corners: Float[np.ndarray, "corners 2"]
    symmetry: int

    @property
    def reach(self) -> float:
        """Largest distance of a corner from the origin."""
        return float(np.linalg.norm(self.corners, axis=1).max())


def area_and_centre(corners: Float[np.ndarray, "corners 2"]) -> tuple[float, Float[np.ndarray, "2"]]:
    """Area of a polygon (positive counter-clockwise) and its centre of mass, by the shoelace formula.

    Examples:
        >>> area_and_centre(np.array([[0.0, 0], [2, 0], [2, 1], [0, 1]]))
        (2.0, array([1. , 0.5]))
    """
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]
    area = float(cross.sum() / 2)
    return area, ((corners + following) * cross[:, None]).sum(axis=0) / (6 * area)


@cache
def outline(name: str) -> Outline:
    """The shape of that name, one of `SHAPES`."""
    draw, symmetry = SHAPES[name]
    corners = draw()
    area, centre = area_and_centre(corners)
    corners = (corners - centre) / np.sqrt(area)
    corners.setflags(write=False)
    return Outline(corners, symmetry)


def _on_circle(corners: int) -> np.ndarray:
    """Corners of a regular polygon, the first at the top."""
    angle = np.pi / 2 + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _square() -> np.ndarray:
    return np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def _ellipse() -> np.ndarray:
    """Twice as long as it is wide, and lying."""
    return _on_circle(_CURVE) * [2.0, 1.0]


def _heart() -> np.ndarray:
    t = 2 * np.pi * np.arange(_CURVE) / _CURVE
    right = 16 * np.sin(t) ** 3
    up = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([-right, up], axis=1)


def _star() -> np.ndarray:
    return _on_circle(10) * np.tile([1.0, 0.45], 5)[:, None]


def _cross() -> np.ndarray:
    arm = np.array([[3.0, -1.0], [3.0, 1.0], [1.0, 1.0]])  # the right one, up to the next
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    return np.concatenate([arm @ np.linalg.matrix_power(turn, quarter) for quarter in range(4)])


SHAPES: Mapping[str, tuple[Callable[[], np.ndarray], int]] = {
    "square": (_square, 4),
    "ellipse": (_ellipse, 2),
    "heart": (_heart, 1),
    "triangle": (lambda: _on_circle(3), 3),
    "star": (_star, 5),
    "cross": (_cross, 4),
}


def outlines(names: tuple[str, ...]) -> Float[np.ndarray, "shapes corners 2"]:
    """Corners of several shapes; the last corner of those with fewer is repeated, which changes nothing."""
    each = [outline(name).corners for name in names]
    most = max(map(len, each))
    return np.stack([np.pad(one, ((0, most - len(one)), (0, 0)), mode="edge") for one in each])


def coverage(corners: Float[Array, "corners 2"], height: int, width: int) -> Float[Array, "{height} {width}"]:
    """Share of every pixel that lies in a polygon, exact up to rounding.

    The area right of an edge, within a row of pixels, counts positive where the edge runs down and negative
    where it runs up; the sum over edges is the polygon.

    Arguments:
        corners: (x, y) in pixels, counter-clockwise, from the lower left corner of the image, y upwards.
        height: of the image, pixels.
        width: of the image, pixels.

    Returns:
        0–1; the first row is the uppermost.
    """
    bottoms = jnp.arange(height - 1, -1, -1, dtype=jnp.float32)
    lefts = jnp.arange(width, dtype=jnp.float32)

    def add(total: Array, edge: Array) -> tuple[Array, None]:
        (x0, y0), (x1, y1) = edge
        ya, yb = jnp.clip(y0, bottoms, bottoms + 1), jnp.clip(y1, bottoms, bottoms + 1)
        steep = jnp.where(y1 == y0, 1, y1 - y0)
        xa, xb = (x0 + jnp.clip((y - y0) / steep, 0, 1) * (x1 - x0) for y in (ya, yb))
        right = _mean_right_of(xa[:, None], xb[:, None], lefts[None])
        return total + (ya - yb)[:, None] * right, None

    edges = jnp.stack([corners, jnp.roll(corners, -1, axis=0)], axis=1)
    total, _ = jax.lax.scan(add, jnp.zeros((height, width), jnp.float32), edges)
    return jnp.clip(total, 0, 1)


def _mean_right_of(xa: Array, xb: Array, left: Array) -> Array:
    """Share of the pixels from `left` to `left` + 1 that is right of x, on average while x runs from xa to
    xb.
    """
    near, far = left + 1 - jnp.maximum(xa, xb), left + 1 - jnp.minimum(xa, xb)
    first, last = jnp.clip(near, 0, 1), jnp.clip(far, 0, 1)
    whole = jnp.maximum(far, 1) - jnp.maximum(near, 1)
    run = far - near
    mean = ((last - first) * (last + first) / 2 + whole) / jnp.maximum(run, _SHORT)
    return jnp.where(run > _SHORT, mean, jnp.clip((near + far) / 2, 0, 1))

"""How convolutions are computed: which of three ways each layer takes, and layers in that way.

| way | where | file |
|---|---|---|
| `positions` | small images | `positions.py` |
| `blocks` | larger ones | `blocks.py` |
| `tiles` | the same, on a CPU where it has fewer products than blocks | `tiles.py` |

All compute the same up to rounding. The rule depends on sizes and on the backend alone, never on timings, so
that a model's numbers are the same in every run on a machine.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Literal, NamedTuple

import jax
from jaxtyping import Array, Float

from ratewarp.networks import blocks, positions, tiles
from ratewarp.networks.axis import Axes, Large, Small, Weight
from ratewarp.networks.products import mantissa_bits

Way = Literal["positions", "blocks", "tiles"]
Prepared = Float[Array, "..."]
PART_BY_PART: tuple[Way, ...] = ("blocks", "tiles")  # ways that take large batches so

SMALL_PIXELS = 169  # images of no more pixels are computed by position
TILE_CHANNELS = 8  # of the large image, from which tiles pay
TILE_SAVES = 0.75  # share of the products of blocks, up to which tiles pay


def way_of(axes: Axes, channels: int, image_pixels: int, backend: str) -> Way:
    """The way of one layer (docs/speed.md has what it rests on).

    Arguments:
        axes: its rows and columns.
        channels: of its large image.
        image_pixels: height × width of the network's images.
        backend: what JAX computes on, such as `cpu`.
    """
    if image_pixels <= SMALL_PIXELS:
        return "positions"
    if backend != "cpu" or not tiles.fits(axes) or channels < TILE_CHANNELS:
        return "blocks"
    of_blocks = prod(axis.block_taps * axis.output_size for axis in axes)
    return "tiles" if 9 * prod(tiles.tile_counts(axes)) <= TILE_SAVES * of_blocks else "blocks"


def prepare(weight: Weight, axes: Axes, way: Way) -> Prepared:
    """A weight in the form that the other functions take; once for all parts of a batch."""
    return _WAYS[_exact(way)].prepare(weight, axes)


def convolve(large: Large, weight: Prepared, axes: Axes, way: Way) -> Small:
    """Convolution of `large` by a prepared weight along `axes` (rows, columns)."""
    return _WAYS[_exact(way)].convolve(large, weight, axes)


def convolve_transposed(small: Small, weight: Prepared, axes: Axes, way: Way) -> Large:
    """Transposed convolution of `small` by a prepared weight: the adjoint of `convolve`."""
    return _WAYS[_exact(way)].convolve_transposed(small, weight, axes)


class _Layers(NamedTuple):
    prepare: Callable[[Array, Axes], Array]
    convolve: Callable[..., Array]
    convolve_transposed: Callable[..., Array]


def _exact(way: Way) -> Way:
    """Narrow products are of the images and weights themselves, not of their sums."""
    return "blocks" if way == "tiles" and mantissa_bits() < 23 else way


def _of_adjoints(way: Any) -> _Layers:
    """Layers whose gradients are the operations that are adjoint to them."""
    convolve: Any = jax.custom_vjp(way.shrink, nondiff_argnums=(2,))
    convolve.defvjp(
        lambda large, weight, axes: (way.shrink(large, weight, axes), (large, weight)),
        lambda axes, kept, small: (way.grow(small, kept[1], axes), way.correlate(kept[0], small, axes)),
    )
    transposed: Any = jax.custom_vjp(way.grow, nondiff_argnums=(2,))
    transposed.defvjp(
        lambda small, weight, axes: (way.grow(small, weight, axes), (small, weight)),
        lambda axes, kept, large: (way.shrink(large, kept[1], axes), way.correlate(large, kept[0], axes)),
    )
    return _Layers(way.prepare, convolve, transposed)


_WAYS: dict[Way, _Layers] = {
    "positions": _Layers(positions.prepare, positions.convolve, positions.convolve_transposed),
    "blocks": _of_adjoints(blocks),
    "tiles": _of_adjoints(tiles),
}

"""Convolutions that reach two blocks each way, as nine products for every 2 × 2 small positions instead of
sixteen.

Along one axis, two neighbouring small positions read three blocks x₀, x₁, x₂ through weights w₀ and w₁:

y₀ = x₀w₀ + x₁w₁ = (x₀ − x₁)w₀ + x₁(w₀ + w₁),  y₁ = x₁w₀ + x₂w₁ = x₁(w₀ + w₁) + (x₂ − x₁)w₁:

three products instead of four, and nine instead of sixteen along both. All factors in front are 1 and −1, so
that rounding is as for plain sums. `large_parts`, `prepare` and `small_from_parts` are the three linear maps
of that; `grow` and `correlate` are made of the adjoints of the first and the last.

Source: Winograd, "Arithmetic Complexity of Computations", 1980, F(2, 2); for networks Lavin and Gray, CVPR
2016.
"""

from __future__ import annotations

from math import ceil

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ratewarp.networks.axis import Axes, Large, Small, Weight
from ratewarp.networks.blocks import as_matrix, from_blocks, to_blocks
from ratewarp.networks.blocks import prepare as block_weight
from ratewarp.networks.products import gradient_product, product_of

Part = Float[Array, "tiles_down tiles_across batch channels"]
TileWeight = Float[Array, "9 block_channels filters"]
Three = tuple[Array, Array, Array]


def fits(axes: Axes) -> bool:
    """Whether small positions reach two blocks each way."""
    return all(axis.block_taps == 2 for axis in axes)


def tile_counts(axes: Axes) -> tuple[int, int]:
    """Tiles of two small positions along each axis; half of the last may lie beyond the image."""
    rows, columns = (ceil(axis.output_size / 2) for axis in axes)
    return rows, columns


def prepare(weight: Weight, axes: Axes) -> TileWeight:
    """The nine factors of a weight: sums of block taps."""
    blocks = block_weight(weight, axes)
    rows = (blocks[0], blocks[0] + blocks[1], blocks[1])
    return jnp.stack([part for row in rows for part in (row[0], row[0] + row[1], row[1])])


def shrink(large: Large, weight: TileWeight, axes: Axes) -> Small:
    """small[o] = Σ_k large[i(o, k)] · weight[k]."""
    parts = zip(large_parts(large, axes), weight, strict=True)
    return small_from_parts([_times(part, w) for part, w in parts], axes)


def grow(small: Small, weight: TileWeight, axes: Axes) -> Large:
    """large[i] = Σ small[o] · weight[k]ᵀ over the o and k that meet at i."""
    parts = zip(small_parts(small, axes), weight, strict=True)
    return large_from_parts([_times(part, w.T) for part, w in parts], axes)


def correlate(large: Large, small: Small, axes: Axes) -> TileWeight:
    """weight[k] = Σ_o large[i(o, k)]ᵀ · small[o], the gradient of a convolution in its weight."""
    parts = zip(large_parts(large, axes), small_parts(small, axes), strict=True)
    return jnp.stack([gradient_product(as_matrix(x), as_matrix(y)) for x, y in parts])


def large_parts(large: Large, axes: Axes) -> list[Part]:
    """The nine factors of a large image: differences of blocks, rows × columns."""
    blocks = to_blocks(large, axes, [2 * count + 1 for count in tile_counts(axes)])
    return [part for rows in _differences(blocks, 0) for part in _differences(rows, 1)]


def large_from_parts(parts: list[Part], axes: Axes) -> Large:
    """The adjoint of `large_parts`."""
    rows = [_undo_differences(three, 1) for three in _threes(parts)]
    return from_blocks(_undo_differences((rows[0], rows[1], rows[2]), 0), axes)


def small_from_parts(parts: list[Part], axes: Axes) -> Small:
    """The small image of nine products."""
    rows = [_interleave(a + b, b + c, 1) for a, b, c in _threes(parts)]
    whole = _interleave(rows[0] + rows[1], rows[1] + rows[2], 0)
    return whole[: axes[0].output_size, : axes[1].output_size]


def small_parts(small: Small, axes: Axes) -> list[Part]:
    """The adjoint of `small_from_parts`."""
    margins = [(0, 2 * count - axis.output_size) for count, axis in zip(tile_counts(axes), axes, strict=True)]
    padded = jnp.pad(small, (*margins, (0, 0), (0, 0)))
    return [part for rows in _sums(padded, 0) for part in _sums(rows, 1)]


def _times(part: Part, weight: Float[Array, "inputs outputs"]) -> Part:
    return product_of(as_matrix(part), weight).reshape(*part.shape[:3], weight.shape[1])


def _threes(parts: list[Array]) -> list[Three]:
    return [(parts[n], parts[n + 1], parts[n + 2]) for n in range(0, 9, 3)]


def _differences(blocks: Array, axis: int) -> Three:
    """x₀ − x₁, x₁, x₂ − x₁ of every tile along an axis."""
    even, odd = _every_second(blocks, 0, axis), _every_second(blocks, 1, axis)
    ahead, behind = (lax.slice_in_dim(even, n, n + odd.shape[axis], axis=axis) for n in (0, 1))
    return ahead - odd, odd, behind - odd


def _undo_differences(parts: Three, axis: int) -> Array:
    first, middle, last = parts
    even = _margin(first, (0, 1), axis) + _margin(last, (1, 0), axis)
    odd = _margin(middle - first - last, (0, 1), axis)
    return lax.slice_in_dim(_interleave(even, odd, axis), 0, 2 * middle.shape[axis] + 1, axis=axis)


def _sums(small: Array, axis: int) -> Three:
    even, odd = _every_second(small, 0, axis), _every_second(small, 1, axis)
    return even, even + odd, odd


def _every_second(array: Array, start: int, axis: int) -> Array:
    return lax.slice_in_dim(array, start, None, stride=2, axis=axis)


def _interleave(even: Array, odd: Array, axis: int) -> Array:
    shape = [2 * size if n == axis else size for n, size in enumerate(even.shape)]
    return jnp.stack([even, odd], axis=axis + 1).reshape(shape)


def _margin(array: Array, margin: tuple[int, int], axis: int) -> Array:
    return jnp.pad(array, [margin if n == axis else (0, 0) for n in range(array.ndim)])

"""Convolutions on large images as a few large matrix products, block by block.

The large image is cut into blocks of stride × stride pixels; the pixels of a block become its channels. A
small position then reaches ⌈kernel / stride⌉ blocks each way, one apart from the next position's: a
convolution of stride 1, whose patches are a few shifted copies. The kernel is filled up with zeros to a whole
number of blocks. Programs do not grow with the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ratewarp.networks.axis import Axes, Large, Small, Weight
from ratewarp.networks.products import gradient_product, product_of

Blocks = Float[Array, "blocks_down blocks_across batch block_channels"]
BlockWeight = Float[Array, "block_taps_down block_taps_across block_channels filters"]


def prepare(weight: Weight, axes: Axes) -> BlockWeight:
    """Weights by block, and by pixel of the block."""
    rows, columns = axes
    margins = [axis.block_taps * axis.stride - axis.kernel for axis in axes]
    padded = jnp.pad(weight, (*((0, margin) for margin in margins), (0, 0), (0, 0)))
    apart = padded.reshape(
        rows.block_taps, rows.stride, columns.block_taps, columns.stride, *weight.shape[2:]
    )
    together = apart.transpose(0, 2, 1, 3, 4, 5)
    return together.reshape(rows.block_taps, columns.block_taps, -1, weight.shape[3])


def shrink(large: Large, weight: BlockWeight, axes: Axes) -> Small:
    """small[o] = Σ_k large[i(o, k)] · weight[k]."""
    patches = _patches(large, axes)
    values = product_of(as_matrix(patches), as_matrix(weight))
    return values.reshape(*patches.shape[:3], weight.shape[3])


def grow(small: Small, weight: BlockWeight, axes: Axes) -> Large:
    """large[i] = Σ small[o] · weight[k]ᵀ over the o and k that meet at i."""
    taps = weight.shape[:2]
    spread = product_of(as_matrix(small), as_matrix(weight).T)
    parts = jnp.split(spread.reshape(*small.shape[:3], -1), prod(taps), axis=3)
    blocks = [
        jnp.pad(part, ((i, taps[0] - 1 - i), (j, taps[1] - 1 - j), (0, 0), (0, 0)))
        for (i, j), part in zip(product(*map(range, taps)), parts, strict=True)
    ]
    return from_blocks(sum(blocks[1:], start=blocks[0]), axes)


def correlate(large: Large, small: Small, axes: Axes) -> BlockWeight:
    """weight[k] = Σ_o large[i(o, k)]ᵀ · small[o], the gradient of a convolution in its weight."""
    gradient = gradient_product(as_matrix(_patches(large, axes)), as_matrix(small))
    return gradient.reshape(axes[0].block_taps, axes[1].block_taps, -1, small.shape[3])


def to_blocks(large: Large, axes: Axes, counts: Sequence[int]) -> Blocks:
    """So many blocks each way, the first with the padding; what lies beyond the image is 0."""
    down, across = (axis.stride for axis in axes)
    margins = [
        (axis.padding, count * axis.stride - axis.padding - axis.size)
        for axis, count in zip(axes, counts, strict=True)
    ]
    padded = _fit(large, margins)
    phases = [padded[i::down, j::across] for i, j in product(range(down), range(across))]
    return jnp.concatenate(phases, axis=3) if len(phases) > 1 else padded


def from_blocks(blocks: Blocks, axes: Axes) -> Large:
    """The adjoint of `to_blocks`: the image that lies in the blocks; pixels beyond them are 0."""
    down, across = (axis.stride for axis in axes)
    rows, columns, batch, _ = blocks.shape
    apart = blocks.reshape(rows, columns, batch, down, across, -1).transpose(0, 3, 1, 4, 2, 5)
    padded = apart.reshape(rows * down, columns * across, batch, -1)
    margins = [
        (-axis.padding, axis.size + axis.padding - size)
        for axis, size in zip(axes, padded.shape[:2], strict=True)
    ]
    return _fit(padded, margins)


def as_matrix(array: Float[Array, "..."]) -> Float[Array, "rows columns"]:
    """All axes but the last as one."""
    return array.reshape(-1, array.shape[-1])


def _patches(large: Large, axes: Axes) -> Float[Array, "small_height small_width batch inputs"]:
    rows, columns = axes
    blocks = to_blocks(large, axes, [axis.output_size + axis.block_taps - 1 for axis in axes])
    views = [
        blocks[i : i + rows.output_size, j : j + columns.output_size]
        for i, j in product(range(rows.block_taps), range(columns.block_taps))
    ]
    return jnp.concatenate(views, axis=3) if len(views) > 1 else blocks


def _fit(images: Float[Array, "height width batch channels"], margins: Sequence[tuple[int, int]]) -> Large:
    """Images with rows and columns of zeros around them, or without some of theirs."""
    return lax.pad(images, jnp.zeros((), images.dtype), [*((*m, 0) for m in margins), (0, 0, 0), (0, 0, 0)])

"""Convolutions on small images as dense matrix products, position by position.

XLA's own convolution is much slower than a matrix product on CPU at the sizes of the published network
(13 × 13 down to 2 × 2). Images are stored "height width batch channels", so that the pixels at one position
are one dense matrix and patches are concatenations of matrices. Small positions that reach the same taps form
a `TapGroup`, one product for all of them. Programs grow with the number of positions: larger images are for
`blocks` and `tiles`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ratewarp.networks.axis import Axes, Axis, Large, Small, Weight
from ratewarp.networks.products import product_of

SKIP_ABOVE = 0.15  # share of products on padding from which leaving them out pays (docs/speed.md)
SKIP_POSITIONS = 64  # no more large positions than this, since each is written out on its own in the program


@dataclass(frozen=True)
class TapGroup:
    """Small positions `first` … `first + count − 1`, each reaching taps `tap` … `tap + taps − 1`."""

    first: int
    count: int
    tap: int
    taps: int

    @property
    def places(self) -> slice:
        return slice(self.first, self.first + self.count)

    @property
    def reach(self) -> tuple[int, int]:
        return self.tap, self.tap + self.taps


@lru_cache(maxsize=256)
def tap_groups(axis: Axis, skip_padding: bool) -> tuple[TapGroup, ...]:
    """Groups of small positions that reach the same taps, in order.

    With `skip_padding` a tap is reached only where it falls on a real pixel, so positions at the border form
    groups of their own; without it every position reaches every tap.
    """
    if not skip_padding:
        return (TapGroup(0, axis.output_size, 0, axis.kernel),)
    groups: list[TapGroup] = []
    for position in range(axis.output_size):
        taps = [tap for tap in range(axis.kernel) if 0 <= axis.large_position(position, tap) < axis.size]
        reach = (taps[0], len(taps)) if taps else (0, 0)
        if groups and (groups[-1].tap, groups[-1].taps) == reach:
            groups[-1] = TapGroup(groups[-1].first, groups[-1].count + 1, *reach)
        else:
            groups.append(TapGroup(position, 1, *reach))
    return tuple(groups)


def products(axes: Axes, skip_padding: bool) -> int:
    """Multiplications per image, channel and filter."""
    return prod(sum(group.count * group.taps for group in tap_groups(axis, skip_padding)) for axis in axes)


def skips_padding(axes: Axes) -> bool:
    """Whether leaving out the products on padding pays."""
    few = prod(axis.size for axis in axes) <= SKIP_POSITIONS
    return few and products(axes, True) <= (1 - SKIP_ABOVE) * products(axes, False)


def prepare(weight: Weight, axes: Axes) -> Weight:
    """The weight as it is."""
    return weight


def convolve(large: Large, weight: Weight, axes: Axes) -> Small:
    """Convolution of `large` by `weight` along `axes` (rows, columns)."""
    return _convolve(large, weight, axes)


def convolve_transposed(small: Small, weight: Weight, axes: Axes) -> Large:
    """Transposed convolution of `small` by `weight`: the adjoint of `convolve` along the same axes."""
    return _convolve_transposed(small, weight, axes)


def shrink(large: Large, weight: Weight, axes: Axes, *, skip_padding: bool | None = None) -> Small:
    """small[o] = Σ_k large[i(o, k)] · weight[k]; `skip_padding` None decides by `skips_padding`."""
    return _shrink_patches(_patches(large, axes, skip_padding), weight)


def correlate(large: Large, small: Small, axes: Axes, *, skip_padding: bool | None = None) -> Weight:
    """weight[k] = Σ_o large[i(o, k)]ᵀ · small[o], the gradient of a convolution in its weight."""
    shape = (axes[0].kernel, axes[1].kernel, large.shape[3], small.shape[3])
    return _correlate_patches(_patches(large, axes, skip_padding), small, shape)


def grow(small: Small, weight: Weight, axes: Axes, *, skip_padding: bool | None = None) -> Large:
    """large[i] = Σ small[o] · weight[k]ᵀ over the o and k that meet at i."""
    skip = skips_padding(axes) if skip_padding is None else skip_padding
    return (_grow_by_position if skip else _grow_by_phase)(small, weight, axes)


def _grow_by_position(small: Small, weight: Weight, axes: Axes) -> Large:
    """Products on real pixels only; each large position is the sum of what reaches it."""
    batch, channels, filters = small.shape[2], weight.shape[2], weight.shape[3]
    sizes = [axis.size for axis in axes]
    parts: dict[tuple[int, ...], list[Array]] = {position: [] for position in product(*map(range, sizes))}
    for row, column in product(*(tap_groups(axis, True) for axis in axes)):
        if not row.taps * column.taps:
            continue
        spread = product_of(
            small[row.places, column.places].reshape(-1, filters), _window(weight, row, column).T
        ).reshape(row.count, column.count, batch, row.taps, column.taps, channels)
        for n, m, i, j in product(range(row.count), range(column.count), range(row.taps), range(column.taps)):
            down = axes[0].large_position(row.first + n, row.tap + i)
            across = axes[1].large_position(column.first + m, column.tap + j)
            parts[down, across].append(spread[n, m, :, i, j])
    zeros = jnp.zeros((batch, channels), small.dtype)
    return jnp.stack(
        [sum(found[1:], start=found[0]) if found else zeros for found in parts.values()]
    ).reshape(*sizes, batch, channels)


def _grow_by_phase(small: Small, weight: Weight, axes: Axes) -> Large:
    """One product for all; large positions with the same remainder by the stride are summed together, then
    interleaved.
    """
    rows, columns = axes
    batch, channels, filters = small.shape[2], weight.shape[2], weight.shape[3]
    spread = product_of(small.reshape(-1, filters), weight.reshape(-1, filters).T).reshape(
        rows.output_size, columns.output_size, batch, rows.kernel, columns.kernel, channels
    )

    def phase(down: int, across: int) -> Array:
        zeros = jnp.zeros(
            (ceil(rows.size / rows.stride), ceil(columns.size / columns.stride), batch, channels), small.dtype
        )
        for (i, row), (j, column) in product(_meeting(rows, down), _meeting(columns, across)):
            zeros = zeros + jnp.pad(
                spread[row.read, column.read, :, i, j], (row.margin, column.margin, (0, 0), (0, 0))
            )
        return zeros

    lines = [
        jnp.stack([phase(down, across) for across in range(columns.stride)], axis=2)
        for down in range(rows.stride)
    ]
    whole = jnp.stack(lines, axis=1)
    return whole.reshape(whole.shape[0] * rows.stride, -1, batch, channels)[: rows.size, : columns.size]


@dataclass(frozen=True)
class _Meeting:
    """Small positions to read, and zeros before and after them, for one tap to fill one phase of the large
    image.
    """

    read: slice
    margin: tuple[int, int]


def _meeting(axis: Axis, phase: int) -> Iterator[tuple[int, _Meeting]]:
    """Taps that meet large positions `phase`, `phase + stride`, …, each with what it brings there."""
    count = ceil(axis.size / axis.stride)
    for tap in range(axis.kernel):
        shift, remainder = divmod(phase + axis.padding - tap, axis.stride)
        low, high = max(0, -shift), min(count, axis.output_size - shift)
        if remainder == 0 and low < high:
            yield tap, _Meeting(slice(low + shift, high + shift), (low, count - high))


class Patches(eqx.Module):
    """Patches of a row group × column group: a row a small position and image, a column a tap and channel."""

    values: Float[Array, "small_height small_width batch inputs"]
    row: TapGroup = eqx.field(static=True)
    column: TapGroup = eqx.field(static=True)

    @property
    def matrix(self) -> Float[Array, "places inputs"]:
        return self.values.reshape(prod(self.values.shape[:3]), self.values.shape[3])


def _patches(large: Large, axes: Axes, skip_padding: bool | None = None) -> list[Patches]:
    """Patches of every row group × column group."""
    skip = skips_padding(axes) if skip_padding is None else skip_padding
    margins = [(0, 0) if skip else _margin(axis) for axis in axes]
    padded = jnp.pad(large, (*margins, (0, 0), (0, 0)))
    found = []
    for groups in product(*(tap_groups(axis, skip) for axis in axes)):
        row, column = groups
        views = [
            padded[
                tuple(_reads(a, g, k, m[0]) for a, g, k, m in zip(axes, groups, taps, margins, strict=True))
            ]
            for taps in product(range(row.taps), range(column.taps))
        ]
        nothing = jnp.zeros((row.count, column.count, large.shape[2], 0), large.dtype)
        found.append(Patches(_join(views, axis=-1) if views else nothing, row, column))
    return found


def _shrink_patches(patches: list[Patches], weight: Weight) -> Small:
    rows: dict[TapGroup, list[Array]] = {}
    for one in patches:
        values = product_of(one.matrix, _window(weight, one.row, one.column))
        rows.setdefault(one.row, []).append(values.reshape(*one.values.shape[:3], weight.shape[3]))
    return _join([_join(columns, axis=1) for columns in rows.values()], axis=0)


def _correlate_patches(patches: list[Patches], small: Small, shape: tuple[int, ...]) -> Weight:
    """Gradient of a weight of that shape."""
    *kernels, channels, filters = shape
    parts: dict[tuple[int, ...], list[Array]] = {tap: [] for tap in product(*map(range, kernels))}
    for one in patches:
        row, column = one.row, one.column
        errors = small[row.places, column.places].reshape(-1, filters)
        gradient = product_of(one.matrix.T, errors).reshape(row.taps, column.taps, channels, filters)
        if len(patches) == 1 and [row.taps, column.taps] == kernels:
            return gradient
        for i, j in product(range(row.taps), range(column.taps)):
            parts[row.tap + i, column.tap + j].append(gradient[i, j])
    zeros = jnp.zeros((channels, filters), small.dtype)
    taps = [sum(found[1:], start=found[0]) if found else zeros for found in parts.values()]
    return jnp.stack(taps).reshape(shape)


def _window(weight: Weight, row: TapGroup, column: TapGroup) -> Float[Array, "inputs filters"]:
    """The weights that a group reaches; put together tap by tap, which XLA copies faster than a slice."""
    filters = weight.shape[3]
    if (row.taps, column.taps) == weight.shape[:2]:
        return weight.reshape(-1, filters)
    taps = [weight[i, j] for i, j in product(range(*row.reach), range(*column.reach))]
    return _join(taps, axis=0) if taps else jnp.zeros((0, filters), weight.dtype)


def _margin(axis: Axis) -> tuple[int, int]:
    """Zeros before and after the axis so that every tap of every small position falls inside."""
    return axis.padding, max(0, axis.large_position(axis.output_size - 1, axis.kernel - 1) - axis.size + 1)


def _reads(axis: Axis, group: TapGroup, tap: int, margin: int) -> slice:
    """Padded large positions that a group's small positions reach through its tap number `tap`."""
    start = axis.large_position(group.first, group.tap + tap) + margin
    return slice(start, start + axis.stride * (group.count - 1) + 1, axis.stride)


def _join(parts: list[Array], *, axis: int) -> Array:
    return jnp.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]


_convolve: Any = jax.custom_vjp(lambda large, weight, axes: shrink(large, weight, axes), nondiff_argnums=(2,))
_convolve_transposed: Any = jax.custom_vjp(
    lambda small, weight, axes: grow(small, weight, axes), nondiff_argnums=(2,)
)


def _convolve_forward(large: Large, weight: Weight, axes: Axes) -> tuple[Small, tuple[list[Patches], Weight]]:
    patches = _patches(large, axes)
    return _shrink_patches(patches, weight), (patches, weight)


def _convolve_backward(axes: Axes, kept: tuple[list[Patches], Weight], small: Small) -> tuple[Large, Weight]:
    patches, weight = kept
    return grow(small, weight, axes), _correlate_patches(patches, small, weight.shape)


def _convolve_transposed_backward(
    axes: Axes, kept: tuple[Small, Weight], large: Large
) -> tuple[Small, Weight]:
    small, weight = kept
    patches = _patches(large, axes)
    return _shrink_patches(patches, weight), _correlate_patches(patches, small, weight.shape)


_convolve.defvjp(_convolve_forward, _convolve_backward)
_convolve_transposed.defvjp(
    lambda small, weight, axes: (grow(small, weight, axes), (small, weight)), _convolve_transposed_backward
)

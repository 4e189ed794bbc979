"""Convolutions on small images as dense matrix products.

XLA's own convolution is much slower than a matrix product on CPU at the sizes this package trains (13 × 13 down
to 2 × 2). Here every convolution, plain or transposed, becomes a few products of patches with slices of its weights.

Along one axis, output position `o` of a convolution reads input `i` through tap `k` where `i = stride·o − padding + k`; of a
transposed convolution where `o = stride·i − padding + k`. Outputs that read through the same taps form a `TapGroup`: one
product serves them all. The image needs the groups of its rows crossed with the groups of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

SKIP_ABOVE = 0.4  # share of products on padding from which they are left out, at the price of more, smaller products; not tuned


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a convolution: sizes in pixels."""

    size: int
    kernel: int
    stride: int
    padding: int
    transposed: bool = False
    output_padding: int = 0

    @property
    def output_size(self) -> int:
        if self.transposed:
            return (self.size - 1) * self.stride - 2 * self.padding + self.kernel + self.output_padding
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    def source(self, output: int, tap: int) -> int | None:
        """Input position read by `output` through `tap` (may lie on the padding), or None where the tap does not fall."""
        if not self.transposed:
            return self.stride * output - self.padding + tap
        position, remainder = divmod(output + self.padding - tap, self.stride)
        return position if remainder == 0 else None


@dataclass(frozen=True)
class TapGroup:
    """Outputs `first, first + step, …` (`count` of them), each reading input `starts[t] + t_stride · n` through `taps[t]`."""

    first: int
    step: int
    count: int
    taps: tuple[int, ...]
    starts: tuple[int, ...]
    input_step: int


@lru_cache(maxsize=256)
def tap_groups(axis: Axis, skip_padding: bool) -> tuple[TapGroup, ...]:
    """Groups of outputs that share their taps.

    With `skip_padding` a tap counts for an output only where it falls on a real pixel, so outputs at the border form groups of
    their own; without it border taps read zeros and there is one group per output phase (one in all, if not transposed).
    """
    readings: dict[tuple[int, ...], list[int]] = {}
    for output in range(axis.output_size):
        sources = {tap: axis.source(output, tap) for tap in range(axis.kernel)}
        taps = tuple(t for t, i in sources.items() if i is not None and (not skip_padding or 0 <= i < axis.size))
        readings.setdefault(taps, []).append(output)
    groups = []
    for taps, outputs in readings.items():
        for first, step, count in _progressions(outputs):
            starts = tuple(_position(axis, first, tap) for tap in taps)
            input_step = _position(axis, first + step, taps[0]) - starts[0] if taps and count > 1 else 1
            groups.append(TapGroup(first, step, count, taps, starts, input_step))
    return tuple(groups)


def _position(axis: Axis, output: int, tap: int) -> int:
    position = axis.source(output, tap)
    assert position is not None  # a group holds only taps that fall
    return position


def _progressions(outputs: Sequence[int]) -> list[tuple[int, int, int]]:
    """Cuts increasing positions into arithmetic progressions (first, step, count)."""
    runs: list[list[int]] = []
    for output in outputs:
        run = runs[-1] if runs else []
        fits = len(run) == 1 or (len(run) > 1 and output - run[-1] == run[1] - run[0])
        if fits:
            run.append(output)
        else:
            runs.append([output])
    return [(run[0], run[1] - run[0] if len(run) > 1 else 1, len(run)) for run in runs]


def products(axes: tuple[Axis, Axis], skip_padding: bool) -> int:
    """Multiplications per image, input channel and output channel."""
    return prod(sum(group.count * len(group.taps) for group in tap_groups(axis, skip_padding)) for axis in axes)


def skips_padding(axes: tuple[Axis, Axis]) -> bool:
    """Whether enough products fall on padding for `convolve` to leave them out."""
    return products(axes, True) < (1 - SKIP_ABOVE) * products(axes, False)


def convolve(
    images: Float[Array, "batch height width channels"],
    weight: Float[Array, "taps_down taps_across channels filters"],
    axes: tuple[Axis, Axis],
    *,
    skip_padding: bool | None = None,
) -> Float[Array, "batch out_height out_width filters"]:
    """Convolution of `images` by `weight` along `axes` (rows, columns), as products of patches with weights.

    `skip_padding`: leave out products that fall on padding; None decides by `skips_padding`.
    """
    skip = skips_padding(axes) if skip_padding is None else skip_padding
    rows, columns = (tap_groups(axis, skip) for axis in axes)
    margins = [_margins(axis, groups) for axis, groups in zip(axes, (rows, columns), strict=True)]
    padded = jnp.pad(images, ((0, 0), *margins, (0, 0)))
    offsets = (margins[0][0], margins[1][0])
    parts = [_place(_group_product(padded, weight, r, c, offsets), r, c, axes) for r, c in product(rows, columns) if r.taps and c.taps]
    if not parts:
        return jnp.zeros((len(images), *(axis.output_size for axis in axes), weight.shape[-1]), images.dtype)
    return sum(parts[1:], start=parts[0])


def _margins(axis: Axis, groups: tuple[TapGroup, ...]) -> tuple[int, int]:
    """Zeros to add before and after the axis so that every read falls inside."""
    reads = [(min(g.starts), max(g.starts) + g.input_step * (g.count - 1)) for g in groups if g.taps]
    before = max(0, -min((low for low, _ in reads), default=0))
    after = max(0, max((high for _, high in reads), default=0) - axis.size + 1)
    return before, after


def _group_product(padded: Array, weight: Array, row: TapGroup, column: TapGroup, offsets: tuple[int, int]) -> Array:
    """Patches of one row group × column group, times the weights of their taps."""
    batch, _, _, channels = padded.shape
    views = [
        lax.slice(
            padded,
            (0, i + offsets[0], j + offsets[1], 0),
            (
                batch,
                i + offsets[0] + row.input_step * (row.count - 1) + 1,
                j + offsets[1] + column.input_step * (column.count - 1) + 1,
                channels,
            ),
            (1, row.input_step, column.input_step, 1),
        )
        for i, j in product(row.starts, column.starts)
    ]
    kernels = [weight[k, m] for k, m in product(row.taps, column.taps)]
    patches = jnp.concatenate(views, axis=-1) if len(views) > 1 else views[0]
    flat = patches.reshape(batch * row.count * column.count, -1)
    matrix = jnp.concatenate(kernels, axis=0) if len(kernels) > 1 else kernels[0]
    return (flat @ matrix).reshape(batch, row.count, column.count, -1)


def _place(values: Array, row: TapGroup, column: TapGroup, axes: tuple[Axis, Axis]) -> Array:
    """Spreads a group's outputs over the output grid, zeros elsewhere."""
    spread = [(0, 0, 0)]
    for group, axis in zip((row, column), axes, strict=True):
        last = group.first + group.step * (group.count - 1)
        spread.append((group.first, axis.output_size - 1 - last, group.step - 1))
    return lax.pad(values, jnp.zeros((), values.dtype), (*spread, (0, 0, 0)))

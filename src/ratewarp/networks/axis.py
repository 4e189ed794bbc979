"""Where a convolution's small image meets its large one.

Here a convolution leads from a large image to a small one, a transposed convolution from the small one back
to the large one, with the same geometry: small position `o` and large position `i` are joined through tap `k`
where `i = stride·o − padding + k`. Three operations, each linear in both arguments, are each other's
derivatives:

`shrink(large, weight)` → small, `grow(small, weight)` → large, `correlate(large, small)` → weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from jaxtyping import Array, Float


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a convolution, sizes in pixels; `size` is that of the large image."""

    size: int
    kernel: int
    stride: int
    padding: int

    @property
    def output_size(self) -> int:
        """Size of the small image."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def block_taps(self) -> int:
        """Blocks of `stride` pixels that a small position reaches."""
        return ceil(self.kernel / self.stride)

    def large_position(self, small_position: int, tap: int) -> int:
        """Large position joined to `small_position` through `tap`; outside 0 … size − 1 it lies on the
        padding.
        """
        return self.stride * small_position - self.padding + tap


Axes = tuple[Axis, Axis]
Large = Float[Array, "height width batch channels"]
Small = Float[Array, "small_height small_width batch filters"]
Weight = Float[Array, "taps_down taps_across channels filters"]

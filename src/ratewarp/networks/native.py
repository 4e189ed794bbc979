"""Convolutions by the library of an accelerator, which chooses the layout of images itself."""

from __future__ import annotations

import jax
from jax import lax

from ratewarp.networks.axis import Axes, Large, Small, Weight

_LAYOUT = ("HWNC", "HWIO", "HWNC")


def prepare(weight: Weight, axes: Axes) -> Weight:
    """The weight as it is."""
    return weight


def shrink(large: Large, weight: Weight, axes: Axes) -> Small:
    """small[o] = Σ_k large[i(o, k)] · weight[k]."""
    return lax.conv_general_dilated(
        large,
        weight,
        window_strides=[axis.stride for axis in axes],
        padding=[(axis.padding, axis.padding) for axis in axes],
        dimension_numbers=_LAYOUT,
    )


def grow(small: Small, weight: Weight, axes: Axes) -> Large:
    """large[i] = Σ small[o] · weight[k]ᵀ over the o and k that meet at i."""
    shape = (axes[0].size, axes[1].size, small.shape[2], weight.shape[2])
    like = jax.ShapeDtypeStruct(shape, small.dtype)
    return jax.linear_transpose(lambda large: shrink(large, weight, axes), like)(small)[0]


def correlate(large: Large, small: Small, axes: Axes) -> Weight:
    """weight[k] = Σ_o large[i(o, k)]ᵀ · small[o], the gradient of a convolution in its weight."""
    shape = (axes[0].kernel, axes[1].kernel, large.shape[3], small.shape[3])
    like = jax.ShapeDtypeStruct(shape, small.dtype)
    return jax.linear_transpose(lambda weight: shrink(large, weight, axes), like)(small)[0]

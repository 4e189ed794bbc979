"""Convolutions as matrix products, against direct sums and scipy, forward and gradient."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from oracles import ALGEBRA, convolution, transposed_convolution
from ratewarp.networks.lowering import (
    Axis,
    convolve,
    convolve_transposed,
    correlate,
    grow,
    multiply,
    product_of,
    products,
    shrink,
    skips_padding,
)

BATCH = 3
# size of the large image, kernel, stride, padding, channels, filters
PUBLISHED = [((13, 13), 4, 2, 1, 1, 32), ((6, 6), 3, 2, 1, 32, 64), ((3, 3), 3, 2, 1, 64, 256)]
ODD = [
    ((5, 8), 3, 1, 1, 2, 3),
    ((7, 4), 5, 3, 2, 3, 2),
    ((1, 9), 3, 2, 1, 1, 1),
    ((8, 6), 2, 2, 0, 2, 2),
    ((9, 15), 5, 3, 1, 2, 3),
    ((3, 8), 4, 1, 2, 3, 1),
    ((5, 5), 2, 3, 0, 1, 2),  # pixels that no tap reaches
    ((2, 3), 1, 1, 2, 2, 2),  # positions that reach padding alone
]


def _axes(size, kernel, stride, padding):
    return Axis(size[0], kernel, stride, padding), Axis(size[1], kernel, stride, padding)


def _draw(axes, channels, filters, seed=0):
    """Large image, weight and small image, batch first."""
    rng = np.random.default_rng(seed)
    large = rng.normal(size=(BATCH, *(axis.size for axis in axes), channels))
    small = rng.normal(size=(BATCH, *(axis.output_size for axis in axes), filters))
    weight = (
        rng.normal(size=(*(axis.kernel for axis in axes), channels, filters))
        / axes[0].kernel
        / np.sqrt(channels)
    )
    return large, weight, small / np.sqrt(filters)


def _by_position(images):
    return jnp.asarray(np.moveaxis(images, 0, 2), jnp.float32)


def _grown(small, weight, axes):
    """Transposed convolution by direct sums; the output padding is what the large image has beyond the
    kernels.
    """
    rows, columns = axes
    size = (rows.output_size - 1) * rows.stride - 2 * rows.padding + rows.kernel
    extra = max(
        rows.size - size,
        columns.size - ((columns.output_size - 1) * columns.stride - 2 * columns.padding + columns.kernel),
    )
    whole = transposed_convolution(small, np.swapaxes(weight, 2, 3), rows.stride, rows.padding, extra)
    return whole[:, : rows.size, : columns.size]


def _check(axes, channels, filters, skip):
    """All three operations; they are bilinear, so ⟨small, shrink(large, w)⟩ = ⟨grow(small, w), large⟩ =
    ⟨correlate(large, small), w⟩.
    """
    large, weight, small = _draw(axes, channels, filters)
    shrunk = convolution(large, weight, axes[0].stride, axes[0].padding)

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def operations(large, weight, small):
        how = {"axes": axes, "skip_padding": skip}
        return shrink(large, weight, **how), grow(small, weight, **how), correlate(large, small, **how)

    ours = operations(_by_position(large), jnp.asarray(weight, jnp.float32), _by_position(small))
    np.testing.assert_allclose(ours[0], _by_position(shrunk), atol=ALGEBRA)
    np.testing.assert_allclose(ours[1], _by_position(_grown(small, weight, axes)), atol=ALGEBRA)
    gradient = np.asarray(ours[2], float)
    assert gradient.shape == weight.shape
    size = np.sqrt(small.size)
    for seed in (1, 2):
        _, direction, _ = _draw(axes, channels, filters, seed)
        expected = np.sum(small * convolution(large, direction, axes[0].stride, axes[0].padding))
        np.testing.assert_allclose(np.sum(gradient * direction) / size, expected / size, atol=ALGEBRA)


@pytest.mark.parametrize("skip", [False, True, None])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "channels", "filters"), PUBLISHED + ODD)
def test_against_direct_sums(size, kernel, stride, padding, channels, filters, skip):
    _check(_axes(size, kernel, stride, padding), channels, filters, skip)


@settings(max_examples=20, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    skip=st.booleans(),
)
def test_any_shape(size, kernel, stride, padding, skip):
    axes = _axes(size, kernel, stride, padding)
    if min(axis.output_size for axis in axes) >= 1:
        _check(axes, 2, 3, skip)


@pytest.mark.parametrize("forward", [convolve, convolve_transposed])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "channels", "filters"), PUBLISHED)
def test_gradients_are_the_adjoints(forward, size, kernel, stride, padding, channels, filters):
    """JAX's gradient of each layer against the other operations, which the direct sums have checked."""
    axes = _axes(size, kernel, stride, padding)
    large, weight, small = _draw(axes, channels, filters)
    large, weight, small = _by_position(large), jnp.asarray(weight, jnp.float32), _by_position(small)
    source, target = (large, small) if forward is convolve else (small, large)
    by_source, by_weight = jax.vjp(lambda x, w: forward(x, w, axes), source, weight)[1](target)
    back = grow if forward is convolve else shrink
    np.testing.assert_allclose(by_source, back(target, weight, axes), atol=ALGEBRA)
    np.testing.assert_allclose(by_weight, correlate(large, small, axes), atol=ALGEBRA)


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 3), (3, 7)])
def test_product_and_its_gradients(inputs, outputs):
    rng = np.random.default_rng(0)
    x, weight, errors = (
        jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((4, inputs), (inputs, outputs), (4, outputs))
    )
    value, pull = jax.vjp(multiply, x, weight)
    for ours, plain in zip(
        (value, *pull(errors)), (x @ weight, errors @ weight.T, x.T @ errors), strict=True
    ):
        np.testing.assert_allclose(ours, plain, atol=ALGEBRA)


def test_against_scipy():
    axes = _axes((9, 9), 3, 1, 1)
    large, weight, _ = _draw(axes, 1, 1)
    expected = signal.correlate(large[0, :, :, 0], weight[:, :, 0, 0], mode="same")
    np.testing.assert_allclose(
        convolve(_by_position(large), jnp.asarray(weight, jnp.float32), axes)[:, :, 0, 0],
        expected,
        atol=ALGEBRA,
    )


def test_products_on_padding_are_left_out_where_they_are_many():
    first, second, third = (_axes(size, kernel, 2, 1) for size, kernel, *_ in PUBLISHED)
    assert (products(third, False), products(third, True)) == (36, 16)
    assert [skips_padding(axes) for axes in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize(("precision", "bits"), [("float32", 23), ("tensorfloat32", 10), ("bfloat16", 7)])
def test_narrow_products_round_their_factors(precision, bits):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(5, 6)).astype(np.float32), rng.normal(size=(6, 4)).astype(np.float32)

    def rounded(values):
        mantissa, exponent = np.frexp(values.astype(float))
        return np.ldexp(np.round(mantissa * 2.0 ** (bits + 1)), exponent - bits - 1)

    with jax.default_matmul_precision(precision):
        ours = product_of(jnp.asarray(left), jnp.asarray(right))
    np.testing.assert_allclose(ours, rounded(left) @ rounded(right), atol=1e-6)

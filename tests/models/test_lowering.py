"""Convolutions as matrix products, against direct sums and scipy, forward and gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from oracles import ALGEBRA, convolution, transposed_convolution
from ratewarp.models.lowering import Axis, convolve, products, skips_padding

PUBLISHED = [
    ((13, 13), 4, 2, 1, None, 1, 32),
    ((6, 6), 3, 2, 1, None, 32, 64),
    ((3, 3), 3, 2, 1, None, 64, 256),
    ((2, 2), 3, 2, 1, 0, 256, 64),
    ((3, 3), 3, 2, 1, 1, 64, 32),
    ((6, 6), 4, 2, 1, 1, 32, 1),
]
ODD = [
    ((5, 8), 3, 1, 1, None, 2, 3),
    ((7, 4), 5, 3, 2, None, 3, 2),
    ((1, 9), 3, 2, 1, None, 1, 1),
    ((4, 3), 2, 2, 0, 0, 2, 2),
    ((3, 5), 5, 3, 1, 2, 2, 3),
    ((2, 7), 4, 1, 2, 0, 3, 1),
]


def _axes(size, kernel, stride, padding, output_padding):
    transposed = output_padding is not None
    return tuple(Axis(n, kernel, stride, padding, transposed, output_padding or 0) for n in size)


def _oracle(images, weight, stride, padding, output_padding):
    if output_padding is None:
        return convolution(images, weight, stride, padding)
    return transposed_convolution(images, weight, stride, padding, output_padding)


def _draw(size, kernel, channels, filters, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(3, *size, channels)).astype(np.float32)
    weight = (rng.normal(size=(kernel, kernel, channels, filters)) / kernel / np.sqrt(channels)).astype(np.float32)
    return images, weight


@pytest.mark.parametrize("skip", [False, True, None])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "output_padding", "channels", "filters"), PUBLISHED + ODD)
def test_forward_and_gradient(size, kernel, stride, padding, output_padding, channels, filters, skip):
    axes = _axes(size, kernel, stride, padding, output_padding)
    images, weight = _draw(size, kernel, channels, filters)
    expected = _oracle(images.astype(float), weight.astype(float), stride, padding, output_padding)
    forward = jax.jit(lambda i, w: convolve(i, w, axes, skip_padding=skip))
    out, pull = jax.vjp(forward, jnp.asarray(images), jnp.asarray(weight))
    np.testing.assert_allclose(out, expected, atol=ALGEBRA)
    # The map is linear in each argument, so a gradient is exact along any direction.
    cotangent = np.random.default_rng(1).normal(size=expected.shape).astype(np.float32) / np.sqrt(expected.size)
    by_images, by_weight = pull(jnp.asarray(cotangent))
    along_images, along_weight = _draw(size, kernel, channels, filters, seed=2)
    expected_images = np.sum(cotangent * _oracle(along_images.astype(float), weight.astype(float), stride, padding, output_padding))
    expected_weight = np.sum(cotangent * _oracle(images.astype(float), along_weight.astype(float), stride, padding, output_padding))
    np.testing.assert_allclose(np.sum(np.asarray(by_images, float) * along_images), expected_images, atol=ALGEBRA)
    np.testing.assert_allclose(np.sum(np.asarray(by_weight, float) * along_weight), expected_weight, atol=ALGEBRA)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    output_padding=st.sampled_from([None, 0, 1]),
    skip=st.booleans(),
)
def test_any_shape(size, kernel, stride, padding, output_padding, skip):
    axes = _axes(size, kernel, stride, padding, output_padding)
    if min(axis.output_size for axis in axes) < 1 or (output_padding or 0) >= stride:
        return
    images, weight = _draw(size, kernel, 2, 2)
    expected = _oracle(images.astype(float), weight.astype(float), stride, padding, output_padding)
    np.testing.assert_allclose(
        jax.jit(lambda i, w: convolve(i, w, axes, skip_padding=skip))(jnp.asarray(images), jnp.asarray(weight)), expected, atol=ALGEBRA
    )


def test_against_scipy():
    images, weight = _draw((9, 9), 3, 1, 1)
    expected = correlate(images[0, :, :, 0], weight[:, :, 0, 0], mode="same")
    axes = _axes((9, 9), 3, 1, 1, None)
    np.testing.assert_allclose(convolve(jnp.asarray(images), jnp.asarray(weight), axes)[0, :, :, 0], expected, atol=ALGEBRA)


def test_products_on_padding_are_left_out_where_they_are_many():
    third, transposed = _axes((3, 3), 3, 2, 1, None), _axes((2, 2), 3, 2, 1, 0)
    assert (products(third, False), products(third, True)) == (36, 16)
    assert products(transposed, False) == products(transposed, True) == 16
    assert skips_padding(third)
    assert not skips_padding(_axes((6, 6), 3, 2, 1, None))

"""Every way to compute convolutions, against direct sums and scipy, forward and gradient."""

from __future__ import annotations

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from oracles import ALGEBRA, convolution, transposed_convolution
from ratewarp.networks import Convolutional, blocks, positions, tiles
from ratewarp.networks.axis import Axis
from ratewarp.networks.convolutional import encoder_shapes
from ratewarp.networks.lowering import convolve, convolve_transposed, prepare, way_of
from ratewarp.networks.positions import correlate, grow, products, shrink, skips_padding

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


WAYS = {"positions": positions, "blocks": blocks, "tiles": tiles}


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


def _check(axes, channels, filters, way, **how):
    """All three operations; they are bilinear, so ⟨small, shrink(large, w)⟩ = ⟨grow(small, w), large⟩ =
    ⟨correlate(large, small), w⟩.
    """
    large, weight, small = _draw(axes, channels, filters)
    shrunk = convolution(large, weight, axes[0].stride, axes[0].padding)

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def operations(large, weight, small):
        prepared = way.prepare(weight, axes)
        return (
            way.shrink(large, prepared, axes, **how),
            way.grow(small, prepared, axes, **how),
            way.correlate(large, small, axes, **how),
        )

    ours = operations(_by_position(large), jnp.asarray(weight, jnp.float32), _by_position(small))
    np.testing.assert_allclose(ours[0], _by_position(shrunk), atol=ALGEBRA)
    np.testing.assert_allclose(ours[1], _by_position(_grown(small, weight, axes)), atol=ALGEBRA)
    gradient = np.asarray(ours[2], float)
    size = np.sqrt(small.size)
    for seed in (1, 2):
        _, direction, _ = _draw(axes, channels, filters, seed)
        expected = np.sum(small * convolution(large, direction, axes[0].stride, axes[0].padding))
        prepared = np.asarray(way.prepare(jnp.asarray(direction, jnp.float32), axes), float)
        assert gradient.shape == prepared.shape
        np.testing.assert_allclose(np.sum(gradient * prepared) / size, expected / size, atol=ALGEBRA)


@pytest.mark.parametrize("skip", [False, True, None])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "channels", "filters"), PUBLISHED + ODD)
def test_by_position_against_direct_sums(size, kernel, stride, padding, channels, filters, skip):
    _check(_axes(size, kernel, stride, padding), channels, filters, positions, skip_padding=skip)


@pytest.mark.parametrize("way", [blocks, tiles], ids=["blocks", "tiles"])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "channels", "filters"), PUBLISHED + ODD)
def test_against_direct_sums(size, kernel, stride, padding, channels, filters, way):
    axes = _axes(size, kernel, stride, padding)
    if way is not tiles or tiles.fits(axes):
        _check(axes, channels, filters, way)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    channels=st.integers(1, 4),
    way=st.sampled_from(["positions", "blocks", "tiles"]),
)
def test_any_shape(size, kernel, stride, padding, channels, way):
    axes = _axes(size, kernel, stride, padding)
    if min(axis.output_size for axis in axes) >= 1 and (way != "tiles" or tiles.fits(axes)):
        _check(axes, channels, 3, WAYS[way])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("forward", [convolve, convolve_transposed])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "channels", "filters"), PUBLISHED)
def test_gradients_are_the_adjoints(forward, size, kernel, stride, padding, channels, filters, way):
    """JAX's gradient of each layer against the other operations, which the direct sums have checked."""
    axes = _axes(size, kernel, stride, padding)
    large, weight, small = _draw(axes, channels, filters)
    large, weight, small = _by_position(large), jnp.asarray(weight, jnp.float32), _by_position(small)
    source, target = (large, small) if forward is convolve else (small, large)
    whole = lambda x, w: forward(x, prepare(w, axes, way), axes, way)  # noqa: E731
    by_source, by_weight = jax.vjp(whole, source, weight)[1](target)
    back = grow if forward is convolve else shrink
    np.testing.assert_allclose(by_source, back(target, weight, axes), atol=ALGEBRA)
    np.testing.assert_allclose(by_weight, correlate(large, small, axes), atol=ALGEBRA)


def test_against_scipy():
    axes = _axes((9, 9), 3, 1, 1)
    large, weight, _ = _draw(axes, 1, 1)
    expected = signal.correlate(large[0, :, :, 0], weight[:, :, 0, 0], mode="same")
    np.testing.assert_allclose(
        convolve(_by_position(large), jnp.asarray(weight, jnp.float32), axes, "positions")[:, :, 0, 0],
        expected,
        atol=ALGEBRA,
    )


def test_products_on_padding_are_left_out_where_they_are_many():
    first, second, third = (_axes(size, kernel, 2, 1) for size, kernel, *_ in PUBLISHED)
    assert (products(third, False), products(third, True)) == (36, 16)
    assert [skips_padding(axes) for axes in (first, second, third)] == [False, True, True]


def test_tiles_take_nine_sixteenths_of_the_products():
    """Counted in the program, for an even number of positions each way."""
    axes = _axes((16, 16), 4, 2, 1)
    large, weight, _ = _draw(axes, 8, 5)
    arguments = _by_position(large), jnp.asarray(weight, jnp.float32)

    def multiply_adds(way):
        text = jax.jit(lambda x, w: way.shrink(x, way.prepare(w, axes), axes)).lower(*arguments).as_text()
        shapes = [line.split(" : ")[-1] for line in text.splitlines() if "dot_general" in line]
        sizes = [
            [int(n) for n in one.split("tensor<")[k].split("xf32")[0].split("x")]
            for one in shapes
            for k in (1, 2)
        ]
        return sum(
            rows * inner * columns
            for (rows, inner), (_, columns) in zip(sizes[::2], sizes[1::2], strict=True)
        )

    assert multiply_adds(blocks) == 8 * 8 * BATCH * 16 * 8 * 5
    assert multiply_adds(tiles) == multiply_adds(blocks) * 9 / 16


@pytest.mark.parametrize("precision", ["tensorfloat32", "bfloat16"])
def test_narrow_products_are_of_images_and_weights_in_every_way(precision):
    axes = _axes((15, 12), 4, 2, 1)
    large, weight, small = _draw(axes, 3, 4)
    large, weight, small = _by_position(large), jnp.asarray(weight, jnp.float32), _by_position(small)

    def results(way):
        value, pull = jax.vjp(lambda x, w: convolve(x, prepare(w, axes, way), axes, way), large, weight)
        return value, *pull(small), convolve_transposed(small, prepare(weight, axes, way), axes, way)

    exact = results("positions")
    with jax.default_matmul_precision(precision):
        expected = results("positions")
        for way in ("blocks", "tiles"):
            for ours, theirs in zip(results(way), expected, strict=True):
                np.testing.assert_allclose(ours, theirs, atol=ALGEBRA)
    assert max(float(jnp.abs(a - b).max()) for a, b in zip(exact, expected, strict=True)) > 10 * ALGEBRA


def _ways(network, image_shape):
    return [shape.way for shape in encoder_shapes(network, image_shape)]


def test_the_published_network_is_computed_by_position():
    assert _ways(Convolutional(), (13, 13, 1)) == ["positions"] * 3
    assert _ways(Convolutional(convolutions="by size"), (13, 13, 16)) == ["positions"] * 2


def test_ways_of_larger_images():
    by_size = Convolutional(convolutions="by size")
    assert _ways(by_size, (28, 28, 1)) == ["blocks", "tiles", "blocks"]  # 7 → 3: as many products
    assert _ways(by_size, (64, 64, 3)) == ["blocks", "tiles", "tiles", "tiles"]
    assert _ways(by_size, (64, 64, 16))[0] == "tiles"
    wide = {"filters": 8, "kernel": 5, "stride": 1, "padding": 2}
    assert _ways(Convolutional.model_validate({"convolutions": [wide, wide]}), (32, 20, 3)) == ["blocks"] * 2


def test_accelerators_compute_larger_images_by_blocks():
    axes = _axes((14, 14), 4, 2, 1)
    assert way_of(axes, 32, 14 * 14, "gpu") == "blocks"
    assert way_of(axes, 32, 14 * 14, "cpu") == "tiles"
    assert way_of(_axes((13, 13), 4, 2, 1), 32, 13 * 13, "gpu") == "positions"


def _expected_layers(model, images):
    """Mean, and the decoder's image of it, by direct sums."""
    leaky = lambda x: np.where(x > 0, x, 0.01 * x)  # noqa: E731
    hidden = images
    for layer in model.encoder.convolutions:
        axes = layer.shape.axes
        hidden = convolution(hidden, np.asarray(layer.weight), axes[0].stride, axes[0].padding)
        hidden = leaky(hidden + np.asarray(layer.bias))
    mean = hidden.reshape(len(images), -1) @ np.asarray(model.encoder.mean.weight) + np.asarray(
        model.encoder.mean.bias
    )
    linear = model.decoder.linear
    hidden = (mean @ np.asarray(linear.weight) + np.asarray(linear.bias)).reshape(hidden.shape)
    for index, layer in enumerate(model.decoder.convolutions):
        weight = np.asarray(layer.weight)
        hidden = _grown(leaky(hidden) if index else hidden, weight, layer.shape.axes) + np.asarray(layer.bias)
    return mean, hidden


@pytest.mark.parametrize("shape", [(28, 28, 1), (16, 33, 3)])
def test_networks_of_larger_images_layer_by_layer(shape):
    model = Convolutional(latents=2, convolutions="by size").build(shape, key=jax.random.key(0))
    images = np.random.default_rng(0).uniform(size=(BATCH, *shape)).astype(np.float32)
    mean, decoded = _expected_layers(model, images)
    ours = eqx.filter_jit(lambda model, images: model.encode(images)[0])(model, jnp.asarray(images))
    np.testing.assert_allclose(ours, mean, atol=ALGEBRA)
    np.testing.assert_allclose(
        eqx.filter_jit(model.decoder)(jnp.asarray(mean, jnp.float32)), decoded, atol=ALGEBRA
    )

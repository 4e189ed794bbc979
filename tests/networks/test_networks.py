from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import entropy, norm

from oracles import ALGEBRA, STANDARD_ERRORS, convolution, transposed_convolution
from ratewarp._checks import RequestError
from ratewarp.networks import (
    Convolutional,
    from_named,
    latent_rates,
    make_head,
    sample_codes,
    skeleton,
    to_named,
)

KEY = jax.random.key(0)
MODEL = Convolutional().build((13, 13, 1), key=KEY)


def test_published_parameter_count():
    assert sum(leaf.size for leaf in jax.tree.leaves(MODEL)) == 349_643


def test_published_sizes():
    assert [c.shape.axes[0].output_size for c in MODEL.encoder.convolutions] == [6, 3, 2]
    assert [c.shape.axes[0].size for c in MODEL.decoder.convolutions] == [3, 6, 13]
    images = jnp.zeros((4, 13, 13, 1))
    mean, log_variance = eqx.filter_jit(MODEL.encoder)(images)
    assert mean.shape == log_variance.shape == (4, 5)
    out = eqx.filter_jit(MODEL.decoder)(mean)
    assert out.shape == (4, 13, 13, 1)


def test_published_networks_layer_by_layer():
    """Nonlinearities stand between convolutions only: none after the decoder's linear map."""
    leaky = lambda x: np.where(x > 0, x, 0.01 * x)  # noqa: E731
    images = np.asarray(jax.random.uniform(KEY, (3, 13, 13, 1)))
    hidden = images
    for layer in MODEL.encoder.convolutions:
        hidden = leaky(convolution(hidden, np.asarray(layer.weight), 2, 1) + np.asarray(layer.bias))
    flat = hidden.reshape(3, -1)
    ours = eqx.filter_jit(MODEL.encoder)(jnp.asarray(images))
    for layer, values in zip((MODEL.encoder.mean, MODEL.encoder.log_variance), ours, strict=True):
        np.testing.assert_allclose(
            values, flat @ np.asarray(layer.weight) + np.asarray(layer.bias), atol=ALGEBRA
        )
    codes = np.asarray(jax.random.normal(KEY, (3, 5)))
    decoder = MODEL.decoder
    hidden = (codes @ np.asarray(decoder.linear.weight) + np.asarray(decoder.linear.bias)).reshape(
        3, 2, 2, 256
    )
    for index, (layer, extra) in enumerate(zip(decoder.convolutions, (0, 1, 1), strict=True)):
        weight = np.asarray(layer.weight).swapaxes(2, 3)
        hidden = transposed_convolution(leaky(hidden) if index else hidden, weight, 2, 1, extra) + np.asarray(
            layer.bias
        )
    np.testing.assert_allclose(eqx.filter_jit(decoder)(jnp.asarray(codes)), hidden, atol=ALGEBRA)


@pytest.mark.parametrize(("shape"), [(28, 28, 1), (9, 17, 3), (64, 64, 4)])
def test_decoder_restores_any_image_shape(shape):
    model = Convolutional(latents=3, convolutions=Convolutional().convolutions[:2]).build(shape, key=KEY)
    assert eqx.filter_jit(model.decoder)(jnp.zeros((2, 3))).shape == (2, *shape)


def test_initial_weights_are_uniform_on_pytorch_bounds():
    encoder, decoder = MODEL.encoder, MODEL.decoder
    fans = [
        (encoder.convolutions[2], 64 * 9),
        (encoder.mean, 1024),
        (decoder.linear, 5),
        (decoder.convolutions[0], 64 * 9),
        (decoder.convolutions[1], 32 * 9),
    ]
    for layer, fan_in in fans:
        weights = np.asarray(layer.weight).ravel()
        bound = 1 / np.sqrt(fan_in)
        assert np.abs(weights).max() <= bound
        assert np.abs(weights).max() > 0.99 * bound
        assert np.abs(weights.mean()) < STANDARD_ERRORS * bound / np.sqrt(3 * len(weights))
        assert np.abs(np.asarray(layer.bias)).max() <= bound


def test_latent_rate_is_the_divergence_from_the_prior():
    mean, log_variance = np.array([[0.7, -1.2]], np.float32), np.array([[0.3, -2.0]], np.float32)
    grid = np.linspace(-12, 12, 200_001)
    expected = [
        entropy(norm.pdf(grid, m, np.exp(v / 2)), norm.pdf(grid))
        for m, v in zip(mean[0], log_variance[0], strict=True)
    ]
    np.testing.assert_allclose(
        latent_rates(jnp.asarray(mean), jnp.asarray(log_variance))[0], expected, atol=ALGEBRA
    )


def test_sampled_codes_have_the_posterior_moments():
    n = 100_000
    mean, log_variance = jnp.full((n, 1), 0.5), jnp.full((n, 1), -1.0)
    codes = np.asarray(sample_codes(mean, log_variance, key=KEY))
    spread = np.exp(-0.5)
    assert abs(codes.mean() - 0.5) < STANDARD_ERRORS * spread / np.sqrt(n)
    assert abs(codes.std() - spread) < STANDARD_ERRORS * spread / np.sqrt(2 * n)


def test_binary_head_is_linear_and_dropout_only_acts_in_training():
    binary, many = make_head(5, 2, key=KEY), make_head(5, 25, key=KEY)
    codes = jax.random.normal(KEY, (6, 5))
    logits = np.asarray(binary(codes, key=None))
    combined = (
        np.asarray(binary.hidden.weight @ binary.output.weight),
        np.asarray(binary.hidden.bias @ binary.output.weight + binary.output.bias),
    )
    np.testing.assert_allclose(logits[:, 1:], np.asarray(codes) @ combined[0] + combined[1], atol=ALGEBRA)
    np.testing.assert_allclose(
        log_softmax(logits, axis=1)[:, 1], -np.log1p(np.exp(-logits[:, 1])), atol=ALGEBRA
    )
    assert np.array_equal(many(codes, key=None), many(codes, key=None))
    repeated = jnp.tile(codes[:1], (4000, 1))
    noisy = np.asarray(many(repeated, key=KEY))
    clean = np.asarray(many(repeated[:1], key=None))
    assert noisy.std(axis=0).min() > 0
    assert np.all(
        np.abs(noisy.mean(axis=0) - clean[0]) < STANDARD_ERRORS * noisy.std(axis=0) / np.sqrt(len(noisy))
    )


def test_binary_head_equals_its_two_maps_one_after_the_other_with_gradients():
    head = make_head(5, 2, key=KEY)
    codes = jax.random.normal(KEY, (6, 5))
    direct = lambda h: jnp.sum(jnp.sin(h.output(h.hidden(codes))))  # noqa: E731
    ours = lambda h: jnp.sum(jnp.sin(h(codes, key=None)[:, 1:]))  # noqa: E731
    for a, b in zip(
        jax.tree.leaves(jax.grad(direct)(head)), jax.tree.leaves(jax.grad(ours)(head)), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=ALGEBRA)


def test_dropout_keeps_three_of_four_units_independently():
    from ratewarp.networks.heads import _three_of_four

    kept = np.asarray(_three_of_four((400, 1501), key=KEY))
    assert kept.shape == (400, 1501)
    n = kept.size
    assert abs(kept.mean() - 0.75) < STANDARD_ERRORS * np.sqrt(0.75 * 0.25 / n)
    for lag in (1, 16, 1501):
        flat = kept.ravel().astype(float)
        assert abs(np.corrcoef(flat[:-lag], flat[lag:])[0, 1]) < STANDARD_ERRORS / np.sqrt(n - lag)


def test_parameters_by_name_and_back():
    named = to_named(MODEL)
    assert named["encoder.convolutions.0.weight"].shape == (4, 4, 1, 32)
    shapes = skeleton(Convolutional(), (13, 13, 1))
    restored = from_named(shapes, named)
    assert all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(MODEL), jax.tree.leaves(restored), strict=True)
    )
    with pytest.raises(RequestError, match="differing names"):
        from_named(shapes, {**named, "more": np.zeros(1)})
    with pytest.raises(RequestError, match="must have shape"):
        from_named(shapes, {**named, "encoder.mean.bias": np.zeros(3, np.float32)})

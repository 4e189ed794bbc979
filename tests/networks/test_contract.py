"""What every network promises, built in or brought by a user; and how what does not keep it is refused."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from conftest import TINY_NETWORK
from oracles import ALGEBRA
from ratewarp._checks import RequestError
from ratewarp.networks import (
    MLP,
    NETWORKS,
    Convolutional,
    GivenNetwork,
    arrays_of,
    from_named,
    skeleton,
    to_named,
    whole,
)
from worlds import Deep, Line, Perceptron, same

KEY = jax.random.key(5)
SMALL = (5, 1, 1)


CONTRACT = {
    "convolutional": Convolutional(**TINY_NETWORK),
    "mlp": MLP(latents=3, widths=(7, 5)),
    "perceptron": GivenNetwork(Perceptron),
    "line": GivenNetwork(Line),
    "object": GivenNetwork(Deep()),
}
SHAPES = [(13, 13, 1), (16, 16, 3), SMALL]
CASES = [(name, shape) for name in CONTRACT for shape in SHAPES if (name, shape) != ("convolutional", SMALL)]
every = pytest.mark.parametrize(("name", "shape"), CASES, ids=[f"{name} {shape}" for name, shape in CASES])


def test_no_network_of_the_package_is_left_out():
    assert {type(network) for network in CONTRACT.values()} == {*NETWORKS, GivenNetwork}


class Outcome(NamedTuple):
    """What one program makes of a network: codes of images and of one alone, decoded means, a step."""

    codes: tuple[Any, Any]
    alone: tuple[Any, Any]
    decoded: Any
    loss: Any
    moved: Any
    loss_then: Any


def images_of(shape) -> jax.Array:
    return jax.random.uniform(KEY, (4, *shape))


@cache
def outcome(name: str, shape: tuple[int, int, int]) -> Outcome:
    network, images = CONTRACT[name], images_of(shape)

    def loss(arrays):
        networks = whole(network, shape, arrays)
        mean, log_variance = networks.encode(images)
        return jnp.mean((networks.decode(mean) - images) ** 2) + 0.1 * jnp.mean(log_variance**2)

    @jax.jit
    def program(arrays):
        networks = whole(network, shape, arrays)
        codes, alone = networks.encode(images), networks.encode(images[2:3])
        value, gradient = jax.value_and_grad(loss)(arrays)
        moved = jax.tree.map(lambda a, g: a - 0.01 * g, arrays, gradient)
        return Outcome(codes, alone, networks.decode(codes[0]), value, moved, loss(moved))

    return program(arrays_of(network.build(shape, key=KEY)))


@every
def test_it_is_a_code_of_images_and_images_of_a_code(name, shape):
    CONTRACT[name].check(shape)
    (mean, log_variance), decoded = outcome(name, shape).codes, outcome(name, shape).decoded
    assert mean.shape == log_variance.shape == (4, CONTRACT[name].latents)
    assert decoded.shape == (4, *shape)
    assert mean.dtype == log_variance.dtype == decoded.dtype == jnp.float32
    assert not np.allclose(mean[0], mean[1])
    assert not np.allclose(decoded[0], decoded[1])


@every
def test_an_image_is_coded_the_same_in_any_company(name, shape):
    for together, alone in zip(outcome(name, shape).codes, outcome(name, shape).alone, strict=True):
        np.testing.assert_allclose(together[2:3], alone, atol=ALGEBRA)


@every
def test_the_key_decides_the_arrays(name, shape):
    network = CONTRACT[name]
    first, again, other = (arrays_of(network.build(shape, key=key)) for key in (KEY, KEY, jax.random.key(6)))
    assert same(first, again)
    assert not same(first, other)


@every
def test_arrays_are_taken_out_and_put_back(name, shape):
    network = CONTRACT[name]
    built = network.build(shape, key=KEY)
    arrays, shapes = arrays_of(built), skeleton(network, shape)
    assert same(from_named(shapes, to_named(arrays)), arrays)
    assert len(jax.tree.leaves(arrays)) >= 4
    assert same(arrays_of(whole(network, shape, arrays)), arrays)
    codes = eqx.filter_jit(lambda networks, images: networks.encode(images))(built, images_of(shape))
    for direct, through in zip(codes, outcome(name, shape).codes, strict=True):
        np.testing.assert_allclose(direct, through, atol=ALGEBRA)


@every
def test_a_step_along_the_gradient_inside_a_program_moves_every_array(name, shape):
    first, done = arrays_of(CONTRACT[name].build(shape, key=KEY)), outcome(name, shape)
    assert done.loss_then < done.loss
    for old, new in zip(jax.tree.leaves(first), jax.tree.leaves(done.moved), strict=True):
        assert not np.array_equal(old, new)


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "tanh": np.tanh,
    "softplus": lambda x: np.log1p(np.exp(x)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_perceptron_layer_by_layer(activation):
    shape = (2, 3, 2)
    built = MLP(latents=2, widths=(9, 4), activation=activation).build(shape, key=KEY)
    images = np.asarray(jax.random.normal(KEY, (5, *shape)), float)

    def through(layers, rows):
        for place, layer in enumerate(layers.maps):
            rows = rows @ np.asarray(layer.weight, float) + np.asarray(layer.bias, float)
            rows = ACTIVATIONS[activation](rows) if place < len(layers.maps) - 1 else rows
        return rows

    encoder, decoder = built.encoder.layers, built.decoder.layers
    assert [layer.weight.shape for layer in encoder.maps] == [(12, 9), (9, 4), (4, 4)]
    assert [layer.weight.shape for layer in decoder.maps] == [(2, 4), (4, 9), (9, 12)]
    both = through(encoder, images.reshape(5, -1))
    mean, log_variance = built.encode(jnp.asarray(images, jnp.float32))
    np.testing.assert_allclose(np.hstack([mean, log_variance]), both, atol=ALGEBRA)
    decoded = built.decode(mean).reshape(5, -1)
    np.testing.assert_allclose(decoded, through(decoder, both[:, :2]), atol=ALGEBRA)


def test_the_bend_of_gelu_is_the_error_function_nearly():
    x = np.linspace(-4, 4, 99)
    np.testing.assert_allclose(ACTIVATIONS["gelu"](x), x * (1 + erf(x / np.sqrt(2))) / 2, atol=1e-3)


@pytest.mark.parametrize(
    ("network", "shape", "said"),
    [
        (
            MLP(widths=(65_536,)),
            (1024, 1024, 1),
            r"network\.widths must be .*at most 100,000,000 weights; got '137,440,",
        ),
        (
            Convolutional(**TINY_NETWORK),
            SMALL,
            r"network\.convolutions\.0 must be small enough for its input of 5 × 1 pixels",
        ),
    ],
)
def test_what_does_not_fit_the_images_is_refused(network, shape, said):
    with pytest.raises(RequestError, match=said):
        network.check(shape)

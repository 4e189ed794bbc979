"""Decoders as plain layers, against those that are trained."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles import ALGEBRA
from ratewarp.likelihoods import LIKELIHOODS
from ratewarp.networks import (
    MLP,
    NETWORKS,
    Convolutional,
    ConvolutionConfig,
    GivenNetwork,
    decoder_layers,
    through_layers,
    to_named,
)
from ratewarp.networks.decoder_layers import _LAYERS_OF, NONLINEARITIES, Dense, Transposed, folded
from ratewarp.networks.mlp import ACTIVATIONS
from worlds import Line

WIDE = ConvolutionConfig(filters=3, kernel=2, stride=3, padding=0)  # leaves pixels out, and some at the end
CASES: dict[str, tuple[Any, tuple[int, int, int]]] = {
    "published": (Convolutional(), (13, 13, 1)),
    "by size": (Convolutional(latents=3, convolutions="by size"), (18, 11, 3)),
    "wide strides": (Convolutional(latents=2, convolutions=(WIDE, WIDE)), (16, 11, 2)),
    "padding beyond the kernel": (
        Convolutional(convolutions=(ConvolutionConfig(filters=2, kernel=3, padding=4),)),
        (5, 7, 1),
    ),
    "mlp": (MLP(latents=3, widths=(9, 6), activation="gelu"), (4, 3, 2)),
}


def layers_and_decoded(network, shape) -> tuple[Any, np.ndarray, np.ndarray]:
    """Layers of a network of random parameters, codes, and what the network makes of them."""
    networks = network.build(shape, key=jax.random.key(0))
    codes = np.random.default_rng(1).normal(size=(7, network.latents)).astype(np.float32)
    decoded = np.asarray(networks.decode(jnp.asarray(codes))).reshape(7, -1)
    return decoder_layers(network, shape, to_named({"networks": networks})), codes, decoded


@pytest.mark.parametrize("name", CASES)
def test_layers_decode_as_the_network_does(name):
    layers, codes, decoded = layers_and_decoded(*CASES[name])
    np.testing.assert_allclose(through_layers(layers, codes), decoded, rtol=ALGEBRA, atol=ALGEBRA)


def test_two_affine_layers_of_the_published_decoder_are_one():
    layers, *_ = layers_and_decoded(*CASES["published"])
    assert [type(layer).__name__ for layer in layers] == [
        *("Dense", "Nonlinearity", "Transposed", "Nonlinearity", "Transposed")
    ]
    assert sum(layer.numbers for layer in layers) == 6 * 576 + 9 * 64 * 32 + 32 + 16 * 32 + 1


def test_layers_that_would_grow_are_not_folded():
    narrow, wide = Dense(np.ones((9, 1)), np.ones(1)), Dense(np.ones((1, 9)), np.ones(9))
    assert len(folded([narrow, wide])) == 2
    (both,) = folded([wide, narrow])
    assert both.described()["weight"].tolist() == [[9.0]]
    assert both.described()["bias"].tolist() == [10.0]


def test_no_network_of_the_package_is_left_out():
    assert set(_LAYERS_OF) == set(NETWORKS)


def test_others_have_no_layers():
    assert decoder_layers(GivenNetwork(Line), (5, 1, 1), {}) is None
    assert decoder_layers(Convolutional(), (13, 13, 1), {"weight": np.zeros(2)}) is None


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_network(name):
    values = np.linspace(-30, 30, 61)
    found = NONLINEARITIES[name](values)
    np.testing.assert_allclose(
        found, ACTIVATIONS[name](jnp.asarray(values, jnp.float32)), rtol=ALGEBRA, atol=ALGEBRA
    )


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda one: one.__name__)
def test_the_last_nonlinearity_is_that_of_the_likelihood(likelihood):
    values = np.linspace(-30, 30, 61)
    expected = likelihood().expected(jnp.asarray(values, jnp.float32))
    np.testing.assert_allclose(NONLINEARITIES[likelihood.LAST](values), expected, rtol=ALGEBRA, atol=ALGEBRA)


def test_a_transposed_convolution_tells_its_own_sizes():
    layers, *_ = layers_and_decoded(*CASES["published"])
    last = layers[-1]
    assert isinstance(last, Transposed)
    told = {name: last.described()[name] for name in ("small", "large", "stride", "padding")}
    assert told == {"small": [6, 6], "large": [13, 13], "stride": [2, 2], "padding": [1, 1]}

"""The precision that programs ask of matrix products: accelerators round factors wherever none is asked for."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest
from jax.lax import DotAlgorithmPreset, Precision

from ratewarp.likelihoods import BernoulliMean
from ratewarp.networks import MLP, Convolutional, arrays_of, pullback_metric
from ratewarp.runs.trained import TrainedNetworks
from ratewarp.training.coder import Coder
from ratewarp.training.devices import map_members

SHAPE = (20, 20, 1)
NETWORKS = [MLP(widths=(5,), latents=2), Convolutional(latents=2, convolutions="by size")]


@pytest.fixture(autouse=True)
def nothing_asked():
    """As in a user's process; the tests' own setting would hide what is missing."""
    with jax.default_matmul_precision(None):
        yield


def _precisions(jaxpr):
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            asked = equation.params["precision"]
            yield from asked if isinstance(asked, tuple) else (asked,)
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from _precisions(inner)


def _asked(function, *arguments):
    return set(_precisions(jax.make_jaxpr(function)(*arguments).jaxpr))


def _trained(network):
    arrays = arrays_of(network.build(SHAPE, key=jax.random.key(0)))
    return TrainedNetworks(Coder(network, BernoulliMean(), SHAPE, "8-bit"), arrays)


@pytest.mark.parametrize("network", NETWORKS, ids=["mlp", "convolutional"])
def test_trained_networks_are_called_with_whole_factors(network):
    trained, images, codes = _trained(network), jnp.zeros((3, *SHAPE)), jnp.zeros((3, 2))
    assert _asked(trained.coder.networks(trained.arrays).encode, images) == {None}  # what it is about
    assert _asked(trained.encode, images) == {Precision.HIGHEST}
    assert _asked(trained.decode, codes) == {Precision.HIGHEST}


def test_the_pullback_metric_is_of_whole_factors(monkeypatch):
    found = []

    def seen(function):
        found.append(function)
        return lambda codes: found.append(_asked(function, codes)) or jnp.zeros(1)

    monkeypatch.setattr("ratewarp.networks.pullback.jax.jit", seen)
    pullback_metric(_trained(NETWORKS[0]).decode, jnp.zeros((2, 2)))
    assert found[1] == {Precision.HIGHEST}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, Precision.HIGHEST),
        ("float32", Precision.HIGHEST),
        ("BF16_BF16_F32", DotAlgorithmPreset.BF16_BF16_F32),
    ],
)
def test_members_are_mapped_with_whole_factors_unless_others_are_asked_for(asked, expected):
    with jax.default_matmul_precision(asked):
        found = _asked(lambda x: map_members(lambda member: member.T @ member, x), jnp.ones((2, 3, 4)))
    assert found == {expected}

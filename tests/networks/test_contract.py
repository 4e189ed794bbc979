"""What every network promises, built in or brought by a user; and how what does not keep it is refused."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from functools import cache, partial
from math import prod
from types import ModuleType
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from conftest import TINY_NETWORK
from oracles import ALGEBRA
from ratewarp import Study
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
from ratewarp.studies import resolved, stored_study
from worlds import example

KEY = jax.random.key(5)
SMALL = (5, 1, 1)
Perceptron = example("own_network").Perceptron


class Line(eqx.Module):
    """One linear map each way."""

    latents = 2
    inwards: eqx.nn.Linear
    outwards: eqx.nn.Linear
    shape: tuple[int, int, int] = eqx.field(static=True)

    def __init__(self, image_shape, *, key):
        keys = jax.random.split(key)
        self.shape = image_shape
        self.inwards = eqx.nn.Linear(prod(image_shape), 4, key=keys[0])
        self.outwards = eqx.nn.Linear(2, prod(image_shape), key=keys[1])

    def encode(self, images):
        return tuple(jnp.split(jax.vmap(self.inwards)(images.reshape(len(images), -1)), 2, axis=1))

    def decode(self, codes):
        return jax.vmap(self.outwards)(codes).reshape(len(codes), *self.shape)


@dataclass
class Deep:
    """An object with `build`: a scale, and a function that is no array."""

    scale: float = 2.0
    activation: Any = jax.nn.softplus
    latents: int = 2

    def build(self, image_shape, *, key):
        return Bent(image_shape, self.scale, self.activation, key=key)


class Bent(eqx.Module):
    """A line behind a function, with a function among its leaves and one among what is static."""

    line: Line
    scale: float
    activation: Any
    static: Any = eqx.field(static=True)

    def __init__(self, image_shape, scale, activation, *, key):
        self.line, self.scale, self.activation = Line(image_shape, key=key), scale, activation
        self.static = partial(jax.nn.leaky_relu, negative_slope=0.1)

    def encode(self, images):
        mean, log_variance = self.line.encode(self.static(self.scale * images))
        return self.activation(mean), log_variance

    def decode(self, codes):
        return self.line.decode(codes)


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


def same(one: Any, other: Any) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_no_network_of_the_package_is_left_out():
    assert {type(network) for network in CONTRACT.values()} == {*NETWORKS, GivenNetwork}


class Outcome(NamedTuple):
    """What one program makes of a network: codes of four images and of the third alone, decoded means, a step of training."""

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


class NoLatents(eqx.Module):
    weight: jax.Array


class WrongCode(Line):
    latents = 3


class WrongImage(Line):
    def decode(self, codes):
        return Line.decode(self, codes)[:, 1:]


class FlatImage(Line):
    def decode(self, codes):
        return Line.decode(self, codes).reshape(len(codes), -1)


class HalfMean(Line):
    def encode(self, images):
        mean, log_variance = Line.encode(self, images)
        return mean.astype(jnp.float16), log_variance


class OneArray(Line):
    def encode(self, images):
        return Line.encode(self, images)[0]


class Three(Line):
    def encode(self, images):
        return (*Line.encode(self, images), images)


class NotFinite(Line):
    def encode(self, images):
        mean, log_variance = Line.encode(self, images)
        return mean, log_variance - jnp.inf


class NaNImage(Line):
    def decode(self, codes):
        return Line.decode(self, codes) * jnp.nan


class WithKey(Line):
    def encode(self, images, key):
        return Line.encode(self, images + jax.random.normal(key, images.shape))


class NoDecoder(eqx.Module):
    latents = 2
    line: Line

    def __init__(self, image_shape, *, key):
        self.line = Line(image_shape, key=key)

    def encode(self, images):
        return self.line.encode(images)


class Holding(eqx.Module):
    """A line, and something more."""

    latents = 2
    more: Any
    line: Line

    def __init__(self, image_shape, more, *, key):
        self.more, self.line = more, Line(image_shape, key=key)

    def encode(self, images):
        changed = jax.vmap(self.more)(images.ravel()) if callable(self.more) else images
        return self.line.encode(changed.reshape(images.shape))

    def decode(self, codes):
        return self.line.decode(codes)


class Making:
    """An object that builds what it is told to, from a function of the key."""

    latents = 2

    def __init__(self, more):
        self.more = more

    def build(self, image_shape, *, key):
        return Holding(image_shape, self.more(key), key=key)


class Untrained:
    latents = 2

    def build(self, image_shape, *, key):
        return Nothing()


class Nothing(eqx.Module):
    def encode(self, images):
        return jnp.zeros((len(images), 2)), jnp.zeros((len(images), 2))

    def decode(self, codes):
        return jnp.zeros((len(codes), *SMALL))


class Anyhow(Line):
    def __init__(self, image_shape, *, key):
        Line.__init__(self, image_shape, key=jax.random.key(np.random.default_rng().integers(2**31)))


class NoKey(Line):
    def __init__(self, image_shape):
        Line.__init__(self, image_shape, key=KEY)


def doubles(key):
    return np.ones(3, np.float64)


FIVE, ARRAYS, PAIR = (
    r"must be float32 of shape \(3, 5, 1, 1\) for 3 images",
    r"network must be a module whose arrays are float32 parameters, one or more; got ",
    r"network\.encode must be a function that returns a pair, mean and log variance; got ",
)
CALLED = r"network\.encode cannot be called as encode with a batch alone, inside jax\.jit: .*"
BAD = {
    "code of a wrong size": (
        WrongCode,
        r"network\.encode: the mean must be float32 of shape \(3, 3\) .*got 'float32 of shape \(3, 2\)'",
    ),
    "image of a wrong shape": (WrongImage, rf"network\.decode {FIVE}; got 'float32 of shape \(3, 4, 1, 1\)'"),
    "image without a shape": (FlatImage, rf"network\.decode {FIVE}; got 'float32 of shape \(3, 5\)'"),
    "half precision": (
        HalfMean,
        r"network\.encode: the mean must be float32 .*got 'float16 of shape \(3, 2\)'",
    ),
    "one array": (OneArray, rf"{PAIR}'ArrayImpl'"),
    "three": (Three, rf"{PAIR}'tuple'"),
    "not finite": (
        NotFinite,
        r"network\.encode: the log variance must be finite .*got '6 of 6 that are not'",
    ),
    "NaN": (
        NaNImage,
        r"network\.decode must be finite at the start of training; got '15 of 15 that are not'",
    ),
    "a key": (WithKey, rf"{CALLED}missing 1 required.*'key'"),
    "no decoder": (
        NoDecoder,
        r"network\.decode cannot be called as decode with a batch alone.*no attribute 'decode'",
    ),
    "dropout": (Making(lambda key: eqx.nn.Dropout(0.5)), rf"{CALLED}Dropout requires a key"),
    "batch norm": (
        Making(lambda key: eqx.nn.BatchNorm(5, "batch", mode="batch")),
        r"network must be without a state, such as that of batch norm; .*got 'Holding'",
    ),
    "double precision": (Making(doubles), rf"{ARRAYS}dtype\('float64'\)"),
    "whole numbers": (Making(lambda key: jnp.arange(3)), rf"{ARRAYS}dtype\('int32'\)"),
    "a key among its arrays": (Making(lambda key: key), rf"{ARRAYS}key<fry>"),
    "no arrays": (Untrained(), rf"{ARRAYS}'no arrays'"),
    "not of the key": (
        Anyhow,
        r"network\.build must be the same for the same key; got 'two different networks'",
    ),
    "without a key": (
        NoKey,
        r"network\.build cannot be called as build\(image_shape, \*, key\): .*argument 'key'",
    ),
}


@pytest.mark.parametrize(("network", "said"), BAD.values(), ids=BAD)
def test_a_bad_network_is_refused_in_words(network, said):
    with pytest.raises(RequestError, match=said) as error:
        GivenNetwork(network).check(SMALL)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (NoLatents, r"network\.latents must be a whole number of 1 to 1024; got None"),
        (Deep(latents=0), r"network\.latents must be .*got 0"),
        (Deep(latents=2.0), r"network\.latents must be .*got 2\.0"),
        (
            Deep,
            r"an object with build\(image_shape, \*, key\), or a class of Equinox modules; got 'the class Deep'",
        ),
        (Line(SMALL, key=KEY), r"or a class of Equinox modules; got 'Line'"),
        (3, r"or a class of Equinox modules; got 'int'"),
    ],
)
def test_what_is_no_network_is_refused(network, said):
    with pytest.raises(RequestError, match=said):
        GivenNetwork(network)
    with pytest.raises(RequestError, match=f"network: .*{said}"):
        Study(network=network, capacities_nats=[1])


def test_arrays_of_numpy_are_parameters_like_others():
    network = GivenNetwork(Making(lambda key: np.ones(3, np.float32)))
    network.check(SMALL)
    built = network.build(SMALL, key=KEY)
    assert same(arrays_of(whole(network, SMALL, arrays_of(built))), arrays_of(built))


def test_a_network_is_its_code_and_its_configuration():
    classes, objects = (Line, Perceptron, WrongImage, FlatImage), (Deep(), Deep(scale=3.0), Deep(latents=3))
    networks = [GivenNetwork(one) for one in (*classes, *objects)]
    assert len({(network.name, network.digest) for network in networks}) == len(networks)
    assert GivenNetwork(Deep()) == GivenNetwork(Deep())
    assert hash(GivenNetwork(Line)) == hash(GivenNetwork(Line))
    assert GivenNetwork(Line, "mine:Line") != GivenNetwork(Line)


INHERITED = """
class Base:
    latents = 2
    def build(self, image_shape, *, key):
        return {}
class Net(Base):
    pass
"""


def test_code_that_a_class_inherits_counts_too(monkeypatch):
    def digest(file: str, built: int) -> str:
        text, module = INHERITED.format(built), ModuleType("nets")
        module.__file__ = file
        monkeypatch.setitem(sys.modules, "nets", module)
        monkeypatch.setitem(linecache.cache, file, (len(text), None, text.splitlines(keepends=True), file))
        exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102
        return GivenNetwork(module.Net()).digest

    assert digest("one.py", 3) == digest("two.py", 3) != digest("three.py", 4)


def test_where_a_function_lies_in_memory_does_not_count():
    def made():
        return lambda x: x

    first, second = made(), made()
    assert repr(first) != repr(second)
    assert GivenNetwork(Deep(activation=first)) == GivenNetwork(Deep(activation=second))
    assert GivenNetwork(Deep(activation=first)) != GivenNetwork(Deep(activation=jnp.tanh))


def test_code_that_cannot_be_read_needs_a_digest():
    build = lambda self, image_shape, *, key: Line(image_shape, key=key)  # noqa: E731
    made = type("Made", (), {"latents": 2, "build": build, "__module__": "nowhere"})
    with pytest.raises(RequestError, match=r"network\.digest must be given, since the code of Made cannot"):
        GivenNetwork(made())
    made.digest = "v1"
    assert GivenNetwork(made()).digest == "v1"


def test_a_class_that_was_made_anew_fits_arrays_of_the_old_one():
    old, new = GivenNetwork(Perceptron), GivenNetwork(example("own_network").Perceptron)
    assert old == new
    assert old.object is not new.object
    first, second = (network.build(SMALL, key=KEY) for network in (old, new))
    images = jax.random.uniform(KEY, (2, *SMALL))
    for network, arrays in ((old, arrays_of(second)), (new, arrays_of(first))):
        assert same(whole(network, SMALL, arrays).encode(images), first.encode(images))


def test_a_run_directory_knows_a_network_without_its_code(tmp_path):
    models = {"own": {}, "mlp": {"network": "mlp"}, "line": {"network": Line}}
    study = Study(network=Deep(), models=models, capacities_nats=[1])
    again = stored_study(resolved(study), tmp_path)
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    network = again.conditions[0].setting.network
    assert network.object is None
    assert network == study.conditions[0].setting.network
    network.check((13, 13, 1))
    with pytest.raises(
        RequestError,
        match=r"^the network 'Deep' is Python code, which a run directory does not keep.*call ratewarp\.run",
    ):
        network.build((13, 13, 1), key=KEY)
    with pytest.raises(RequestError, match="network must be a Python object where it is of kind 'given'"):
        Study(**resolved(study))


@pytest.mark.parametrize("change", [{"name": None}, {"latents": "many"}, {"digest": None}])
def test_a_damaged_description_is_refused_in_words(tmp_path, change):
    data = resolved(Study(network=Line, capacities_nats=[1]))
    changed = {**data["network"], **change}
    data["network"] = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(RequestError, match="network is not as a run directory describes one of kind 'given'"):
        stored_study(data, tmp_path)

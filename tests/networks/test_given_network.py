"""Networks that users bring: refused in words where they break the contract, known from a run directory."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ratewarp import Study
from ratewarp._checks import RequestError
from ratewarp.networks import GivenNetwork, arrays_of, whole
from ratewarp.studies import resolved, stored_study
from worlds import Deep, Line, Perceptron, example, same

KEY = jax.random.key(5)
SMALL = (5, 1, 1)


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
            r"an object with build\(image_shape, \*, key\), or a class of Equinox .*got 'the class Deep'",
        ),
        (Line(SMALL, key=KEY), r"or a class of Equinox modules; got 'Line'"),
        (3, r"or a class of Equinox modules; got 'int'"),
    ],
)
def test_what_is_no_network_is_refused(network, said):
    with pytest.raises(RequestError, match=said):
        GivenNetwork(network)
    with pytest.raises(RequestError, match=said):
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

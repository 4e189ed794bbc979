"""Sources and networks as users write them: the examples, and small ones that a test changes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ratewarp.sources import Factor

ROWS = Factor("row", (0, 10, 20))
INKS = Factor("ink", ("pale", "dark"), "categorical")
EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    """A module of the examples folder."""
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Bars:
    """A bright row in one of three places, in each of two inks, seen through Gaussian noise."""

    name = "bars"
    image_shape = (3, 2, 1)
    pixels = "real"
    factors = (ROWS, INKS)
    stimuli = np.indices((3, 2)).reshape(2, -1).T
    noise = 0.25

    def mean_images(self) -> Any:
        row, ink = np.asarray(self.stimuli).T[:2]
        lit = np.eye(3)[row] * (1.0 + ink[:, None])
        return np.repeat(lit[:, :, None, None], 2, axis=2)

    def sample(self, stimuli, *, keys):
        noise = jax.vmap(lambda key: jax.random.normal(key, self.image_shape))(keys)
        return jnp.asarray(Bars.mean_images(self), jnp.float32)[stimuli] + self.noise * noise


def bars(**members: Any) -> Any:
    """Bars with other members."""
    return type("Bars", (Bars,), members)()


MEANS = Bars().mean_images()


def images_of(value, shape=(3, 2, 1), dtype=jnp.float32):
    """A `sample` whose images have one value everywhere."""
    return lambda self, stimuli, *, keys: jnp.full((len(stimuli), *shape), value, dtype)


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


def same(one: Any, other: Any) -> bool:
    """Whether two trees have the same arrays, to the bit."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)

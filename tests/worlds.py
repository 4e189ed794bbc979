"""Worlds as a user writes them: those of the examples, and a small one of which a test changes a member."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

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

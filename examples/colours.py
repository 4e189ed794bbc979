"""A world of one's own: coloured discs on a 16 × 16 grid, as a Python object that `ratewarp` takes as its
source.

    python examples/colours.py OUT

trains a small family on it, with a task on colour, and draws the page into the run directory OUT.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np

from ratewarp import Study, run
from ratewarp.sources import Factor

SIDE = 16
PAINTS = {"red": (220, 60, 50), "green": (60, 170, 80), "blue": (60, 90, 200)}
BACKGROUND, NOISE = 235, 12  # grey level, and standard deviation of the pixel noise, of 255


class Colours:
    """Discs of three colours at eight places along the diagonal, in 8-bit RGB with Gaussian pixel noise."""

    name = "colours"
    image_shape = (SIDE, SIDE, 3)
    pixels = "8-bit"
    factors = (Factor("colour", tuple(PAINTS), "categorical"), Factor("place", tuple(range(2, 14, 2))))
    stimuli = np.indices((len(PAINTS), 6)).reshape(2, -1).T

    def __init__(self) -> None:
        self.tasks = {"warm": "colour == 'red'", "far": "place > 7"}
        self.frequencies = {"mostly_red": "8 if colour == 'red' else 1"}
        rows, columns = np.indices((SIDE, SIDE))
        self.clean = np.full((len(self.stimuli), SIDE, SIDE, 3), BACKGROUND, np.float32)
        for image, (colour, place) in zip(self.clean, self.stimuli, strict=True):
            centre = self.factors[1].values[place]
            image[(rows - centre) ** 2 + (columns - centre) ** 2 <= 9] = list(PAINTS.values())[colour]

    def mean_images(self) -> np.ndarray:
        return self.clean / 255

    def sample(self, stimuli, *, keys):
        noise = jax.vmap(lambda key: jax.random.normal(key, self.image_shape))(keys)
        return jnp.clip(jnp.round(jnp.asarray(self.clean)[stimuli] + NOISE * noise), 0, 255).astype(jnp.uint8)


if __name__ == "__main__":
    study = Study(
        name="colours",
        title="Coloured discs",
        source=Colours(),
        network="mlp",
        recipe={"steps": 1500},
        models={"even": {}, "mostly_red": {"frequency": "mostly_red"}, "warm": {"tasks": ["warm"]}},
        capacities_nats=[0.3, 1, 2.5],
        training_images=20_000,
    )
    run(
        study,
        sys.argv[1],
        progress=lambda at: print(f"\r{at.doing}: {at.done:,} of {at.total:,}", end="", flush=True),
    )

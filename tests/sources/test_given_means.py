"""Mean images against drawn images: no noise makes a sound world look wrong, and what is off is found."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ratewarp._checks import RequestError
from ratewarp.sources import GivenSource
from ratewarp.sources.given_trial import _check_against_means

SHAPE = (4, 4, 1)


def _means(rng, stimuli):
    return rng.uniform(0.2, 0.8, (stimuli, 1, *SHAPE))


def _of_whole_images(draw):
    """Noise that is the same at every pixel of an image, up to a pattern."""

    def noise(rng, shape):
        return draw(rng, (*shape[:2], 1, 1, 1)) * rng.uniform(0.5, 1, (1, 1, *SHAPE))

    return noise


def _events(rng, shape):
    """Brighter images, from two in a hundred to one in ten thousand; less their mean."""
    share = 10 ** rng.uniform(-4, -1.7)
    return 0.8 * ((rng.random((*shape[:2], 1, 1, 1)) < share) - share) * np.ones(shape)


NOISES = {
    "independent": lambda rng, shape: rng.normal(0, 0.1, shape),
    "heavy tails": lambda rng, shape: 0.1 * rng.standard_t(2.5, shape),
    "skewed": lambda rng, shape: 0.1 * (rng.lognormal(0, 1, shape) - np.exp(0.5)),
    "of whole images": _of_whole_images(lambda rng, shape: rng.normal(0, 0.3, shape)),
    "of whole images, heavy tails": _of_whole_images(lambda rng, shape: 0.1 * rng.standard_t(2.5, shape)),
    "rare events": _events,
    "rare pixels": lambda rng, shape: 1.0 * (rng.random(shape) < 0.001) - 0.001,
    "none": lambda rng, shape: np.zeros(shape),
}


def simulated(kind: str, seed: int):
    """Means of a sound source, images of it as stored, and kind of pixels."""
    rng = np.random.default_rng([seed, *kind.encode()])
    stimuli = int(rng.choice([2, 3, 5, 12, 32]))
    means = _means(rng, stimuli)
    shape = (stimuli, 2048 // stimuli, *SHAPE)
    if kind == "binary":
        return means[:, 0], (rng.random(shape) < means).astype(np.uint8), "binary"
    if kind == "multiplied":
        return means[:, 0], means * rng.lognormal(-0.5, 1, (*shape[:2], 1, 1, 1)), "real"
    if kind == "rounded":
        means *= rng.uniform(0.01, 1)
        return means[:, 0], np.round(255 * np.broadcast_to(means, shape)).astype(np.uint8), "8-bit"
    return means[:, 0], means + NOISES[kind](rng, shape), "real"


def check(means, images, pixels):
    own = object.__new__(GivenSource)
    own.pixels, own._means, own.stored = pixels, means, None
    _check_against_means(own, np.arange(len(means)), images)


KINDS = [*NOISES, "binary", "multiplied", "rounded"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_sound_world_is_refused_for_its_means(kind):
    for seed in range(40):
        check(*simulated(kind, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_means_that_are_clearly_off_are_found(kind):
    for seed in range(10):
        means, images, pixels = simulated(kind, seed)
        size = np.std(images / 255 if pixels == "8-bit" else images, axis=1).mean()
        with pytest.raises(RequestError, match=re.escape("mean_images()")):
            check(means + max(0.8 * size, 0.15), images, pixels)

from __future__ import annotations

from hashlib import sha256

import jax
import numpy as np

from oracles import ALGEBRA, STANDARD_ERRORS
from ratewarp.sources import Corridors, image_pool

SOURCE = Corridors()


def _probability_of_wall(x_upper: int, x_lower: int) -> np.ndarray:
    wall = np.zeros((13, 13))
    for row in range(13):
        for column in range(13):
            if row != 6:
                x = x_upper if row < 6 else x_lower
                wall[row, column] = 1 - np.exp(-((column - x) ** 2) / (2 * 1.2**2))
    return wall


def test_mean_images_follow_the_formula():
    means = SOURCE.mean_images()
    assert means.shape == (169, 13, 13)
    for stimulus, (x_upper, x_lower) in enumerate(SOURCE.stimuli):
        np.testing.assert_allclose(means[stimulus], _probability_of_wall(x_upper, x_lower), atol=1e-12)


def test_pixel_frequencies_of_a_hundred_thousand_images():
    n = 100_000
    for x_upper, x_lower in ((0, 12), (6, 3)):
        stimuli = np.full(n, x_upper * 13 + x_lower)
        images = np.asarray(SOURCE.sample(stimuli, keys=jax.random.split(jax.random.key(1), n)))
        p = _probability_of_wall(x_upper, x_lower)
        error = np.sqrt(p * (1 - p) / n) + 1e-9
        assert np.abs(images.mean(axis=0) - p).max() > 0  # noise is there
        assert np.all(np.abs(images.mean(axis=0) - p) < STANDARD_ERRORS * error)


def test_pixels_are_independent():
    n = 20_000
    images = np.asarray(SOURCE.sample(np.full(n, 6 * 13 + 6), keys=jax.random.split(jax.random.key(2), n))).reshape(n, -1)
    varying = images.std(axis=0) > 0.2
    correlations = np.corrcoef(images[:, varying].T)
    off = correlations[~np.eye(len(correlations), dtype=bool)]
    assert np.abs(off).max() < STANDARD_ERRORS / np.sqrt(n)


def test_known_facts_of_the_uniform_source():
    means = SOURCE.mean_images()
    floor = np.mean(means * (1 - means))
    semantic = np.mean((means - means.mean(axis=0)) ** 2)
    np.testing.assert_allclose([floor, semantic], [0.05465, 0.10065], atol=ALGEBRA)


def test_draws_are_the_same_on_every_platform():
    pool = np.asarray(image_pool(SOURCE, 3, key=jax.random.key(0)))
    assert pool.dtype == np.uint8
    assert sha256(pool.tobytes()).hexdigest()[:16] == "050ff26ca841a6c5"


def test_a_larger_pool_begins_with_the_smaller_one():
    small, large = (np.asarray(image_pool(SOURCE, each, key=jax.random.key(5))) for each in (2, 4))
    assert np.array_equal(large[:, :2], small)
    assert not np.array_equal(large[:, 2], large[:, 0])

from __future__ import annotations

from hashlib import sha256

import jax
import numpy as np
import pytest

from oracles import ALGEBRA, STANDARD_ERRORS
from ratewarp.sources import Corridors, draw_pool, task
from ratewarp.studies import Study

SOURCE = Corridors()


def _drawn(source: Corridors, each: int, key) -> np.ndarray:
    stimuli = len(source.stimuli)
    return np.asarray(draw_pool(source, np.full(stimuli, each), key=key).images).reshape(
        stimuli, each, *source.image_shape
    )


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
    assert means.shape == (169, 13, 13, 1)
    for stimulus, (x_upper, x_lower) in enumerate(SOURCE.stimuli):
        np.testing.assert_allclose(
            means[stimulus, :, :, 0], _probability_of_wall(x_upper, x_lower), atol=1e-12
        )


def test_pixel_frequencies_of_a_hundred_thousand_images():
    n = 100_000
    for x_upper, x_lower in ((0, 12), (6, 3)):
        stimuli = np.full(n, x_upper * 13 + x_lower)
        images = np.asarray(SOURCE.sample(stimuli, keys=jax.random.split(jax.random.key(1), n)))[..., 0]
        p = _probability_of_wall(x_upper, x_lower)
        error = np.sqrt(p * (1 - p) / n) + 1e-9
        assert np.abs(images.mean(axis=0) - p).max() > 0  # noise is there
        assert np.all(np.abs(images.mean(axis=0) - p) < STANDARD_ERRORS * error)


def test_pixels_are_independent():
    n = 20_000
    images = np.asarray(
        SOURCE.sample(np.full(n, 6 * 13 + 6), keys=jax.random.split(jax.random.key(2), n))
    ).reshape(n, -1)
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
    pool = np.asarray(_drawn(SOURCE, 3, jax.random.key(0)))
    assert pool.dtype == np.uint8
    assert sha256(pool.tobytes()).hexdigest()[:16] == "050ff26ca841a6c5"


def test_a_larger_pool_begins_with_the_smaller_one():
    small, large = (_drawn(SOURCE, each, jax.random.key(5)) for each in (2, 4))
    assert np.array_equal(large[:, :2], small)
    assert not np.array_equal(large[:, 2], large[:, 0])


@pytest.mark.parametrize(("size", "width", "middle"), [(5, 2.0, 1), (9, 0.5, None), (16, 3.0, 12)])
def test_other_sizes_by_the_formula(size, width, middle):
    source = Corridors(size=size, width=width, middle=middle)
    row_between = size // 2 if middle is None else middle
    means = source.mean_images()
    for stimulus, (upper, lower) in enumerate(source.stimuli):
        assert stimulus == upper * size + lower
        for row, column in (
            (0, 0),
            (row_between, 2),
            (size - 1, size - 1),
            (row_between - 1, 1),
            (row_between + 1, 1),
        ):
            x = upper if row < row_between else lower
            corridor = 1 if row == row_between else np.exp(-((column - x) ** 2) / (2 * width**2))
            assert means[stimulus, row, column, 0] == pytest.approx(1 - corridor, abs=1e-12)
    drawn = _drawn(source, 400, jax.random.key(0))
    assert drawn.shape == (size**2, 400, size, size, 1)
    error = np.sqrt(np.maximum(means * (1 - means), 1e-9) / 400)
    assert np.abs(drawn.mean(axis=1) - means).max() <= (6 * error).max()
    assert task("E2M4", source).classes == (size // 3 + 1) ** 2
    assert task("E2M2", source).labels.tolist() == [
        int(u < size // 2 or l >= size // 2) for u, l in source.stimuli
    ]


@pytest.mark.parametrize(
    "keys", [{"size": 2}, {"size": 65}, {"width": 0}, {"middle": 12}, {"middle": 0}, {"size": 5, "middle": 4}]
)
def test_keys_out_of_range_are_refused(keys):
    with pytest.raises(ValueError, match=next(reversed(keys))):
        Corridors(**keys)


def test_a_study_of_another_size_is_crossed_over_the_profile():
    study = Study(
        source={"size": 5},
        capacities_nats=[1],
        axes={"source.width": [0.5, 2]},
        models={"a": {}, "b": {"frequency": "E1M1"}},
    )
    assert [c.setting.source.width for c in study.conditions] == [0.5, 2, 0.5, 2]
    assert study.settings["b"].probabilities()[2] > study.settings["b"].probabilities()[3]
    assert [study.cells[study.reference_of(cell)].setting.source for cell in study.cells] == [
        c.setting.source for c in study.conditions
    ]

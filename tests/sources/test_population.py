"""Tuned populations, against tuning curves computed one by one."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
from scipy.stats import kstest, norm, vonmises

from oracles import ALGEBRA
from ratewarp.sources import PIXELS, Population, factors_of, frequency, task


def mean(world: Population, stimulus: tuple[float, ...], preferred: np.ndarray) -> float:
    """Mean response of one neuron, by the densities of scipy over their peaks."""
    height = 1.0
    for s, p in zip(stimulus, preferred, strict=True):
        if world.circular:
            kappa = 1 / (2 * math.pi * world.width) ** 2
            angle = 2 * math.pi * (s - p)
            height *= vonmises.pdf(angle, kappa) / vonmises.pdf(0, kappa)
        else:
            height *= norm.pdf(s, p, world.width) / norm.pdf(0, 0, world.width)
    return world.baseline + world.gain * height


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize(
    ("dimensions", "preferred"), [(1, "even"), (2, "even"), (1, "random"), (2, "random")]
)
def test_means_are_tuning_curves(circular, dimensions, preferred):
    world = Population(
        neurons=9,
        dimensions=dimensions,
        circular=circular,
        values=5,
        width=0.17,
        gain=7.5,
        baseline=0.25,
        preferred=preferred,
    )
    means, values = world.mean_images()[:, :, 0, 0], np.array(list(factors_of(world).values())).T
    for s, stimulus in enumerate(values):
        expected = [mean(world, tuple(stimulus), own) for own in world.preferences]
        np.testing.assert_allclose(means[s], expected, rtol=1e-9)


def test_a_neuron_responds_most_where_it_prefers():
    world = Population(neurons=5, values=5, width=0.1, gain=20, baseline=1)
    means = world.mean_images()[:, :, 0, 0]
    assert means.argmax(axis=0).tolist() == list(range(5))
    np.testing.assert_allclose(np.diag(means), 21)
    assert means[1, 0] == pytest.approx(1 + 20 * math.exp(-(0.25**2) / 0.02))


def test_a_circle_has_neither_ends_nor_a_seam():
    means = Population(neurons=8, values=8, circular=True).mean_images()[:, :, 0, 0]
    for step in range(8):
        np.testing.assert_allclose(np.roll(means, step, axis=(0, 1)), means, rtol=1e-9)
    line = Population(neurons=8, values=8).mean_images()[:, :, 0, 0]
    assert line[0, -1] == pytest.approx(0.5, abs=1e-9)
    assert means[0, -1] > 1


def test_narrow_curves_on_a_circle_are_those_on_a_line():
    keys = {"neurons": 11, "values": 11, "width": 0.02, "preferred": "random"}
    line, circle = (Population(**keys, circular=circular) for circular in (False, True))
    at = np.linspace(-0.04, 0.04, 9)
    for d in at:
        assert mean(circle, (0.5 + d,), np.array([0.5])) == pytest.approx(
            mean(line, (0.5 + d,), np.array([0.5])), rel=0.02
        )


def test_even_preferences():
    np.testing.assert_allclose(Population(neurons=5).preferences[:, 0], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(Population(neurons=4, circular=True).preferences[:, 0], [0, 0.25, 0.5, 0.75])
    grid = Population(neurons=9, dimensions=2, values=4).preferences
    assert {tuple(row) for row in grid.tolist()} == {(a, b) for a in (0, 0.5, 1) for b in (0, 0.5, 1)}


def test_random_preferences_are_uniform_and_the_same_again():
    world = Population(neurons=1000, dimensions=2, values=4, preferred="random")
    for column in world.preferences.T:
        assert kstest(column, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(world.preferences.T)[0, 1]) < 5 / math.sqrt(1000)
    np.testing.assert_array_equal(world.preferences, world.model_copy().preferences)
    other = world.model_copy(update={"preferred_seed": 1}).preferences
    assert not np.allclose(world.preferences, other)


def test_responses_are_stored_as_what_they_are():
    counts, normal = Population(), Population(responses="gaussian")
    assert (counts.pixels, normal.pixels) == ("count", "real")
    assert counts.image_shape == normal.image_shape == (32, 1, 1)
    images = np.array([[0, 1, 65_535]], np.uint16)
    numbers = PIXELS["count"].numbers(images)
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers, [[0, 1, 65_535]])


def test_single_precision_means_are_those_in_double():
    world = Population(neurons=16, dimensions=2, values=7, responses="gaussian", noise=0.0)
    drawn = world.sample(np.arange(49), keys=jax.random.split(jax.random.key(0), 49))
    np.testing.assert_allclose(drawn, world.mean_images(), rtol=ALGEBRA, atol=ALGEBRA)


def test_named_tasks_and_frequencies():
    line, circle = Population(values=11), Population(values=8, circular=True)
    assert task("half", line).labels.tolist() == [1] * 5 + [0] * 6
    assert task("half", circle).labels.tolist() == [1] * 4 + [0] * 4
    skewed = frequency("skewed", line)
    assert skewed[0] == pytest.approx(5 * skewed[-1])
    assert np.ptp(np.diff(skewed)) == pytest.approx(0, abs=1e-12)
    around = frequency("skewed", circle)
    np.testing.assert_allclose(around[1:], around[:0:-1])
    assert around[0] == pytest.approx(5 * around[4])
    square = Population(dimensions=2, neurons=4, values=3)
    assert task("larger", square).labels.tolist() == [int(x > y) for x, y in square.stimuli]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"neurons": 10, "dimensions": 2},
            "neurons must be the square of a whole number, such as 9 or 16, to stand on a grid; got 10",
        ),
        (
            {"values": 317, "dimensions": 2, "neurons": 4},
            "values must be at most 316 in two dimensions; got 317",
        ),
        ({"values": 1}, "values"),
        ({"dimensions": 3}, "dimensions"),
        ({"gain": 0}, "gain"),
        ({"baseline": -1}, "baseline"),
        ({"responses": "binomial"}, "responses"),
    ],
)
def test_populations_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        Population(**keys)

"""What every likelihood promises, for each of them and all kinds of pixels that it is for."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import poisson

from oracles import ALGEBRA
from ratewarp import Study
from ratewarp._checks import RequestError
from ratewarp.likelihoods import LIKELIHOODS
from ratewarp.sources import PIXELS
from ratewarp.theory import rate_distortion

EACH = [one() for one in LIKELIHOODS]
NAMES = [one.kind for one in EACH]
each = pytest.mark.parametrize("likelihood", EACH, ids=NAMES)
VALUES = {
    "binary": [0.0, 1.0],
    "8-bit": [0.0, 0.4, 1.0],
    "16-bit": [0.0, 0.4, 1.0],
    "real": [-2.0, 0.5, 3.0],
    "count": [0.0, 1.0, 7.0],
}  # that pixels take here, as numbers
KINDS = [(one, pixels) for one in EACH for pixels in one.PIXELS]
KIND_NAMES = [f"{one.kind}, {pixels}" for one, pixels in KINDS]
of_every_kind = pytest.mark.parametrize(("likelihood", "pixels"), KINDS, ids=KIND_NAMES)
MEANS = np.random.default_rng(0).uniform(0.03, 0.97, (4, 2, 3, 1))  # of binary images
P = np.array([0.1, 0.2, 0.3, 0.4])
WORLDS = {"binary": "corridors", "8-bit": "sprites", "count": "population"}


def chances(likelihood, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """What noise makes of a pixel of this mean, and how often: binary pixels, or Poisson counts."""
    if likelihood.PIXELS == ("count",):
        return np.arange(30.0), poisson.pmf(np.arange(30), mean)
    return np.array([0.0, 1.0]), np.array([1 - mean, mean])


def decoded(likelihood, expected) -> np.ndarray:
    """What a decoder must give for that expected image, found by halving."""
    low, high = np.full(np.shape(expected), -40.0), np.full(np.shape(expected), 40.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = np.asarray(likelihood.expected(jnp.asarray(middle))) < np.asarray(expected, np.float32)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def numbers(function, *arrays) -> np.ndarray:
    """A likelihood's function of arrays of one shape, as numbers of NumPy."""
    return np.asarray(function(*(jnp.asarray(array) for array in np.broadcast_arrays(*arrays))), dtype=float)


def expected_error(likelihood, values, probabilities, at) -> np.ndarray:
    """Mean error of a pixel of that distribution, for every output `at` of a decoder, value by value."""
    pairs = zip(values, probabilities, strict=True)
    return sum(share * numbers(likelihood.error, value, at) for value, share in pairs)


def distributions(pixels: str) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [
        *rng.dirichlet(np.ones(len(VALUES[pixels])), size=5),
        np.full(len(VALUES[pixels]), 1 / len(VALUES[pixels])),
    ]


@of_every_kind
def test_the_mean_is_what_costs_least(likelihood, pixels):
    for probabilities in distributions(pixels):
        mean = float(np.dot(VALUES[pixels], probabilities))
        best = decoded(likelihood, mean)
        around = best + np.array([0, -3, -1, -0.3, -0.1, 0.1, 0.3, 1, 3])
        errors = expected_error(likelihood, VALUES[pixels], probabilities, around)
        assert numbers(likelihood.expected, best) == pytest.approx(mean, abs=ALGEBRA)
        assert np.all(errors[0] < errors[1:])
        gradient = jax.grad(likelihood.error, argnums=1)
        gradients = [gradient(jnp.asarray(value), jnp.asarray(best)) for value in VALUES[pixels]]
        assert np.dot(probabilities, gradients) == pytest.approx(0, abs=ALGEBRA)


@of_every_kind
def test_the_error_from_the_mean_is_the_error_less_what_noise_costs(likelihood, pixels):
    at = decoded(likelihood, np.array([0.02, 0.2, 0.5, 0.9, 0.99]))
    for probabilities in distributions(pixels):
        mean = float(np.dot(VALUES[pixels], probabilities))
        floor = expected_error(likelihood, VALUES[pixels], probabilities, decoded(likelihood, mean))
        expected = expected_error(likelihood, VALUES[pixels], probabilities, at) - floor
        np.testing.assert_allclose(numbers(likelihood.mean_error, mean, at), expected, atol=20 * ALGEBRA)


@each
def test_a_perfect_reproduction_of_the_mean_costs_nothing(likelihood):
    own, others = decoded(likelihood, MEANS), decoded(likelihood, MEANS[::-1])
    np.testing.assert_allclose(numbers(likelihood.mean_error, MEANS, own), 0, atol=ALGEBRA)
    assert np.all(numbers(likelihood.mean_error, MEANS, others) > 0)


@each
def test_errors_and_gradients_are_finite_however_wrong_a_decoder_is(likelihood):
    images, at = jnp.meshgrid(
        jnp.array([0.0, 0.3, 1.0]), jnp.array([-90.0, -20.0, -1.0, 0.0, 2.0, 30.0, 80.0])
    )
    for function in (likelihood.error, likelihood.mean_error):
        errors, gradients = jax.vmap(jax.value_and_grad(function, argnums=1))(images.ravel(), at.ravel())
        assert np.isfinite(errors).all()
        assert np.isfinite(gradients).all()
        assert errors.min() >= -ALGEBRA


@each
def test_the_cost_of_the_theory_is_the_error_of_the_networks(likelihood):
    cost, points = likelihood.cost(MEANS), np.random.default_rng(2).uniform(0.03, 0.97, (3, MEANS[0].size))
    assert cost.stimuli == len(MEANS)
    at = decoded(likelihood, points)
    expected = [[numbers(likelihood.mean_error, mean.ravel(), one).mean() for one in at] for mean in MEANS]
    np.testing.assert_allclose(cost.distances(points), expected, atol=ALGEBRA)


@each
def test_the_noise_floor_stimulus_by_stimulus_and_pixel_by_pixel(likelihood):
    total = 0.0
    for share, image in zip(P, MEANS, strict=True):
        pairs = zip(image.ravel(), decoded(likelihood, image.ravel()), strict=True)
        pixels = [float(expected_error(likelihood, *chances(likelihood, mean), at)) for mean, at in pairs]
        total += share * float(np.mean(pixels))
    assert likelihood.noise_floor(P, MEANS) == pytest.approx(total, abs=ALGEBRA)
    certain = np.zeros_like(MEANS) if likelihood.PIXELS == ("count",) else np.round(MEANS)
    assert likelihood.noise_floor(P, certain) == pytest.approx(0, abs=1e-12)


@each
def test_images_of_any_shape_are_taken_pixel_by_pixel(likelihood):
    at = np.random.default_rng(3).normal(size=MEANS.shape)
    for function in (likelihood.error, likelihood.mean_error):
        whole = numbers(function, MEANS, at)
        assert whole.shape == MEANS.shape
        alone = numbers(function, MEANS[1, 0, 1, 0], at[1, 0, 1, 0])
        np.testing.assert_allclose(whole[1, 0, 1, 0], alone, atol=ALGEBRA)


@each
def test_expected_images_rise_with_what_a_decoder_gives(likelihood):
    at = np.linspace(-5, 5, 41)
    expected = numbers(likelihood.expected, at)
    assert all(a < b for a, b in pairwise(expected))
    if "real" not in likelihood.PIXELS:
        assert (expected >= 0).all()
        assert (expected <= 1).all() or likelihood.PIXELS == ("count",)


@each
def test_it_says_what_it_is(likelihood):
    assert likelihood.UNIT
    assert likelihood.SHORT
    assert len(likelihood.SHORT) <= len(likelihood.UNIT)
    assert likelihood.PIXELS
    assert set(likelihood.PIXELS) <= set(PIXELS)
    squared = np.allclose(
        likelihood.cost(MEANS).distances(MEANS[:1].reshape(1, -1)).ravel(),
        ((MEANS - MEANS[0]) ** 2).mean(axis=(1, 2, 3)),
    )
    assert squared == likelihood.SQUARED


def test_names_are_different():
    assert len(set(NAMES)) == len(NAMES)


@each
def test_a_study_names_it_and_writes_it_down(likelihood):
    source, network = WORLDS[likelihood.PIXELS[0]], "mlp"
    study = Study(likelihood=likelihood.kind, source=source, network=network, capacities_nats=[1])
    assert study.likelihood == likelihood
    assert Study(**study.model_dump(mode="json")).conditions[0].id == study.conditions[0].id


@each
@pytest.mark.parametrize("pixels", PIXELS)
def test_pixels_that_it_is_not_for_are_refused(likelihood, pixels):
    if pixels in likelihood.PIXELS:
        likelihood.check(pixels)
        return
    said = f"likelihood must be one for {pixels} pixels; got '{likelihood.kind}, for "
    with pytest.raises(RequestError, match=said):
        likelihood.check(pixels)


@each
def test_a_bound_from_its_cost_begins_at_the_mean_of_all_stimuli(likelihood):
    curve = rate_distortion(P, likelihood.cost(MEANS), points=4)
    middle = np.tensordot(P, MEANS, axes=1).ravel()
    at = decoded(likelihood, middle)
    each_of_them = [numbers(likelihood.mean_error, mean.ravel(), at).mean() for mean in MEANS]
    assert curve.distortion(0.0) == pytest.approx(P @ each_of_them, abs=ALGEBRA)
    assert curve.distortion(curve.maximum_rate) == pytest.approx(0, abs=ALGEBRA)
    assert curve.maximum_rate == pytest.approx(-P @ np.log(P))

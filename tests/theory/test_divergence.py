"""The divergences of binary pixels and of counts, against scipy, and their curves, against a fine grid of
points.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import kl_div, rel_entr

from oracles import blahut_arimoto
from ratewarp import RequestError
from ratewarp.theory import BernoulliDivergence, Cost, LogLoss, PoissonDivergence, Weighted, rate_distortion

SHARES = st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0.001, 0.999))


def divergence(means: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Double loop over stimuli and points, sum over pixels."""
    found = np.empty((len(means), len(points)))
    for s, m in enumerate(means):
        for k, y in enumerate(points):
            pixels = zip(m, y, strict=True)
            found[s, k] = np.mean([rel_entr(a, b) + rel_entr(1 - a, 1 - b) for a, b in pixels])
    return found


@st.composite
def images(draw, rows: int) -> np.ndarray:
    return np.array(draw(st.lists(st.lists(SHARES, min_size=3, max_size=3), min_size=rows, max_size=rows)))


@settings(deadline=None)
@given(images(4), images(5))
def test_equals_scipy_pixel_by_pixel_where_pixels_are_certain_too(means, points):
    found = BernoulliDivergence(means).distances(points)
    np.testing.assert_allclose(found, divergence(means, points), rtol=1e-9, atol=1e-12)


def test_certain_pixels_by_hand():
    cost = BernoulliDivergence([[0.0, 1.0], [0.0, 0.5], [1.0, 1.0]])
    found = cost.distances(np.array([[0.0, 1.0], [0.5, 1.0], [0.0, 0.5]]))
    half, never = np.log(2) / 2, np.inf
    np.testing.assert_allclose(found, [[0, half, half], [never, never, 0], [never, half, never]], atol=1e-15)


@settings(deadline=None)
@given(images(4), st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.integers(0, 10**6))
def test_no_point_beats_the_best_one(means, weights, seed):
    cost, w = BernoulliDivergence(means), np.array([weights]) / np.sum(weights)
    best = cost.points(w)
    near = np.clip(best + np.array([[1e-3], [-1e-3]]), 0, 1)
    others = np.concatenate([np.random.default_rng(seed).random((50, 3)), means, near])
    least = float((w @ cost.distances(best)).item())
    assert np.isfinite(least)
    assert np.all(w @ cost.distances(others) >= least - 1e-12)


def test_images_of_any_shape_are_rows_of_pixels():
    means = np.random.default_rng(0).random((3, 2, 2, 1))
    points = np.random.default_rng(1).random((2, 4))
    np.testing.assert_array_equal(
        BernoulliDivergence(means).distances(points),
        BernoulliDivergence(means.reshape(3, -1)).distances(points),
    )
    assert BernoulliDivergence(means).stimuli == 3
    assert isinstance(BernoulliDivergence(means), Cost)


def test_some_stimuli_only():
    means, points = np.random.default_rng(0).random((5, 3)), np.random.default_rng(1).random((4, 3))
    cost, kept = BernoulliDivergence(means), np.array([4, 1])
    np.testing.assert_array_equal(cost.restricted(kept).distances(points), cost.distances(points)[kept])


@pytest.mark.parametrize(
    "means",
    [[[0.5], [1.1]], [[-0.1], [1.0]], [[np.nan], [1.0]], [["a"], ["b"]], 0.5, [[0.5], [1.0, 0.0]], []],
)
def test_means_are_probabilities(means):
    with pytest.raises(RequestError, match="means must be probabilities, 0–1, one entry per stimulus"):
        BernoulliDivergence(means)


@pytest.mark.parametrize("means", [[0.1, 0.35, 0.9], [0.0, 0.3, 1.0]])
def test_the_curve_is_that_of_a_fine_grid_of_points(means):
    p, grid, column = np.array([0.5, 0.3, 0.2]), np.linspace(0, 1, 1201), np.reshape(means, (-1, 1))
    distances = np.minimum(divergence(column, grid[:, None]), 1e6)
    solved = [blahut_arimoto(p, distances, beta, steps=3000) for beta in (2.0, 6.0, 20.0)]
    curve = rate_distortion(p, BernoulliDivergence(column), rates=[rate for rate, _ in solved])
    for rate, distortion in solved:
        assert curve.distortion(rate) <= distortion + 1e-4
        assert distortion - 2e-4 <= curve.distortion_below(rate) <= distortion + 1e-9
        assert curve.rate_below(distortion) <= rate + 1e-6


def test_the_ends_of_the_curve_and_what_its_channels_cost():
    means, p = np.array([[0.1, 0.8], [0.35, 0.2], [0.9, 0.5]]), np.array([0.5, 0.3, 0.2])
    curve = rate_distortion(p, BernoulliDivergence(means), points=6)
    assert curve.distortion(0.0) == pytest.approx(p @ divergence(means, p[None] @ means)[:, 0])
    assert curve.maximum_rate == pytest.approx(-p @ np.log(p))
    assert curve.distortion(curve.maximum_rate) == pytest.approx(0, abs=1e-12)
    channel = curve.channel(0.4)
    np.testing.assert_allclose(channel.distortions, divergence(means, channel.points), atol=1e-9)
    used = np.where(channel.probabilities > 0, channel.probabilities * channel.distortions, 0)
    assert p @ used.sum(axis=1) == pytest.approx(curve.distortion(0.4), abs=1e-8)


def test_it_adds_to_other_costs():
    means, labels = np.array([[0.1], [0.35], [0.9]]), [0, 1, 1]
    both, points = (
        Weighted((2.0, BernoulliDivergence(means)), (0.5, LogLoss(labels))),
        np.array([[0.2, 0.25, 0.75]]),
    )
    expected = 2 * divergence(means, points[:, :1]) - 0.5 * np.log(points[:, 1:][:, labels]).T
    np.testing.assert_allclose(both.distances(points), expected)


COUNTS = st.one_of(st.sampled_from([0.0, 1.0, 300.0]), st.floats(0.001, 50))


@st.composite
def responses(draw, rows: int) -> np.ndarray:
    return np.array(draw(st.lists(st.lists(COUNTS, min_size=3, max_size=3), min_size=rows, max_size=rows)))


def of_counts(means: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Double loop over stimuli and points, by scipy."""
    return np.array([[kl_div(m, y).mean() for y in points] for m in means])


@settings(deadline=None)
@given(responses(4), responses(5))
def test_counts_equal_scipy_response_by_response(means, points):
    found = PoissonDivergence(means).distances(points)
    np.testing.assert_allclose(found, of_counts(means, points), rtol=1e-9, atol=1e-11)


def test_counts_that_never_occur_by_hand():
    found = PoissonDivergence([[0.0, 2.0], [1.0, 2.0]]).distances(np.array([[0.0, 2.0], [3.0, 2.0]]))
    np.testing.assert_allclose(found, [[0, 1.5], [np.inf, (np.log(1 / 3) + 2) / 2]], atol=1e-15)


@settings(deadline=None)
@given(responses(4), st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.integers(0, 10**6))
def test_no_point_of_counts_beats_the_best_one(means, weights, seed):
    cost, w = PoissonDivergence(means), np.array([weights]) / np.sum(weights)
    best = cost.points(w)
    near = best * np.array([[1 + 1e-3], [1 - 1e-3]])
    others = np.concatenate([30 * np.random.default_rng(seed).random((50, 3)), means, near])
    least = float((w @ cost.distances(best)).item())
    assert np.isfinite(least)
    assert np.all(w @ cost.distances(others) >= least - 1e-12 * max(1, means.max()))


def test_the_best_point_of_counts_is_where_a_search_ends():
    means, w = np.array([[0.5], [4.0], [11.0]]), np.array([[0.5, 0.2, 0.3]])
    cost = PoissonDivergence(means)
    expected = minimize_scalar(
        lambda y: float(w[0] @ of_counts(means, np.array([[y]]))[:, 0]), bounds=(0.1, 20), method="bounded"
    )
    assert cost.points(w)[0, 0] == pytest.approx(expected.x, abs=1e-4)


@pytest.mark.parametrize("means", [[0.5, 3.0, 9.0], [0.0, 2.0, 2.5]])
def test_the_curve_of_counts_is_that_of_a_fine_grid_of_points(means):
    p, grid, column = np.array([0.5, 0.3, 0.2]), np.linspace(0, 10, 2001), np.reshape(means, (-1, 1))
    distances = np.minimum(of_counts(column, grid[:, None]), 1e6)
    solved = [blahut_arimoto(p, distances, beta, steps=3000) for beta in (0.5, 2.0, 6.0)]
    curve = rate_distortion(p, PoissonDivergence(column), rates=[rate for rate, _ in solved])
    for rate, distortion in solved:
        assert curve.distortion(rate) <= distortion + 1e-4
        assert distortion - 5e-4 <= curve.distortion_below(rate) <= distortion + 1e-9
        assert curve.rate_below(distortion) <= rate + 1e-6


def test_the_ends_of_the_curve_of_counts_and_what_its_channels_cost():
    means, p = np.array([[1.0, 8.0], [3.5, 2.0], [9.0, 0.5]]), np.array([0.5, 0.3, 0.2])
    curve = rate_distortion(p, PoissonDivergence(means), points=6)
    assert curve.distortion(0.0) == pytest.approx(p @ of_counts(means, p[None] @ means)[:, 0])
    assert curve.maximum_rate == pytest.approx(-p @ np.log(p))
    assert curve.distortion(curve.maximum_rate) == pytest.approx(0, abs=1e-12)
    channel = curve.channel(0.4)
    np.testing.assert_allclose(channel.distortions, of_counts(means, channel.points), atol=1e-9)


def test_counts_of_any_shape_and_of_some_stimuli_only():
    means, points = 5 * np.random.default_rng(0).random((5, 3, 1)), np.random.default_rng(1).random((4, 3))
    cost, kept = PoissonDivergence(means), np.array([4, 1])
    assert isinstance(cost, Cost)
    assert cost.stimuli == 5
    np.testing.assert_array_equal(cost.restricted(kept).distances(points), cost.distances(points)[kept])


@pytest.mark.parametrize(
    "means", [[[-0.1], [1.0]], [[np.nan], [1.0]], [[1e13], [1.0]], [["a"], ["b"]], 0.5, []]
)
def test_means_of_counts_are_numbers_from_0(means):
    with pytest.raises(RequestError, match=r"means must be finite numbers from 0 to 1e\+12, one entry per"):
        PoissonDivergence(means)

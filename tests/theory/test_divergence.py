"""The divergence of binary pixels, against scipy, and its curve, against a fine grid of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr

from oracles import blahut_arimoto
from ratewarp import RequestError
from ratewarp.theory import BernoulliDivergence, Cost, LogLoss, Weighted, rate_distortion

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

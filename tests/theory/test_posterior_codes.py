"""Codes of optimal channels: their distances are Hellinger distances of posteriors."""

import numpy as np
import pytest

from ratewarp.theory import Channel, SquaredError, posterior_codes, rate_distortion


def channel_of(r: np.ndarray) -> Channel:
    stimuli, points = r.shape
    return Channel(r, np.arange(points), np.full(stimuli, 1 / stimuli) @ r, np.zeros(r.shape))


def distances(codes: np.ndarray) -> np.ndarray:
    return np.array([[np.sqrt(np.sum((a - b) ** 2)) for b in codes] for a in codes])


def hellinger(a: np.ndarray, b: np.ndarray) -> float:
    """√(½ Σ_k (√a_k − √b_k)²)."""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total += (float(x) ** 0.5 - float(y) ** 0.5) ** 2
    return (total / 2) ** 0.5


@pytest.fixture(scope="module")
def optimal() -> Channel:
    rng = np.random.default_rng(2)
    means = rng.normal(size=(7, 3))
    return rate_distortion(rng.dirichlet(np.ones(7)), SquaredError(means), points=6, tolerance=1e-3).channel(
        0.9
    )


def test_distances_are_hellinger_distances(optimal):
    r = optimal.probabilities
    expected = np.array([[np.sqrt(2) * hellinger(a, b) for b in r] for a in r])
    assert distances(posterior_codes(optimal)) == pytest.approx(expected, abs=1e-7)
    assert np.all(expected <= np.sqrt(2) + 1e-12)


def test_squared_distance_by_the_overlap(optimal):
    r = optimal.probabilities
    overlap = np.array([[sum(np.sqrt(x * y) for x, y in zip(a, b, strict=True)) for b in r] for a in r])
    assert distances(posterior_codes(optimal)) ** 2 == pytest.approx(2 - 2 * overlap, abs=1e-12)


@pytest.mark.parametrize("separation", [1.0, 2.0])
def test_gaussian_posteriors(separation):
    """d′ apart, of unit variance, on a grid of 0.01."""
    x = np.arange(-10, 10 + separation, 0.01)
    r = np.exp(-((x - np.array([[0.0], [separation]])) ** 2) / 2)
    apart = distances(posterior_codes(channel_of(r / r.sum(axis=1, keepdims=True))))[0, 1]
    assert apart**2 == pytest.approx(2 - 2 * np.exp(-(separation**2) / 8), abs=1e-6)


def test_identical_stimuli_are_at_one_place():
    means = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.3, 0.8]])
    curve = rate_distortion(np.full(4, 0.25), SquaredError(means), points=4, tolerance=1e-3)
    for rate in (0.3, curve.maximum_rate):
        apart = distances(posterior_codes(curve.channel(rate)))
        assert apart[0, 2] == pytest.approx(0, abs=1e-7)
        assert apart[0, 1] > 0.1


def test_ends_of_the_curve():
    curve = rate_distortion(np.full(3, 1 / 3), SquaredError([[0.0], [1.0], [4.0]]), points=4, tolerance=1e-3)
    assert distances(posterior_codes(curve.channel(0))) == pytest.approx(np.zeros((3, 3)))
    assert distances(posterior_codes(curve.channel(9.0))) == pytest.approx(np.sqrt(2) * (1 - np.eye(3)))


def test_order_and_splitting_of_points_change_no_distance(optimal):
    r = optimal.probabilities
    before = distances(posterior_codes(optimal))
    order = np.random.default_rng(0).permutation(r.shape[1])
    assert distances(posterior_codes(channel_of(r[:, order]))) == pytest.approx(before, abs=1e-12)
    split = np.hstack([0.3 * r[:, :1], 0.7 * r[:, :1], r[:, 1:]])
    assert distances(posterior_codes(channel_of(split))) == pytest.approx(before, abs=1e-7)


def test_a_point_that_stands_for_all_alike_only_shrinks(optimal):
    """Mixing with silence, at a share of a half, halves squared distances."""
    silent = np.hstack([0.5 * optimal.probabilities, np.full((7, 1), 0.5)])
    assert distances(posterior_codes(channel_of(silent))) ** 2 == pytest.approx(
        distances(posterior_codes(optimal)) ** 2 / 2, abs=1e-12
    )

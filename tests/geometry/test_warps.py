"""Prototypization, orthogonalization and resolution against slow loops, and what leaves them unchanged."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from ratewarp._checks import RequestError
from ratewarp.geometry import local_resolution, orthogonalization, prototypization

GENERATOR = np.random.default_rng(0)
CODES = GENERATOR.standard_normal((120, 4)) * [1, 2, 0.5, 0.05]
LABELS = GENERATOR.integers(0, 2, 120)
ROTATION, _ = np.linalg.qr(GENERATOR.standard_normal((4, 4)))


def test_prototypization_by_loops():
    codes = CODES + 0.7 * LABELS[:, None]
    centre = codes.mean(axis=0)
    total = sum(np.sum((z - centre) ** 2) for z in codes)
    within = sum(np.sum((z - codes[label == LABELS].mean(axis=0)) ** 2) for z, label in zip(codes, LABELS, strict=True))
    assert prototypization(codes, LABELS) == pytest.approx(1 - within / total)
    assert prototypization(3 * codes @ ROTATION + 5, LABELS) == pytest.approx(prototypization(codes, LABELS))


def test_prototypization_by_chance():
    drawn = [prototypization(CODES, np.random.default_rng(seed).permutation(LABELS)) for seed in range(400)]
    assert np.mean(drawn) == pytest.approx(1 / 119, rel=0.25)


def test_orthogonalization_by_the_formula():
    codes = CODES + np.outer(LABELS, [1.0, 0.5, 0.0, 0.0])
    active = codes.std(axis=0) > 0.1
    chosen = codes[:, active]
    shrunk = np.zeros((active.sum(), active.sum()))
    for label in (0, 1):  # within-class covariance of standardised latents, shrunk, as scikit-learn defines it
        own = chosen[label == LABELS]
        scale = own.std(axis=0)
        shrunk += len(own) / len(codes) * scale[:, None] * ledoit_wolf(own / scale - (own / scale).mean(axis=0))[0] * scale[None]
    difference = chosen[LABELS == 1].mean(axis=0) - chosen[LABELS == 0].mean(axis=0)
    weights = np.abs(np.linalg.solve(shrunk, difference) * chosen.std(axis=0))
    assert orthogonalization(codes, LABELS) == pytest.approx(weights.max() / np.linalg.norm(weights), rel=1e-6)


def test_orthogonalization_asks_about_the_latents_own_axes():
    codes = GENERATOR.standard_normal((500, 2))
    own = orthogonalization(codes, codes[:, 0] > 0)
    turned = codes @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert own > 0.99
    assert orthogonalization(turned, codes[:, 0] > 0) == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert orthogonalization(codes * [1, 1e-3], codes[:, 0] > 0) == 1


@pytest.mark.parametrize(("latents", "expected"), [(2, np.sin(np.pi / 4) / (np.pi / 4)), (3, 0.83), (5, 0.74)])
def test_alignment_of_a_direction_at_random(latents, expected):
    """What the card says of chance; in two dimensions it is the mean of max(|cos φ|, |sin φ|)."""
    directions = np.random.default_rng(2).standard_normal((20_000, latents))
    drawn = np.abs(directions).max(axis=1) / np.linalg.norm(directions, axis=1)
    assert drawn.mean() == pytest.approx(expected, abs=0.006)
    codes = np.random.default_rng(3).standard_normal((4000, latents))
    for direction in directions[:3]:
        found = orthogonalization(codes, codes @ direction > 0)
        assert found == pytest.approx(np.abs(direction).max() / np.linalg.norm(direction), abs=0.03)


def test_resolution_by_loops():
    factors = np.array([[i, j] for i in range(3) for j in range(4)], float)
    places = np.repeat(np.arange(12), 5)
    codes = factors[places] @ GENERATOR.standard_normal((2, 3)) + 0.3 * GENERATOR.standard_normal((60, 3))
    means = np.array([codes[places == s].mean(axis=0) for s in range(12)])
    noise = np.sqrt(sum(np.sum((z - means[s]) ** 2) for z, s in zip(codes, places, strict=True)) / ((60 - 12) * 3))
    expected = [
        np.mean([np.linalg.norm(means[s] - means[t]) / noise for t in range(12) if np.abs(factors[s] - factors[t]).sum() == 1])
        for s in range(12)
    ]
    np.testing.assert_allclose(local_resolution(codes, places, factors), expected)


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="codes must be different for at least two items"):
        prototypization(np.ones((3, 2)), np.array([0, 1, 1]))
    with pytest.raises(RequestError, match="classes must be labels of exactly two classes"):
        orthogonalization(CODES, np.arange(120) % 3)
    with pytest.raises(RequestError, match="no active latent"):
        orthogonalization(CODES * 1e-3, LABELS)
    with pytest.raises(RequestError, match="stimuli must be at least two items of each of the 2 stimuli"):
        local_resolution(CODES[:3], np.array([0, 0, 1]), np.array([[0.0], [1.0]]))

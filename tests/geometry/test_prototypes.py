from __future__ import annotations

import numpy as np
import pytest

from ratewarp._checks import RequestError
from ratewarp.geometry import prototypization

GENERATOR = np.random.default_rng(0)
CODES = GENERATOR.standard_normal((120, 4)) * [1, 2, 0.5, 0.05]
LABELS = GENERATOR.integers(0, 2, 120)
ROTATION, _ = np.linalg.qr(GENERATOR.standard_normal((4, 4)))


def _by_pairs(codes, labels):
    """Half the mean squared distance of pairs of a class, over all that is between and within."""
    names, counts = np.unique(labels, return_counts=True)
    shares, means = counts / len(labels), [codes[labels == one].mean(axis=0) for one in names]
    variances = []
    for one in names:
        own = codes[labels == one]
        pairs = [np.sum((a - b) ** 2) / 2 for i, a in enumerate(own) for b in own[:i]]
        variances.append(np.mean(pairs))
    centre = codes.mean(axis=0)
    between = sum(
        p * np.sum((mean - centre) ** 2) - p * (1 - p) * variance / n
        for p, mean, variance, n in zip(shares, means, variances, counts, strict=True)
    )
    return between / (between + shares @ variances)


def test_by_loops():
    codes = CODES + 0.7 * LABELS[:, None]
    centre = codes.mean(axis=0)
    total = sum(np.sum((z - centre) ** 2) for z in codes)
    within = sum(
        np.sum((z - codes[label == LABELS].mean(axis=0)) ** 2) for z, label in zip(codes, LABELS, strict=True)
    )
    assert prototypization(codes, LABELS) == pytest.approx(_by_pairs(codes, LABELS))
    # ω² of equal variances is near it
    omega = (total - within - within / 118) / (total + within / 118)
    assert prototypization(codes, LABELS) == pytest.approx(omega, abs=0.003)
    assert prototypization(3 * codes @ ROTATION + 5, LABELS) == pytest.approx(prototypization(codes, LABELS))


def test_by_chance():
    drawn = [prototypization(CODES, np.random.default_rng(seed).permutation(LABELS)) for seed in range(400)]
    assert np.mean(drawn) == pytest.approx(0, abs=3 * np.std(drawn) / np.sqrt(400))


def test_by_chance_with_many_small_classes():
    """The plain share of pure noise would be near 0.33."""
    drawn = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(40), rng.integers(3, 5, 40))
        drawn.append(prototypization(rng.normal(size=(len(labels), 5)), labels))
    assert np.mean(drawn) == pytest.approx(0, abs=3 * np.std(drawn) / np.sqrt(200))


def test_chance_is_counted_over_stimuli():
    """Items of a stimulus lie together: labels of twenty stimuli, at random, with thirty items each."""
    drawn = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        stimuli = np.repeat(np.arange(20), 30)
        codes = rng.normal(size=(20, 3))[stimuli] + 0.3 * rng.normal(size=(600, 3))
        drawn.append(prototypization(codes, rng.permutation(np.arange(20) % 3)[stimuli], stimuli=stimuli))
    assert np.mean(drawn) == pytest.approx(0, abs=3 * np.std(drawn) / np.sqrt(200))


def test_a_class_of_one_item_varies_as_the_others():
    codes, labels = np.array([[0.0], [2.0], [9.0]]), np.array([0, 0, 1])
    # variance within: 2 for either class; between: 2/9 (1 − 9)² less (2/3 · 1/3) (2/2 + 2)
    between = 2 / 9 * 64 - 2 / 9 * 3
    assert prototypization(codes, labels) == pytest.approx(between / (between + 2))
    with pytest.raises(RequestError, match="classes must be labels of which one at least is that of two"):
        prototypization(codes, np.arange(3))


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="codes must be different for at least two items"):
        prototypization(np.ones((3, 2)), np.array([0, 1, 1]))

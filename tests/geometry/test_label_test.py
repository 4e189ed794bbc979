"""The test of prototypization: its statistic from scratch, its false alarms, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from oracles import STANDARD_ERRORS
from ratewarp.geometry.label_test import label_p

RNG = np.random.default_rng(0)


def _slow_p(codes, units, labels, permutations, seed, statistic):
    """A loop over permutations."""
    rng = np.random.default_rng(seed)
    value = statistic(codes, units, labels)
    null = [statistic(codes, units, rng.permutation(labels)) for _ in range(permutations)]
    return (1 + sum(one >= value - 1e-12 for one in null)) / (1 + permutations)


def _beside_chance(codes, units, labels):
    """V/(V + E), class by class and unit by unit."""
    between = chance = 0.0
    for one in np.unique(labels):
        inside = labels[units] == one
        share, mean = inside.mean(), codes[inside].mean(axis=0)
        between += share * np.sum((mean - codes.mean(axis=0)) ** 2)
        parts, deviations = [], []
        for unit in np.flatnonzero(labels == one):
            own = codes[units == unit]
            parts.append(len(own) / inside.sum())
            deviations.append(parts[-1] ** 2 * np.sum((own.mean(axis=0) - mean) ** 2))
        q = np.array(parts)
        error = np.sum(deviations) / (1 + np.sum(q**2) - 2 * np.sum(q**3) / np.sum(q**2))
        chance += share * (1 - share) * error
    return between / (between + chance)


@pytest.mark.parametrize("even", [True, False])
def test_p_is_that_of_a_loop(even):
    units = np.repeat(np.arange(18), 3 if even else RNG.integers(1, 6, 18))
    codes, labels = RNG.normal(size=(len(units), 2)), RNG.permutation(np.repeat([0, 1, 2], [4, 5, 9]))
    codes[labels[units] == 0] += 0.7
    expected = _slow_p(codes, units, labels, 120, 5, _beside_chance)
    assert label_p(codes, units, labels, 120, 5) == expected
    assert label_p(1e6 + 1e-3 * codes, units, labels, 120, 5) == expected


def test_two_classes_are_ordered_by_welch():
    codes, labels = RNG.normal(size=(20, 1)), np.repeat([0, 1], [6, 14])

    def squared(codes, units, labels):
        return ttest_ind(codes[labels == 0, 0], codes[labels == 1, 0], equal_var=False).statistic ** 2

    assert label_p(codes, np.arange(20), labels, 200, 3) == _slow_p(
        codes, np.arange(20), labels, 200, 3, squared
    )


def test_classes_of_one_size_are_ordered_by_the_plain_share():
    codes, labels = RNG.normal(size=(24, 3)), np.repeat([0, 1, 2], 8)
    codes[:8, 0] += 0.8

    def plain(codes, units, labels):
        return sum(np.sum((codes[labels == one].mean(axis=0) - codes.mean(axis=0)) ** 2) for one in range(3))

    assert label_p(codes, np.arange(24), labels, 200, 3) == _slow_p(
        codes, np.arange(24), labels, 200, 3, plain
    )


@pytest.mark.parametrize(
    ("sizes", "trials"), [((15, 45), (2, 12)), ((15, 45), (12, 2)), ((5, 10, 20, 30), (2, 3, 6, 12))]
)
def test_unequal_trials_are_no_finding(sizes, trials):
    """Means of few trials stray more; a test of the plain share finds a small class of them in 17 %."""
    labels, samples = np.repeat(np.arange(len(sizes)), sizes), 600
    noise = 2 / np.sqrt(np.repeat(trials, sizes))[:, None]
    found = []
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        codes = rng.normal(size=(len(labels), 4)) + noise * rng.normal(size=(len(labels), 4))
        found.append(label_p(codes, np.arange(len(labels)), labels, 199, seed) <= 0.05)
    assert abs(np.mean(found) - 0.05) < STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / samples)


def test_classes_that_are_points_are_found():
    codes = 1e5 + np.repeat([[0.0], [1.0]], 6, axis=0)
    assert label_p(codes, np.arange(12), np.repeat([0, 1], 6), 999, 0) < 0.02


def test_a_class_of_one_unit_strays_as_the_others_do():
    codes, labels = RNG.normal(size=(20, 2)), np.repeat([0, 1], [1, 19])
    assert label_p(codes, np.arange(20), labels, 199, 0) > 0.05
    codes[0] += 20
    assert label_p(codes, np.arange(20), labels, 199, 0) < 0.1  # 1 of 20 units

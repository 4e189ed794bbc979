from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from ratewarp._checks import RequestError
from ratewarp.geometry import local_resolution, resolution_ratio, specialization

RNG = np.random.default_rng(0)
FACTORS = np.array([[i, j] for i in range(3) for j in range(4)], float)
PLACES = np.repeat(np.arange(12), 5)
CODES = FACTORS[PLACES] @ RNG.standard_normal((2, 3)) + 0.3 * RNG.standard_normal((60, 3))
MEANS = np.array([CODES[s == PLACES].mean(axis=0) for s in range(12)])


def _mean_distances(scale=lambda s, t: 1.0):
    return [
        np.mean(
            [
                np.linalg.norm(MEANS[s] - MEANS[t]) / scale(s, t)
                for t in range(12)
                if np.abs(FACTORS[s] - FACTORS[t]).sum() == 1
            ]
        )
        for s in range(12)
    ]


def test_resolution_by_loops():
    noise = np.sqrt(
        sum(np.sum((z - MEANS[s]) ** 2) for z, s in zip(CODES, PLACES, strict=True)) / ((60 - 12) * 3)
    )
    np.testing.assert_allclose(local_resolution(CODES, PLACES, FACTORS), np.array(_mean_distances()) / noise)


def test_given_variances_add_to_the_scatter():
    variances = np.full(CODES.shape, 0.7)
    scatter = sum(np.sum((z - MEANS[s]) ** 2) for z, s in zip(CODES, PLACES, strict=True)) / ((60 - 12) * 3)
    found = local_resolution(CODES, PLACES, FACTORS, noise=variances)
    np.testing.assert_allclose(found, np.array(_mean_distances()) / np.sqrt(scatter + 0.7))
    # one item a stimulus
    alone = local_resolution(MEANS, np.arange(12), FACTORS, noise=np.full(MEANS.shape, 0.7))
    np.testing.assert_allclose(alone, np.array(_mean_distances()) / np.sqrt(0.7))


def test_whitened_resolution_is_unmoved_by_linear_maps():
    mixed = CODES @ RNG.standard_normal((3, 3))
    own, other = (local_resolution(codes, PLACES, FACTORS, whitened=True) for codes in (CODES, mixed))
    np.testing.assert_allclose(own, other, rtol=1e-6)
    noise = sum(np.outer(z - MEANS[s], z - MEANS[s]) for z, s in zip(CODES, PLACES, strict=True)) / (60 - 12)
    first = np.mean(
        [np.sqrt((MEANS[0] - MEANS[t]) @ np.linalg.solve(noise, MEANS[0] - MEANS[t])) for t in (1, 4)]
    )
    assert own[0] == pytest.approx(first)


def test_slope_by_regression():
    frequency = RNG.uniform(1, 9, 12)
    expected = linregress(np.log(frequency), np.log(_mean_distances())).slope
    assert specialization(CODES, PLACES, FACTORS, frequency) == pytest.approx(expected)
    rotation, _ = np.linalg.qr(RNG.standard_normal((3, 3)))
    assert specialization(4 * CODES @ rotation - 1, PLACES, FACTORS, 100 * frequency) == pytest.approx(
        expected
    )


def test_two_levels_give_the_ratio_of_geometric_means():
    frequency = np.where(FACTORS[:, 0] == 0, 8.0, 1.0)
    logs = np.log(_mean_distances())
    expected = (logs[:4].mean() - logs[4:].mean()) / np.log(8)
    assert specialization(CODES, PLACES, FACTORS, frequency) == pytest.approx(expected)


def test_codes_that_follow_continuous_factors_have_no_slope_of_their_own():
    scattered = RNG.uniform(size=(400, 2))
    frequency = np.where(scattered[:, 0] < 0.5, 5.0, 1.0)
    assert specialization(
        scattered / scattered.std(axis=0), np.arange(400), scattered, frequency
    ) == pytest.approx(0, abs=1e-9)
    # the frequent half is spread out
    dense = np.where(scattered[:, :1] < 0.5, 2 * scattered[:, :1], scattered[:, :1] + 0.5)
    assert specialization(np.hstack([dense, scattered[:, 1:]]), np.arange(400), scattered, frequency) > 0.1


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="at least two items of every stimulus, where no noise is given"):
        local_resolution(CODES[:12], np.arange(12), FACTORS)
    with pytest.raises(RequestError, match="a row of factors each"):
        local_resolution(CODES, PLACES + 1, FACTORS)
    with pytest.raises(RequestError, match="noise must be variances of the same shape"):
        local_resolution(CODES, PLACES, FACTORS, noise=np.ones((60, 2)))
    with pytest.raises(RequestError, match="the same frequency for all"):
        specialization(CODES, PLACES, FACTORS, np.ones(12))
    with pytest.raises(RequestError, match="frequency must be positive"):
        specialization(CODES, PLACES, FACTORS, np.arange(12.0))
    with pytest.raises(RequestError, match="one number for each of the 12"):
        specialization(CODES, PLACES, FACTORS, np.ones(11))
    with pytest.raises(RequestError, match="coded as all its neighbours"):
        specialization(
            np.zeros((12, 2)) + (np.arange(12) == 11)[:, None], np.arange(12), FACTORS, np.arange(1.0, 13)
        )


def test_ratio_by_loops():
    rng = np.random.default_rng(8)
    grid = np.array([[a, b] for a in range(4) for b in range(5)], float)
    means, frequent = rng.normal(size=(20, 3)), grid[:, 1] < 3
    logs = {True: [], False: []}
    for a in range(20):
        for b in range(a):
            if np.abs(grid[a] - grid[b]).sum() == 1 and frequent[a] == frequent[b]:
                logs[bool(frequent[a])].append(np.log(np.linalg.norm(means[a] - means[b])))
    expected = np.exp(np.mean(logs[True]) - np.mean(logs[False]))
    frequency = np.where(frequent, 5.0, 1.0)
    assert resolution_ratio(means, np.arange(20), grid, frequency) == pytest.approx(expected)
    alone = np.arange(20) == 7  # no neighbours are both frequent
    near = [(a, b) for a in range(20) for b in range(a) if np.abs(grid[a] - grid[b]).sum() == 1]
    steps = {pair: np.log(np.linalg.norm(means[pair[0]] - means[pair[1]])) for pair in near}
    apart = np.mean([step for pair, step in steps.items() if 7 in pair]) - np.mean(
        [step for pair, step in steps.items() if 7 not in pair]
    )
    assert resolution_ratio(means, np.arange(20), grid, np.where(alone, 5.0, 1.0)) == pytest.approx(
        np.exp(apart)
    )
    with pytest.raises(RequestError, match="neighbours that are coded alike"):
        resolution_ratio(np.ones((20, 2)), np.arange(20), grid, frequency)

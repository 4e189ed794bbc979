"""Certificates of free points, held against the matrix solver on grids of points: what a grid achieves, no
bound may exceed.
"""

import numpy as np
import pytest

from ratewarp.theory import Curve, LogLoss, SquaredError, Weighted, rate_distortion
from ratewarp.theory.alphabets import Columns
from ratewarp.theory.slopes import solve

ROUNDING = 1e-8  # nats
TOLERANCE = 1e-4


def uniform(stimuli: int) -> np.ndarray:
    return np.full(stimuli, 1 / stimuli)


def lognormal() -> tuple[np.ndarray, np.ndarray]:
    return uniform(20), np.exp(np.random.default_rng(9).normal(size=20))


def outlier() -> tuple[np.ndarray, np.ndarray]:
    return np.append(np.full(10, 0.099), 0.01), np.append(np.random.default_rng(1).normal(size=10), 200.0)


def clusters() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return uniform(12), np.repeat(rng.normal(size=3), 4) + 0.002 * rng.normal(size=12)


def between(means: np.ndarray, steps: int) -> np.ndarray:
    """A grid that is as fine as its neighbourhood: so many steps from each mean to the next."""
    ordered = np.sort(means)
    inner = ordered[:-1, None] + np.diff(ordered)[:, None] * np.arange(steps) / steps
    return np.append(inner.ravel(), ordered[-1])


def assert_nothing_beats(curve: Curve, p: np.ndarray, distances: np.ndarray, slopes: int) -> None:
    """No channel to the points of a grid pays less than the bound of any of some solved slopes."""
    inner = sorted((one for one in curve.envelope.solved if 0 < one.beta < np.inf), key=lambda one: one.beta)
    for one in inner[:: max(1, len(inner) // slopes)]:
        columns = np.arange(distances.shape[1])
        grid = solve(Columns(p, distances), one.beta, columns, uniform(len(columns)), 1e-6)
        assert one.lower <= grid.rate + one.beta * grid.distortion + ROUNDING


@pytest.mark.parametrize("source", [lognormal, outlier, clusters])
def test_sources_of_several_scales(source):
    p, means = source()
    curve = rate_distortion(p, SquaredError(means[:, None]), points=8, tolerance=TOLERANCE)
    assert curve.table.gap_nats.max() <= TOLERANCE
    assert_nothing_beats(curve, p, (means[:, None] - between(means, 8)) ** 2, 5)


@pytest.mark.parametrize(("seed", "weight"), [(7, 0.1), (11, 0.3)])
def test_tasks_of_small_weight(seed, weight):
    """Where β times the weight is below 1, the best points leave the label open."""
    rng = np.random.default_rng(seed)
    p, means, labels = rng.dirichlet(np.ones(7)), rng.normal(size=7), np.array([0, 1, 2, 0, 1, 1, 0])
    cost = Weighted((1.0, SquaredError(means[:, None])), (weight, LogLoss(labels)))
    curve = rate_distortion(p, cost, points=8, tolerance=TOLERANCE)
    assert curve.table.gap_nats.max() <= TOLERANCE
    tenths = np.indices((11, 11)).reshape(2, -1).T / 10
    shares = np.column_stack([tenths, 1 - tenths.sum(axis=1)]).round(9)
    shares = shares[shares[:, 2] >= 0]
    images = between(means, 3)
    points = np.column_stack([np.repeat(images, len(shares)), np.tile(shares, (len(images), 1))])
    assert_nothing_beats(curve, p, np.minimum(cost.distances(points), 1e6), 5)

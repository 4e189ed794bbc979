from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from ratewarp.geometry.signal_resolution import log_ratio_of_squares, quasi_slopes
from ratewarp.geometry.stimulus_space import Space, neighbours


@pytest.mark.parametrize("slope", [-4.0, -0.3, 0.0, 0.5, 3.0, 12.0])
@pytest.mark.parametrize("levels", [2, 30])
def test_slopes_by_root_finding(slope, levels):
    """The profile of the estimating equations in one unknown, however steep."""
    rng = np.random.default_rng(0)
    x = np.log(np.where(np.arange(30) < 12, 1, 4)) if levels == 2 else rng.normal(size=30)
    y, w = np.exp(2 * slope * x) * rng.gamma(2, size=30), rng.integers(0, 3, 30).astype(float)

    def equation(b):
        parts = w * y * np.exp(-2 * b * (x - x.mean()))
        return parts @ x / parts.sum() - w @ x / w.sum()

    assert quasi_slopes(y, x, w[None])[0] == pytest.approx(brentq(equation, -20, 20), rel=1e-6, abs=1e-8)


def test_squares_below_zero_count_as_they_are():
    """Errors of mean 0 that take a third of the squares below 0 leave the slope where it is."""
    x, found = np.log(np.repeat([1.0, 4.0], 60)), []
    for seed in range(300):
        y = 4 ** (x / np.log(4)) + 2.0 * np.random.default_rng(seed).normal(size=120)
        found.append(quasi_slopes(y, x, np.ones((1, 120)))[0])
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)


def test_nothing_solves_what_is_noise_alone():
    assert np.isnan(quasi_slopes(-np.ones(5), np.arange(5.0), np.ones((1, 5))))[0]
    assert np.isnan(quasi_slopes(np.ones(5), np.zeros(5), np.ones((1, 5))))[0]


def test_ratio_of_mean_squares():
    near = neighbours(Space(np.arange(8.0)[:, None]))
    often = np.arange(8) < 4
    found, influence = log_ratio_of_squares(np.array([3.0, 5, 4, 9, 1, 1, 1]), near, often)
    assert np.exp(found) == pytest.approx(2)
    assert influence.sum() == pytest.approx(0)
    assert np.isnan(log_ratio_of_squares(np.array([4.0, 4, 4, 9, -1, -1, -1]), near, often)[0])

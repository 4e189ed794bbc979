"""Steadied variances: their limits, and that hidden parameters are found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, t

from ratewarp.results.steadied import steadied


@pytest.mark.parametrize("freedom", [2.5, 6.0, 20.0])
def test_hidden_parameters_are_found(freedom):
    rng = np.random.default_rng(1)
    precision = rng.chisquare(freedom, 4000) / freedom / 0.3
    own = rng.chisquare(3, 4000) / 3 / precision
    found = steadied(own, np.full(4000, 3))
    assert found.freedom[0] - 3 == pytest.approx(freedom, rel=0.25)
    usual = (found.variance * found.freedom - 3 * own) / (found.freedom - 3)
    np.testing.assert_allclose(usual, 0.3, rtol=0.1)


def test_means_over_their_errors_are_students_t():
    """With places as unequal as the method takes them to be, and a trend."""
    rng = np.random.default_rng(5)
    trend = np.repeat([0.0, 1.0], 1500)
    sigma = np.exp(trend) / np.sqrt(rng.chisquare(5, 3000) / 5)
    values = sigma[:, None] * rng.normal(size=(3000, 3))
    found = steadied(values.var(axis=1, ddof=1), np.full(3000, 2), trend[:, None])
    ratio = values.mean(axis=1) / np.sqrt(found.variance / 3)
    assert kstest(ratio, t(found.freedom[0]).cdf).pvalue > 0.01


def test_equal_variances_are_pooled():
    own = np.array([1.0, 1.1, 0.9, 1.2])
    found = steadied(own, np.array([1, 2, 3, 4]))
    np.testing.assert_allclose(found.variance, np.average(own, weights=[1, 2, 3, 4]))
    assert np.isinf(found.freedom).all()


def test_a_place_with_one_seed_takes_what_is_usual():
    rng = np.random.default_rng(3)
    own = rng.chisquare(3, 50) / 3 * np.exp(rng.normal(size=50))
    found = steadied(np.r_[own, 0.0], np.r_[np.full(50, 3), 0])
    assert 0 < found.variance[-1] < own.max()
    assert found.freedom[-1] == pytest.approx(found.freedom[0] - 3)


def test_without_any_variance_nothing_is_known():
    found = steadied(np.zeros(3), np.array([3, 0, 3]))
    assert np.isnan(found.variance).all()
    assert (found.freedom == 0).all()

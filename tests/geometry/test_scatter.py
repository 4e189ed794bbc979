from __future__ import annotations

import numpy as np

from ratewarp.geometry.scatter import Sample

RNG = np.random.default_rng(0)
CODES, UNIT, LABEL = (
    RNG.normal(size=(60, 3)) + 100,
    RNG.permutation(np.repeat(np.arange(12), 5)),
    RNG.integers(0, 2, 60),
)
WEIGHTS = RNG.multinomial(12, np.full(12, 1 / 12), size=4).astype(float)


def _repeated(weights):
    """Items as often as their unit was drawn."""
    times = weights[UNIT].astype(int)
    return np.repeat(CODES, times, axis=0), np.repeat(LABEL, times)


def test_scatter_of_a_draw_is_that_of_the_repeated_items():
    scatter = Sample(CODES, UNIT, LABEL).scatter(WEIGHTS)
    for draw, weights in enumerate(WEIGHTS):
        codes, labels = _repeated(weights)
        means = np.array([codes[labels == label].mean(axis=0) for label in (0, 1)])
        np.testing.assert_allclose(scatter.total[draw], np.cov(codes.T, bias=True), atol=1e-10)
        np.testing.assert_allclose(
            scatter.within[draw], (codes - means[labels]).T @ (codes - means[labels]) / len(codes), atol=1e-10
        )
        np.testing.assert_allclose(scatter.between[draw], np.cov(means[labels].T, bias=True), atol=1e-10)
        np.testing.assert_allclose(scatter.means[draw], means - CODES.mean(axis=0), atol=1e-10)


def test_a_class_without_weight_has_no_mean():
    unit = np.arange(4)
    scatter = Sample(RNG.normal(size=(4, 2)), unit, np.array([0, 0, 0, 1])).scatter(
        np.array([[1.0, 1, 1, 0]])
    )
    assert np.isnan(scatter.means[0, 1]).all()
    assert np.isfinite(scatter.within).all()

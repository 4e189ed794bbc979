"""The best weights of given points."""

import numpy as np
import pytest

from ratewarp.theory.mixing import _factor, best_weights


def test_weights_satisfy_the_conditions_of_optimality():
    rng = np.random.default_rng(0)
    p, kernel = rng.dirichlet(np.ones(9)), np.exp(-rng.exponential(size=(9, 5)))
    q = best_weights(p, kernel, np.full(5, 0.2), 1e-9)
    gain = kernel.T @ (p / (kernel @ q))
    assert q.sum() == pytest.approx(1)
    assert gain.max() <= 1 + 1e-6
    assert gain[q > 1e-4] == pytest.approx(np.ones(np.sum(q > 1e-4)), abs=1e-5)


def test_a_matrix_that_rounding_has_made_indefinite_is_lifted():
    root = np.random.default_rng(0).normal(size=(6, 2))
    matrix = root @ root.T - 1e-13 * np.eye(6)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(matrix)
    factor, lower = _factor(matrix.copy())
    low = np.tril(factor)
    assert lower
    assert low @ low.T == pytest.approx(matrix, abs=1e-6)


def test_a_matrix_that_is_indefinite_by_itself_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        _factor(np.diag([1.0, -1.0]))

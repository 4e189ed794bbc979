import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import poisson

from ratewarp import RequestError
from ratewarp.theory import binary_hamming, gaussian, poisson_entropy, uniform_hamming


def _water_filling(variances: np.ndarray, distortion: float) -> float:
    level = brentq(lambda t: np.minimum(t, variances).sum() - distortion, 0, variances.max())
    return float(sum(0.5 * np.log(v / level) for v in variances if v > level))


@pytest.mark.parametrize("seed", range(4))
def test_gaussian_is_water_filling(seed):
    rng = np.random.default_rng(seed)
    variances = rng.exponential(size=7)
    asked = variances.sum() * np.array([0.01, 0.2, 0.5, 0.9, 0.999])
    assert gaussian(variances, asked) == pytest.approx(
        [_water_filling(variances, d) for d in asked], abs=1e-9
    )


def test_ends():
    assert gaussian([1.0, 4.0], [0.0, 5.0, 9.0]).tolist() == [np.inf, 0, 0]
    assert gaussian([0.0, 1.0], 0.25) == pytest.approx(0.5 * np.log(4))
    assert gaussian([0.0, 0.0], [0.5]).tolist() == [0]
    assert binary_hamming(0.2, [0.2, 0.7]).tolist() == [0, 0]
    assert uniform_hamming(2, [0.1, 0.4]) == pytest.approx(binary_hamming(0.5, [0.1, 0.4]))
    assert uniform_hamming(5, 0) == pytest.approx(np.log(5))


def test_refusals_name_the_argument():
    for call, argument in [
        (lambda: binary_hamming(1.2, 0.1), "p must be"),
        (lambda: binary_hamming(0.2, -0.1), "distortion must be"),
        (lambda: uniform_hamming(1, 0.1), "symbols must be"),
        (lambda: gaussian([1.0, -1.0], 0.1), "variances must be"),
        (lambda: gaussian([1.0, np.nan], 0.1), "variances must be"),
    ]:
        with pytest.raises(RequestError, match=argument):
            call()


def test_the_entropy_of_counts_is_scipys():
    means = np.array([[0.0, 1e-9, 0.01, 0.5], [7.3, 60.0, 99.99, 100.0], [100.1, 150.0, 400.0, 900.0]])
    np.testing.assert_allclose(poisson_entropy(means), poisson.entropy(means), rtol=1e-8, atol=1e-12)

from __future__ import annotations

import numpy as np
import pytest

from ratewarp._checks import RequestError
from ratewarp.geometry import disentanglement, mutual_information_gap

GRID = np.array([[a, b] for a in range(5) for b in range(4)] * 20, float)
RNG = np.random.default_rng(0)


def _information(a, b):
    """Plug-in mutual information from the table of joint counts."""
    joint = np.array([[np.sum((a == x) & (b == y)) for y in np.unique(b)] for x in np.unique(a)]) / len(a)
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    return np.sum(joint[joint > 0] * np.log(joint[joint > 0] / outer[joint > 0]))


def test_gap_by_tables_of_counts():
    codes = np.stack(
        [GRID[:, 0] + RNG.integers(0, 2, 400), GRID[:, 1] * 0.5, (GRID.sum(axis=1) > 3) * 1.0], axis=1
    )
    kept = RNG.permutation(400)[:150]  # an incomplete grid
    gaps = []
    for factor in GRID[kept].T:
        told = sorted(_information(latent, factor) for latent in codes[kept].T)
        gaps.append((told[-1] - told[-2]) / _information(factor, factor))
    assert mutual_information_gap(codes[kept], GRID[kept]) == pytest.approx(np.mean(gaps))


def test_codes_that_are_the_factors_are_disentangled_and_turned_ones_are_not():
    noisy = GRID + 0.05 * RNG.standard_normal(GRID.shape)
    turned = noisy @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    own, other = disentanglement(noisy, GRID), disentanglement(turned, GRID)
    assert min(own) > 0.9
    assert max(other.disentanglement, other.completeness) < 0.3
    assert other.informativeness > 0.8  # nothing is lost by turning
    assert mutual_information_gap(noisy, GRID) > 0.9 > 0.3 > mutual_information_gap(turned, GRID)


def test_noise_tells_nothing():
    found = disentanglement(RNG.standard_normal((400, 3)), GRID)
    assert found.informativeness < 0.4  # chance is 0.225
    assert disentanglement(GRID[:, :1], GRID).completeness == 1


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="one row for each of the 400 items"):
        disentanglement(GRID, GRID[:5])
    with pytest.raises(RequestError, match="at least 2 latents"):
        mutual_information_gap(GRID[:, :1], GRID)
    with pytest.raises(RequestError, match="at least two values"):
        disentanglement(GRID, np.ones((400, 1)))


def test_the_order_and_the_units_of_latents_do_not_matter():
    rng = np.random.default_rng(3)
    factors = np.array([[a, b] for a in range(4) for b in range(4)] * 8, float)
    codes = factors @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(128, 4))
    found = disentanglement(codes, factors)
    for other in (codes[:, [2, 0, 3, 1]], codes * [1, 10, 0.1, 4] + 3):
        np.testing.assert_allclose(disentanglement(other, factors), found, atol=1e-12)

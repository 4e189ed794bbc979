from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes

from ratewarp._checks import RequestError
from ratewarp.geometry import linear_cka, procrustes_distance
from ratewarp.geometry.similarity_left_out import cka_without, procrustes_without

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(30, 4))
OTHER = CODES[:, :2] @ RNG.normal(size=(2, 3)) + 0.5 * RNG.normal(size=(30, 3))


def test_biased_cka_by_gram_matrices():
    centre = np.eye(30) - 1 / 30
    first, second = (centre @ z @ z.T @ centre for z in (CODES, OTHER))
    expected = np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2))
    assert linear_cka(CODES, OTHER, debiased=False) == pytest.approx(expected)


def _unbiased_hsic(first, second):
    """Mean over ordered quadruples of different items, as the estimator is defined."""
    terms = [
        first[i, j] * (second[i, j] + second[k, l] - 2 * second[i, k])
        for i, j, k, l in permutations(range(len(first)), 4)
    ]
    return np.mean(terms)


def test_debiased_cka_by_quadruples():
    codes, other = CODES[:8], OTHER[:8]
    first, second = codes @ codes.T, other @ other.T
    expected = _unbiased_hsic(first, second) / np.sqrt(
        _unbiased_hsic(first, first) * _unbiased_hsic(second, second)
    )
    assert linear_cka(codes, other) == pytest.approx(expected)


def test_unrelated_codes_have_none_only_when_debiased():
    pairs = [np.random.default_rng(seed).normal(size=(2, 20, 15)) for seed in range(200)]
    assert np.mean([linear_cka(a, b) for a, b in pairs]) == pytest.approx(0, abs=0.02)
    assert np.mean([linear_cka(a, b, debiased=False) for a, b in pairs]) > 0.4


def test_procrustes_against_scipy():
    wide = np.pad(OTHER, ((0, 0), (0, 1)))
    disparity = procrustes(CODES, wide)[2]
    assert procrustes_distance(CODES, OTHER) == pytest.approx(np.arccos(np.sqrt(1 - disparity)))


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 10))
def test_promised_invariances(seed, scale):
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))
    moved = scale * CODES @ rotation + 3
    for measure in (linear_cka, procrustes_distance):
        assert measure(moved, OTHER) == pytest.approx(measure(CODES, OTHER), rel=1e-6)
        assert measure(OTHER, moved) == pytest.approx(measure(CODES, OTHER), rel=1e-6)
    assert linear_cka(moved, CODES) == pytest.approx(1)
    assert procrustes_distance(moved, CODES) == pytest.approx(0, abs=1e-6)


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="same items"):
        linear_cka(CODES, OTHER[:5])
    with pytest.raises(RequestError, match="at least 4 items"):
        linear_cka(CODES[:3], OTHER[:3])
    with pytest.raises(RequestError, match="reference must be different"):
        procrustes_distance(CODES, np.ones((30, 2)))


@pytest.mark.parametrize(
    ("measure", "without", "fewest"),
    [(linear_cka, cka_without, 4), (procrustes_distance, procrustes_without, 2)],
)
@pytest.mark.parametrize("wide", [1, 4, 90])
def test_without_some_blocks_as_one_by_one(measure, without, fewest, wide):
    """Blocks of unequal size, codes far off the origin, and more latents than items."""
    codes, other = 1e3 + CODES @ RNG.normal(size=(4, wide)), OTHER - 50
    blocks = RNG.permutation(np.r_[np.arange(12), RNG.integers(0, 12, 18)])
    weights = RNG.integers(0, 2, (200, 12)).astype(float)
    weights[0] = 1
    weights[1, 1:] = 0
    kept = [row[blocks] > 0 for row in weights]
    expected = [measure(codes[one], other[one]) if one.sum() >= fewest else np.nan for one in kept]
    np.testing.assert_allclose(without(codes, other, blocks)(weights), expected, rtol=1e-7, atol=1e-10)


def test_what_is_left_may_be_constant():
    codes = np.r_[np.ones((6, 2)), [[2.0, 0.0], [3.0, 1.0]]]
    weights = np.array([[1, 1, 1, 1, 1, 1, 0, 0], [1] * 8], float)
    for without in (cka_without, procrustes_without):
        found = without(codes, RNG.normal(size=(8, 2)), np.arange(8))(weights)
        assert np.isnan(found[0])
        assert np.isfinite(found[1])

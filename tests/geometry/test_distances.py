from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oracles import ALGEBRA, class_distortion
from ratewarp._checks import RequestError
from ratewarp.geometry import (
    class_distortion_matrix,
    class_distortion_statistic,
    code_checks,
    distance_ratios,
    pairs,
)

RNG = np.random.default_rng(0)
CODES, REFERENCE = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 3))
CLASSES = RNG.integers(0, 3, 40)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_slow_double_loop_agrees(logarithmic):
    expected = class_distortion(CODES, REFERENCE, CLASSES, logarithmic=logarithmic)
    np.testing.assert_allclose(
        class_distortion_matrix(CODES, REFERENCE, CLASSES, logarithmic=logarithmic).values,
        expected,
        atol=ALGEBRA,
    )


def test_tiles_do_not_change_the_result(monkeypatch):
    whole = class_distortion_matrix(CODES, REFERENCE, CLASSES).values
    monkeypatch.setattr(pairs, "TILE", 7)
    np.testing.assert_allclose(class_distortion_matrix(CODES, REFERENCE, CLASSES).values, whole, atol=1e-12)


def test_labels_and_counts_are_named():
    result = class_distortion_matrix(CODES, REFERENCE, 10 * CLASSES - 10)
    np.testing.assert_array_equal(result.classes, [-10, 0, 10])
    np.testing.assert_array_equal(result.counts, np.bincount(CLASSES))


def test_codes_equal_to_the_reference_are_not_distorted():
    np.testing.assert_array_equal(distance_ratios(CODES, CODES), np.ones((40, 40)))
    np.testing.assert_allclose(class_distortion_matrix(CODES, CODES, CLASSES).values, 0, atol=1e-12)


def test_items_that_coincide():
    codes = np.array([[0.0], [0.0], [1.0]])
    assert distance_ratios(codes, codes)[0, 1] == 1
    assert distance_ratios(np.arange(3.0)[:, None], codes)[0, 1] == np.inf
    with pytest.raises(RequestError, match="coincide only in the reference"):
        class_distortion_matrix(np.arange(3.0)[:, None], codes, np.array([0, 0, 1]))
    with pytest.raises(RequestError, match="logarithmic"):
        class_distortion_matrix(codes, np.arange(3.0)[:, None], np.array([0, 0, 1]), logarithmic=True)


CODE_ARRAYS = arrays(np.float64, (12, 3), elements=st.floats(-3, 3).map(lambda v: round(v, 3)), unique=True)


@settings(deadline=None)
@given(CODE_ARRAYS, CODE_ARRAYS, st.floats(0.1, 10), st.integers(0, 2**31))
def test_promised_invariances(codes, reference, scale, seed):
    rng = np.random.default_rng(seed)
    classes = np.arange(12) % 3
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(12)
    plain = class_distortion_matrix(codes, reference, classes).values
    moved = class_distortion_matrix(codes @ rotation + 7, reference @ rotation.T - 3, classes).values
    np.testing.assert_allclose(moved, plain, rtol=1e-6, atol=1e-6 * max(1, np.abs(plain).max()))
    np.testing.assert_allclose(
        class_distortion_matrix(codes[order], reference[order], classes[order]).values,
        plain,
        rtol=1e-6,
        atol=1e-9,
    )
    logs = class_distortion_matrix(codes, reference, classes, logarithmic=True).values
    np.testing.assert_allclose(
        class_distortion_matrix(reference, codes, classes, logarithmic=True).values, -logs, atol=1e-9
    )
    np.testing.assert_allclose(
        class_distortion_matrix(scale * codes, reference, classes, logarithmic=True).values, logs, atol=1e-9
    )


@pytest.mark.parametrize("latents", [3, 20])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_products_of_matrices_keep_the_digits_of_near_items(latents, logarithmic):
    """More latents than eight go through a matrix product, which would lose what tells near items apart."""
    codes = 100 + RNG.normal(size=(60, latents))
    codes[5], codes[9] = codes[6], codes[8] + 1e-9 * RNG.normal(size=latents)
    reference = RNG.normal(size=(60, 2))
    reference[5] = reference[6]
    classes = RNG.integers(0, 3, 60)
    expected = class_distortion(codes, reference, classes, logarithmic=logarithmic)
    np.testing.assert_allclose(
        class_distortion_matrix(codes, reference, classes, logarithmic=logarithmic).values,
        expected,
        atol=1e-9,
    )


def test_a_draw_equals_a_loop_over_the_drawn():
    """A unit that is drawn twice is two units whose pairs with each other do not count; classes may differ
    within a unit.
    """
    units, weights = np.repeat(np.arange(10), 4), RNG.multinomial(10, np.full(10, 0.1), size=3).astype(float)
    ratios = distance_ratios(CODES, REFERENCE)
    found = class_distortion_statistic(CODES, REFERENCE, CLASSES, units)(weights)
    for draw, drawn in enumerate(weights.astype(int)):
        copies = [(item, copy) for item in range(40) for copy in range(drawn[units[item]])]
        kept = [(i, j) for i, a in copies for j, b in copies if units[i] != units[j] or a == b]
        everything = np.mean([ratios[i, j] for i, j in kept])
        for a in range(3):
            for b in range(3):
                own = [ratios[i, j] for i, j in kept if (CLASSES[i], CLASSES[j]) == (a, b)]
                assert found[draw, a, b] == pytest.approx(np.mean(own) - everything)
    whole = class_distortion_statistic(CODES, REFERENCE, CLASSES, units)(np.ones((1, 10)))[0]
    np.testing.assert_allclose(whole, class_distortion_matrix(CODES, REFERENCE, CLASSES).values, atol=1e-12)


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        (np.zeros(5), "two-dimensional"),
        (np.zeros((1, 3)), "at least 2 items"),
        (np.array([["a", "b"], ["c", "d"]]), "real numbers"),
        (np.array([[1, None], [2, 3]], dtype=object), "real numbers"),
        (np.array([[1.0], [np.nan]]), "row 1"),
        (np.zeros((3, 2)), "same items"),
    ],
)
def test_bad_codes(codes, match):
    with pytest.raises(RequestError, match=match):
        code_checks.check_same_items(code_checks.check_codes(codes), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("classes", "match"), [(np.zeros(3, int), "each of the 40"), (np.full(40, 0.5), "integers")]
)
def test_bad_labels(classes, match):
    with pytest.raises(RequestError, match=match):
        code_checks.check_labels(classes, 40)

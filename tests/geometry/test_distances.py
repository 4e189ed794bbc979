from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oracles import ALGEBRA, class_distortion
from ratewarp._checks import RequestError
from ratewarp.geometry import class_distortion_matrix, distance_ratios, distances, merge_classes

RNG = np.random.default_rng(0)
CODES, REFERENCE = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 3))
CLASSES = RNG.integers(0, 3, 40)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_slow_double_loop_agrees(logarithmic):
    expected = class_distortion(CODES, REFERENCE, CLASSES, logarithmic=logarithmic)
    np.testing.assert_allclose(class_distortion_matrix(CODES, REFERENCE, CLASSES, logarithmic=logarithmic).values, expected, atol=ALGEBRA)


def test_blocks_do_not_change_the_result(monkeypatch):
    whole = class_distortion_matrix(CODES, REFERENCE, CLASSES).values
    monkeypatch.setattr(distances, "BLOCK_BYTES", 8 * 40 * 7)
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
    np.testing.assert_allclose(class_distortion_matrix(codes[order], reference[order], classes[order]).values, plain, rtol=1e-6, atol=1e-9)
    logs = class_distortion_matrix(codes, reference, classes, logarithmic=True).values
    np.testing.assert_allclose(class_distortion_matrix(reference, codes, classes, logarithmic=True).values, -logs, atol=1e-9)
    np.testing.assert_allclose(class_distortion_matrix(scale * codes, reference, classes, logarithmic=True).values, logs, atol=1e-9)


def test_merging_stimuli_gives_the_matrix_of_their_classes():
    stimuli = np.repeat(np.arange(10), 4)
    labels = np.arange(10) % 3
    fine = class_distortion_matrix(CODES, REFERENCE, stimuli).values
    coarse = class_distortion_matrix(CODES, REFERENCE, labels[stimuli]).values
    np.testing.assert_allclose(merge_classes(fine, labels), coarse, atol=1e-12)


def test_merging_a_draw_equals_a_loop_over_the_drawn():
    fine, labels = RNG.normal(size=(8, 8)), np.arange(8) % 2
    fine = fine + fine.T
    drawn = np.array([2, 0, 1, 3, 1, 0, 0, 1])
    copies = np.repeat(np.arange(8), drawn)
    pairs = [(s, t) for i, s in enumerate(copies) for j, t in enumerate(copies) if s != t or i == j]
    everything = np.mean([fine[s, t] for s, t in pairs])
    expected = [[np.mean([fine[s, t] for s, t in pairs if (labels[s], labels[t]) == (a, b)]) - everything for b in (0, 1)] for a in (0, 1)]
    np.testing.assert_allclose(merge_classes(fine, labels, drawn.astype(float)), expected, atol=1e-12)


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
        distances.check_same_items(distances.check_codes(codes), np.zeros((2, 2)))


@pytest.mark.parametrize(("classes", "match"), [(np.zeros(3, int), "each of the 40"), (np.full(40, 0.5), "integers")])
def test_bad_labels(classes, match):
    with pytest.raises(RequestError, match=match):
        distances.check_labels(classes, 40)

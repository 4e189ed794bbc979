"""Dissimilarities in every form, SciPy's distances as the oracle, and what is said of those that are wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from ratewarp import RequestError
from ratewarp.codes.dissimilarities import (
    checked,
    chosen,
    from_dissimilarities,
    look_like_dissimilarities,
    stacked,
)

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(7, 3))
PAIRS, MATRIX = pdist(POINTS), squareform(pdist(POINTS))
SUBJECTS = np.stack([squareform(pdist(RNG.normal(size=(7, 3)))) for _ in range(4)])
ROWS = np.stack([squareform(one) for one in SUBJECTS])


@pytest.mark.parametrize(
    "form", [MATRIX, PAIRS, PAIRS[None], PAIRS[:, None], MATRIX[None], PAIRS[None, :, None]]
)
def test_one_matrix_in_every_form(form):
    np.testing.assert_array_equal(stacked(form), MATRIX[None])
    np.testing.assert_array_equal(squareform(stacked(form)[0]), PAIRS)


@pytest.mark.parametrize(
    "form", [SUBJECTS, ROWS, np.moveaxis(SUBJECTS, 0, 2), ROWS.T, ROWS.T[None], SUBJECTS.tolist()]
)
def test_several_subjects_in_every_form(form):
    np.testing.assert_array_equal(stacked(form), SUBJECTS)


def test_as_many_subjects_as_stimuli_or_pairs():
    cube = np.stack([squareform(pdist(RNG.normal(size=(5, 2)))) for _ in range(5)])
    np.testing.assert_array_equal(stacked(cube), cube)
    np.testing.assert_array_equal(stacked(np.moveaxis(cube, 0, 2)), cube)
    rows = RNG.uniform(1, 2, size=(6, 6))  # four stimuli have six pairs
    np.testing.assert_array_equal(squareform(stacked(rows)[2]), rows[2])


@pytest.mark.parametrize("scale", [1, 1e-200, 1e200])
@pytest.mark.parametrize("squared", [False, True])
def test_codes_have_the_distances(squared, scale):
    given = (MATRIX**2 if squared else MATRIX) * scale
    found = from_dissimilarities(given, squared=squared)
    distances = pdist(found.codes / (np.sqrt(scale) if squared else scale))
    np.testing.assert_allclose(distances, PAIRS, rtol=0, atol=1e-10)
    assert found.codes.shape == (7, 3)
    assert found.kept == pytest.approx(1)
    assert found.stimuli == tuple("0123456")


def test_correlation_distance_is_a_square():
    patterns = RNG.normal(size=(6, 20))
    found = from_dissimilarities(1 - np.corrcoef(patterns), squared=True)
    np.testing.assert_allclose(pdist(found.codes, "sqeuclidean"), pdist(patterns, "correlation"), atol=1e-10)
    assert found.kept == pytest.approx(1)


def test_what_no_codes_have_is_kept_in_part():
    line = from_dissimilarities([1.0, 3.0, 1.0])  # one and one are three
    assert 0.5 < line.kept < 1
    centre = np.eye(3) - 1 / 3
    sizes = np.linalg.eigvalsh(-0.5 * centre @ np.array([[0, 1, 9], [1, 0, 1], [9, 1, 0]]) @ centre)
    assert line.kept == pytest.approx(sizes[sizes > 0].sum() / np.abs(sizes).sum())


def test_subjects_are_chosen_or_averaged():
    np.testing.assert_array_equal(chosen(SUBJECTS, 2), SUBJECTS[2])
    np.testing.assert_array_equal(chosen(SUBJECTS, np.int64(2)), SUBJECTS[2])
    np.testing.assert_allclose(chosen(SUBJECTS, "mean"), sum(SUBJECTS) / 4)
    with pytest.raises(
        RequestError, match=r'of 4 subjects; say subject=INDEX, from 0 to 3, or subject="mean"'
    ):
        from_dissimilarities(SUBJECTS)
    with pytest.raises(RequestError, match="subject must be from 0 to 3: dissimilarities are of 4; got 4"):
        chosen(SUBJECTS, 4)


def test_rounding_and_nan_on_the_diagonal_are_taken_as_meant():
    rough = MATRIX.astype(np.float32) * (1 + 1e-6 * RNG.uniform(-1, 1, size=(7, 7)))
    np.fill_diagonal(rough, np.nan)
    found = checked(stacked(rough))[0]
    np.testing.assert_array_equal(found, found.T)
    assert not np.diag(found).any()
    np.testing.assert_allclose(found, MATRIX, atol=1e-5)
    just_below = np.where(np.greater(MATRIX, 0.9 * MATRIX.max()), -1e-9, MATRIX)
    assert checked(stacked(just_below)).min() == 0


def test_only_squares_may_be_negative():
    unbiased = MATRIX**2 - 0.5 * (1 - np.eye(7))
    assert unbiased.min() < 0
    assert from_dissimilarities(unbiased, squared=True).kept < 1
    with pytest.raises(
        RequestError, match=r"0 or more, as distances are.*crossnobis.*got '-0\.\d+ for stimuli"
    ):
        from_dissimilarities(unbiased)


def _changed(place, value, values=MATRIX):
    values = values.copy()
    values[place] = value
    return values


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (_changed((1, 4), 9), "must be symmetric; got '9 and "),
        (_changed((1, 4), 9), "for stimuli 1 and 4, counted from 0"),
        (_changed((2, 1, 4), 9, SUBJECTS), "for stimuli 1 and 4 of subject 2, counted from 0"),
        (np.tril(MATRIX), "must be symmetric"),
        (_changed((3, 3), 1), "must be 0 on the diagonal; got 1 for stimulus 3, counted from 0"),
        (np.corrcoef(POINTS), "similarities such as correlations are to be taken from 1"),
        (_changed((2, 5), np.nan), "must be finite; got 'nan for stimuli 2 and 5, counted from 0'"),
        (_changed((2, 5), np.inf), "must be finite; got 'inf for stimuli 2 and 5, counted from 0'"),
        (_changed((3, 2), np.nan, ROWS), "'nan for stimuli 0 and 3 of subject 3, counted from 0'"),
        (np.ones(12), "of n(n − 1)/2 pairs of n stimuli (10 for 5, 15 for 6); got '12 numbers in a row"),
        (np.ones((7, 5)), "must be square, or of n(n − 1)/2 pairs"),
        (np.ones((2, 3, 4)), "must be a symmetric matrix (stimuli, stimuli), a vector"),
        (np.ones((2, 2, 2, 2)), "got 'shape (2, 2, 2, 2)'"),
        (np.ones((1, 1)), "must be of at least 2 stimuli"),
        (np.zeros((0, 3, 3)), "got 'shape (0, 3, 3)'"),
        (np.zeros((5, 5)), "must be different from 0; got 'no two stimuli that differ'"),
        (MATRIX * 1j, "must be an array of real numbers; got 'dtype complex128'"),
        (np.array(["a", "b", "c"]), "must be an array of real numbers"),
        ([[0, 1], [1]], "must be a rectangular array"),
    ],
)
def test_what_is_wrong_is_said(given, message):
    with pytest.raises(RequestError, match=re.escape(message)):
        from_dissimilarities(given, subject="mean")


@pytest.mark.parametrize("subject", [True, -1, 1.0, "all"])
def test_no_subject(subject):
    with pytest.raises(RequestError, match='subject must be a whole number, 0 or more, or "mean"'):
        chosen(SUBJECTS, subject)


@pytest.mark.parametrize("given", [MATRIX, MATRIX.astype(np.float32), SUBJECTS, np.moveaxis(SUBJECTS, 0, 2)])
def test_what_looks_like_dissimilarities(given):
    assert look_like_dissimilarities(given)


def test_nan_on_the_diagonal_does_not_hide_them():
    assert look_like_dissimilarities(_changed(np.diag_indices(7), np.nan))


@pytest.mark.parametrize(
    "given",
    [
        POINTS,
        POINTS @ POINTS.T,
        PAIRS,
        ROWS,
        np.zeros((4, 4)),
        _changed((1, 4), 9),
        _changed((1, 4), np.nan),
        np.array([[0, 1], [1, 0]]),
        MATRIX.astype(str),
        MATRIX * 1j,
        np.zeros((0, 0)),
    ],
)
def test_what_does_not(given):
    assert not look_like_dissimilarities(given)

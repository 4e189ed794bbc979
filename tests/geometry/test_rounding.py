"""Measures do not hang on the last bit: what is equal but for rounding counts as equal."""

import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.geometry import (
    mutual_information_gap,
    resolution_ratio,
    scaled_tuning,
    specialization,
    tuning_curves,
)
from ratewarp.geometry.inference import _Shift
from ratewarp.geometry.specialization import frequent

POSITION = np.array([0.0, 2.0, 4.0, 5.0, 6.0])[:, None]
PLACES, LINE = np.arange(5), np.arange(5.0)[:, None]
UP = np.nextafter(1.0, 2.0)


@pytest.mark.parametrize("measure", [specialization, resolution_ratio])
def test_frequencies_that_differ_by_rounding_are_the_same(measure):
    with pytest.raises(RequestError, match="frequency must be different"):
        measure(POSITION, PLACES, LINE, np.array([1.0, UP, 1.0, 1.0, UP]))


def test_a_frequency_that_is_the_mean_is_not_frequent():
    exact = np.array([1.0, 2.0, 3.0])
    for last in (exact, exact * [1, UP, 1], exact * [1, 1 / UP, 1]):
        assert frequent(last / last.sum()).tolist() == [False, False, True]


def test_stimuli_coded_alike_by_different_counts_of_items_are_alike():
    """The mean of three times 0.1 is not that of seven times 0.1."""
    places = np.repeat(np.arange(5), [3, 7, 3, 1, 1])
    codes = np.array([0.1, 0.1, 0.4, 0.9, 2.0])[places][:, None]
    assert np.ptp(tuning_curves(codes, places)[:2]) > 0
    with pytest.raises(RequestError, match="stimulus 0 coded as all its neighbours are"):
        specialization(codes, places, LINE, np.array([4.0, 4.0, 4.0, 1.0, 1.0]))
    assert resolution_ratio(codes, places, LINE, np.array([4.0, 4.0, 4.0, 1.0, 1.0])) == pytest.approx(
        0.3 / 1.1
    )


def test_constant_tuning_is_flat():
    places = np.repeat([0, 1], [3, 7])
    curves = tuning_curves(np.full((10, 1), 0.1), places)
    assert np.ptp(curves) > 0
    assert scaled_tuning(curves).tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize("scale", [1.0, 0.1, 1 / 3, 7.3])
def test_values_at_the_edges_of_bins_stay_where_they_are(scale):
    """Twenty-one equally spaced values lie on the edges of twenty bins, in whatever unit."""
    steps = np.arange(21.0)
    factors = np.column_stack([np.arange(21) // 7, np.arange(21) % 7]).astype(float)
    codes = np.column_stack([steps, steps[::-1]])
    assert mutual_information_gap(scale * codes + 0.3, factors) == pytest.approx(
        mutual_information_gap(codes, factors), abs=1e-12
    )


def test_ties_of_draws_count_half_however_they_are_rounded():
    draws = np.array([[0.5], [1.0], [1.0], [1.5]])
    rounded = draws * np.array([[1], [UP], [UP], [1]])
    left_out = np.array([[0.8], [1.0], [1.2]])
    levels = np.array([[0.025], [0.975]])
    expected = _Shift.of(draws, np.ones(1), left_out).moved(levels)
    assert _Shift.of(rounded, np.ones(1), left_out).moved(levels) == pytest.approx(expected)

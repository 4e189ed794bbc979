"""Samples of combinations: distinct, uniform, the same again, and drawn without a list of all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from ratewarp.sources.combinations import MOST_COMBINATIONS, Crossing, check_crossing


def test_few_combinations_are_all_stimuli():
    crossing = Crossing((2, 1, 3), 6, 0)
    assert crossing.numbers.tolist() == list(range(6))
    assert crossing.table.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


@pytest.mark.parametrize("most", [2, 10, 15, 16, 25, 29])
def test_every_combination_is_as_likely_as_every_other(most):
    total, samples = 30, 2000
    counts = np.zeros(total)
    for seed in range(samples):
        found = Crossing((5, 6), most, seed).numbers
        assert len(set(found.tolist())) == most
        assert np.all(np.diff(found) > 0)
        counts[found] += 1
    share = most / total
    statistic = (
        np.sum((counts - samples * share) ** 2) / (samples * share * (1 - share)) * (total - 1) / total
    )
    assert chi2.ppf(1e-4, total - 1) < statistic < chi2.ppf(1 - 1e-4, total - 1)


@pytest.mark.parametrize("most", [10, 25])
def test_pairs_of_combinations_are_as_likely_as_each_other(most):
    samples, together = 2000, np.zeros((30, 30))
    for seed in range(samples):
        chosen = np.isin(np.arange(30), Crossing((5, 6), most, seed).numbers)
        together += np.outer(chosen, chosen)
    pairs, share = together[np.triu_indices(30, 1)], most * (most - 1) / (30 * 29)
    assert np.abs(pairs - samples * share).max() < 5.5 * np.sqrt(samples * share * (1 - share))


def test_a_sample_of_billions_needs_no_list_of_them():
    crossing = Crossing((46341, 46340), 100_000, 7)
    assert crossing.combinations <= MOST_COMBINATIONS
    numbers = crossing.numbers
    assert len(np.unique(numbers)) == 100_000
    counts = np.histogram(numbers, bins=20, range=(0, crossing.combinations))[0]
    assert np.sum((counts - 5000) ** 2) / 5000 < chi2.ppf(1 - 1e-6, 19)
    np.testing.assert_array_equal(crossing.table @ [46340, 1], numbers)


def test_a_sample_is_the_same_again_and_another_one_for_another_seed():
    one, again, other = (Crossing((100, 100), 50, seed).numbers.copy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("most", [1000, 20])
def test_the_device_finds_the_rows_of_the_table(most):
    crossing = Crossing((4, 1, 3, 5), most, 3)
    chosen = np.array([7, 0, 19])
    places = np.asarray(crossing.places(chosen))
    assert not places[:, 1].any()
    np.testing.assert_array_equal(places[:, [0, 2, 3]], crossing.table[chosen])


def test_what_is_kept_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Crossing((2, 2), 9, 0).table[0] = 1


@pytest.mark.parametrize("sizes", [(1, 1), (2**16, 2**15), (3000, 3000, 3000)])
def test_too_few_and_too_many_are_refused(sizes):
    with pytest.raises(ValueError, match="must be of 2 to 2,147,483,647 combinations of factor values; got"):
        check_crossing(Crossing(sizes, 10, 0))

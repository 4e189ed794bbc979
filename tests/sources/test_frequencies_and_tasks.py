from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratewarp._checks import RequestError
from ratewarp.sources import Corridors, frequency, image_counts, task, task_names

SOURCE = Corridors()
UPPER, LOWER = SOURCE.stimuli.T


@pytest.mark.parametrize(
    ("name", "often", "many", "few"),
    [
        ("E1M1", LOWER <= 6, 2000, 260),
        ("E1M1_README", LOWER <= 6, 1000, 100),
        ("E1M2", UPPER == LOWER, 3000, 300),
        ("uniform", LOWER >= 0, 1, 1),
    ],
)
def test_named_frequencies(name, often, many, few):
    counts = np.where(often, many, few)
    np.testing.assert_allclose(frequency(name, SOURCE), counts / counts.sum(), rtol=1e-12)
    assert len(SOURCE.frequencies) == 3


def test_frequency_as_expression_and_table():
    table = np.arange(169.0)
    np.testing.assert_allclose(frequency(list(table), SOURCE), table / table.sum())
    np.testing.assert_allclose(frequency("13 * x_UC + x_LC", SOURCE), table / table.sum())


def test_a_factor_alone_is_an_expression():
    np.testing.assert_allclose(frequency("x_UC", SOURCE), UPPER / UPPER.sum())
    with pytest.raises(RequestError, match=r"no frequency is named 'x_U'. Did you mean 'x_UC'\?.*x_LC"):
        frequency("x_U", SOURCE)


@pytest.mark.parametrize("rule", [[1j] * 169, ["a"] * 169, [[1], 2]])
def test_a_table_holds_real_numbers(rule):
    with pytest.raises(RequestError, match="frequency must be real numbers"):
        frequency(rule, SOURCE)


@pytest.mark.parametrize("rule", ["E1M9", "x_UC - 5", "0 * x_UC", [1.0, 2.0], [float("nan")] * 169, "y + 1"])
def test_bad_frequency(rule):
    with pytest.raises(RequestError, match="frequency"):
        frequency(rule, SOURCE)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20), st.integers(1, 10_000))
def test_image_counts_are_as_near_as_whole_numbers_go(weights, images):
    p = np.array(weights) / sum(weights)
    counts = image_counts(p, images)
    assert counts.sum() == images
    assert np.all(np.abs(counts - p * images) < 1)


def _bin(x: int) -> int:
    return next(
        i for i, group in enumerate([{0, 1}, {2, 3, 4}, {5, 6, 7}, {8, 9, 10}, {11, 12}]) if x in group
    )


def test_published_tasks_stimulus_by_stimulus():
    rules = {
        "E2M1": lambda u, l: u <= l,
        "E2M2": lambda u, l: u < 6 or (u >= 6 and l >= 6),
        "E2M3": lambda u, l: u == l,
        "E2M4": lambda u, l: 5 * _bin(u) + _bin(l),
    }
    assert set(rules) == set(Corridors().tasks)
    for name, rule in rules.items():
        np.testing.assert_array_equal(task(name, SOURCE).labels, [int(rule(u, l)) for u, l in SOURCE.stimuli])


def test_label_counts_over_the_169_stimuli():
    assert [int(task(name, SOURCE).labels.sum()) for name in ("E2M1", "E2M2", "E2M3")] == [91, 127, 13]
    counts = np.bincount(task("E2M4", SOURCE).labels)
    sizes = np.array([2, 3, 3, 3, 2])
    np.testing.assert_array_equal(counts, np.outer(sizes, sizes).ravel())


def test_e2m5_is_all_four_at_once():
    assert (
        task_names(("E2M5",), Corridors())
        == Corridors().task_sets["E2M5"]
        == ("E2M1", "E2M2", "E2M3", "E2M4")
    )
    assert task_names(("E2M3", "E2M5"), Corridors()) == ("E2M3", "E2M1", "E2M2", "E2M4")


@pytest.mark.parametrize(
    "rule", ["x_UC / 2", "x_UC - 3", "x_UC * 2", "x_UC > 50", "1 + 1", "1000 * (x_UC > 3)"]
)
def test_bad_labels(rule):
    with pytest.raises(RequestError, match=r"tasks \(mine\)"):
        task("mine", SOURCE, expression=rule)


def test_unknown_task():
    with pytest.raises(RequestError, match="Did you mean"):
        task("E2M6", SOURCE)

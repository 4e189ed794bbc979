from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratewarp import RequestError
from ratewarp.codes.chosen_rows import average_trials, complete, of_rows, rows_where

AREA = np.array(["IT", "V4", "IT", "V1"])
DEPTH = np.array([0.5, 1.0, 2.0, np.nan])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, codes=np.zeros((4, 2)), area=AREA, depth=DEPTH)
    return path


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        (["area == IT"], [1, 0, 1, 0]),
        (["area != 'IT'"], [0, 1, 0, 1]),
        (["area == IT, V1"], [1, 0, 1, 1]),
        (["depth >= 1"], [0, 1, 1, 0]),
        (["depth == 0.5, 2"], [1, 0, 1, 0]),
        (["area == IT", "depth < 1"], [1, 0, 0, 0]),
    ],
)
def test_conditions(file, conditions, kept):
    np.testing.assert_array_equal(rows_where(file, conditions, 4), np.array(kept, bool))


@pytest.mark.parametrize(
    ("condition", "match"),
    [
        ("area", "where must be KEY, one of == != <= >= < >, and a value; got 'area'"),
        ("areas == IT", "Did you mean 'area'"),
        ("area > IT", "where must be == or != for a column of names"),
        ("depth == deep", "where must be a number, since the column holds numbers"),
        ("area == PFC", "where must be met by at least one item"),
        ("codes == 1", "where: codes must be one value for each of the 4 items"),
        ("__import__('os') == 1", "holds no array named"),
    ],
)
def test_bad_conditions_are_named(file, condition, match):
    with pytest.raises(RequestError, match=match):
        rows_where(file, [condition], 4)


def test_rows_of_everything_that_has_them():
    arguments = {"codes": np.arange(8).reshape(4, 2), "labels": pd.DataFrame({"area": AREA}), "kind": "codes"}
    found = of_rows(arguments, np.array([True, False, False, True]))
    np.testing.assert_array_equal(found["codes"], [[0, 1], [6, 7]])
    assert list(found["labels"]["area"]) == ["IT", "V1"]
    assert found["kind"] == "codes"
    with pytest.raises(RequestError, match="factors must be one row for each of the 4 items"):
        of_rows({**arguments, "factors": np.zeros((2, 1))}, np.ones(4, bool))


def test_items_with_missing_values_are_left_out():
    codes = np.zeros((4, 2))
    codes[1, 0] = np.nan
    kept = complete(
        {"codes": codes, "factors": DEPTH, "labels": pd.DataFrame({"area": ["a", "b", None, "d"]})}
    )
    np.testing.assert_array_equal(kept, [True, False, False, False])
    with pytest.raises(RequestError, match="every item has a missing value"):
        complete({"codes": np.full((2, 2), np.nan)})


def test_trials_are_averaged():
    stimuli, codes = np.array([3, 1, 3, 1]), np.array([[1.0, 0], [5, 5], [3, 2], [7, 7]])
    arguments = {
        "codes": codes,
        "stimuli": stimuli,
        "labels": pd.DataFrame({"kind": ["b", "a", "b", "a"]}),
        "noise": np.ones((4, 2)),
    }
    found = average_trials(arguments)
    np.testing.assert_array_equal(found["codes"], [[6, 6], [2, 1]])
    np.testing.assert_array_equal(found["noise"], np.full((2, 2), 0.5))
    assert list(found["labels"]["kind"]) == ["a", "b"]
    assert found["stimuli"] is None
    with pytest.raises(RequestError, match="labels must be the same for all items of a stimulus"):
        average_trials({**arguments, "labels": np.arange(4)})
    with pytest.raises(RequestError, match="which needs stimuli or factors"):
        average_trials({"codes": codes})


def test_what_runs_add_is_taken_off_before_trials_are_averaged():
    rng = np.random.default_rng(2)
    means, stimuli, runs = rng.normal(size=(4, 2)), np.array([0, 1, 2, 3, 0, 1, 2]), np.repeat([0, 1], [4, 3])
    codes = means[stimuli] + np.array([[0.0, 0.0], [9.0, -5.0]])[runs]
    found = average_trials({"codes": codes, "stimuli": stimuli, "runs": runs})
    assert "runs" not in found
    differences = found["codes"] - means
    np.testing.assert_allclose(differences - differences[0], 0, atol=1e-12)

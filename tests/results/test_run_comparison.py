"""Runs beside each other, against means and differences taken slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables
from ratewarp import RequestError
from ratewarp.results.run_comparison import compare_runs, run_names, study_differences
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

SMALL = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 2, "bound_points": 3}


def run_of(folder: Path, **keys) -> RunDirectory:
    given = {
        "models": {"baseline": {}, "E2M1": {"tasks": ["E2M1"]}},
        "capacities_nats": [1, 3],
        "seeds": [0, 1],
    }
    study = Study(**{**SMALL, **given, **keys})
    return fabricated_tables(fabricated_run(study, folder), study)


@pytest.fixture
def runs(tmp_path):
    return [run_of(tmp_path / "a"), run_of(tmp_path / "b", seeds=[0, 1, 2], capacities_nats=[1, 5])]


def test_means_and_differences_are_those_of_the_tables(runs):
    found = compare_runs(runs)
    assert set(found["capacity_nats"]) == {1.0}  # what both have
    values = []
    for run in runs:
        table = run.table("models").query("model == 'E2M1' and capacity_nats == 1")
        values.append(table["rate_nats"].tolist())
    (row,) = found.query("model == 'E2M1' and measure == 'rate_nats'").to_dict("records")
    means = [sum(one) / len(one) for one in values]
    assert row["a"] == pytest.approx(means[0])
    assert row["b"] == pytest.approx(means[1])
    assert row["difference"] == pytest.approx(means[1] - means[0])
    error = sum(np.var(one, ddof=1) / len(one) for one in values) ** 0.5
    assert row["se"] == pytest.approx(error)


def test_measures_and_tasks_are_there_each_once(runs):
    found = compare_runs(runs)
    assert not found.duplicated(["model", "capacity_nats", "measure", "task"]).any()
    ours = "model == 'E2M1' and measure == 'specialization_change' and task == 'E2M1' and capacity_nats == 1"
    own = runs[0].table("geometry").query(ours)["value"].tolist()
    assert found.query(ours)["a"].tolist() == [pytest.approx(sum(own) / len(own))]
    assert set(found.query("model == 'E2M1' and task == 'E2M1'")["measure"]) >= {"prototypization_change"}


def test_of_one_seed_there_is_no_error(tmp_path):
    found = compare_runs([run_of(tmp_path / "a", seeds=[0]), run_of(tmp_path / "b", seeds=[0])])
    assert found["se"].isna().all()
    assert found["difference"].notna().all()


def test_three_runs_have_columns_and_no_difference(tmp_path):
    found = compare_runs([run_of(tmp_path / name, seeds=[0]) for name in "abc"])
    assert {"a", "b", "c"} <= set(found.columns)
    assert "difference" not in found


def test_what_differs_between_studies_is_named_and_nothing_else(runs, tmp_path):
    found = study_differences(runs).set_index("key")
    assert set(found.index) == {"seeds", "capacities_nats"}
    assert found.loc["seeds"].tolist() == ["[0, 1]", "[0, 1, 2]"]
    other = run_of(tmp_path / "c", recipe={"steps": 7}, title="another")
    assert study_differences([runs[0], other])["key"].tolist() == ["recipe.steps"]


def test_runs_of_one_name_are_told_apart(tmp_path):
    runs = [run_of(tmp_path / name / "run", seeds=[0]) for name in ("first", "second")]
    assert run_names(runs) == [str(Path("first/run")), str(Path("second/run"))]


def test_too_few_or_the_same_are_refused(runs):
    with pytest.raises(RequestError, match=r"runs.*two runs or more"):
        compare_runs(runs[:1])
    with pytest.raises(RequestError, match=r"runs.*each given once"):
        compare_runs([runs[0], RunDirectory(runs[0].path / ".." / runs[0].path.name)])

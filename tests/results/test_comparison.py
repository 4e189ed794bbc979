"""A run beside the publication: runs whose tables are the published numbers, moved, or incomplete."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.results.paper import published_class_distortion, published_distortion, published_f1
from ratewarp.results.paper.comparison import NEEDED, compare_published, write_comparison
from ratewarp.runs.directory import open_run
from ratewarp.runs.run_lock import lock_run

COMMAND = [str(Path(sys.executable).with_name("ratewarp")), "check-paper"]
CHANGES = {  # what the statements look at, all as the publication says
    **{
        (task, f"{measure}_change", task): {0.3: 0.4, 10: 0.2}
        for task in ("E2M1", "E2M2")
        for measure in ("prototypization", "orthogonalization")
    },
    **{(task, "prototypization_change", task): {0.3: 0.4, 10: 0.2} for task in ("E2M3", "E2M4")},
    **{(task, "prototypization", task): {0.3: 0.9, 10: 0.5} for task in ("E2M1", "E2M2", "E2M3", "E2M4")},
    ("E1M1", "resolution_ratio_change", "frequency"): {0.3: 0.3, 10: 0.0},
    **{
        ("E1M2", "class_distortion", "frequency", one): {0.3: value, 10: 0.0}
        for one, value in ((0, 0.0), (1, 0.5))
    },
    **{
        ("E2M5", f"{measure}_change", "E2M1"): {0.3: 0.4, 10: 0.0}
        for measure in ("prototypization", "orthogonalization")
    },
    **{
        (model, "participation_ratio", ""): {0.3: 1.0, 10: ratio}
        for model, ratio in (("baseline", 2.0), ("E1M1", 3.8), ("E2M5", 3.1))
    },
}


def _run(folder: Path, *, seeds=(0, 1), move=None, keep=lambda row: True):
    """A finished run whose tables hold the published numbers, `move`d by table, for the rows that are kept."""
    move = {"distortion": 0.0, "f1": 0.0, "sign": 1, **(move or {})}
    models = [
        {**row, "distortion": row["distortion"] + move["distortion"]}
        for row in published_distortion().to_dict("records")
    ]
    models = [{**row, "rate_nats": row["capacity_nats"]} for row in models]
    tasks = [{**row, "f1_batches": row["f1"] + move["f1"]} for row in published_f1().to_dict("records")]
    geometry = [
        {
            "model": r["model"],
            "capacity_nats": r["capacity_nats"],
            "measure": "class_distortion",
            "task": r["task"],
            "class": r["class"],
            "other": r["other"],
            "value": move["sign"] * r["value"],
        }
        for r in published_class_distortion().to_dict("records")
    ]
    geometry += [
        {
            "model": model,
            "capacity_nats": capacity,
            "measure": measure,
            "task": task,
            "value": value,
            **({"class": entry[0], "other": entry[0]} if entry else {}),
        }
        for (model, measure, task, *entry), values in CHANGES.items()
        for capacity, value in values.items()
    ]
    folder.mkdir()
    (folder / "study.yaml").write_text("name: x\n")
    (folder / "tables").mkdir()
    for name, rows in {"models": models, "tasks": tasks, "geometry": geometry}.items():
        kept = [{**row, "seed": seed} for row in rows if keep(row) for seed in seeds]
        pd.DataFrame(kept, columns=[*rows[0], "seed"]).to_csv(folder / "tables" / f"{name}.csv", index=False)
    return open_run(folder)


def _verdicts(comparison):
    return {
        threshold.name: (threshold.holding, threshold.compared, threshold.holds)
        for threshold in comparison.thresholds
    }


def test_the_published_numbers_agree_with_themselves(tmp_path):
    comparison = compare_published(_run(tmp_path / "same"))
    assert comparison.complete
    assert comparison.holds
    assert _verdicts(comparison) == {
        "distortion": (40, 40, True),
        "f1": (120, 120, True),
        "class_distortion": (12, 12, True),
        "statements": (10, 10, True),
    }
    assert comparison.distortion["difference"].abs().max() < 1e-12
    assert set(comparison.f1["seeds"]) == {2}


@pytest.mark.parametrize(
    ("move", "fails"),
    [
        ({"distortion": 0.0051}, ["distortion"]),
        ({"f1": 0.06}, ["f1"]),
        ({"f1": -0.06}, ["f1"]),
        ({"sign": -1}, ["class_distortion", "statements"]),  # one statement looks at the matrices too
    ],
)
def test_what_moves_too_far_is_outside(tmp_path, move, fails):
    comparison = compare_published(_run(tmp_path / "moved", move=move))
    assert not comparison.holds
    assert [name for name, (*_, holds) in _verdicts(comparison).items() if not holds] == fails


def test_tolerances_are_what_they_say(tmp_path):
    inside = compare_published(_run(tmp_path / "near", move={"distortion": 0.0049, "f1": 0.049}))
    assert inside.holds
    assert inside.distortion["difference"].round(6).unique().tolist() == [0.0049]


def test_f1_is_compared_with_the_range_of_seeds(tmp_path):
    run = _run(tmp_path / "wide")
    table = run.table("tasks")
    table.loc[table["seed"] == 0, "f1_batches"] -= 0.2
    table.loc[table["seed"] == 1, "f1_batches"] += 0.2
    table.to_csv(run.path / "tables" / "tasks.csv", index=False)
    comparison = compare_published(run)
    assert _verdicts(comparison)["f1"] == (120, 120, True)
    assert (comparison.f1["most"] - comparison.f1["least"]).round(6).unique().tolist() == [0.4]


def test_a_part_is_compared_and_called_incomplete(tmp_path):
    run = _run(
        tmp_path / "part",
        keep=lambda row: row.get("model", row.get("representation")) in ("baseline", "E2M1"),
    )
    comparison = compare_published(run)
    assert comparison.holds
    assert not comparison.complete
    assert _verdicts(comparison)["distortion"] == (10, 10, True)
    assert _verdicts(comparison)["f1"] == (40, 40, True)  # disjoint, joint E2M1, transfer from E2M1
    assert _verdicts(comparison)["statements"] == (2, 2, True)
    assert comparison.missing == (
        "distortion: E1M1, E1M2, E2M2, E2M3, E2M4, E2M5 at 0.3, 1, 3, 6, 10 nats",
        "f1: joint E2M2, joint E2M3, joint E2M4, simultaneous E2M5, transfer E2M2, transfer E2M3, transfer"
        " E2M4 at 0.3, 1, 3, 6, 10 nats",
        "class_distortion: E1M1, E2M5 at 0.3, 10 nats",
        "statements: 8 of 10",
    )
    missing = comparison.distortion[comparison.distortion["model"] == "E2M5"]
    assert missing["mean"].isna().all()
    assert set(missing["inside"]) == {None}


def test_too_many_failures_in_a_part_do_not_hold(tmp_path):
    part = _run(tmp_path / "part", move={"distortion": 0.1}, keep=lambda row: row.get("capacity_nats") == 3)
    assert _verdicts(compare_published(part))["distortion"] == (0, 8, False)


def test_a_model_that_diverged_is_outside_not_missing(tmp_path):
    run = _run(tmp_path / "nan")
    for name, column in (("models", "distortion"), ("tasks", "f1_batches")):
        table = run.table(name)
        table.loc[table[{"models": "model", "tasks": "representation"}[name]] == "E2M4", column] = np.nan
        table.to_csv(run.path / "tables" / f"{name}.csv", index=False)
    geometry = run.table("geometry")
    geometry[geometry["model"] != "E1M1"].to_csv(run.path / "tables" / "geometry.csv", index=False)
    comparison = compare_published(run)
    assert comparison.complete
    assert _verdicts(comparison) == {
        "distortion": (35, 40, False),
        "f1": (120 - 5 - 15, 120, True),
        "class_distortion": (6, 12, False),
        "statements": (8, 10, False),
    }


NOTHING = {
    "distortion": (0, 0, None),
    "f1": (0, 0, None),
    "class_distortion": (0, 0, None),
    "statements": (0, 0, None),
}


@pytest.mark.parametrize(
    ("lost", "left"),
    [
        (
            ["tasks"],
            {"distortion": (40, 40, True), "class_distortion": (12, 12, True), "statements": (10, 10, True)},
        ),
        (
            ["models"],
            {"f1": (120, 120, True), "class_distortion": (12, 12, True), "statements": (10, 10, True)},
        ),
        (["geometry"], {"distortion": (40, 40, True), "f1": (120, 120, True)}),
        (["models", "tasks", "geometry"], {}),
    ],
)
def test_what_an_unfinished_run_has_is_compared(tmp_path, lost, left):
    run = _run(tmp_path / "run")
    for name in lost:
        (run.path / "tables" / f"{name}.csv").unlink()
    comparison = compare_published(run)
    assert _verdicts(comparison) == {**NOTHING, **left}
    assert comparison.holds
    assert not comparison.complete
    table = {"models": "distortion", "tasks": "f1", "geometry": "class_distortion"}
    told = [
        f"{table[name]}: everything (no tables/{name}.csv, and no stored conditions to compute it from)"
        for name in lost
    ]
    assert [line for line in comparison.missing if not line.startswith("statements")] == told
    answer = subprocess.run([*COMMAND, str(run.path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 3, answer.stderr
    assert f"is not finished (no table {', '.join(name for name in NEEDED if name in lost)})" in answer.stderr
    assert all(f"missing: {line}" in answer.stderr for line in comparison.missing)
    assert f"{table[lost[0]]}: nothing to compare (" in answer.stdout
    assert "of 0 inside" not in answer.stdout
    assert ("incomplete: nothing to compare" in answer.stderr) == (not left)


def test_an_unfinished_run_is_outside_where_it_is(tmp_path):
    run = _run(tmp_path / "run", move={"distortion": 0.1})
    (run.path / "tables" / "tasks.csv").unlink()
    answer = subprocess.run([*COMMAND, str(run.path), "--json"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    verdicts = {t["name"]: t["holds"] for t in json.loads(answer.stdout)["thresholds"]}
    assert verdicts == {"distortion": False, "f1": None, "class_distortion": True, "statements": True}


def test_matrices_of_E2M5_stand_beside_the_threshold(tmp_path):
    run = _run(tmp_path / "run")
    geometry = run.table("geometry")
    geometry.loc[
        (geometry["model"] == "E2M5") & geometry["measure"].str.startswith("class_distortion"), "value"
    ] *= -1
    geometry.to_csv(run.path / "tables" / "geometry.csv", index=False)
    comparison = compare_published(run)
    assert _verdicts(comparison)["class_distortion"] == (12, 12, True)
    beside = comparison.class_distortion.query("not counted")
    # the small ones may have any sign
    assert beside.groupby("task")["inside"].sum().to_dict() == {"E2M1": 1, "E2M2": 0, "E2M3": 3}
    answer = subprocess.run([*COMMAND, str(run.path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "class_distortion of E2M5, beside the threshold: 4 of 18 inside" in answer.stdout


def test_a_statement_holds_only_for_every_seed(tmp_path):
    run = _run(tmp_path / "run")
    geometry = run.table("geometry")
    where = (geometry["measure"] == "class_distortion") & (geometry["class"] == 1) & (geometry["other"] == 1)
    where &= (geometry["model"] == "E1M2") & (geometry["seed"] == 1)
    geometry.loc[where, "value"] = -0.01
    geometry.to_csv(run.path / "tables" / "geometry.csv", index=False)
    statements = compare_published(run).statements.set_index("statement")["inside"]
    assert [text for text, holds in statements.items() if not holds] == [
        "skewed frequency (E1M2) spreads frequent stimuli at low capacity"
    ]


def test_a_statement_whose_models_were_not_trained_from_one_seed_is_not_in_the_run(tmp_path):
    run = _run(tmp_path / "run")
    # E2M5 from the first seed only, its baseline from the second: nothing is measured against it
    for name in ("models", "geometry"):
        table = run.table(name)
        unmeasured = table["measure"].str.contains("change|class_distortion") if name == "geometry" else False
        lost = (table["model"] == "E2M5") & ((table["seed"] == 1) | unmeasured) | (
            table["model"] == "baseline"
        ) & (table["seed"] == 0)
        table[~lost].to_csv(run.path / "tables" / f"{name}.csv", index=False)
    comparison = compare_published(run)
    (statement,) = [row for row in comparison.statements.to_dict("records") if "E2M5" in row["statement"]]
    assert statement["inside"] is None
    assert (
        "share of variance between the classes of E2M1 minus the baseline's, 0.3 nats: not in this run"
        in statement["evidence"]
    )
    assert "no number" not in statement["evidence"]
    assert set(comparison.class_distortion.query("model == 'E2M5'")["inside"]) == {None}
    assert comparison.holds
    answer = subprocess.run([*COMMAND, str(run.path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 3, answer.stderr
    assert "not in this run  effects coexist in E2M5" in answer.stdout


def test_beside_a_run_the_comparison_is_printed_and_not_written(tmp_path):
    run = _run(tmp_path / "run")
    with lock_run(run.path):
        answer = subprocess.run(
            [*COMMAND, str(run.path), "--json"], capture_output=True, text=True, check=False
        )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["complete"]
    assert "the tables of the comparison are not written: " in answer.stderr
    assert "is being run by process" in answer.stderr
    assert not (run.path / "comparison").exists()


def test_tables_of_an_earlier_version_are_said_to_be(tmp_path):
    run = _run(tmp_path / "old")
    run.table("tasks").drop(columns="f1_batches").to_csv(run.path / "tables" / "tasks.csv", index=False)
    with pytest.raises(
        RatewarpError,
        match=r"another version of ratewarp.* \(no column f1_batches\); .*again by: ratewarp tabulate",
    ):
        compare_published(run)


def test_files_hold_what_was_compared(tmp_path):
    run = _run(tmp_path / "run", keep=lambda row: row.get("model") != "E1M2")
    comparison = compare_published(run)
    text = write_comparison(run, comparison)
    content = json.loads(text)
    assert json.loads((run.path / "comparison" / "comparison.json").read_text()) == content
    assert content["complete"] is False
    assert [row["inside"] for row in content["distortion"] if row["model"] == "E1M2"] == [None] * 5
    assert len(pd.read_csv(run.path / "comparison" / "f1.csv")) == 120
    assert {t["name"]: t["cells"] for t in content["thresholds"]} == {
        "distortion": 40,
        "f1": 120,
        "class_distortion": 12,
        "statements": 10,
    }


def test_a_run_without_published_models_is_refused(tmp_path):
    run = _run(tmp_path / "run", keep=lambda row: False)
    pd.DataFrame(
        [{"model": "mine", "capacity_nats": 1.0, "rate_nats": 1.0, "distortion": 0.1, "seed": 0}]
    ).to_csv(run.path / "tables/models.csv", index=False)
    with pytest.raises(RequestError, match=r"none of the published models \(E1M1, .*\); it has mine"):
        compare_published(run)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({}, 0, ""),
        ({"move": {"distortion": 0.1}}, 1, "outside tolerance"),
        ({"keep": lambda row: row.get("capacity_nats") == 10}, 3, "incomplete"),
    ],
)
def test_exit_codes(tmp_path, options, code, words):
    run = _run(tmp_path / "run", **options)
    answer = subprocess.run([*COMMAND, str(run.path)], capture_output=True, text=True, check=False)
    assert answer.returncode == code, answer.stderr
    assert words in answer.stderr
    assert "of 40 wanted" in answer.stdout
    machine = subprocess.run([*COMMAND, str(run.path), "--json"], capture_output=True, text=True, check=False)
    assert machine.returncode == code
    assert json.loads(machine.stdout)["thresholds"][0]["cells"] == 40


def test_a_folder_that_is_no_run(tmp_path):
    answer = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "not a run directory" in answer.stderr

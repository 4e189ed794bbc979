"""What the page tells of the warps and the models before all else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables, put_record
from ratewarp.report.page.guide import about_model, guide
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

MODELS = {
    "baseline": {},
    "often": {"frequency": "7 if x_LC <= 6 else 1"},
    "asked": {"tasks": ["E2M1"]},
    "both": {"frequency": "E1M1", "tasks": ["E2M1", "E2M3"]},
}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    small = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 1, "bound_points": 3}
    study = Study(models=MODELS, capacities_nats=[1, 3], seeds=[0], **small)
    return fabricated_tables(fabricated_run(study, tmp_path / "run"), study)


def shown(run: RunDirectory) -> dict[str, str | None]:
    view = RunView(run, WhatIsThere(run))
    return {one["title"]: one["condition"] for one in guide(view)}


def told(run: RunDirectory, rows: list[tuple[str, str, float, float]]) -> None:
    """Changes of measures: condition, measure, value, lower end of the interval."""
    columns = run.table("geometry").columns
    table = [
        {"condition": one, "measure": f"{name}_change", "task": "E2M1", "value": value, "low": low, "high": 9}
        for one, name, value, low in rows
    ]
    run.write_table("geometry", pd.DataFrame(table, columns=columns))


def test_a_warp_is_shown_where_it_is_largest_among_those_that_are_clear(run):
    ids = [one.id for one in RunView(run).study.conditions]
    told(
        run,
        [
            (ids[0], "prototypization", 0.9, -0.1),
            (ids[1], "prototypization", 0.4, 0.3),
            (ids[2], "prototypization", 0.5, 0.1),
            (ids[3], "specialization", 0.2, 0.1),
        ],
    )
    assert shown(run) == {"Prototypization": ids[2], "Specialization": ids[3], "Orthogonalization": None}


def test_a_ratio_of_resolutions_counts_before_a_slope(run):
    ids = [one.id for one in RunView(run).study.conditions]
    told(run, [(ids[0], "resolution_ratio", 0.1, 0.05), (ids[1], "specialization", 0.9, 0.5)])
    assert shown(run)["Specialization"] == ids[0]


def test_a_latent_that_is_alone_is_no_example_where_there_is_another(run):
    view = RunView(run)
    ids = [one.id for one in view.study.conditions]
    rows = [(ids[0], "orthogonalization", 0.9, 0.5), (ids[1], "orthogonalization", 0.3, 0.2)]
    models = run.table("models").assign(active_units=[1, 3] + [2] * (len(ids) - 2))
    run.write_table("models", models)
    told(run, rows)
    assert shown(run)["Orthogonalization"] == ids[1]
    told(run, rows[:1])
    assert shown(run)["Orthogonalization"] == ids[0]


def test_orthogonalization_is_shown_by_the_latent_that_follows_the_classes(run):
    asked = next(one for one in RunView(run).study.conditions if one.model == "asked")
    told(run, [(asked.id, "orthogonalization", 0.3, 0.2)])
    record = run.record(asked.id)
    labels = record["label"].values[0][record["stimulus"].values]
    rng = np.random.default_rng(0)
    for latent in (0, 1):
        codes = rng.normal(size=record["code"].shape).astype(np.float32)
        codes[:, latent] = 2.0 * labels + 0.1 * codes[:, latent]
        codes[:, 1 - latent] *= 5  # more variance, none of it between classes
        put_record(run, asked, record.assign(code=(record["code"].dims, codes)))
        (shown_,) = (one for one in guide(RunView(run)) if one["title"] == "Orthogonalization")
        assert (shown_["condition"], shown_["latent"], shown_["task"]) == (asked.id, latent, "E2M1")
        assert "lights up one class" in shown_["look"]


def test_what_is_not_to_be_relied_on_is_no_example(run):
    ids = [one.id for one in RunView(run).study.conditions]
    run.write_table("models", run.table("models").assign(status=["off target"] + ["ok"] * (len(ids) - 1)))
    told(run, [(ids[0], "prototypization", 0.9, 0.8), (ids[1], "prototypization", 0.1, 0.05)])
    assert shown(run)["Prototypization"] == ids[1]


def test_models_are_told_by_what_they_see_and_are_asked(run):
    view = RunView(run)
    about = {name: about_model(view, name) for name in MODELS}
    assert about["baseline"] == (
        "baseline sees every stimulus equally often and has no task."
        " It is the reference that others are compared with."
    )
    assert "by the frequency 7 if x_LC <= 6 else 1 and has no task" in about["often"]
    assert "equally often and is also trained to tell E2M1: x_UC ≤ x_LC." in about["asked"]
    assert "by the frequency E1M1 (" in about["both"]
    assert "E2M3" in about["both"]


@pytest.mark.parametrize(
    ("models", "axes", "expected"),
    [
        (
            {"often": {"frequency": "frequency_ratio if x_LC <= 6 else 1"}},
            {"frequency_ratio": [1, 8]},
            "often sees stimuli by the frequency frequency_ratio if x_LC <= 6 else 1 and has no task. It was"
            " trained at every frequency_ratio: the controls say which is shown.",
        ),
        (
            {"asked": {"tasks": ["E2M1"]}},
            {"recipe.task_weight": [0, 1], "network.latents": [2, 3]},
            "asked sees every stimulus equally often and is also trained to tell E2M1: x_UC ≤ x_LC; with a"
            " weight of 0 it is not trained for it. It was trained at every recipe.task_weight and"
            " network.latents: the controls say which is shown.",
        ),
        (
            {"seen": {}},
            {"frequency": ["uniform", "E1M1"], "tasks": [[], ["E2M1"]]},
            "seen sees stimuli by one of several frequencies and has one of several sets of tasks. It was"
            " trained at every frequency and tasks: the controls say which is shown.",
        ),
        (
            {"unasked": {"tasks": ["E2M1"], "recipe": {"task_weight": 0}}},
            {},
            "unasked sees every stimulus equally often and has a task that counts nothing (E2M1: x_UC ≤ x_LC).",
        ),
    ],
    ids=["frequency", "weight", "several", "nothing"],
)
def test_what_sliders_change_is_told_of_a_model(tmp_path, models, axes, expected):
    fixed = {"baseline": {"frequency": "uniform", "tasks": [], "recipe": {"task_weight": 1}}}
    small = {"network": TINY_NETWORK, "recipe": {"name": "principled"}, "bound_points": 0}
    study = Study(models={**fixed, **models}, axes=axes, capacities_nats=[1], seeds=[0], **small)
    assert about_model(RunView(fabricated_run(study, tmp_path / "run")), next(iter(models))) == expected

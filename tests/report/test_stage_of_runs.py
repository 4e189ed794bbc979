"""Several runs on one stage: models, places and numbers stay those of their own run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables
from ratewarp import RequestError, stage
from ratewarp.report.page.stage import stage_data
from ratewarp.report.page.stage_of_runs import stage_of_runs
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

SMALL = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 2, "bound_points": 3}


def run_of(folder: Path, **keys) -> RunDirectory:
    given = {"models": {"baseline": {}, "E2M1": {"tasks": ["E2M1"]}}, "capacities_nats": [1, 3], "seeds": [0]}
    study = Study(**{**SMALL, **given, **keys})
    return fabricated_tables(fabricated_run(study, folder), study)


@pytest.fixture
def runs(tmp_path):
    more = {"axes": {"network.latents": [2, 3]}, "models": {"plain": {}, "E2M1": {"tasks": ["E2M1"]}}}
    return [run_of(tmp_path / "a"), run_of(tmp_path / "b", capacities_nats=[2, 3], seeds=[1], **more)]


def together(runs: list[RunDirectory]) -> dict:
    """All of a stage; parameters of made-up runs are none, which the stage then says."""
    return stage_of_runs([RunView(run, WhatIsThere(run)) for run in runs], 10**6)


def values_at(data: dict, condition: dict) -> dict[str, object]:
    return {
        axis["key"]: None if at is None else axis["values"][at]
        for axis, at in zip(data["axes"], condition["place"], strict=True)
    }


def test_every_condition_keeps_its_numbers_and_its_values_on_the_axes(runs):
    every = together(runs)
    found = {one["id"]: one for one in every["conditions"]}
    assert len(found) == 4 + 8
    for number, run in enumerate(runs):
        alone = stage_data(RunView(run, WhatIsThere(run)))
        for condition in alone["conditions"]:
            other = found[f"{number}/{condition['id']}"]
            assert other["model"] == f"{run.path.name} · {condition['model']}"
            assert other["rate_nats"] == condition["rate_nats"]
            own = values_at(alone, condition)
            assert {key: one for key, one in values_at(every, other).items() if one is not None} == own
            assert every["sentences"][other["id"]] == alone["sentences"][condition["id"]]


def test_every_model_has_the_reference_of_its_own_run(runs):
    models = together(runs)["models"]
    assert {one["name"]: one["reference"] for one in models} == {
        "a · baseline": "a · baseline",
        "a · E2M1": "a · baseline",
        "b · plain": "b · plain",
        "b · E2M1": "b · plain",
    }
    assert len({(one["colour"], one["marker"]) for one in models}) == len(models)


def test_measures_of_one_name_stand_together(runs):
    every = together(runs)
    names = [(one["measure"], one["task"]) for one in every["measures"]]
    assert len(set(names)) == len(names)
    alone = [stage_data(RunView(run, WhatIsThere(run)))["measures"] for run in runs]
    rows = sum(len(one["rows"]) for part in alone for one in part)
    assert sum(len(one["rows"]) for one in every["measures"]) == rows
    known = {one["id"] for one in every["conditions"]}
    assert {row[0] for one in every["measures"] for row in one["rows"]} <= known


def test_runs_of_other_stimuli_are_refused_with_what_differs(tmp_path):
    runs = [run_of(tmp_path / "a"), run_of(tmp_path / "b", source={"kind": "corridors", "size": 9})]
    with pytest.raises(
        RequestError, match=r"same stimuli.*a and b differ \(images: 13 × 13 × 1 and 9 × 9 × 1\)"
    ):
        together(runs)
    fewer = run_of(tmp_path / "c", codes_each=1)
    with pytest.raises(RequestError, match=r"stimuli: 338 codes of 169 stimuli and 169 codes"):
        together([runs[0], fewer])


def test_what_is_neither_run_nor_measurement_is_refused(runs):
    for one in ([], ["runs/demo"], 3, "runs/demo", None):
        with pytest.raises(RequestError, match=r"of.*a run, several runs, or a measurement"):
            stage(one)  # pyright: ignore[reportArgumentType]


def test_a_notebook_shows_what_there_is_of_a_run_or_why_there_is_nothing(runs, tmp_path):
    shown = runs[0]._repr_html_()
    assert shown.startswith("<iframe")
    assert "srcdoc=" in shown
    for folder in ("conditions", "tables"):
        shutil.rmtree(runs[0].path / folder)
    assert RunDirectory(runs[0].path)._repr_html_().startswith("<p>")


def test_a_page_is_never_written_over_another(runs, tmp_path):
    file = tmp_path / "page.html"
    stage(runs[0]).save(file)
    assert file.read_text().startswith("<!doctype html>")
    with pytest.raises(RequestError, match="does not exist yet"):
        stage(runs[0]).save(file)
    with pytest.raises(RequestError, match="html"):
        stage(runs[0]).save(tmp_path / "page.txt")


def test_runs_without_all_tables_are_shown_with_what_is_missing(runs):
    whole = stage(runs)
    assert [one.heading for one in whole.tables] == ["What differs", "Numbers beside each other"]
    (runs[1].path / "tables" / "geometry.csv").unlink()
    shown = stage(runs)
    assert [one.heading for one in shown.tables] == ["What differs"]
    assert len(shown.data["conditions"]) == len(whole.data["conditions"])
    said = shown.data["alerts"][0]
    assert "beside each other: b has no geometry table" in said
    assert str(runs[1].path) not in said

"""The study `paper` from end to end with tiny networks: every model and regime, its figures, and the
comparison.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from conftest import TINY_NETWORK, only_png
from oracles import ALGEBRA
from ratewarp import RatewarpError, RequestError, Study, load_study, run, trained_networks
from ratewarp.results import condition_rows
from ratewarp.results.paper.comparison import compare_published
from ratewarp.results.scores import f1_over_batches
from ratewarp.runs import runner
from ratewarp.runs.directory import TABLES, RunDirectory, create_run, open_run
from ratewarp.runs.trained import fitting_params
from ratewarp.studies import Setting, resolved
from stored import run_study

COMMAND = str(Path(sys.executable).with_name("ratewarp"))


# one of each kind: alone, skewed frequency, a task, several tasks with one of 25 classes
MODELS = ["baseline", "E1M1", "E2M1", "E2M5"]
# as many of each kind: one program
READOUTS = {"baseline": ["E2M1", "E2M2", "E2M4"], "E2M1": ["E2M2", "E2M3", "E2M4"]}


def tiny_paper() -> Study:
    """All kinds of models and all regimes of the paper at two of its capacities, trained for a few steps.

    Compiling takes most of the time, so that models share what they can: those without tasks have one
    schedule.
    """
    data = load_study("paper").part(models=MODELS, capacities=[0.3, 10]).model_dump()
    models = {
        name: {**model, "recipe": {**model.get("recipe", {}), "steps": 12}}
        for name, model in data["models"].items()
    }
    models["E1M1"]["recipe"] = models["baseline"]["recipe"]
    network = {"latents": 2, "convolutions": TINY_NETWORK["convolutions"][:1]}
    small = {
        "network": network,
        "validation_each": 3,
        "codes_each": 2,
        "training_images": 700,
        "readouts": READOUTS,
        "bound_points": 4,
    }
    for model in models.values():
        model.pop("training_images", None)
    return Study(
        **{**data, **small, "models": models, "recipe": {**data["recipe"], "steps": 12, "batch_size": 16}}
    )


@pytest.fixture(scope="module", autouse=True)
def two_models_at_once():
    """So that heads are trained in several groups, all by the same programs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "MODELS_AT_ONCE", 2)
        yield


@pytest.fixture
def geometry_left_out(monkeypatch):
    """Where the codes have been measured before."""
    monkeypatch.setattr(condition_rows.ConditionPart, "_geometry", lambda *_: iter(()))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with only_png():
        return run(tiny_paper(), tmp_path_factory.mktemp("runs") / "paper")


def test_every_cell_of_the_publication_at_these_capacities(finished):
    tasks = finished.table("tasks")
    assert len(finished.table("models")) == 8
    assert tasks.groupby("regime").size().to_dict() == {
        "disjoint": 6,
        "joint": 2,
        "simultaneous": 8,
        "transfer": 6,
    }
    assert not tasks["f1_batches"].isna().any()
    transfer = tasks[tasks["regime"] == "transfer"]
    assert not (transfer["representation"] == transfer["task"]).any()
    answer = subprocess.run(
        [COMMAND, "check-paper", str(finished.path), "--json"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1  # models trained for twelve steps do not agree with the publication
    compared = {t["name"]: t["compared"] for t in json.loads(answer.stdout)["thresholds"]}
    assert compared["distortion"] == 8
    assert compared["f1"] == 22
    assert compared["class_distortion"] == 12


def test_an_interrupted_run_is_compared_by_what_it_has_stored(finished, tmp_path):
    out = tmp_path / "part"
    shutil.copytree(
        finished.path, out, ignore=shutil.ignore_patterns("tables", "E2M5*", "E1M1*", "E2M1_C0.3*")
    )
    comparison = compare_published(open_run(out))
    assert not (out / "tables").exists()
    assert {t.name: t.compared for t in comparison.thresholds} == {
        "distortion": 3,
        "f1": 10,
        "class_distortion": 3,
        "statements": 0,
    }
    whole = compare_published(finished)
    for name in ("distortion", "f1", "class_distortion"):
        here, there = comparison.tables[name], whole.tables[name]
        known = here["inside"].notna()
        np.testing.assert_allclose(
            here[known]["mean"].astype(float), there[known]["mean"].astype(float), rtol=1e-6
        )
    assert not comparison.complete
    lost = [line for line in comparison.missing if line.startswith("conditions: E1M1_C0.3_s0_")]
    assert len(lost) == 1
    assert lost[0].count("_s0_") == 5
    assert any(
        line.startswith("distortion: ") and "E2M1 at 0.3, 1, 3, 6 nats" in line for line in comparison.missing
    )


def test_scores_of_readouts_come_from_what_is_stored(finished):
    row = finished.table("tasks").query("regime == 'transfer' and task == 'E2M4'").iloc[0]
    record = finished.readout(row["condition"])
    predictions = record["prediction"].sel(task="E2M4").values
    truth = np.repeat(record["label"].sel(task="E2M4").values, predictions.shape[1])
    weights = np.repeat(record["frequency"].values, predictions.shape[1])
    assert row["f1_batches"] == pytest.approx(
        f1_over_batches(truth, predictions.ravel(), weights, classes=25), abs=ALGEBRA
    )
    assert row["accuracy"] == pytest.approx(np.mean(truth == predictions.ravel()), abs=ALGEBRA)


def test_every_figure_is_drawn_from_the_run(finished):
    drawn = {file.name for file in (finished.path / "figures").iterdir()}
    schemes = {"E1M1": ["frequency"], "E2M1": ["E2M1"], "E2M5": [f"E2M{i}" for i in range(1, 5)]}
    panels = [f"model_{model}_{scheme}" for model, names in schemes.items() for scheme in names]
    names = [
        "images",
        "overview",
        "rate_distortion",
        "distortion",
        "f1",
        "capacity",
        "warps",
        "bound",
        "normative",
        "examples",
        "model_baseline",
        *panels,
    ]
    assert drawn == {f"{name}.png" for name in names}
    page = (finished.path / "report.html").read_text()
    for anchor in ('id="curves"', 'id="capacity"', "otted with crosses"):
        assert anchor in page


def test_interrupted_among_the_heads_it_ends_the_same(finished, tmp_path):
    out = tmp_path / "again"

    def stop(at):
        if "heads" in at.doing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(tiny_paper(), out, stop)
    assert len(list((out / "conditions").iterdir())) == 8
    answer = subprocess.run(
        [COMMAND, "status", str(out), "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout)["missing"] == []
    assert len(json.loads(answer.stdout)["readouts_missing"]) == 4
    run_study(tiny_paper(), out)
    assert all(
        (out / f"tables/{name}.csv").read_bytes() == (finished.path / f"tables/{name}.csv").read_bytes()
        for name in TABLES
    )


@pytest.mark.usefixtures("geometry_left_out")
def test_heads_are_the_same_after_a_kill_between_two_of_them(finished, tmp_path, monkeypatch):
    """Models are read together in the same groups whatever is stored already."""
    out = tmp_path / "run"
    shutil.copytree(finished.path, out, ignore=shutil.ignore_patterns("readouts"))
    write, written = RunDirectory.write_readout, []

    def write_some(self, *arguments):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(arguments[0])
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write_readout", write_some)
        with pytest.raises(KeyboardInterrupt):
            run_study(tiny_paper(), out)
    assert len(list((out / "readouts").iterdir())) == 3
    run_study(tiny_paper(), out)
    assert (out / "tables/tasks.csv").read_bytes() == (finished.path / "tables/tasks.csv").read_bytes()
    with pytest.raises(RatewarpError, match="has no heads on the frozen codes of E1M1"):
        finished.readout(
            next(name for name in finished.table("models")["condition"] if name.startswith("E1M1"))
        )
    with pytest.raises(RequestError, match="no condition is named 'E1M1'"):
        finished.readout("E1M1")


def test_a_run_directory_from_before_readouts_goes_on(tmp_path, tiny_study):
    def begin(study):
        return create_run(tmp_path / "run", resolved(study), lambda stored: resolved(Study(**stored)))

    begin(tiny_study)
    file = tmp_path / "run" / "study.yaml"
    stored = yaml.safe_load(file.read_text())
    del stored["readouts"]
    file.write_text(yaml.safe_dump(stored, sort_keys=False))
    begin(tiny_study)
    with pytest.raises(RequestError, match="holds the run of a different study"):
        begin(Study(**{**stored, "seeds": [7]}))


@pytest.mark.usefixtures("geometry_left_out")
def test_a_finished_run_has_nothing_left_to_do(finished, tmp_path):
    out = tmp_path / "again"
    shutil.copytree(finished.path, out)
    before = {file: file.stat().st_mtime_ns for file in out.glob("*/*/*")}
    run_study(tiny_paper(), out)
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/*/*")} == before
    assert open_run(out).manifest["sessions"][-1]["trained"] == []


def test_parameters_of_another_network_are_refused_by_their_file(finished):
    condition = tiny_paper().conditions[0]
    other = Setting(network={"latents": 7})
    with pytest.raises(RatewarpError, match=r"params\.safetensors is damaged, or was written by another"):
        fitting_params(finished, other, condition.id)


def test_trained_networks_give_the_stored_codes(finished):
    name = finished.table("models")["condition"].iloc[-1]
    record, networks = finished.record(name), trained_networks(finished, name)
    first = np.flatnonzero(np.diff(record["stimulus"].values, prepend=-1))
    means, _ = networks.encode(record["image"].values[..., None].astype(np.float32))
    np.testing.assert_allclose(means, record["code"].values[first], atol=ALGEBRA)
    # which are kept with the precision of a half float
    decoded, kept = networks.decode(means)[..., 0], record["reconstruction"].values
    np.testing.assert_allclose(decoded, kept, rtol=2.0**-11, atol=ALGEBRA)
    with pytest.raises(RequestError, match="Did you mean"):
        trained_networks(finished, name[:-1])

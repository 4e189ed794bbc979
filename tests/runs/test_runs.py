"""Whole runs of a tiny study: tables, repeatability, interruption, page, command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import f1_score

from conftest import call, only_png
from oracles import class_distortion
from ratewarp import Study, open_run, run
from ratewarp._checks import RequestError
from ratewarp.geometry import adjusted
from ratewarp.results.bounds import Distance
from ratewarp.runs.directory import TABLES
from ratewarp.studies import resolved
from stored import run_study

COMMAND = [str(Path(sys.executable).with_name("ratewarp"))]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, request):
    from conftest import tiny

    return run(tiny(), tmp_path_factory.mktemp("runs") / "tiny")


def _tables(path: Path) -> dict[str, bytes]:
    return {name: (path / "tables" / f"{name}.csv").read_bytes() for name in TABLES}


def test_tables_have_a_row_for_everything(finished):
    models, tasks, geometry = (finished.table(name) for name in ("models", "tasks", "geometry"))
    assert list(models["model"]) == ["baseline"] * 2 + ["E1M1"] * 2 + ["E2M1"] * 2
    assert set(models["status"]) <= {"ok", "off target"}
    assert models["diverged_at"].isna().all()
    assert set(models["steps"]) == {30}
    assert list(tasks["capacity_nats"]) == [0.3, 2.0]
    assert set(tasks["regime"]) == {"joint"}
    matrices = geometry[geometry["measure"].str.startswith("class_distortion")]
    assert set(matrices["model"]) == {"E1M1", "E2M1"}
    assert set(geometry.loc[geometry["measure"] == "participation_ratio", "model"]) == {
        "baseline",
        "E1M1",
        "E2M1",
    }
    tested = geometry[geometry["p"].notna()]  # corrected over the whole study
    np.testing.assert_allclose(tested["p_adjusted"], adjusted(tested["p"].to_numpy()))
    assert len(tested) > 1
    assert geometry.loc[geometry["p"].isna(), "p_adjusted"].isna().all()
    known = geometry[geometry["low"].notna()]
    assert np.all(known["low"] <= known["high"])


def test_table_values_from_the_records(finished):
    models, tasks, geometry = (finished.table(name) for name in ("models", "tasks", "geometry"))
    for _, row in models.iterrows():
        record = finished.record(row["condition"])
        p = record["frequency"].values
        np.testing.assert_allclose(
            row["rate_nats"], sum(p[s] * record["rate"].values[s].mean() for s in range(169)), rtol=1e-5
        )
        np.testing.assert_allclose(
            row["distortion"],
            sum(p[s] * record["distortion"].values[s].mean() for s in range(169)),
            rtol=1e-5,
        )
        np.testing.assert_allclose(row["rate_gap"], row["rate_nats"] - row["capacity_nats"], rtol=1e-6)
        np.testing.assert_allclose(row["rate_bits"], row["rate_nats"] / np.log(2), rtol=1e-6)
    row = tasks.iloc[0]
    record = finished.record(row["condition"])
    truth = np.repeat(record["label"].values[0], 3)
    assert row["f1"] == pytest.approx(f1_score(truth, record["prediction"].values[:, 0].ravel()))
    entry = geometry[
        (geometry["model"] == "E2M1")
        & (geometry["measure"] == "class_distortion")
        & (geometry["other"] > geometry["class"])
    ].iloc[0]
    reference = models[(models["model"] == "baseline") & (models["capacity_nats"] == entry["capacity_nats"])][
        "condition"
    ].item()
    mine, theirs = finished.record(entry["condition"]), finished.record(reference)
    labels = mine["label"].values[0][mine["stimulus"].values]
    assert entry["value"] == pytest.approx(
        class_distortion(mine["code"].values.astype(float), theirs["code"].values.astype(float), labels)[
            0, 1
        ],
        abs=1e-5,
    )


def test_without_points_there_is_no_bound(finished):
    assert finished.table("models")[[*Distance._fields]].isna().all(axis=None)
    assert finished.table("bound").empty
    assert finished.table("normative").empty


def test_the_same_seed_gives_the_same_tables(finished, tiny_study, tmp_path):
    run_study(tiny_study, tmp_path / "again")
    assert _tables(tmp_path / "again") == _tables(finished.path)


def test_a_finished_condition_is_not_trained_again(finished, tiny_study):
    before = {f: f.stat().st_mtime_ns for f in finished.path.glob("conditions/*/*")}
    run_study(tiny_study, finished.path)
    assert {f: f.stat().st_mtime_ns for f in finished.path.glob("conditions/*/*")} == before
    assert finished.manifest["sessions"][-1]["trained"] == []


@pytest.mark.parametrize("stop_at", ["training", "storing"])
def test_an_interrupted_run_ends_with_the_same_tables(finished, tiny_study, tmp_path, monkeypatch, stop_at):
    out = tmp_path / "run"

    def stop(at):
        if "E2M1" in at.doing and at.done > 0:
            raise KeyboardInterrupt

    if stop_at == "training":
        with pytest.raises(KeyboardInterrupt):
            run_study(tiny_study, out, stop)
        assert len(list(out.glob("conditions/*"))) == 4
    else:
        from ratewarp.runs.directory import RunDirectory

        write, written = RunDirectory.write_condition, []

        def write_twice(self, *arguments):
            if len(written) == 2:
                raise KeyboardInterrupt
            written.append(arguments[0])
            write(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(RunDirectory, "write_condition", write_twice)
            with pytest.raises(KeyboardInterrupt):
                run_study(tiny_study, out)
        assert len(list(out.glob("conditions/*"))) == 2
    run_study(tiny_study, out)
    assert _tables(out) == _tables(finished.path)


def test_manifest_says_what_was_run_with_what(finished):
    manifest = finished.manifest
    assert manifest["packages"]["jax"]
    assert manifest["device"]["platform"] == "cpu"
    assert manifest["seeds"] == [0]
    assert set(manifest["sha256"]) == {f"tables/{name}.csv" for name in TABLES}
    assert len(manifest["sessions"][0]["trained"]) == 6


def test_page_is_one_file_that_needs_nothing_else(finished):
    page = (finished.path / "report.html").read_text()
    for anchor in (
        "A tiny study",
        "baseline, the reference",
        "E1M1: frequency of the stimulus",
        "E2M1: x_UC ≤ x_LC",
    ):
        assert anchor in page
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", own)
    figures = {f.name for f in (finished.path / "figures").iterdir()}
    assert {
        f"{name}.{kind}"
        for name in (
            "images",
            "overview",
            "distortion",
            "f1",
            "warps",
            "model_baseline",
            "model_E1M1_frequency",
            "model_E2M1_E2M1",
        )
        for kind in ("png", "pdf")
    } <= figures


@pytest.mark.usefixtures("no_figures")
def test_titles_are_escaped(finished, tmp_path, tiny_study):
    import shutil

    shutil.copytree(finished.path, tmp_path / "copy")
    study = {**resolved(tiny_study), "title": "<script>alert(1)</script>"}
    (tmp_path / "copy" / "study.yaml").write_text(yaml.safe_dump(study))
    from ratewarp.report import write_report

    page = write_report(open_run(tmp_path / "copy")).read_text()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.usefixtures("no_figures")
def test_a_diverged_model_is_named_and_the_rest_stands(finished, tmp_path, tiny_study):
    import shutil

    from ratewarp.report import write_report
    from ratewarp.results.tables import build_tables

    shutil.copytree(finished.path, tmp_path / "copy")
    broken = tiny_study.conditions[5]
    file = tmp_path / "copy" / "conditions" / broken.id / "record.nc"
    record = open_run(tmp_path / "copy").record(broken.id)
    record["code"][:] = np.nan
    file.unlink()
    file.with_name("sums.json").unlink()
    record.to_netcdf(file, engine="h5netcdf")
    directory = open_run(tmp_path / "copy")
    for name, table in build_tables(directory, tiny_study).items():
        directory.write_table(name, table)
    statuses = directory.table("models").set_index("condition")["status"]
    assert statuses[broken.id] == "diverged"
    assert "diverged" not in set(statuses.drop(broken.id))
    assert broken.id not in set(directory.table("geometry")["condition"])
    assert (
        f"{broken.model} at {broken.capacity_nats:g} nats, seed 0: diverged"
        in write_report(directory).read_text()
    )


def _started(*arguments, cwd):
    """The command as a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def study_file(tmp_path, tiny_study):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(resolved(tiny_study), sort_keys=False))
    return file


@pytest.mark.usefixtures("no_figures")  # where the page is written again, in this process
def test_command_line_from_study_to_page(study_file, tmp_path, finished):
    plan = call("run", study_file, "--dry-run", "--no-timing", cwd=tmp_path)
    assert plan.returncode == 0
    assert "6 conditions in 2 compiled programs" in plan.stdout
    assert not (tmp_path / "runs").exists()
    done = _started("run", study_file, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 6
    assert "training" in done.stderr
    assert _tables(tmp_path / "runs/tiny") == _tables(finished.path)
    assert json.loads(call("status", "runs/tiny", "--json", cwd=tmp_path).stdout)["missing"] == []
    (tmp_path / "runs/tiny/report.html").unlink()
    with only_png():
        assert call("report", "runs/tiny", cwd=tmp_path).stdout.strip() == "runs/tiny/report.html"
    assert (tmp_path / "runs/tiny/report.html").exists()
    other = call("run", study_file, "--set", "recipe.steps=31", cwd=tmp_path)
    assert (other.returncode, other.stdout) == (2, "")
    assert "different study" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "demoo"], "Did you mean 'demo'"),
        (["run", "demo", "--set", "recipe.step=1"], "Did you mean 'steps'"),
        (["run", "demo", "--seeds", "0"], "--seeds"),
        (["run", "demo", "--members-at-once", "0"], "--members-at-once"),
        (["run", "demo", "--checkpoint-every", "-1"], "--checkpoint-every"),
        (["report", "."], "not a run directory"),
        (["rn"], "Did you mean 'run'"),
    ],
)
def test_wrong_requests_end_with_2_and_write_nothing(arguments, message, tmp_path):
    answer = call(*arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder_ends_with_1(tmp_path):
    answer = call("run", "demo", "--out", "/proc/no", cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: cannot write /proc/no")


def test_help_and_version(tmp_path):
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", call("--version", cwd=tmp_path).stdout)
    text = call("--help", cwd=tmp_path).stdout
    assert all(word in text for word in ("run", "status", "report", "ratewarp run demo"))


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
)
def test_a_signal_ends_a_run_which_resumes_to_the_same_tables(
    study_file, tiny_study, tmp_path, finished, number, code, said
):
    arguments = [*COMMAND, "run", str(study_file), "--out", str(tmp_path / "run")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("training"):
                break
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()  # whatever happened, no open pipe is left to the next test
    assert process.returncode == code
    assert f"{said}; finished conditions and the last checkpoint are kept" in errors
    assert "Traceback" not in errors
    run(tiny_study, tmp_path / "run", report=False)
    assert _tables(tmp_path / "run") == _tables(finished.path)


def test_run_refuses_a_different_study(finished, tiny_study):
    with pytest.raises(RequestError, match="different study"):
        run(tiny_study.model_copy(update={"seeds": (5,)}), finished.path)


def test_open_run_gives_frames(finished):
    assert isinstance(open_run(finished.path).table("geometry"), pd.DataFrame)


def test_tasks_with_classes_of_one_stimulus_and_untrained_models_still_have_tables(tmp_path):
    from conftest import TINY_NETWORK

    study = Study(
        network=TINY_NETWORK,
        recipe={"steps": 1},
        training_images=500,
        validation_each=2,
        codes_each=1,
        models={"a": {}, "b": {"tasks": [{"name": "corner", "label": "x_UC == 0 and x_LC == 0"}]}},
        capacities_nats=[1],
        bound_points=0,
    )
    geometry = run(study, tmp_path / "run", report=False).table("geometry")
    entries = geometry[geometry["measure"] == "class_distortion"].set_index(["class", "other"])
    corner = entries.loc[(0, 0)]
    assert corner["low"] <= corner["value"] <= corner["high"]
    assert list(entries.index) == [(0, 0), (0, 1), (1, 1)]

"""Pages of runs that are unfinished, damaged or of another version: of what is there, with what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest
from markupsafe import escape

from conftest import TINY_NETWORK, call
from fabricated import fabricated_run, fabricated_tables
from ratewarp.geometry.embedding import Map
from ratewarp.report import views, write_report
from ratewarp.report.page import codes_of
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs.directory import TABLES, RunDirectory, open_run
from ratewarp.studies import Study

MODELS = {"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}}
STUDY = Study(
    name="broken",
    models=MODELS,
    capacities_nats=[0.5, 2],
    network=TINY_NETWORK,
    validation_each=3,
    codes_each=1,
    bound_points=3,
)
LAST = STUDY.conditions[-1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return fabricated_tables(fabricated_run(STUDY, tmp_path_factory.mktemp("runs") / "whole"), STUDY).path


@pytest.fixture
def run(whole, tmp_path) -> RunDirectory:
    return open_run(copytree(whole, tmp_path / "run"))


@pytest.fixture(autouse=True)
def flat(monkeypatch):
    """Two latents are their own map, and figures are not drawn."""
    for module in (views, codes_of):
        monkeypatch.setattr(module, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
    monkeypatch.setattr("ratewarp.report.pictures.drawings", lambda _: {})


def _page(run: RunDirectory) -> tuple[str, list[str]]:
    """The page, and what was said to be missing."""
    said: list[str] = []
    return write_report(open_run(run.path), say=said.append).read_text(), said


def _record_of(run: RunDirectory) -> Path:
    return run.path / "conditions" / LAST.id / "record.nc"


def _cut(run: RunDirectory) -> None:
    _record_of(run).write_bytes(_record_of(run).read_bytes()[:3000])


def _spoil(run: RunDirectory) -> None:
    _record_of(run).with_name("params.safetensors").write_bytes(b"no parameters")


def _drop_condition(run: RunDirectory) -> None:
    rmtree(run.path / "conditions" / LAST.id)


def _drop_reference(run: RunDirectory) -> None:
    for condition in STUDY.conditions:
        if condition.model == "baseline":
            rmtree(run.path / "conditions" / condition.id)


def _drop_tables(run: RunDirectory) -> None:
    rmtree(run.path / "tables")


def _drop_geometry(run: RunDirectory) -> None:
    (run.path / "tables/geometry.csv").unlink()


def _age(run: RunDirectory) -> None:
    """As another version would leave it: columns that are not known, and columns that are not there."""
    table = run.table("models").drop(columns=["efficiency", "status"]).assign(novelty=1)
    run.write_table("models", table)
    run.write_manifest({"ratewarp": "99.0"})


def _garble(run: RunDirectory) -> None:
    run.write_bytes("manifest.json", b'{"packages": 3')


def _change(run: RunDirectory) -> None:
    """Another table than the one whose sum the manifest has."""
    digest = run.write_table("models", run.table("models"))
    run.write_manifest({"ratewarp": "0", "sha256": {"tables/models.csv": digest[::-1]}})


CASES: dict[str, tuple[Callable[[RunDirectory], None], list[str]]] = {
    "a record is cut": (_cut, [f"Without codes and images of {LAST.id}: ", "record.nc is damaged"]),
    "parameters are damaged": (_spoil, [f"Without the decoder of {LAST.id}: ", "params.safetensors"]),
    "a condition is not trained": (_drop_condition, ["1 of its 6 conditions is not trained yet", LAST.id]),
    "the reference is not trained": (_drop_reference, ["2 of its 6 conditions are not trained yet"]),
    "no table is written": (_drop_tables, ["The tables are not written.", "ratewarp tabulate"]),
    "a table is gone": (_drop_geometry, ["The table geometry is not written.", "ratewarp tabulate"]),
    "another version": (_age, ["has no columns efficiency, status.", "made by ratewarp 99.0, this page by"]),
    "the manifest is damaged": (_garble, ["Without versions and times: ", "manifest.json"]),
    "a table was changed": (_change, ["Without the table models: ", "does not match its SHA-256"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_made_of_what_is_there_and_says_what_is_missing(run, case):
    damage, words = CASES[case]
    damage(run)
    page, said = _page(run)
    assert all(any(word in sentence for sentence in said) for word in words)
    head = page.partition("</header>")[0]
    for sentence in said:
        assert str(escape(sentence.replace(str(run.path), run.path.name))) in head
    assert str(run.path) not in page
    assert 'id="stage-data"' in page


def test_a_whole_run_lacks_nothing(run, monkeypatch):
    # made-up parameters are of no decoder
    monkeypatch.setattr(codes_of, "decoder_of", lambda *_: None)
    page, said = _page(run)
    assert said == []
    assert 'class="alert"' not in page


def test_models_without_tables_have_what_their_records_say(run):
    record = run.record(LAST.id)
    _drop_tables(run)
    view = RunView(open_run(run.path), WhatIsThere(open_run(run.path)))
    row = view.table("models").set_index("condition").loc[LAST.id]
    rate, frequency = record["rate"].values.astype(float), record["frequency"].values
    assert row["rate_nats"] == pytest.approx(
        sum(p * np.mean(own) for p, own in zip(frequency, rate, strict=True))
    )
    assert row["status"] == "ok"
    assert len(view.table("models")) == len(STUDY.conditions)
    assert set(view.table("tasks")["condition"]) == {c.id for c in STUDY.conditions if c.model == "E2M1"}
    for name in TABLES[2:]:
        assert view.table(name).empty


def test_what_no_manifest_says_is_left_out(run):
    (run.path / "manifest.json").unlink()
    head = _page(run)[0].partition("</header>")[0]
    assert "<dt>Recipe</dt>" in head
    assert "<dt>Time</dt>" not in head
    assert "<dt>Software</dt>" not in head


def test_conditions_that_are_in_no_table_are_told(run):
    run.write_table("models", run.table("models").query("condition != @LAST.id"))
    _, said = _page(run)
    told = "1 trained condition is not in tables/models.csv: there are no measures of their codes."
    assert f"{told} All tables are written again by: ratewarp tabulate {run.path}" in said


def test_what_is_in_the_tables_stays_where_codes_are_lost(run):
    _cut(run)
    page, _ = _page(run)
    data = json.loads(page.partition('id="stage-data">')[2].partition("</script>")[0])
    lost = next(one for one in data["conditions"] if one["id"] == LAST.id)
    assert lost["detail"] is None
    assert lost["rate_nats"] == run.table("models").set_index("condition").loc[LAST.id, "rate_nats"]


def test_very_many_damages_are_counted(run, monkeypatch):
    monkeypatch.setattr("ratewarp.report.what_is_there._MOST_TOLD", 2)
    for condition in STUDY.conditions:
        (run.path / "conditions" / condition.id / "params.safetensors").write_bytes(b"")
    _, said = _page(run)
    assert "4 more parts are damaged." in said
    assert sum(one.startswith("Without the decoder of") for one in said) == 2


def test_the_command_says_it_too_and_ends_well(run, tmp_path):
    _cut(run)
    answer = call("report", run.path, cwd=tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.strip() == str(run.path / "report.html")
    assert "record.nc is damaged" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_nothing_to_show_is_refused_and_writes_nothing(run, tmp_path):
    for folder in ("conditions", "tables"):
        rmtree(run.path / folder)
    answer = call("report", run.path, cwd=tmp_path)
    assert answer.returncode == 1
    assert "has nothing to show yet: none of its 6 conditions is stored whole" in answer.stderr
    assert f"ratewarp run {run.path / 'study.yaml'}" in answer.stderr
    assert not (run.path / "report.html").exists()


def test_a_study_that_cannot_be_read_is_refused(run, tmp_path):
    (run.path / "study.yaml").write_text("models: [")
    answer = call("report", run.path, cwd=tmp_path)
    assert answer.returncode == 2
    assert "study.yaml is not valid YAML" in answer.stderr


def test_a_figure_for_which_too_little_is_there_is_left_out(run, monkeypatch):
    def fail(view: RunView) -> None:
        raise ValueError("no numbers")

    monkeypatch.setattr("ratewarp.report.pictures.drawings", lambda _: {"overview": fail})
    with monkeypatch.context() as patch:
        # where nothing is missing; made-up runs have no decoders for the stage
        patch.setattr("ratewarp.report.page.page_file.stage_data", lambda _: {})
        with pytest.raises(ValueError, match="no numbers"):
            write_report(open_run(run.path))
    _drop_condition(run)
    _, said = _page(run)
    assert "Without the figure overview: too little is there to draw it." in said


def test_a_record_that_stands_in_has_stimuli_and_images_and_no_numbers(run):
    whole, other = run.record(LAST.id), run.record(STUDY.conditions[0].id)
    _cut(run)
    blank = WhatIsThere(open_run(run.path)).record(LAST)
    assert np.isnan(blank["code"].values).all()
    assert (blank["image"].values == other["image"].values).all()
    for name in ("label", "frequency", "factor_value", "stimulus"):
        assert (blank[name].values == whole[name].values).all()
    assert blank["code"].shape == whole["code"].shape

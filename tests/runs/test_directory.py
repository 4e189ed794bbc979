from __future__ import annotations

import os
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.runs.directory import create_run, open_run, working_on, writing_to
from ratewarp.runs.run_lock import LOCK
from stored import PARAMS, make_readout, make_record

STUDY = {"name": "s", "seeds": [0]}
RECORD = make_record("one")


def test_a_condition_is_read_back_as_written(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    assert not run.finished("one")
    run.write_condition("one", {"model": "m"}, RECORD, PARAMS)
    assert run.finished("one")
    assert open_run(tmp_path / "r").condition("one") == {"model": "m"}
    xr.testing.assert_identical(run.record("one"), RECORD)
    assert all(np.array_equal(run.params("one")[k], v) for k, v in PARAMS.items())


def test_a_finished_condition_is_left_as_it_is(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    run.write_condition("one", {"model": "first"}, RECORD, PARAMS)
    run.write_condition("one", {"model": "second"}, RECORD, PARAMS)
    assert run.condition("one") == {"model": "first"}


def test_a_failed_write_leaves_no_condition(tmp_path, monkeypatch):
    run = create_run(tmp_path / "r", STUDY)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RatewarpError, match="No space left on device"):
        run.write_condition("one", {}, RECORD, PARAMS)
    assert not run.finished("one")
    assert list((tmp_path / "r" / "conditions").iterdir()) == []


def test_taking_a_run_up_again_clears_what_was_begun(tmp_path):
    create_run(tmp_path / "r", STUDY)
    begun = [tmp_path / "r" / folder / ".partial-x" for folder in ("conditions", "checkpoints/a", "tables")]
    for place in begun[:2]:
        place.mkdir(parents=True)
        (place / "params.safetensors").write_bytes(b"")
    begun[2].parent.mkdir()
    begun[2].write_bytes(b"")
    (tmp_path / "mine").mkdir()
    links = [tmp_path / "r" / ".partial-link", tmp_path / "r" / "conditions" / ".partial-nowhere"]
    links[0].symlink_to(tmp_path / "mine")
    links[1].symlink_to(tmp_path / "nowhere")
    create_run(tmp_path / "r", STUDY)
    assert not any(os.path.lexists(place) for place in (*begun, *links))
    assert (tmp_path / "mine").is_dir()


def test_other_studies_and_other_files_are_not_touched(tmp_path):
    create_run(tmp_path / "r", STUDY)
    with pytest.raises(RequestError, match="different study"):
        create_run(tmp_path / "r", {**STUDY, "seeds": [1]})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(RequestError, match="not a run directory"):
        create_run(tmp_path / "full", STUDY)
    assert [f.name for f in (tmp_path / "full").iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RequestError, match="not a run directory"):
        create_run(tmp_path / "file", STUDY)


def test_opening_what_is_not_a_run(tmp_path):
    with pytest.raises(RequestError, match=r"no study\.yaml"):
        open_run(tmp_path)
    (tmp_path / "study.yaml").write_text("a: [")
    with pytest.raises(RequestError, match="not valid YAML"):
        open_run(tmp_path)


def test_unknown_names(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    run.write_condition("baseline_C1", {}, make_record("baseline_C1"), PARAMS)
    with pytest.raises(RequestError, match="Did you mean 'baseline_C1'"):
        run.record("baselin_C1")
    with pytest.raises(RequestError, match="Did you mean 'models'"):
        run.table("model")
    with pytest.raises(RatewarpError, match="no models table yet"):
        run.table("models")


def test_tables_keep_nine_digits(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    rows = pd.DataFrame({"name": ["a", None], "value": [1 / 3, 1e-7]})
    rows = rows.assign(model="m", capacity_nats=1, seed=0)
    run.write_table("models", rows)
    text = b"name,value,model,capacity_nats,seed\na,0.333333333,m,1,0\n,1e-07,m,1,0\n"
    assert (tmp_path / "r/tables/models.csv").read_bytes() == text
    np.testing.assert_allclose(run.table("models")["value"], rows["value"], rtol=1e-8)


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x00" * 1000])
def test_damaged_files_are_named(tmp_path, junk):
    run = create_run(tmp_path / "r", STUDY)
    run.write_condition("one", {"model": "m"}, RECORD, PARAMS)
    run.write_manifest({"a": 1})
    run.write_table("models", pd.DataFrame({"a": [1]}))
    readers = {
        "conditions/one/record.nc": lambda: run.record("one"),
        "conditions/one/params.safetensors": lambda: run.params("one"),
        "conditions/one/condition.json": lambda: run.condition("one"),
        "manifest.json": lambda: run.manifest,
    }
    for name, read in readers.items():
        (run.path / name).write_bytes(junk)
        with pytest.raises(
            RatewarpError,
            match=rf"{name} is damaged.*; it is set aside and .* again by: ratewarp run .*study.yaml --out ",
        ):
            read()


@pytest.mark.parametrize("name", ["record.nc", "params.safetensors", "condition.json"])
def test_any_changed_byte_of_a_condition_is_noticed(tmp_path, name):
    run = create_run(tmp_path / "r", STUDY)
    run.write_condition("one", {"model": "m"}, RECORD, PARAMS)
    run.write_readout("one", make_readout("one"), PARAMS)
    readers = {
        "record.nc": [("conditions", run.record), ("readouts", run.readout)],
        "params.safetensors": [("conditions", run.params), ("readouts", run.readout_params)],
        "condition.json": [("conditions", run.condition)],
    }
    for kind, read in readers[name]:
        file = run.path / kind / "one" / name
        good = file.read_bytes()
        for place in range(0, len(good), max(1, len(good) // 20)):
            file.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
            with pytest.raises(
                RatewarpError,
                match=rf"{kind}/one/{name} is damaged: it does not match its SHA-256; it is set aside",
            ):
                read("one")
        for content in (b"", good[: len(good) // 2], good * 2):
            file.write_bytes(content)
            with pytest.raises(RatewarpError, match="does not match its SHA-256"):
                read("one")
        file.write_bytes(good)
        read("one")


def test_sums_that_are_damaged_or_of_another_condition_are_noticed(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    for name in ("one", "two"):
        run.write_condition(name, {"model": "m"}, make_record(name), PARAMS)
    sums = run.path / "conditions/one/sums.json"
    for content in (b"", b"[]", b"{}", b'{"condition": "one", "files": {"record.nc": 3}}'):
        sums.write_bytes(content)
        with pytest.raises(RatewarpError, match=r"sums\.json is damaged"):
            run.record("one")
    shutil.copytree(run.path / "conditions/two", run.path / "conditions/one", dirs_exist_ok=True)
    with pytest.raises(RatewarpError, match=r"sums\.json is damaged or was moved: it is of 'two'"):
        run.params("one")
    sums.unlink()
    with pytest.raises(RatewarpError, match=r"record\.nc is damaged: it is of 'two', not of one"):
        run.record("one")


def test_a_condition_without_sums_is_taken_as_an_earlier_version_wrote_it(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    run.write_condition("one", {"model": "m"}, RECORD, PARAMS)
    (run.path / "conditions/one/sums.json").unlink()
    xr.testing.assert_identical(run.record("one"), RECORD)
    assert run.params("one").keys() == PARAMS.keys()


def _finished(folder):
    run = create_run(folder, STUDY)
    rows = pd.DataFrame({"model": ["m"] * 4, "capacity_nats": [1.0, 2, 3, 4], "seed": 0})
    run.write_manifest(
        {"sha256": {"tables/models.csv": run.write_table("models", rows)}, "sessions": [{"seconds": 1.0}]}
    )
    return run


def test_changed_tables_are_named_with_the_command_that_writes_them_again(tmp_path):
    run = _finished(tmp_path / "r")
    file = run.path / "tables/models.csv"
    good = file.read_bytes()
    head, *rows = good.splitlines(keepends=True)
    for content in (
        b"",
        head,
        head + b"".join(rows[:2]),
        good + b"".join(rows),
        good.replace(b"4.0", b"5.0").replace(b"4\n", b"5\n"),
    ):
        file.write_bytes(content)
        if content == good:
            continue
        with pytest.raises(
            RatewarpError,
            match=r"models\.csv is damaged or was changed: .*written again by: ratewarp tabulate",
        ):
            run.table("models")
    file.write_bytes(good)
    assert len(run.table("models")) == 4


def test_a_newer_table_is_not_called_damaged_before_the_manifest_is_written(tmp_path):
    run = _finished(tmp_path / "r")
    run.write_table("models", pd.DataFrame({"model": ["other"], "capacity_nats": [1.0], "seed": [0]}))
    assert list(run.table("models")["model"]) == ["other"]
    assert run.manifest == {"sha256": {}, "sessions": [{"seconds": 1.0}]}


@pytest.mark.parametrize(
    "name", ["manifest.json", "tables/models.csv", "conditions/one/record.nc", "conditions/one/sums.json"]
)
@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda file: file.symlink_to("/dev/zero"), lambda file: file.mkdir()]
)
def test_pipes_devices_and_folders_are_not_read(tmp_path, name, make):
    run = _finished(tmp_path / "r")
    run.write_condition("one", {}, RECORD, PARAMS)
    (run.path / name).unlink()
    make(run.path / name)
    read = {"manifest.json": lambda: run.manifest, "tables/models.csv": lambda: run.table("models")}
    with pytest.raises(RatewarpError, match=rf"{name} is damaged: it is not a regular file"):
        read.get(name, lambda: run.record("one"))()


@pytest.mark.parametrize(
    "folder", ["conditions", "readouts", "tables", "figures", "comparison", "checkpoints"]
)
def test_nothing_is_written_through_a_link(tmp_path, folder):
    run = _finished(tmp_path / "r")
    (tmp_path / "outside").mkdir()
    if (run.path / folder).exists():
        (run.path / folder).rename(tmp_path / "mine")
    (run.path / folder).symlink_to(tmp_path / "outside")
    writers = {
        "conditions": lambda: run.write_condition("one", {}, RECORD, PARAMS),
        "readouts": lambda: run.write_readout("one", make_readout("one"), PARAMS),
    }
    for write in (
        writers.get(folder, lambda: run.write_text(f"{folder}/x", "x")),
        lambda: create_run(run.path, STUDY),
    ):
        with pytest.raises(
            RatewarpError, match=rf"r/{folder} is a symbolic link; nothing is written through links"
        ):
            write()
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_that_is_a_link_is_replaced_not_followed(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    (tmp_path / "mine").write_text("mine")
    (run.path / "report.html").symlink_to(tmp_path / "mine")
    run.write_text("report.html", "page")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (run.path / "report.html").read_text() == "page"


def test_a_run_whose_folder_is_gone_is_not_made_again(tmp_path):
    def moved(run):
        run.path.rename(tmp_path / "elsewhere")
        run.write_condition("one", {}, RECORD, PARAMS)

    def replaced(run):
        shutil.rmtree(run.path)
        create_run(run.path, {**STUDY, "seeds": [1]})  # another takes its place
        run.write_text("manifest.json", "{}")

    for lose, left in ((moved, False), (replaced, True)):
        with (
            pytest.raises(RatewarpError, match=r"r was removed, moved or replaced while"),
            working_on(tmp_path / "r", STUDY) as run,
        ):
            lose(run)
        assert (tmp_path / "r").exists() == left
    assert [f.name for f in (tmp_path / "r").iterdir()] == ["study.yaml"]


def test_the_lock_is_gone_with_the_block_that_held_it(tmp_path):
    with working_on(tmp_path / "r", STUDY) as run:
        assert (run.path / LOCK).exists()
        with pytest.raises(RatewarpError, match="is being run by process"):
            create_run(run.path, STUDY)
        with (
            pytest.raises(RatewarpError, match="is being run by process"),
            writing_to(open_run(run.path), "draw"),
        ):
            pass
    with (
        writing_to(open_run(run.path), "draw"),
        pytest.raises(RatewarpError, match="is being drawn by process"),
    ):
        create_run(run.path, STUDY)
    assert [f.name for f in run.path.iterdir()] == ["study.yaml"]


def test_a_refused_folder_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    stamp = (tmp_path / "mine").stat().st_mtime_ns
    with pytest.raises(RequestError, match="not a run directory"):
        create_run(tmp_path / "mine", STUDY)
    assert (tmp_path / "mine").stat().st_mtime_ns == stamp


def test_a_crash_while_a_run_is_made_does_not_block_it(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".partial-study.yaml").write_text("name: s")
    create_run(tmp_path / "r", STUDY)
    create_run(tmp_path / "r", STUDY)
    assert [f.name for f in (tmp_path / "r").iterdir()] == ["study.yaml"]


def test_names_that_look_like_missing_values_stay_names(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    run.write_table(
        "models",
        pd.DataFrame({"model": ["None", "NA", "null"], "capacity_nats": [1.0, np.nan, 2.0], "seed": 0}),
    )
    assert list(run.table("models")["model"]) == ["None", "NA", "null"]
    assert np.isnan(run.table("models")["capacity_nats"][1])

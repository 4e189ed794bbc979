from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ratewarp._checks import RatewarpError, RequestError
from ratewarp.store import create_run, open_run

STUDY = {"name": "s", "seeds": [0]}
RECORD = xr.Dataset({"code": (("item", "latent"), np.arange(6.0).reshape(3, 2))}, coords={"stimulus": ("item", [0, 1, 1])})
PARAMS = {"a.weight": np.arange(4, dtype=np.float32).reshape(2, 2), "b": np.zeros((), np.float32)}


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
    create_run(tmp_path / "r", STUDY)
    assert not any(place.exists() for place in begun)


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
    run.write_condition("baseline_C1", {}, RECORD, PARAMS)
    with pytest.raises(RequestError, match="Did you mean 'baseline_C1'"):
        run.record("baselin_C1")
    with pytest.raises(RequestError, match="Did you mean 'models'"):
        run.table("model")
    with pytest.raises(RatewarpError, match="no models table yet"):
        run.table("models")


def test_tables_keep_nine_digits(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    rows = pd.DataFrame({"name": ["a", None], "value": [1 / 3, 1e-7]})
    run.write_table("models", rows)
    assert (tmp_path / "r/tables/models.csv").read_bytes() == b"name,value\na,0.333333333\n,1e-07\n"
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
        with pytest.raises(RatewarpError, match=r"is damaged or missing .*remove it and run the study again"):
            read()


def test_a_crash_while_a_run_is_made_does_not_block_it(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".partial-study.yaml").write_text("name: s")
    create_run(tmp_path / "r", STUDY)
    create_run(tmp_path / "r", STUDY)
    assert [f.name for f in (tmp_path / "r").iterdir()] == ["study.yaml"]


def test_names_that_look_like_missing_values_stay_names(tmp_path):
    run = create_run(tmp_path / "r", STUDY)
    run.write_table("models", pd.DataFrame({"model": ["None", "NA", "null"], "value": [1.0, np.nan, 2.0]}))
    assert list(run.table("models")["model"]) == ["None", "NA", "null"]
    assert np.isnan(run.table("models")["value"][1])

"""Damaged parts of a run are told and renamed; nothing is removed."""

from __future__ import annotations

import os
import shutil

import pytest

from ratewarp.runs.directory import create_run, open_run
from ratewarp.runs.mending import damaged_parts, set_damage_aside
from ratewarp.runs.run_files import SUMS
from ratewarp.studies import Study
from stored import PARAMS, make_readout, make_record

STUDY = Study(models={"m": {}}, capacities_nats=[1, 2], readouts={"m": ["E2M1"]}, bound_points=0)
ONE, TWO = (condition.id for condition in STUDY.conditions)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with both conditions, heads on the codes of one, and a manifest."""
    made = create_run(tmp_path_factory.mktemp("whole") / "r", {"name": "s"})
    for condition in STUDY.conditions:
        described = {
            "model": condition.model,
            "capacity_nats": condition.capacity_nats,
            "seed": condition.seed,
        }
        made.write_condition(condition.id, described, make_record(condition.id), PARAMS)
    made.write_readout(ONE, make_readout(ONE), PARAMS)
    made.write_manifest({"sessions": []})
    return made.path


@pytest.fixture
def run(whole, tmp_path):
    """A copy of it."""
    return open_run(shutil.copytree(whole, tmp_path / "r"))


def _parts(run):
    return {str(place.relative_to(run.path)): why for place, why in damaged_parts(run, STUDY)}


def test_a_sound_run_has_no_damaged_parts(run):
    assert _parts(run) == {}
    for sums in run.path.rglob(SUMS):
        sums.unlink()
    assert _parts(run) == {}


@pytest.mark.parametrize("file", ["record.nc", "params.safetensors", "condition.json"])
@pytest.mark.parametrize("damage", [b"", b"junk", None, "pipe", "text"])
@pytest.mark.parametrize("earlier", [False, True])
def test_damage_to_any_file_is_found_also_of_an_earlier_version(run, file, damage, earlier):
    place = run.path / "conditions" / ONE
    if earlier:
        (place / SUMS).unlink()
    (place / file).unlink()
    if damage == "pipe":
        os.mkfifo(place / file)
    elif damage == "text":
        (place / file).write_text('{"model": "other"}')
    elif damage is not None:
        (place / file).write_bytes(damage)
    assert list(_parts(run)) == [f"conditions/{ONE}"]
    assert f"{file} is damaged" in _parts(run)[f"conditions/{ONE}"]


def test_what_is_damaged_is_renamed_and_told(run):
    said: list[str] = []
    for name in ("manifest.json", f"conditions/{TWO}/record.nc", f"readouts/{ONE}/params.safetensors"):
        (run.path / name).write_bytes(b"junk")
    (run.path / f"conditions/{TWO}.damaged-1").mkdir()  # of an earlier time
    set_damage_aside(run, STUDY, said.append)
    assert (run.path / "manifest.json.damaged-1").read_bytes() == b"junk"
    assert (run.path / f"conditions/{TWO}.damaged-2/record.nc").read_bytes() == b"junk"
    assert (run.path / f"readouts/{ONE}.damaged-1/params.safetensors").read_bytes() == b"junk"
    assert [line.split("; ")[1] for line in said] == [
        "renamed to manifest.json.damaged-1, and a new one is written",
        f"renamed to {ONE}.damaged-1, and it is trained again",
        f"renamed to {TWO}.damaged-2, and it is trained again",
    ]
    assert run.finished(ONE)
    assert not run.finished(TWO)
    assert not run.has_heads(ONE)
    assert _parts(run) == {}


def test_a_link_that_leads_nowhere_is_renamed(run):
    place = run.path / "conditions" / ONE
    place.rename(run.path / "moved")
    place.symlink_to(run.path / "nowhere")
    set_damage_aside(run, STUDY, lambda line: None)
    assert (run.path / "conditions" / f"{ONE}.damaged-1").is_symlink()

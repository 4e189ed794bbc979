"""Shards: every condition in exactly one, evenly, and what a directory says of the one it holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import call, with_heads
from ratewarp import RequestError, Study, open_run, run, run_status
from ratewarp.runs.directory import create_run, writing_to
from ratewarp.runs.groups import groups, steps_of
from ratewarp.runs.run_files import DamagedError
from ratewarp.runs.shards import (
    NOTE,
    Shard,
    checked_shard,
    forget_shard,
    note_shard,
    noted_shard,
    read_shard,
    shares,
)
from ratewarp.studies import resolved

# three compiled programs, and models of different lengths
MODELS = {
    "base": {},
    "one": {"tasks": ["E2M1"]},
    "many": {"tasks": ["E2M5"], "recipe": {"steps": 700}},
    "short": {"recipe": {"steps": 100}},
}
STUDY = Study(name="parts", models=MODELS, capacities_nats=[0.3, 1, 3], seeds=range(7), bound_points=0)
TINY = with_heads("shards", capacities_nats=[1, 2])


@given(st.integers(1, 400))
@settings(deadline=None)
def test_every_condition_is_in_one_shard(of):
    parts = shares(STUDY, of)
    assert len(parts) == of
    ids = [condition.id for share in parts for condition in share]
    assert sorted(ids) == sorted(condition.id for condition in STUDY.conditions)
    assert parts == [Shard(k, of).share(STUDY) for k in range(1, of + 1)]


@given(st.integers(1, 120))
@settings(deadline=None)
def test_shards_are_even_in_model_steps_and_compile_little(of):
    parts = shares(STUDY, of)
    loads = [sum(map(steps_of, share)) for share in parts]
    longest = max(map(steps_of, STUDY.conditions))
    assert all(abs(load - sum(loads) / of) <= longest for load in loads)
    assert sum(len(groups(share)) for share in parts) <= of + len(groups(STUDY.conditions)) - 1


def test_a_thousand_conditions_of_three_programs_in_sixteen_shards():
    models = {name: MODELS[name] for name in ("base", "one")} | {"many": {"tasks": ["E2M5"]}}
    study = Study(models=models, capacities_nats=[1], seeds=range(334), bound_points=0)
    parts = shares(study, 16)
    assert {len(share) for share in parts} == {62, 63}
    assert sum(len(groups(share)) for share in parts) == 18


def test_a_share_depends_on_the_study_alone():
    stored = Study(**json.loads(json.dumps(resolved(STUDY))))
    assert [[c.id for c in share] for share in shares(stored, 5)] == [
        [c.id for c in share] for share in shares(STUDY, 5)
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 of 16", "--shard must be K/N, such as 3/16, K from 1 to N; got '3 of 16'"),
        ("0/4", "K from 1 to N: shards are counted from 1; got '0/4'"),
        ("5/4", "shards are counted from 1; got '5/4'"),
        ("1/0", "--shard must be one of 1 to 100,000 shards; got '1/0'"),
        ("1/999999", "--shard must be one of 1 to 100,000 shards"),
        ("-1/4", "--shard must be K/N"),
        ("", "--shard must be K/N"),
        ("١/٤", "--shard must be K/N"),
    ],
)
def test_what_is_no_shard_is_refused(text, said, tmp_path):
    with pytest.raises(RequestError) as error:
        read_shard(text)
    assert said in str(error.value)
    answer = call("run", "demo", "--shard", text, cwd=tmp_path)
    assert answer.returncode == 2
    assert said in answer.stderr


@pytest.mark.parametrize("value", [(0, 4), (5, 4), "3/16", (1,), (1.0, 2), (True, 2), 3])
def test_what_is_no_shard_from_python_is_refused(value, tmp_path):
    with pytest.raises(RequestError, match=r"^shard must be"):
        run(TINY, tmp_path / "run", shard=value)
    assert not (tmp_path / "run").exists()
    assert checked_shard([1, 2]) == Shard(1, 2)


@pytest.fixture
def directory(tmp_path):
    made = create_run(tmp_path / "run", resolved(TINY))
    with writing_to(made, "run") as locked:
        yield locked


def test_a_directory_holds_one_shard(directory):
    said: list[str] = []
    assert noted_shard(directory) is None
    note_shard(directory, Shard(2, 3), said.append)
    note_shard(directory, Shard(2, 3), said.append)
    assert noted_shard(directory) == Shard(2, 3)
    with pytest.raises(RequestError, match=r"holds shard 2 of 3; choose another folder with --out"):
        note_shard(directory, Shard(1, 3), said.append)
    forget_shard(directory)
    assert noted_shard(directory) is None
    assert said == []
    directory.checkpoints.mkdir()
    with pytest.raises(RequestError, match="holds a run of the whole study; a shard needs a folder"):
        note_shard(directory, Shard(1, 3), said.append)


@pytest.mark.parametrize(
    "content", ["junk", "{}", '{"shard": 4, "of": 3, "versions": []}', '{"shard": 1, "of": 3}']
)
def test_a_damaged_note_is_told_and_set_aside(directory, content):
    (directory.path / NOTE).write_text(content)
    with pytest.raises(DamagedError, match=r"shard\.json is damaged"):
        noted_shard(directory)
    found = run_status(directory)
    assert found.shard is None
    assert len(found.damaged) == 1
    said: list[str] = []
    note_shard(directory, Shard(1, 3), said.append)
    assert noted_shard(directory) == Shard(1, 3)
    assert "renamed to shard.json.damaged-1" in said[0]


def test_an_interrupted_shard_resumes_and_can_be_finished_as_a_whole(tmp_path):
    class _StopError(Exception):
        pass

    def stop(at):
        raise _StopError

    whole, out = run(TINY, tmp_path / "whole", report=False), tmp_path / "part"
    with pytest.raises(_StopError):
        run(TINY, out, shard=(1, 2), progress=stop)
    before = run_status(open_run(out))
    assert (before.shard, before.finished, before.readouts) == (Shard(1, 2), (), ())
    ids = tuple(condition.id for condition in Shard(1, 2).share(TINY))
    assert before.missing == ids
    said: list[str] = []
    run(TINY, out, shard=(1, 2), say=said.append)
    assert run_status(open_run(out)).finished == ids
    assert sorted(one.name for one in (out / "conditions").iterdir()) == sorted(ids)
    assert {one.name for one in out.iterdir()} == {"study.yaml", "manifest.json", NOTE, "conditions"}
    assert call("status", out, cwd=tmp_path).stdout.startswith(
        "shards, shard 1 of 2: 2 of 2 conditions finished\n"
    )
    (session,) = open_run(out).manifest["sessions"]
    assert session["where"]["platform"] == "cpu"
    run(TINY, out, report=False)
    assert not (out / NOTE).exists()
    for name in ("tables/models.csv", f"conditions/{ids[0]}/record.nc"):
        assert (out / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_shard_without_conditions_ends_well(tmp_path):
    empty = next(k for k, share in enumerate(shares(TINY, 9), start=1) if not share)
    answer = call("run", "study.yaml", "--shard", f"{empty}/9", "--json", cwd=_with_file(tmp_path))
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    assert said == {"number": empty, "of": 9, "out": f"runs/shards-{empty}-of-9", "conditions": []}
    assert run_status(open_run(tmp_path / said["out"])).conditions == ()


def _with_file(folder):
    (folder / "study.yaml").write_text(json.dumps(resolved(TINY)))
    return folder

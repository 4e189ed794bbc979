"""Merging: shards put together give the bytes of one run; what does not belong together is refused by name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import ratewarp
from conftest import call, with_heads
from ratewarp import RatewarpError, RequestError, Study, open_run, run_status
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.shards import NOTE, shares

STUDY = with_heads("merged", capacities_nats=[0.5, 1, 2])
SHARDS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The study run as a whole, and in shards."""
    folder = tmp_path_factory.mktemp("merging")
    ratewarp.run(STUDY, folder / "whole", report=False)
    for number in range(1, SHARDS + 1):
        ratewarp.run(STUDY, folder / f"part-{number}", shard=(number, SHARDS))
    return folder


@pytest.fixture
def parts(made, tmp_path) -> list[Path]:
    """Copies of the shards, which a test may damage."""
    return [shutil.copytree(made / f"part-{k}", tmp_path / f"part-{k}") for k in range(1, SHARDS + 1)]


def _contents(out: Path) -> dict[str, bytes]:
    found = [*out.glob("tables/*"), *out.glob("conditions/*/*"), *out.glob("readouts/*/*")]
    return {str(file.relative_to(out)): file.read_bytes() for file in found}


def _all(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_shards_merged_are_a_whole_run_to_the_byte(made, parts, tmp_path):
    before = list(map(_all, parts))
    out = ratewarp.merge(parts, tmp_path / "out", report=False)
    assert _contents(out.path) == _contents(made / "whole")
    assert list(map(_all, parts)) == before
    assert run_status(out).missing == run_status(out).readouts_missing == ()
    assert run_status(out).shard is None
    sessions = out.manifest["sessions"]
    assert sorted(one["directory"] for one in sessions[:SHARDS]) == [part.name for part in parts]
    assert all(one["where"]["platform"] == "cpu" and one["jax"] for one in sessions)
    assert len(sessions) == SHARDS + 1
    whole = open_run(made / "whole").manifest
    assert {name: out.manifest[name] for name in ("packages", "device", "sha256")} == {
        name: whole[name] for name in ("packages", "device", "sha256")
    }


def test_what_is_missing_is_told_by_shard_and_added_later(made, parts, tmp_path):
    said: list[str] = []
    out = ratewarp.merge([parts[0], parts[2]], tmp_path / "out", say=said.append)
    lacking = len(shares(STUDY, SHARDS)[1])
    assert said == [
        f"{out.path}: {lacking} of 6 conditions are missing",
        f"shard 2 of 3: {lacking} of {lacking} missing; train them with: ratewarp run"
        f" {out.path / 'study.yaml'} --shard 2/3 --out runs/merged-2-of-3",
    ]
    assert not (out.path / "tables").exists()
    ratewarp.merge([*parts, out.path], out.path, report=False)
    assert _contents(out.path) == _contents(made / "whole")
    assert len(open_run(out.path).manifest["sessions"]) == SHARDS + 1


def test_the_command_says_what_is_missing_and_finishes(made, parts, tmp_path):
    answer = call("merge", *parts[:2], "--json", cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    assert len(json.loads(answer.stdout)["missing"]) == len(shares(STUDY, SHARDS)[2])
    assert "shard 3 of 3: 2 of 2 missing" in answer.stderr
    answer = call("merge", *parts, "--no-report", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "base" in answer.stdout
    assert _contents(tmp_path / "runs/merged") == _contents(made / "whole")
    assert not (tmp_path / "runs/merged/report.html").exists()


def test_a_merge_that_was_interrupted_resumes(made, parts, tmp_path, monkeypatch):
    written, write = [], RunDirectory.write_copy

    def failing(self, kind, name, files):
        if len(written) == 3:
            raise RatewarpError("no space left")
        written.append(name)
        write(self, kind, name, files)

    monkeypatch.setattr(RunDirectory, "write_copy", failing)
    with pytest.raises(RatewarpError, match="no space left"):
        ratewarp.merge(parts, tmp_path / "out", report=False)
    assert sorted(one.name for one in (tmp_path / "out/conditions").iterdir()) == sorted(written)
    monkeypatch.undo()
    partial = tmp_path / "out/conditions/.partial-left"  # as a kill leaves it
    partial.mkdir()
    ratewarp.merge(parts, tmp_path / "out", report=False)
    assert not partial.exists()
    assert _contents(tmp_path / "out") == _contents(made / "whole")


def test_unfinished_whole_runs_and_heads_are_merged_too(made, parts, tmp_path):
    half = shutil.copytree(made / "whole", tmp_path / "half")
    for condition in shares(STUDY, SHARDS)[0]:
        shutil.rmtree(half / "conditions" / condition.id)
    out = ratewarp.merge([half, parts[0]], tmp_path / "out", report=False)
    assert _contents(out.path) == _contents(made / "whole")
    assert out.manifest["sessions"][-1]["seconds_heads_on_frozen_codes"] == pytest.approx(0, abs=5)


def _other_bytes(part: Path) -> None:
    """Another run of the same conditions, as other processors would give it: sound, and not equal."""
    (folder, *_) = sorted((part / "conditions").iterdir())
    content = (folder / "params.safetensors").read_bytes()
    (folder / "params.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    from ratewarp.runs.directory import CONDITION_FILES
    from ratewarp.runs.run_files import sums_of

    files = {name: (folder / name).read_bytes() for name in CONDITION_FILES}
    (folder / "sums.json").write_bytes(sums_of(folder.name, files))


def test_the_same_condition_with_other_bytes_is_refused(parts, tmp_path):
    other = shutil.copytree(parts[0], tmp_path / "again")
    ratewarp.merge([parts[0], other], tmp_path / "alike")  # equal bytes are no conflict
    _other_bytes(other)
    for pair, out in (([parts[0], other], "out"), ([other], "alike")):
        with pytest.raises(RatewarpError) as error:
            ratewarp.merge(pair, tmp_path / out)
        assert str(other / "conditions") in str(error.value)
        assert "differ in params.safetensors" in str(error.value)
    assert not (tmp_path / "out/conditions").exists()


def test_another_study_is_refused(parts, tmp_path):
    other = Study(**{**STUDY.model_dump(), "recipe": {"steps": 31}, "data_seed": 1})
    foreign = ratewarp.run(other, tmp_path / "foreign", shard=(9, 9))
    with pytest.raises(RequestError) as error:
        ratewarp.merge([*parts, foreign.path], tmp_path / "out")
    assert str(error.value).startswith(f"{foreign.path} holds a part of another study than {parts[0]}")
    assert "recipe, data_seed" in str(error.value)
    with pytest.raises(RequestError, match="holds the run of a different study"):
        ratewarp.merge(parts, foreign.path)


@pytest.mark.parametrize("file", [NOTE, "manifest.json"])
def test_other_versions_are_refused(parts, tmp_path, file):
    place = parts[1] / file
    note = json.loads(place.read_text())
    if file == NOTE:
        note["versions"] = ["ratewarp 0.0.1 and JAX 0.1"]
    else:
        note["sessions"][0].update(ratewarp="0.0.1", jax="0.1")
    place.write_text(json.dumps(note))
    with pytest.raises(RatewarpError) as error:
        ratewarp.merge(parts, tmp_path / "out")
    here = f"ratewarp {ratewarp.__version__} and JAX "
    assert f"{parts[1]} was trained with ratewarp 0.0.1 and JAX 0.1, {parts[0]} with {here}" in str(
        error.value
    )
    assert not (tmp_path / "out/conditions").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "conditions/*/record.nc",
            "does not match its SHA-256; it is set aside and made again by: ratewarp run",
        ),
        ("conditions/*/params.safetensors", "--shard 2/3"),
        ("conditions/*/sums.json", "holds no JSON object"),
        ("manifest.json", "holds no JSON object"),
        (NOTE, "holds no JSON object"),
    ],
)
def test_a_damaged_directory_is_told_in_one_line(parts, tmp_path, name, said):
    (damaged, *_) = sorted(parts[1].glob(name))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 255
    damaged.write_bytes(content if "conditions/" in name and "sums" not in name else b"junk")
    answer = call("merge", *parts, "--out", "out", cwd=tmp_path)
    assert answer.returncode == 1
    (line,) = [one for one in answer.stderr.splitlines() if one.startswith("error: ")]
    assert str(damaged) in line
    assert said in line
    assert not (tmp_path / "out/conditions").exists()


def test_a_missing_file_is_damage_and_a_folder_of_something_else_is_foreign(parts, tmp_path):
    next(parts[0].glob("conditions/*/record.nc")).unlink()
    with pytest.raises(RatewarpError, match=r"record\.nc is damaged or missing"):
        ratewarp.merge(parts, tmp_path / "out")
    (tmp_path / "other").mkdir()
    for place in (tmp_path / "other", tmp_path / "nowhere"):
        answer = call("merge", parts[1], place, "--out", "out", cwd=tmp_path)
        assert answer.returncode == 2
        assert f"{place} is not a run directory" in answer.stderr


def test_nothing_is_merged_into_itself_or_into_a_shard(parts, tmp_path):
    with pytest.raises(RequestError, match="there is nothing to merge into"):
        ratewarp.merge([parts[0], parts[0]], parts[0])
    with pytest.raises(RequestError, match=r"holds shard 1 of 3; merge into a folder of its own, with --out"):
        ratewarp.merge(parts, parts[0])
    with pytest.raises(RequestError, match="which is to be read only; choose another --out"):
        ratewarp.merge(parts, parts[0] / "out")
    for wrong in ([], str(parts[0])):
        with pytest.raises(RequestError, match="directories must be a list of run directories"):
            ratewarp.merge(wrong, tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_directory_named_twice_counts_once(parts, tmp_path):
    (tmp_path / "link").symlink_to(parts[0])
    out = ratewarp.merge([parts[0], tmp_path / "link", f"{parts[0]}/"], tmp_path / "out", say=lambda _: None)
    assert len(out.manifest["sessions"]) == 1

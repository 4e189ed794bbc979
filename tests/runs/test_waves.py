"""Waves: how conditions are shared out, that it changes no result, and that what was begun resumes."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from conftest import TINY_NETWORK
from ratewarp import Study, open_run, run
from ratewarp._checks import RatewarpError, RequestError
from ratewarp.results.condition_rows import rate_status
from ratewarp.runs.checkpoints import find_checkpoints, read_checkpoint, write_checkpoint
from ratewarp.runs.runner import CHECKPOINT_SECONDS
from ratewarp.runs.waves import groups, member_bytes, members_at_once, stack_members, waves
from ratewarp.sources import Pool
from ratewarp.training.loop import _advance, state_shapes
from stored import run_study

STUDY = Study(
    name="waves",
    network=TINY_NETWORK,
    recipe={"steps": 230},
    tasks=["E2M1"],
    training_images=1000,
    validation_each=2,
    codes_each=1,
    models={
        "slow": {"recipe": {"learning_rate": 1e-4}},
        "short": {"frequency": "E1M1", "recipe": {"steps": 120}},
        "base": {},
    },
    reference="base",
    capacities_nats=[0.3],
    bound_points=0,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The study run at once, two members at a time."""
    return run_study(STUDY, tmp_path_factory.mktemp("waves") / "run", members_at_once=2).path


def _contents(out: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(out)): f.read_bytes() for f in [*out.glob("tables/*"), *out.glob("conditions/*/*")]
    }


class _InterruptedError(Exception):
    pass


def _interrupt(out: Path, steps: int, members: int, study: Study = STUDY) -> None:
    """Runs the study until so many model-steps are done."""

    def stop(at):
        if at.done >= steps:
            raise _InterruptedError

    with pytest.raises(_InterruptedError):
        run_study(study, out, stop, members_at_once=members, checkpoint_seconds=0)


def _go_on(out: Path, members: int = 2) -> list[str]:
    said: list[str] = []
    run_study(STUDY, out, members_at_once=members, checkpoint_seconds=0, say=said.append)
    assert not (out / "checkpoints").exists()
    return said


def test_conditions_are_shared_out_by_steps():
    assert [[c.model for c in wave.conditions] for wave in waves(STUDY.conditions, 2)] == [
        ["short", "slow"],
        ["base"],
    ]
    assert [wave.slots for wave in waves(STUDY.conditions, 2)] == [2, 2]
    assert [wave.slots for wave in waves(STUDY.conditions, 99)] == [3]
    more = Study(**{**STUDY.model_dump(), "models": {**STUDY.models, "free": {"tasks": []}}})
    assert [[c.model for c in wave.conditions] for wave in waves(more.conditions, 2)] == [
        ["short", "slow"],
        ["base"],
        ["free"],
    ]
    digests = [wave.digest for wave in waves(more.conditions, 2)]
    assert len(set(digests)) == 3
    # whatever else is in the study
    assert digests[:2] == [wave.digest for wave in waves(STUDY.conditions, 2)]
    assert digests[0] != waves(STUDY.conditions, 3)[0].digest


def test_as_many_members_at_once_as_suit_the_device(monkeypatch):
    (group,) = groups(STUDY.conditions)
    plan = waves(STUDY.conditions)[0].plan
    assert members_at_once(plan, group, None) == min(jax.device_count(), 3)
    assert members_at_once(plan, group, 2) == 2
    assert members_at_once(plan, group, 99) == 3
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    assert members_at_once(plan, group, None) == 3  # a device that does not tell its memory takes all
    small = SimpleNamespace(memory_stats=lambda: {"bytes_limit": 2.5 * member_bytes(plan) / 0.6})
    monkeypatch.setattr("jax.local_devices", lambda: [small])
    assert members_at_once(plan, group, None) == 2
    small.memory_stats = lambda: {"bytes_limit": 1}
    assert members_at_once(plan, group, None) == 1


def test_the_memory_a_member_takes_is_what_the_compiler_plans():
    (wave,) = waves(Study(models={"published": {}}, capacities_nats=[1]).conditions, 1)
    members, step = stack_members(wave.conditions, 1), jnp.int32(0)
    images = Pool(jnp.zeros((169, 13, 13, 1), jnp.uint8), jnp.arange(169, dtype=jnp.int32))
    program = _advance.lower(
        wave.plan, 100, state_shapes(wave.plan, members), members, (), images, step, step
    ).compile()
    planned = program.memory_analysis()
    taken = planned.temp_size_in_bytes + planned.output_size_in_bytes
    assert taken / 1.5 <= member_bytes(wave.plan) <= 3 * taken


@pytest.mark.parametrize("members", [1, 3])
def test_results_do_not_depend_on_how_many_are_trained_at_once(whole, tmp_path, members):
    run_study(STUDY, tmp_path / "run", members_at_once=members)
    assert _contents(tmp_path / "run") == _contents(whole)


def test_every_condition_has_its_own_steps(whole):
    steps = dict(
        zip(open_run(whole).table("models")["model"], open_run(whole).table("models")["steps"], strict=True)
    )
    assert steps == {"slow": 230, "short": 120, "base": 230}
    for condition in STUDY.conditions:
        history = open_run(whole).record(condition.id)["history_rate"]
        assert history.sizes["step"] == steps[condition.model]
        assert np.all(history > 0)


def test_a_run_goes_on_from_its_checkpoint(whole, tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 220, members=2)  # step 120 of the first wave's short model, 200 of the other
    (file,) = (f for f in find_checkpoints(out / "checkpoints").usable if f.stem == "200")
    assert file.parent.name == waves(STUDY.conditions, 2)[0].digest
    said = _go_on(out)
    assert said == ["resuming from step 200 of wave short at 0.3 nats, seed 0 and slow at 0.3 nats, seed 0"]
    assert _contents(out) == _contents(whole)
    session = open_run(out).manifest["sessions"][-1]
    assert {name.split("_")[0]: step for name, step in session["resumed"].items()} == {
        "short": 120,
        "slow": 200,
    }
    assert len(session["trained"]) == 3


def test_status_says_how_far_unfinished_conditions_are(whole, tmp_path, capsys):
    from ratewarp.cli.status_command import status

    out = tmp_path / "run"
    _interrupt(out, 220, members=2)
    slow, short, base = (condition.id for condition in STUDY.conditions)
    status(out, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "study": "waves",
        "conditions": [slow, short, base],
        "finished": [],
        "missing": [slow, short, base],
        "training": {short: {"step": 120, "steps": 120}, slow: {"step": 200, "steps": 230}},
        "readouts": [],
        "readouts_missing": [],
        "damaged": [],
        "writer": "",
        "shard": None,
    }
    status(out)
    assert f"missing  {slow}  training, step 200 of 230\n" in capsys.readouterr().out
    file = next(f for f in find_checkpoints(out / "checkpoints").usable if f.stem == "200")
    file.write_bytes(b"")
    status(out)
    answer = capsys.readouterr()
    assert f"missing  {slow}  training, step 100 of 230\n" in answer.out
    assert f"{file} is truncated" in answer.err


def test_damaged_checkpoints_are_named_and_the_one_before_is_used(whole, tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 220, members=2)
    older, newer = sorted(find_checkpoints(out / "checkpoints").usable)
    newer.write_bytes(newer.read_bytes()[:-100])
    shutil.copytree(out, tmp_path / "copy")
    said = _go_on(out)
    assert said[0].startswith(f"{newer} is truncated or damaged")
    assert said[1].startswith("resuming from step 100 of")
    assert _contents(out) == _contents(whole)
    copy = tmp_path / "copy" / older.relative_to(out)
    copy.write_bytes(b"junk" + older.name.encode())
    with pytest.raises(
        RatewarpError,
        match=r"no checkpoint of .* can be used: .*100\.safetensors .*200\.safetensors .*intact",
    ):
        _go_on(tmp_path / "copy")
    shutil.rmtree(copy.parent)
    assert _go_on(tmp_path / "copy") == []
    assert _contents(tmp_path / "copy") == _contents(whole)


def test_a_checkpoint_serves_other_waves_that_it_holds_all_of(whole, tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 300, members=3)
    assert [line.split(" of wave ")[0] for line in _go_on(out, members=1)] == ["resuming from step 100"] * 3
    assert _contents(out) == _contents(whole)


def test_a_wave_that_no_checkpoint_holds_starts_anew_and_says_so(whole, tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 100, members=1)
    (said,) = _go_on(out, members=2)
    assert said.startswith("wave short at 0.3 nats, seed 0 and slow at 0.3 nats, seed 0 starts anew: ")
    assert "--members-at-once changed" in said
    assert _contents(out) == _contents(whole)


def test_a_checkpoint_of_another_version_is_left_and_a_message_says_so(whole, tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 100, members=2)
    (file,) = (out / "checkpoints").glob("*/*.safetensors")
    stand, arrays = read_checkpoint(file)
    write_checkpoint(out / "checkpoints", stand._replace(group="0" * 16, wave="1" * 16), arrays, None)
    file.unlink()
    (said,) = _go_on(out)
    assert said.endswith("starts anew: step 100 was kept by another version of ratewarp")
    assert _contents(out) == _contents(whole)


def test_a_checkpoint_of_other_parameters_is_refused(tmp_path):
    out = tmp_path / "run"
    _interrupt(out, 100, members=2)
    (file,) = find_checkpoints(out / "checkpoints").usable
    stand, arrays = read_checkpoint(file)
    arrays["state.model.networks.more"] = arrays.pop(
        next(name for name in arrays if name.startswith("state.model"))
    )
    write_checkpoint(out / "checkpoints", stand, arrays, None)
    with pytest.raises(
        RatewarpError,
        match=r"was written by another version of ratewarp, or was changed .* remove .* and run the same command again",
    ):
        _go_on(out)


@pytest.mark.parametrize("change", ["not finite", "float64"])
def test_a_forged_checkpoint_is_noticed_before_training_and_the_one_before_is_used(whole, tmp_path, change):
    out = tmp_path / "run"
    _interrupt(out, 220, members=2)
    newer = max(find_checkpoints(out / "checkpoints").usable)
    stand, arrays = read_checkpoint(newer)
    name = next(name for name in arrays if name.startswith("state.model"))
    arrays[name] = (
        np.full_like(arrays[name], np.nan) if change == "not finite" else arrays[name].astype(np.float64)
    )
    write_checkpoint(out / "checkpoints", stand, arrays, newer.with_name("100.safetensors"))
    said = _go_on(out)
    reason = (
        "is not finite, although its training had not diverged"
        if change == "not finite"
        else "must be of type float32; got float64"
    )
    assert (
        said[0]
        == f"{newer} was written by another version of ratewarp, or was changed (parameter {name} {reason}); it is not used"
    )
    assert said[1].startswith("resuming from step 100 of")
    assert _contents(out) == _contents(whole)


def test_damaged_conditions_and_manifest_are_set_aside_first_and_trained_again(whole, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    slow, *_ = (condition.id for condition in STUDY.conditions)
    for name in ("manifest.json", f"conditions/{slow}/params.safetensors", "tables/models.csv"):
        content = (out / name).read_bytes()
        (out / name).write_bytes(content[: len(content) // 2])
    said = _go_on(out)
    assert (
        said[0]
        == f"{out / 'manifest.json'} is damaged: it holds no JSON object; renamed to manifest.json.damaged-1, and a new one is written"
    )
    assert (
        f"{slow}/params.safetensors is damaged: it does not match its SHA-256; renamed to {slow}.damaged-1,"
        " and it is" in said[1]
    )
    shutil.rmtree(out / "conditions" / f"{slow}.damaged-1")
    assert _contents(out) == _contents(whole)
    (session,) = open_run(out).manifest["sessions"]
    assert session["trained"] == [slow]


def test_a_run_whose_folder_is_removed_says_so(tmp_path):
    out = tmp_path / "run"

    def remove(at):
        if at.done >= 200:
            shutil.rmtree(out, ignore_errors=True)

    with pytest.raises(
        RatewarpError,
        match=r"run was removed, moved or replaced while it was in use; nothing more is written to it",
    ):
        run_study(STUDY, out, remove, members_at_once=2, checkpoint_seconds=0)
    assert not out.exists()


def test_a_full_disk_at_a_checkpoint_leaves_what_was_there(whole, tmp_path, monkeypatch):
    import os

    out, replace = tmp_path / "run", os.replace

    def full(source, target):
        if Path(target).name == "200.safetensors":
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(RatewarpError, match=r"cannot write .*200\.safetensors: No space left on device"):
            run_study(STUDY, out, members_at_once=2, checkpoint_seconds=0)
    assert [f.name for f in out.glob("checkpoints/*/*")] == ["100.safetensors"]
    assert _go_on(out)[0].startswith("resuming from step 100")
    assert _contents(out) == _contents(whole)


@pytest.mark.usefixtures("no_figures")
def test_a_model_that_diverges_leaves_the_others_as_they_are(whole, tmp_path):
    models = {"bad": {"recipe": {"learning_rate": 10}}, **STUDY.models}
    study = Study(**{**STUDY.model_dump(), "models": models, "reference": "bad"})
    directory = run(study, tmp_path / "run", members_at_once=2)
    bad, *others = study.conditions
    row, *_ = directory.table("models").to_dict("records")
    assert row["status"] == "diverged"
    history = (
        directory.record(bad.id)["history_rate"].values
        + directory.record(bad.id)["history_distortion"].values
    )
    first = int(row["diverged_at"])
    assert np.all(np.isfinite(history[:first]))
    assert not np.isfinite(history[first])
    assert list(directory.table("models")["diverged_at"][1:].isna()) == [True] * 3
    for condition in others:
        for file in ("params.safetensors", "record.nc"):
            assert (directory.path / "conditions" / condition.id / file).read_bytes() == (
                whole / "conditions" / condition.id / file
            ).read_bytes()
    geometry = directory.table("geometry")
    assert bad.id not in set(geometry["condition"])
    # there is nothing to measure against
    assert not geometry["measure"].str.contains("change|class_distortion|cka|procrustes").any()
    tasks = directory.table("tasks").set_index("condition")
    assert np.isnan(tasks.loc[bad.id, "f1"])
    page = (directory.path / "report.html").read_text()
    assert (
        f"bad at 0.3 nats, seed 0: diverged at step {first}. Its numbers are not to be used. The geometry of"
        " other models" in page
    )


@pytest.mark.parametrize(("capacity", "off"), [(0.3, 0.1), (0.99, 0.1), (1, 0.1), (3, 0.3), (10, 1)])
def test_off_target_is_a_tenth_of_the_capacity_or_of_a_nat(capacity, off):
    for sign in (-1, 1):
        assert rate_status(capacity + sign * 0.99 * off, capacity) == "ok"
        assert rate_status(capacity + sign * 1.01 * off, capacity) == "off target"


@pytest.mark.parametrize(
    "knob", [{"members_at_once": 0}, {"checkpoint_seconds": -1}, {"checkpoint_seconds": float("nan")}]
)
def test_knobs_are_checked(tmp_path, knob):
    with pytest.raises(RequestError, match=next(iter(knob))):
        run(STUDY, tmp_path / "run", **knob)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_has_the_same_default_as_the_function():
    from ratewarp.cli.run_command import run as command

    assert inspect.signature(command).parameters["checkpoint_every"].default == CHECKPOINT_SECONDS

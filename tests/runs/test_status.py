"""How far a run is, from what it stored."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

import ratewarp
from ratewarp.cli.status_command import status
from ratewarp.runs.checkpoints import Stand, write_checkpoint
from ratewarp.runs.directory import create_run
from ratewarp.runs.run_lock import lock_run
from ratewarp.runs.status import run_status
from ratewarp.studies import Study, resolved
from stored import PARAMS, make_readout, make_record

STUDY = Study(name="s", models={"m": {}}, capacities_nats=[1, 2, 3], readouts={"m": ["E2M1"]}, bound_points=0)
ONE, TWO, THREE = (condition.id for condition in STUDY.conditions)
STEPS = STUDY.recipe.steps


@pytest.fixture
def run(tmp_path):
    """One condition of three is stored with its heads, another has a checkpoint."""
    made = create_run(tmp_path / "r", resolved(STUDY))
    described = {"model": "m", "capacity_nats": 1.0, "seed": 0}
    made.write_condition(ONE, described, make_record(ONE), PARAMS)
    made.write_readout(ONE, make_readout(ONE), PARAMS)
    for step in (100, 200):
        write_checkpoint(
            made.checkpoints,
            Stand("aa", "g", (TWO,), step),
            {"a": np.zeros((1, 2))},
            made.checkpoints / "aa/100.safetensors",
        )
    return made


def test_how_far_a_run_is(run):
    found = ratewarp.run_status(run)
    assert isinstance(found, ratewarp.RunStatus)
    assert found == (
        *("s", (ONE, TWO, THREE), (ONE,), (TWO, THREE)),
        *({TWO: (200, STEPS)}, (ONE, TWO, THREE), (TWO, THREE), (), "", None),
    )


def test_damaged_parts_are_named_and_the_rest_is_told(run, capsys):
    run.write_manifest(
        {"sha256": {"tables/models.csv": run.write_table("models", pd.DataFrame({"model": []}))}}
    )
    damaged = [
        f"conditions/{ONE}/record.nc",
        f"readouts/{ONE}/record.nc",
        "tables/models.csv",
        "checkpoints/aa/200.safetensors",
    ]
    for name in damaged:
        (run.path / name).unlink()
        os.mkfifo(run.path / name)
    found = run_status(run)
    assert found.finished == ()
    assert found.readouts_missing == (ONE, TWO, THREE)
    assert found.training == {TWO: (100, STEPS)}
    assert list(found.damaged) == [
        f"{run.path / name} is damaged: it is not a regular file" for name in damaged
    ]
    (run.path / "manifest.json").write_text("junk")
    assert run_status(run).damaged[0] == f"{run.path / 'manifest.json'} is damaged: it holds no JSON object"
    status(run.path)
    said = capsys.readouterr()
    assert said.out.startswith("s: 0 of 3 conditions finished, heads on the frozen codes of 0 of 3\n")
    assert f"{run.path / damaged[0]} is damaged" in said.err


def test_who_works_on_it_is_told(run, capsys):
    with lock_run(run.path):
        assert run_status(run).writer.startswith(f"is being run by process {os.getpid()} on host ")
        status(run.path, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["writer"].startswith("is being run by process")
    assert said["training"] == {TWO: {"step": 200, "steps": STEPS}}
    assert run_status(run).writer == ""

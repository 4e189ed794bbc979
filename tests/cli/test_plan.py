"""The dry run: what it prints, and that it writes nothing."""

from __future__ import annotations

import json

from conftest import TINY_NETWORK, call
from ratewarp import Study
from ratewarp.runs.shards import Shard
from ratewarp.studies import resolved

STUDY = Study(
    name="estimated",
    network=TINY_NETWORK,
    recipe={"steps": 30},
    training_images=1000,
    validation_each=3,
    codes_each=2,
    models={"base": {}, "task": {"tasks": ["E2M1"]}},
    readouts={"base": ["E2M1", "E2M2"]},
    capacities_nats=[0.3, 2],
    bound_points=0,
)


def test_the_command_writes_nothing_and_tells_a_shard(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps(resolved(STUDY)))
    answer = call("run", file, "--dry-run", "--shard", "1/2", "--json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    assert said["conditions"] == [condition.id for condition in Shard(1, 2).share(STUDY)]
    assert said["shard"] == {"number": 1, "of": 2}
    assert said["out"] == "runs/estimated-1-of-2"
    assert said["estimate"]["head_steps"] == 0
    assert said["estimate"]["conditions"] == len(said["conditions"])
    assert said["estimate"]["seconds"] > 0
    assert "timing program 1 of 1" in answer.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["study.yaml"]


def test_long_lists_are_cut(tmp_path):
    answer = call(
        *("run", "paper", "--dry-run", "--no-timing", "--seeds", "2"),
        *("--set", "recipe.steps=100"),
        cwd=tmp_path,
    )
    lines = answer.stdout.splitlines()
    assert "80 conditions in 6 compiled programs" in lines[0]
    assert "time: not measured" in lines
    assert lines[-1] == "  … and 60 more; --json lists all"
    assert sum(line.startswith("  ") for line in lines) == 6 + 20 + 1

"""What a run will take, set beside what one took."""

from __future__ import annotations

import pytest

from conftest import TINY_NETWORK
from ratewarp import Study, run
from ratewarp.runs.directory import CONDITION_FILES
from ratewarp.runs.estimate import estimate
from ratewarp.runs.waves import member_bytes, waves

STUDY = Study(
    name="estimated",
    network=TINY_NETWORK,
    recipe={"steps": 30},
    training_images=1000,
    validation_each=3,
    codes_each=2,
    models={"base": {}, "task": {"tasks": ["E2M1"]}, "long": {"recipe": {"steps": 400}}},
    readouts={"base": ["E2M1", "E2M2"]},
    capacities_nats=[0.3, 2],
    bound_points=0,
)


@pytest.fixture(scope="module")
def untimed():
    return estimate(STUDY, STUDY.conditions, 2, timing=False)


def test_what_is_counted(untimed):
    assert untimed.conditions == 6
    assert untimed.model_steps == 4 * 30 + 2 * 400
    assert untimed.head_steps == 2 * 2 * 30
    assert untimed.seconds is None
    assert sorted(
        (one.models, one.conditions, one.waves, one.members_at_once) for one in untimed.programs
    ) == [
        (("base", "long"), 4, 2, 2),
        (("task",), 2, 1, 2),
    ]
    assert [one.memory_bytes for one in untimed.programs] == sorted(
        (one.memory_bytes for one in untimed.programs), reverse=True
    )
    assert untimed.memory_bytes == untimed.programs[0].memory_bytes
    most = max(2 * member_bytes(wave.plan) for wave in waves(STUDY.conditions, 2))
    images = (max(c.setting.image_counts().sum() for c in STUDY.conditions) + 169 * 3) * 13 * 13
    assert untimed.memory_bytes == most + images


def test_disk_space_is_that_of_a_run_within_a_fifth(untimed, tmp_path):
    out = run(STUDY, tmp_path / "run", report=False).path
    sizes = {
        condition.id: sum(
            (out / "conditions" / condition.id / name).stat().st_size for name in CONDITION_FILES
        )
        for condition in STUDY.conditions
    }
    for program in untimed.programs:
        own = [sizes[c.id] for c in STUDY.conditions if c.model in program.models]
        assert max(own) / 1.2 < program.condition_bytes < max(own) * 1.2


def test_steps_are_timed_where_that_is_asked_for():
    told: list[str] = []
    found = estimate(STUDY, STUDY.conditions, 2, progress=lambda at: told.append(at.doing))
    timed = [one for one in found.programs if one.seconds_per_model_step is not None]
    assert timed  # on a slow machine, the largest alone
    assert timed == list(found.programs[: len(timed)])
    assert told == [f"timing program {number + 1} of 2" for number in range(len(timed))]
    assert all(one.seconds_per_model_step > 0 for one in timed)
    assert found.seconds > 0


def test_an_empty_shard_takes_nothing():
    found = estimate(STUDY, ())
    assert found == (0, 0, 0, (), 0.0, 0, 0)

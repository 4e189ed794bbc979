"""Ids are for good, whatever keys come later, and nothing that a program depends on is left out of its key."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import create_model

from ratewarp.runs.waves import groups, waves
from ratewarp.studies import Condition, Setting, Study, load_study
from ratewarp.studies.condition import SettingKeys
from ratewarp.studies.identity import FIRST, TAGS, contents, digest

HERE = Path(__file__).parent


def test_ids_are_those_of_the_first_version():
    table = ",".join(str(1 + stimulus % 7) for stimulus in range(169))
    changes = [
        f"frequency=[{table}]",
        "recipe=swift",
        "tasks=[{name: right, label: x_UC > 9}, E2M4]",
        "models={a: {}, b: {at: {3: {recipe: {task_weight: 2}}}}}",
    ]
    studies = [load_study("demo"), load_study("demo", changes), load_study("paper")]
    known = (Path(__file__).parent / "ids.txt").read_text().split()
    assert [condition.id for study in studies for condition in study.conditions] == known


def test_a_later_key_counts_where_it_differs_from_its_default():
    before = Setting(training_images=500)
    Later = create_model("Setting", __base__=Setting, later=(float, 2.5))
    assert contents(Later(training_images=500)) == contents(before)
    assert contents(Later(training_images=500, later=3)) == {**contents(before), "later": 3.0}


def test_the_default_of_a_later_key_never_changes():
    described = Condition.model_json_schema(mode="serialization")
    found = {
        f"{name}.{key} = {schema.get('default')!r}"
        for name, one in {**described["$defs"], "Condition": described}.items()
        for key, schema in one["properties"].items()
        if key not in {*TAGS, *FIRST.get(name, ())}
    }
    assert found == set((HERE / "defaults.txt").read_text().splitlines())


def test_conditions_whose_contents_differ_have_other_ids():
    study = Study(capacities_nats=[1])
    (one,) = study.conditions
    changes = [
        "frequency=E1M1",
        "tasks=[E2M1]",
        "recipe.steps=7",
        "recipe=swift",
        "network.latents=3",
        "data_seed=1",
        "codes_each=3",
    ]
    ids = [load_study("demo", [change]).conditions[0].id for change in changes]
    assert len({one.id, *ids}) == len(changes) + 1


@pytest.mark.parametrize("key", sorted(Setting.model_fields))
def test_every_key_of_a_setting_parts_groups_unless_it_may_differ_between_members(key):
    assert set(SettingKeys.model_fields) == set(Setting.model_fields)
    other = {
        "source": {"width": 2.0},
        "frequency": "E1M1",
        "tasks": ["E2M1"],
        "network": {"latents": 2},
        "likelihood": "gaussian",
        "recipe": {"batch_size": 7},
        "training_images": 500,
        "measured_stimuli": 100,
        "validation_each": 5,
        "codes_each": 3,
        "data_seed": 4,
        "parameters": {"ratio": 3},
    }[key]
    conditions = [
        Condition(model="a", capacity_nats=1, seed=0, setting=Setting.model_validate(change))
        for change in ({}, {key: other})
    ]
    parted = key not in Setting.ARRAYS or key == "tasks"  # tasks may differ, their numbers of classes may not
    assert len(groups(conditions)) == 1 + parted
    assert len({wave.group for wave in waves(conditions, 1)}) == 1 + parted


def test_a_new_key_parts_groups_by_itself():
    class Later(Setting):
        ARRAYS: ClassVar[tuple[str, ...]] = Setting.ARRAYS
        later: float = 2.5

    assert digest(Later().shared(), 16) != digest(Later(later=3).shared(), 16)
    assert Later().shared() != Later(later=3).shared()

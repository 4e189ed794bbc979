"""Studies of many models: their files are read whatever their size, and time grows with the number of
conditions, not its square.
"""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from typing import Any

import pytest

from ratewarp._checks import RequestError
from ratewarp.runs import directory
from ratewarp.runs.directory import create_run, open_run
from ratewarp.runs.waves import groups
from ratewarp.studies import Condition, Study, load_study, resolved
from ratewarp.studies import condition as condition_module
from ratewarp.studies import study as study_module
from ratewarp.studies.identity import digest


def test_the_file_of_a_run_is_read_whatever_its_size(tmp_path):
    models = {
        f"m{number}": {"frequency": [1 / (1 + number + stimulus) for stimulus in range(169)]}
        for number in range(300)
    }
    create_run(tmp_path, {"models": models})
    assert (tmp_path / "study.yaml").stat().st_size > 1_100_000
    assert open_run(tmp_path).study == {"models": models}


@pytest.mark.parametrize(
    "title", ["a\x85b", "\u2028", "😀", "\ufeff", "a\r\nb", "\x1b[31m", "a: b # c", " \n ", "\x9f", "~"]
)
def test_a_run_is_taken_up_again_whatever_its_title(tmp_path, title):
    study = Study(title=title, description=title, capacities_nats=[1])
    for _ in range(2):
        run = create_run(tmp_path, resolved(study), lambda stored: resolved(Study(**stored)))
    assert Study(**run.study) == study


def test_a_study_file_may_be_large(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("capacities_nats: [1]\n" + "# as long as a resolved study of many models\n" * 30_000)
    assert load_study(file).capacities_nats == (1.0,)


def test_a_study_that_could_not_be_read_again_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "MAX_STUDY_BYTES", 100)
    with pytest.raises(RequestError, match="must be at most 100 bytes, written out; got 128 bytes"):
        create_run(tmp_path, {"title": "x" * 120})
    assert not list(tmp_path.iterdir())


def many(models: int, capacities: int) -> dict[str, Any]:
    rules = {f"m{number}": {"frequency": f"{number + 2} if x_LC < 6 else 1"} for number in range(models)}
    return {"models": rules, "capacities_nats": [1 + number for number in range(capacities)], "seeds": [0, 1]}


def test_every_model_is_put_together_once(monkeypatch):
    made = Counter[str]()
    put_together, evaluate = study_module._setting, condition_module.frequency
    monkeypatch.setattr(
        study_module, "_setting", lambda *given: (made.update(["setting"]), put_together(*given))[1]
    )
    monkeypatch.setattr(
        condition_module,
        "frequency",
        lambda *given, **keys: (made.update(["frequency"]), evaluate(*given, **keys))[1],
    )
    condition_module._probabilities.cache_clear()
    study = Study(**many(30, 4))
    assert len(study.conditions) == 240
    assert len({condition.id for condition in study.conditions}) == 240
    assert {study.cells[study.reference_of(cell)].id for cell in study.cells} == {
        c.id for c in study.conditions if c.model == "m0"
    }
    assert [condition.setting.class_schemes() for condition in study.conditions]
    assert sum(len(group) for group in groups(study.conditions)) == 240
    assert made == {"setting": 30, "frequency": 30}


def test_an_id_is_computed_once(monkeypatch):
    hashed = Counter[str]()
    monkeypatch.setattr(
        "ratewarp.studies.condition.digest",
        lambda one, digits: (hashed.update([one.model]), digest(one, digits))[1],
    )
    study = Study(**many(2, 1))
    assert [c.id for c in study.conditions] == [c.id for c in study.conditions]
    assert hashed == {"m0": 2, "m1": 2}


def test_what_is_kept_is_no_part_of_a_study():
    study, other = Study(**many(3, 2)), Study(**many(3, 2))
    ids = [condition.id for condition in study.conditions]
    assert study == other
    assert study.conditions[0] == other.conditions[0]
    assert hash(study.conditions[0]) == hash(other.conditions[0])
    assert (
        "kept"
        not in f"{study!r} {study.model_dump()} {study.model_dump_json()} {dict(study)} {study.conditions[0]!r}"
    )
    for copied in (
        copy.copy(study),
        copy.deepcopy(study),
        pickle.loads(pickle.dumps(study)),  # noqa: S301 - its own
        Study(**study.model_dump()),
    ):
        assert copied == study
        assert [condition.id for condition in copied.conditions] == ids
    assert len(pickle.dumps(study)) < 2 * len(pickle.dumps(Study(**many(3, 2)).model_dump())) + 5000


def test_a_changed_copy_keeps_nothing_that_does_not_hold_of_it():
    study = Study(**many(2, 1))
    assert {c.seed for c in study.conditions} == {0, 1}
    assert {c.seed for c in study.model_copy(update={"seeds": (5,)}).conditions} == {5}
    assert {c.seed for c in study.model_copy(update={"seeds": (5,)}, deep=True).conditions} == {5}
    condition = study.conditions[0]
    moved = condition.model_copy(update={"seed": 7})
    assert moved.id == Condition(**moved.model_dump()).id != condition.id
    setting = condition.setting
    even = setting.model_copy(update={"frequency": "uniform", "tasks": ("E2M1",), "training_images": 169})
    assert setting.class_schemes().keys() == {"frequency"}
    assert even.class_schemes().keys() == {"E2M1"}
    assert set(even.image_counts()) == {1}


def test_what_settings_share_cannot_be_changed():
    setting = Study(**many(1, 1)).settings["m0"].model_copy(update={"tasks": ("E2M1",)})
    for shared in (setting.probabilities(), setting.image_counts(), setting.labellings()[0].labels):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 5

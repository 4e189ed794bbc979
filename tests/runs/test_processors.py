"""Which kinds of processor the conditions of a run came from."""

from __future__ import annotations

import pytest

from conftest import TINY_NETWORK
from ratewarp import Study, run
from ratewarp.runs.executor import Here
from ratewarp.runs.jobs import Begun, Kept
from ratewarp.training.devices import Machine, this_machine

STUDY = Study(
    name="processors",
    network=TINY_NETWORK,
    recipe={"steps": 330},
    training_images=600,
    validation_each=2,
    codes_each=1,
    capacities_nats=[0.3, 1],
    bound_points=0,
)


class _On:
    """Does jobs here, and says that it was on another processor."""

    members_at_once = 1

    def __init__(self, *kinds: str, until=lambda number, event: False):
        self.kinds, self._until = kinds, until

    def run(self, jobs):
        for number, event in Here().run(jobs):
            yield (
                number,
                Begun(Machine("a", self.kinds[number], "cpu")) if isinstance(event, Begun) else event,
            )
            if self._until(number, event):
                raise InterruptedError


def test_this_machine_says_what_it_is():
    machine = this_machine()
    assert machine.host
    assert machine.kind == machine.processor
    assert Machine("a", "b", "NVIDIA").kind == "NVIDIA"


def test_one_kind_is_not_told_and_two_are(tmp_path):
    first, second = (condition.id for condition in STUDY.conditions)
    one = run(STUDY, tmp_path / "one", executor=_On("old", "old"), report=False)
    assert "processors" not in one.manifest
    assert one.condition(first)["processors"] == ["old"]
    two = run(STUDY, tmp_path / "two", executor=_On("old", "new"), report=False)
    assert two.manifest["processors"] == {"old": [first], "new": [second]}


def test_kinds_are_kept_over_sessions(tmp_path):
    first, second = (condition.id for condition in STUDY.conditions)
    out, knobs = tmp_path / "run", {"report": False, "checkpoint_seconds": 0}
    kept = lambda number, event: number == 1 and isinstance(event, Kept)  # noqa: E731
    with pytest.raises(InterruptedError):
        run(STUDY, out, executor=_On("old", "old", until=kept), **knobs)
    done = run(STUDY, out, executor=_On("new"), **knobs)
    assert done.manifest["processors"] == {"old": [first, second], "new": [second]}
    # trained again on the first kind alone
    for condition in (first, second):
        for file in (out / "conditions" / condition).iterdir():
            file.unlink()
        (out / "conditions" / condition).rmdir()
    assert "processors" not in run(STUDY, out, executor=_On("old", "old"), **knobs).manifest


def test_what_is_lost_with_a_machine_does_not_count(tmp_path):
    class Lost:
        def run(self, jobs):
            for number, event in Here().run(jobs):
                if isinstance(event, Begun):
                    yield number, Begun(Machine("a", "lost", "cpu"))
                    event = Begun(Machine("b", "came back", "cpu"))
                yield number, event

    done = run(STUDY, tmp_path / "run", executor=Lost(), report=False)
    assert {done.condition(one.id)["processors"][0] for one in STUDY.conditions} == {"came back"}
    assert "processors" not in done.manifest

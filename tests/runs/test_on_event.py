"""The hook for trackers: every condition and all heads, once they are stored."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import with_heads
from ratewarp import open_run, run
from ratewarp.runs.jobs import Read, Trained

STUDY = with_heads("tracked", recipe={"steps": 5}, capacities_nats=[0.3, 1])


def test_every_condition_is_told_of_once_it_is_stored(tmp_path):
    told = []

    def note(event):
        stored, name = open_run(tmp_path / "run"), event.condition.id
        kept = stored.record(name) if isinstance(event, Trained) else stored.readout(name)
        np.testing.assert_array_equal(kept["prediction"], event.record["prediction"])
        told.append((type(event), name))

    run(STUDY, tmp_path / "run", report=False, on_event=note)
    assert [name for kind, name in told if kind is Trained] == [c.id for c in STUDY.conditions]
    assert {name for kind, name in told if kind is Read} == {
        c.id for c in STUDY.conditions if c.model in STUDY.readouts
    }
    told.clear()
    run(STUDY, tmp_path / "run", report=False, on_event=note)
    assert not told


def test_what_a_tracker_raises_loses_nothing(tmp_path):
    def fail(event):
        raise ConnectionError("no tracker")

    with pytest.raises(ConnectionError):
        run(STUDY, tmp_path / "run", report=False, on_event=fail)
    told = []
    run(STUDY, tmp_path / "run", report=False, on_event=told.append)
    assert sum(isinstance(event, Trained) for event in told) == len(STUDY.conditions) - 1

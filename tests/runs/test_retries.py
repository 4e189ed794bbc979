"""What is left of a job that was lost."""

from __future__ import annotations

import numpy as np

from ratewarp.runs.jobs import Done, HeadsJob, Kept, Read, Stepped, Trained, WaveJob
from ratewarp.runs.retries import TRIES, Attempt
from ratewarp.studies import Condition
from stored import PARAMS, make_readout, make_record

CONDITIONS = tuple(Condition(model="m", capacity_nats=c, seed=0) for c in (1.0, 2.0, 3.0))
JOB = WaveJob(CONDITIONS, 4, np.ones(3, int), None, 60.0)


def _arrays(*values: int) -> dict[str, np.ndarray]:
    return {"a": np.array(values)}


def _trained(condition: Condition) -> Trained:
    return Trained(condition, make_record(condition.id), PARAMS)


def _start(attempt: Attempt) -> tuple[int, list[int], tuple[int, ...]]:
    assert isinstance(attempt.job, WaveJob)
    assert attempt.job.start is not None
    step, arrays, rows = attempt.job.start
    return step, arrays["a"].tolist(), rows


def test_a_lost_wave_begins_from_its_last_checkpoint():
    attempt = Attempt(7, JOB)
    assert all(attempt.heed(event) for event in (Stepped(5), Kept(10, _arrays(1, 2, 3)), Stepped(15)))
    assert attempt.lose()
    assert attempt.job.conditions == CONDITIONS
    assert _start(attempt) == (10, [1, 2, 3], (0, 1, 2))
    assert attempt.step == 10


def test_conditions_that_are_trained_are_left_out():
    attempt = Attempt(0, JOB._replace(start=(4, _arrays(9, 8, 7, 6), (3, 0, 1))))
    assert attempt.step == 4
    assert attempt.heed(_trained(CONDITIONS[1]))
    assert attempt.lose()
    assert attempt.conditions == (CONDITIONS[0], CONDITIONS[2])
    assert _start(attempt) == (4, [9, 8, 7, 6], (3, 1))
    assert attempt.job.slots == 4
    # a checkpoint of some of them is kept here, and goes no further
    assert not attempt.heed(Kept(8, _arrays(60, 80)))
    assert attempt.lose()
    assert _start(attempt) == (8, [60, 80], (0, 1))
    for condition in attempt.conditions:
        assert attempt.heed(_trained(condition))
    assert attempt.made
    assert attempt.heed(Done())


def test_a_job_is_given_up_after_losses_without_progress():
    attempt = Attempt(0, JOB)
    assert [attempt.lose() for _ in range(TRIES)] == [True] * (TRIES - 1) + [False]
    patient = Attempt(0, JOB)
    for step in range(1, 20):
        assert patient.heed(Kept(step, _arrays(1, 2, 3)))
        assert patient.lose()
    assert patient.heed(Kept(19, _arrays(1, 2, 3)))  # nothing new
    assert [patient.lose(), patient.lose()] == [True, False]


def test_heads_begin_anew():
    job = HeadsJob(CONDITIONS[:2], (PARAMS, PARAMS), ((), ()), CONDITIONS[0].setting.recipe, np.ones(3, int))
    attempt = Attempt(0, job)
    read = [Read(one, make_readout(one.id), PARAMS) for one in job.conditions]
    assert attempt.heed(read[0])
    assert attempt.lose()
    assert attempt.job is job
    assert not attempt.made
    assert all(attempt.heed(one) for one in read)
    assert attempt.made

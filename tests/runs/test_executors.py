"""The seam of executors: jobs cross to another process and back, and a run ends with the same bytes wherever
they are done.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import with_heads
from ratewarp import RatewarpError, Study, open_run, run
from ratewarp.results.tabulating import tabulate
from ratewarp.runs.directory import writing_to
from ratewarp.runs.executor import Here
from ratewarp.runs.jobs import Done, HeadsJob, Read, Stepped, Trained, WaveJob, do
from ratewarp.training.devices import this_machine

sys.path.append(str(Path(__file__).parents[2] / "examples"))
from subprocess_executor import Subprocess

TRAINERS = {
    f"ratewarp.{name}"
    for name in ("training.loop", "training.evaluation", "runs.runner", "runs.waves", "runs.jobs")
}
STUDY = with_heads("executors")


class _Listening:
    """Does jobs here, as another process would get them, and notes what happened."""

    def __init__(self) -> None:
        self.jobs: list[object] = []
        self.events: list[tuple[int, str]] = []

    def run(self, jobs):
        self.jobs += (copies := [pickle.loads(pickle.dumps(job)) for job in jobs])  # noqa: S301 - its own
        for number, event in Here().run(copies):
            self.events.append((number, type(event).__name__))
            yield number, event


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return run(STUDY, tmp_path_factory.mktemp("executors") / "here", report=False).path


def _contents(out: Path) -> dict[str, bytes]:
    found = [*out.glob("tables/*"), *out.glob("conditions/*/*"), *out.glob("readouts/*/*")]
    return {str(file.relative_to(out)): file.read_bytes() for file in found}


def test_jobs_that_went_through_another_process_give_the_same_bytes(whole, tmp_path):
    listening = _Listening()
    run(STUDY, tmp_path / "run", executor=listening, report=False)
    assert _contents(tmp_path / "run") == _contents(whole)
    assert [type(job) for job in listening.jobs] == [WaveJob, WaveJob, HeadsJob]
    for number in range(2):
        own = [name for job, name in listening.events if job == number]
        assert own[-1] == "Done"
        assert own.count("Trained") + own.count("Read") >= 1


def test_a_process_for_each_job_gives_the_same_bytes(whole, tmp_path):
    alone = Study(**{**STUDY.model_dump(), "models": {"base": {}}, "readouts": {}})
    # the other process inherits how this suite compiles
    run(alone, tmp_path / "run", executor=Subprocess(), report=False)
    found, wanted = _contents(tmp_path / "run"), _contents(whole)
    stored = [name for name in found if name.startswith("conditions/base")]
    assert len(stored) == 4
    assert [found[name] for name in stored] == [wanted[name] for name in stored]


def test_events_of_a_wave_end_with_its_models():
    listening = _Listening()
    (condition, *_) = STUDY.conditions
    job = WaveJob((condition,), 1, condition.setting.image_counts(), None, 0.0)
    events = list(do(job))
    assert [type(event).__name__ for event in events] == ["Begun", "Kept", "Stepped", "Trained", "Done"]
    assert events[0].machine == this_machine()
    step, arrays = events[1]
    assert step == 30
    assert {len(array) for array in arrays.values()} == {1}
    again = list(do(job._replace(start=(step, arrays, (0,)))))  # from the end: nothing is left but to measure
    assert [type(event) for event in again[-2:]] == [Trained, Done]
    first, second = (next(one for one in some if isinstance(one, Trained)) for some in (events, again))
    assert all(np.array_equal(first.params[name], second.params[name]) for name in first.params)
    assert listening.jobs == []


def test_what_a_job_raises_is_raised_and_nothing_is_lost(whole, tmp_path):
    class Failing:
        def run(self, jobs):
            for number, event in Here().run(jobs):
                if number == 1 and isinstance(event, Stepped):
                    raise RatewarpError("the other machine is gone")
                yield number, event

    out = tmp_path / "run"
    with pytest.raises(RatewarpError, match="the other machine is gone"):
        run(STUDY, out, executor=Failing(), report=False, checkpoint_seconds=0)
    assert len(list((out / "conditions").iterdir())) == 1
    run(STUDY, out, report=False)
    assert _contents(out) == _contents(whole)


def test_heads_are_jobs_of_their_own(whole):
    directory = open_run(whole)
    (condition,) = (one for one in STUDY.conditions if one.model == "base")
    task = STUDY.readout_tasks("base")
    job = HeadsJob(
        (condition,),
        (directory.params(condition.id),),
        (task,),
        STUDY.recipe,
        condition.setting.image_counts(),
    )
    *_, read, done = do(job)
    assert isinstance(read, Read)
    assert isinstance(done, Done)
    stored = directory.readout_params(condition.id)
    assert all(np.array_equal(read.params[name], stored[name]) for name in stored)


def test_tables_are_written_again_to_the_same_bytes_without_what_trains(whole, tmp_path):
    before = {file.name: file.read_bytes() for file in (whole / "tables").iterdir()}
    for file in (whole / "tables").iterdir():
        file.unlink()
    code = (
        "import sys\n"
        "sys.argv = ['ratewarp', 'tabulate', sys.argv[1]]\n"
        "from ratewarp.cli import app\n"
        "app(standalone_mode=False)\n"
        f"sys.exit(len({TRAINERS!r} & set(sys.modules)))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(whole)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert {file.name: file.read_bytes() for file in (whole / "tables").iterdir()} == before


def test_an_unfinished_run_is_not_tabulated(whole, tmp_path):
    study = Study(**{**STUDY.model_dump(), "seeds": [0, 1]})
    out = tmp_path / "run"

    def stop(at):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(study, out, progress=stop)
    with (
        writing_to(open_run(out), "tabulate") as directory,
        pytest.raises(RatewarpError, match=r"is not finished: base_C1_s0_.* and 3 more"),
    ):
        tabulate(directory)
    assert not (out / "tables").exists()

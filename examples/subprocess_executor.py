"""An executor of one's own: every job in a process of its own, which ends with it.

    python examples/subprocess_executor.py OUT

runs a part of the demo study so, into the run directory OUT. Results are those of a run in one process, to
the byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ratewarp import load_study, run
from ratewarp.runs.jobs import Event, Job, do


class Subprocess:
    """Does jobs one after the other, each in a new process; its events arrive when it has ended."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        for number, job in enumerate(jobs):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                for event in pool.submit(events_of, job).result():
                    yield number, event


def events_of(job: Job) -> list[Event]:
    """All events of a job; the function that the other process calls."""
    return list(do(job))


if __name__ == "__main__":
    study = load_study("demo", ["recipe.steps=500"]).part(capacities=[3.0])
    run(study, sys.argv[1], executor=Subprocess(), report=False)

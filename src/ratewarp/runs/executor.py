"""Who does the jobs of a run: the seam between what a run decides and where it is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from ratewarp.runs.jobs import Event, Job, do


class Executor(Protocol):
    """Does jobs, in any order and anywhere.

    A job is plain data that can be pickled; `ratewarp.runs.jobs.do` does one, makes its own images, and tells
    what happens as events. All else (run directories, checkpoints, what is stored) is the business of the one
    who gives the jobs and reads the events.
    """

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        """Every event of every job, with the job's number in order; the events of one job in their order.

        Jobs are taken from `jobs` when they are begun. What a job raises is raised here.
        """
        ...


class Here:
    """One job after the other, in this process."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        for number, job in enumerate(jobs):
            for event in do(job):
                yield number, event

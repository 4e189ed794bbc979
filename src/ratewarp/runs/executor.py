"""Who does the jobs of a run: the seam between what a run decides and where it is computed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from ratewarp.runs.jobs import Event, Job, do


class Executor(Protocol):
    """Does jobs, in any order and anywhere.

    A job is plain data that can be pickled; `ratewarp.runs.jobs.do` does one, makes its own images, and tells
    what happens as events. All else (run directories, checkpoints, what is stored) is the business of the one
    who gives the jobs and reads the events.

    An executor whose workers are smaller than this machine may have a number `members_at_once`: the most
    models that a job should train together, where the user does not say. One that is slow to begin may have
    a context manager `held()`, which keeps what it has begun from one `run` to the next.
    """

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        """Every event of every job, with the job's number in order; the events of one job in their order.

        Jobs are taken from `jobs` when they are begun. What a job raises is raised here. A generator is
        closed when nobody wants its events any more; it then leaves nothing at work.
        """
        ...


class Here:
    """One job after the other, in this process."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        for number, job in enumerate(jobs):
            for event in do(job):
                yield number, event


def members_suiting(executor: Executor) -> int | None:
    """The most models that a job of this executor should train together; None for what suits this machine."""
    return getattr(executor, "members_at_once", None)


def held(executor: Executor) -> AbstractContextManager[None]:
    """Several calls of `run` of this executor."""
    return getattr(executor, "held", nullcontext)()


@contextmanager
def events_of(executor: Executor, jobs: Iterable[Job]) -> Iterator[Iterator[tuple[int, Event]]]:
    """The events of all jobs; when the `with` block ends, by whatever, nothing is left at work."""
    events = executor.run(jobs)
    try:
        yield events
    finally:
        if isinstance(events, Generator):
            events.close()

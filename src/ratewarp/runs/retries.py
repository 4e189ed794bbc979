"""A job that may be lost with the machine that does it: what is left of it then, and when to give it up."""

from __future__ import annotations

from ratewarp.runs.jobs import Event, Job, Kept, Read, Trained, WaveJob
from ratewarp.studies import Condition

TRIES = 3  # lost one after the other, without anything new, before a job is given up


class Attempt:
    """A job, and what has come of it.

    Attributes:
        number: of the job, in order.
        job: what is being done: the job as it came, or what was left of it when it was lost.
        tries: how often it was lost since it last brought anything new.
    """

    def __init__(self, number: int, job: Job):
        self.number, self.job, self.tries = number, job, 0
        self._kept: Kept | None = None
        self._made: set[str] = set()  # ids of conditions that are trained, or read
        self._whole = True  # whether the job is as it came

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.job.conditions

    @property
    def step(self) -> int:
        """Steps done where it would resume."""
        if self._kept is not None:
            return self._kept.step
        return self.job.start[0] if isinstance(self.job, WaveJob) and self.job.start else 0

    @property
    def made(self) -> bool:
        """Whether all that it was to make is there."""
        return all(condition.id in self._made for condition in self.conditions)

    def heed(self, event: Event) -> bool:
        """Notes what an event brings; returns whether the event is to be passed on.

        A checkpoint is not where it holds a part of the wave only, since one of the whole wave is stored.
        """
        match event:
            case Kept(step, _):
                if step > self.step:
                    self.tries = 0
                self._kept = event
                return self._whole
            case Trained(condition, _, _) | Read(condition, _, _):
                if condition.id not in self._made:
                    self.tries = 0
                self._made.add(condition.id)
        return True

    def lose(self) -> bool:
        """It was lost: what is left is to be done again. Returns whether it is to be tried again."""
        self.tries += 1
        if isinstance(self.job, WaveJob) and not self.made:
            self._leave_out(self.job)
        self._kept = None
        return self.tries < TRIES

    def _leave_out(self, job: WaveJob) -> None:
        """Leaves out the conditions that are trained, and begins from the last checkpoint."""
        everyone, kept = tuple(range(len(job.conditions))), self._kept
        start = job.start if kept is None else (kept.step, kept.arrays, everyone)
        left = [place for place in everyone if job.conditions[place].id not in self._made]
        self._whole = self._whole and len(left) == len(everyone)
        self.job = job._replace(
            conditions=tuple(job.conditions[place] for place in left),
            start=start and (start[0], start[1], tuple(start[2][place] for place in left)),
        )

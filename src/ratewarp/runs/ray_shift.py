"""The work on a Ray cluster: which worker does which job, and what becomes of a job whose worker is lost.

A worker is asked for one event after the other, so that it is never further than one event ahead. A job whose
worker is lost is done again from its last checkpoint, which is here.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from ratewarp._checks import RatewarpError, RequestError
from ratewarp._interrupt import stop_if_asked
from ratewarp.runs.jobs import Done, Event, HeadsJob, Job
from ratewarp.runs.ray_cluster import Head
from ratewarp.runs.ray_nodes import LOOK_SECONDS, Node, Nodes, on_node
from ratewarp.runs.ray_workers import Failed, Worker
from ratewarp.runs.retries import TRIES, Attempt
from ratewarp.runs.starts import describe
from ratewarp.training.devices import Machine

START_SECONDS = 180.0  # in which a worker must have begun, before its job goes elsewhere
ALONE_SECONDS = 120.0  # without any machine for a worker, before the run ends
# settings of this process that have to do with its own disk and devices
_OWN_SETTINGS = ("JAX_COMPILATION_CACHE_DIR", "JAX_PLATFORMS", "JAX_NUM_CPU_DEVICES")
# what Ray says of a worker that is lost, and what is said here
_REASONS = {
    "running low on memory": "its machine ran out of memory",
    "node has died": "its machine is gone",
    "node is dead": "its machine is gone",
}


@dataclass(eq=False)
class _Hand:
    """A worker on the cluster, and the job it does.

    Attributes:
        node: the machine it is on.
        actor: the worker, as Ray knows it.
        attempt: the job.
        asked: what it is asked for now, as Ray knows it.
        since: time of the clock at which it was engaged.
        machine: what it said of its machine; None until it has started.
    """

    node: Node
    actor: Any
    attempt: Attempt
    asked: Any
    since: float
    machine: Machine | None = None


class _Failure(NamedTuple):
    """A job that was given up: why, whether it was asked for wrongly, and where it raised an exception."""

    attempt: Attempt
    why: str
    requested: bool = False
    trace: str = ""


class Shift:
    """All workers, for one list of jobs or for several.

    Arguments:
        head: of the cluster.
        nodes: its machines, which have been asked for their versions.
        cores: CPU cores of a worker.
        say: called with what a person should know.
        keep: whether workers wait for more jobs when there are none.
    """

    def __init__(
        self, head: Head, nodes: Nodes, cores: int, say: Callable[[str], None], *, keep: bool = False
    ):
        self._head, self._nodes, self._cores, self._say, self._keep = head, nodes, cores, say, keep
        self._hands: list[_Hand] = []
        self._idle: list[_Hand] = []  # workers without a job
        self._lost: list[tuple[Attempt, str]] = []  # jobs to do again, and the machine that lost each
        self._failures: list[_Failure] = []
        self._fresh: Iterator[Attempt] = iter(())
        self._all_begun = True
        self._looked = float("-inf")
        self._manned = time.monotonic()  # when there was last a machine for workers
        self._wrong = ""  # what was last wrong with one

    def events(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Event]]:
        """Every event of every job.

        Raises:
            RatewarpError: the cluster is lost; or jobs were given up, after all others are done.
        """
        self._fresh = (Attempt(number, job) for number, job in enumerate(jobs))
        self._all_begun, self._manned = False, time.monotonic()
        self._lost, self._failures = [], []
        while self._hands or self._lost or not self._all_begun:
            stop_if_asked()
            self._look()
            while (node := self._room()) and (attempt := self._take(node)):
                self._engage(node, attempt)
            for hand in self._answered():
                yield from self._hear(hand)
        self._tell_failures()

    def end(self) -> None:
        """Ends every worker."""
        for hand in [*self._hands, *self._idle]:
            self._dismiss(hand)

    def _room(self) -> Node | None:
        return self._nodes.room(Counter(hand.node.id for hand in self._hands))

    def _take(self, node: Node) -> Attempt | None:
        """A job to do on a machine: one that another has lost, a new one, one that this has lost."""
        elsewhere = [place for place, (_, lost_by) in enumerate(self._lost) if lost_by != node.id]
        if elsewhere:
            return self._lost.pop(elsewhere[0])[0]
        if not self._all_begun:
            if attempt := next(self._fresh, None):
                return attempt
            self._all_begun = True
        return self._lost.pop(0)[0] if self._lost else None

    def _engage(self, node: Node, attempt: Attempt) -> None:
        import ray

        if idle := next((one for one in self._idle if one.node.id == node.id), None):
            self._idle.remove(idle)
            self._hands.append(idle)
            idle.attempt = attempt
            self._begin(idle)
            return
        options: dict[str, Any] = {"num_cpus": self._cores, "max_restarts": 0, "max_task_retries": 0}
        if self._nodes.gpus:
            options["num_gpus"] = self._nodes.gpus
        actor: Any = (
            ray.remote(Worker)
            .options(**options, scheduling_strategy=on_node(node.id))
            .remote(self._cores, _settings(), _folders())
        )
        self._hands.append(_Hand(node, actor, attempt, actor.hello.remote(), time.monotonic()))

    def _answered(self) -> list[_Hand]:
        """Workers that have answered; waits a moment for the first."""
        import ray

        questions = self._nodes.questions
        asked = [*questions, *(hand.asked for hand in self._hands)]
        if not asked:
            time.sleep(0.2)
            return []
        ready, _ = ray.wait(asked, num_returns=1, timeout=0.5)
        if ready:
            ready, _ = ray.wait(asked, num_returns=len(asked), timeout=0)
        for answer in ready:
            if answer in questions and (wrong := self._nodes.hear(answer)):
                self._say(f"{wrong}. It is not used")
        return [hand for hand in self._hands if hand.asked in ready]

    def _hear(self, hand: _Hand) -> Iterator[tuple[int, Event]]:
        """What a worker has answered; asks it for the next."""
        import ray
        from ray.exceptions import RayError

        try:
            answer: Any = ray.get(hand.asked)
        except RayError as error:
            yield from self._lose(hand, _reason(error))
            return
        if hand.machine is None:
            hand.machine, hand.node.misses = answer, 0
            self._begin(hand)
        elif isinstance(answer, Failed):
            why = answer.message if answer.expected else f"{answer.kind}: {answer.message}"
            self._failures.append(_Failure(hand.attempt, why, answer.requested, answer.trace))
            self._next(hand)
        else:
            number, last = hand.attempt.number, isinstance(answer, Done)
            if not last:
                hand.asked = hand.actor.more.remote()
            if hand.attempt.heed(answer):
                yield number, answer
            if last:
                self._next(hand)

    def _begin(self, hand: _Hand) -> None:
        from ray import cloudpickle  # which knows classes of the main module, as of a notebook

        job = cloudpickle.dumps(hand.attempt.job)  # pyright: ignore[reportPrivateImportUsage]
        hand.asked = hand.actor.begin.remote(job)

    def _next(self, hand: _Hand) -> None:
        """Gives a worker its next job: if all are begun, one whose own worker has not started yet."""
        attempt = self._take(hand.node)
        if attempt is None:
            idle = next((other for other in self._hands if other.machine is None), None)
            if idle is None:
                self._release(hand)
                return
            attempt = idle.attempt
            self._dismiss(idle)
        hand.attempt = attempt
        self._begin(hand)

    def _release(self, hand: _Hand) -> None:
        """A worker for whom there is no job."""
        if self._keep:
            self._hands.remove(hand)
            self._idle.append(hand)
        else:
            self._dismiss(hand)

    def _dismiss(self, hand: _Hand) -> None:
        import ray

        (self._hands if hand in self._hands else self._idle).remove(hand)
        if not self._head.lost:
            with suppress(Exception):
                ray.kill(hand.actor)

    def _lose(self, hand: _Hand, why: str) -> Iterator[tuple[int, Event]]:
        """A worker is lost; its job is done again, unless it has been lost too often."""
        self._dismiss(hand)
        attempt, where = hand.attempt, hand.node.name
        if hand.machine is None:  # the job has not begun, and is not to blame
            self._lost.append((attempt, hand.node.id))
            self._wrong = f"no worker could be started on {where}: {why}"
            self._say(self._nodes.set_aside(hand.node, self._wrong))
        elif attempt.made:  # all but its last word
            yield attempt.number, Done()
        elif attempt.lose():
            self._lost.append((attempt, hand.node.id))
            then = f"resumes from step {attempt.step:,}" if attempt.step else "begins anew"
            self._say(f"a worker on {where} was lost ({why}); {_named(attempt)} {then}")
        else:
            often = (
                f"its worker was lost {TRIES} times without any progress, the last time on {where} ({why})"
            )
            self._failures.append(_Failure(attempt, often))
            self._say(f"{_named(attempt)} is given up: {often}")

    def _look(self) -> None:
        """Looks now and then at the head, at the machines, and for workers that do not start."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._head.refuse_lost()
        self._nodes.look()
        self._looked = time.monotonic()
        for hand in [one for one in self._hands if one.machine is None and now - one.since > START_SECONDS]:
            for _ in self._lose(hand, f"it has not started in {START_SECONDS:g} s"):
                pass
        if self._hands or self._nodes.any_fits():
            self._manned = time.monotonic()
        elif now - self._manned > ALONE_SECONDS:
            raise RatewarpError(
                f"the cluster has had no machine for a worker for {ALONE_SECONDS:g} s"
                f"{f' ({self._wrong})' if self._wrong else ''}. Finished conditions and the last checkpoints"
                " are kept; the same command resumes from there"
            )

    def _tell_failures(self) -> None:
        if not self._failures:
            return
        kind = RequestError if all(one.requested for one in self._failures) else RatewarpError
        told = "; ".join(f"{_named(one.attempt)}: {one.why}" for one in self._failures)
        traces = "\n".join(one.trace for one in self._failures if one.trace)
        raise kind(
            f"could not be done: {told}. All others are stored; the same command tries these again, from"
            " their last checkpoints"
        ) from (RuntimeError(traces) if traces else None)


def _named(attempt: Attempt) -> str:
    """A job, as a person knows it: ids of few conditions, models of many."""
    few = len(attempt.conditions) <= 3
    told = ", ".join(one.id for one in attempt.conditions) if few else describe(attempt.conditions)
    return f"heads on frozen codes of {told}" if isinstance(attempt.job, HeadsJob) else told


def _reason(error: Exception) -> str:
    """Why a worker is lost, in a few words."""
    text = str(error)
    if getattr(error, "actor_init_failed", False):
        return text.strip().splitlines()[-1].strip()
    known = (said for ray_says, said in _REASONS.items() if ray_says in text)
    return next(known, "its process was killed, crashed or ran out of memory")


def _settings() -> dict[str, str]:
    """Settings of JAX and XLA that numbers may depend on, so that workers have them, too."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("JAX_", "XLA_FLAGS")) and name not in _OWN_SETTINGS
    }


def _folders() -> list[str]:
    """Folders from which this process has imported modules, in order."""
    files = [
        (name, getattr(module, "__file__", None), hasattr(module, "__path__"))
        for name, module in list(sys.modules.items())
        if "." not in name
    ]
    found = [os.path.dirname(os.path.abspath(file)) for _, file, package in files if file and not package]
    return list(dict.fromkeys([*filter(None, sys.path), *found]))

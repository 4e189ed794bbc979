"""The machines of a Ray cluster: which have room for workers, and whether they have our versions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ratewarp._checks import RatewarpError
from ratewarp.runs.ray_cluster import INSTALL
from ratewarp.runs.ray_workers import different, version_question

ANSWER_SECONDS = (
    30.0  # that each machine has to answer before the first job; one that takes longer joins later
)
ASIDE_SECONDS = 30.0  # in which a machine gets no worker after one could not be started there
MISSES = 3  # times that no worker could be started on a machine, before it is given up
LOOK_SECONDS = 2.0  # between two looks at which machines there are


@dataclass(eq=False)
class Node:
    """A machine of the cluster.

    Attributes:
        id: by which Ray knows it.
        name: by which a person does.
        slots: workers that it has room for.
        asked: its answer to the question of versions, as Ray knows it; None when it has come.
        fits: whether it has our versions.
        aside_until: time of the clock until which it gets no worker.
        misses: how often in a row none could be started there.
    """

    id: str
    name: str
    slots: int
    asked: Any
    fits: bool = False
    aside_until: float = 0.0
    misses: int = 0


class Nodes:
    """All machines of the cluster that this process is connected to.

    Arguments:
        cores: CPU cores of a worker.
        say: called with what a person should know.
        expected: versions that they must have; those of this process if not given.
    """

    def __init__(self, cores: int, say: Callable[[str], None], expected: Mapping[str, str] | None = None):
        self._cores, self._say = cores, say
        self._question = version_question()
        self._expected = self._question() if expected is None else expected
        self._known: dict[str, Node] = {}
        self._looked = float("-inf")
        self.gpus = 0  # that each worker takes

    def meet(self) -> None:
        """Asks every machine before the first job.

        Raises:
            RatewarpError: none has room for a worker, one has other versions, or none answers.
        """
        import ray

        self.look()
        if not self._known:
            told = ", ".join(f"{_name(one)} has {_cpus(one):g}" for one in ray.nodes() if one["Alive"])
            needed = f"no machine of the cluster has {self._cores} CPU cores for a worker"
            raise RatewarpError(f"{needed}: {told or 'there is none'}")
        until = time.monotonic() + ANSWER_SECONDS
        while self.questions and (left := until - time.monotonic()) > 0:
            for answer in ray.wait(self.questions, num_returns=1, timeout=left)[0]:
                if wrong := self.hear(answer):
                    raise RatewarpError(wrong)
        for node in self._known.values():
            if node.asked is not None:
                self._say(f"{node.name} has not answered in {ANSWER_SECONDS:g} s; it is used when it does")

    def look(self) -> None:
        """Looks which machines there are now, and asks those that are new for their versions."""
        import ray

        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        alive = {one["NodeID"]: one for one in ray.nodes() if one["Alive"]}
        self._looked = time.monotonic()
        if any(one["Resources"].get("GPU", 0) >= 1 for one in alive.values()):
            self.gpus = 1
        self._known = {key: node for key, node in self._known.items() if key in alive}
        for key in alive.keys() - self._known.keys():
            if slots := self._slots(alive[key]["Resources"]):
                self._known[key] = Node(key, _name(alive[key]), slots, self._ask(key))

    @property
    def questions(self) -> list[Any]:
        """Answers that are waited for."""
        return [node.asked for node in self._known.values() if node.asked is not None]

    def hear(self, answer: Any) -> str:
        """Hears an answer that has come; returns what is wrong with the machine's versions, in words."""
        import ray
        from ray.exceptions import RayError

        (node,) = [node for node in self._known.values() if node.asked == answer]
        node.asked = None
        try:
            there: Any = ray.get(answer)
        except RayError:
            node.asked, node.aside_until = self._ask(node.id), time.monotonic() + ASIDE_SECONDS
            return ""
        wrong = different(self._expected, there)
        node.fits = not wrong
        return wrong and (
            f"{node.name} has not the versions of this machine: {wrong}. Results are the same only with the"
            f" same versions; install them there, with {INSTALL}"
        )

    def room(self, used: Mapping[str, int]) -> Node | None:
        """The machine with most room for another worker; None if there is none.

        Arguments:
            used: workers on each machine now, by its id.
        """
        now, free = time.monotonic(), lambda node: node.slots - used.get(node.id, 0)
        open_now = [
            node for node in self._known.values() if node.fits and now >= node.aside_until and free(node) > 0
        ]
        return max(open_now, key=free, default=None)

    def any_fits(self) -> bool:
        """Whether any machine can be given jobs."""
        return any(node.fits for node in self._known.values())

    def set_aside(self, node: Node, why: str) -> str:
        """Gives a machine no worker for a while, since none could be started there; when that happens again
        and again, none at all. Returns that, in words.
        """
        node.misses += 1
        node.aside_until, node.fits = time.monotonic() + ASIDE_SECONDS, node.misses < MISSES
        return why if node.fits else f"{why}; it is not used any more"

    def _slots(self, resources: Mapping[str, float]) -> int:
        by_cores = int(resources.get("CPU", 0) // self._cores)
        return min(by_cores, int(resources.get("GPU", 0))) if self.gpus else by_cores

    def _ask(self, key: str) -> Any:
        import ray

        asking = ray.remote(self._question)
        return asking.options(num_cpus=0, max_retries=0, scheduling_strategy=on_node(key)).remote()


def on_node(key: str) -> Any:
    """Ray's name for what is to run on that machine and no other."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(key, soft=False)


def _cpus(node: Mapping[str, Any]) -> float:
    return node["Resources"].get("CPU", 0)


def _name(node: Mapping[str, Any]) -> str:
    host, address = node["NodeManagerHostname"], node["NodeManagerAddress"]
    return host if host == address else f"{host} ({address})"

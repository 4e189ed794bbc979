"""On which kinds of processor the conditions of a run were computed. Numbers of another kind may differ in
their last bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.starts import Start
from ratewarp.studies import Condition
from ratewarp.training.devices import Machine

PROCESSORS = "processors"  # the entry in condition.json, and in the manifest of a run of several kinds


class Processors:
    """The kinds of processor that each wave has been computed on so far, its checkpoint's among them."""

    def __init__(self, starts: Sequence[Start]):
        self._used = [start.processors for start in starts]
        self._now: dict[int, str] = {}

    def begin(self, number: int, machine: Machine) -> None:
        """A wave begins on a machine, or begins there again."""
        self._now[number] = machine.kind

    def used(self, number: int) -> tuple[str, ...]:
        """Those of a wave that has something to store; what is lost with a machine does not count."""
        if (now := self._now.get(number)) and now not in self._used[number]:
            self._used[number] += (now,)
        return self._used[number]


def conditions_by_processor(run: RunDirectory, conditions: Sequence[Condition]) -> dict[str, list[str]]:
    """Ids of the stored conditions that were computed on each kind of processor; empty where all came from
    one kind.
    """
    found: dict[str, list[str]] = {}
    for condition in conditions:
        for kind in run.condition(condition.id).get(PROCESSORS, ()):
            found.setdefault(kind, []).append(condition.id)
    return found if len(found) > 1 else {}

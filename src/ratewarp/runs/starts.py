"""Where the waves of a run start: from their beginning, or from a checkpoint that holds their conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.runs.checkpoints import Found, choose, find_checkpoints, read_checkpoint
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.groups import steps_of
from ratewarp.runs.waves import Wave, from_arrays, stack_members, waves
from ratewarp.studies import Condition


@dataclass(frozen=True)
class Start:
    """A wave that has something to do, and where it resumes from.

    Attributes:
        wave: the wave.
        pending: its conditions that are not stored.
        file: the checkpoint to resume from; None to start anew.
        step: steps done in that checkpoint; 0 without one.
        processors: kinds of processor that these steps were computed on.
    """

    wave: Wave
    pending: tuple[Condition, ...]
    file: Path | None
    step: int
    processors: tuple[str, ...] = ()

    def reached(self) -> tuple[int, Mapping[str, np.ndarray], tuple[int, ...]]:
        """What the checkpoint holds: steps done, named arrays, and the place of each pending condition in
        their first axis.
        """
        assert self.file is not None
        stand, arrays = read_checkpoint(self.file)
        return stand.step, arrays, tuple(stand.conditions.index(condition.id) for condition in self.pending)

    def model_steps(self, stop: float = inf) -> int:
        """Model-steps from here to step `stop`, or to the end."""
        return sum(int(min(stop, steps_of(c))) - min(self.step, steps_of(c)) for c in self.pending)


def find_starts(
    run: RunDirectory,
    conditions: Sequence[Condition],
    members_at_once: int | None,
    say: Callable[[str], None],
) -> list[Start]:
    """Every wave of these conditions in which some are not stored; says where they resume and which files
    cannot be used.
    """
    found = find_checkpoints(run.checkpoints)
    for file, reason in found.unusable.items():
        say(f"{file} {reason}; it is not used")
    starts = []
    for wave in waves(conditions, members_at_once):
        pending = tuple(condition for condition in wave.conditions if not run.finished(condition.id))
        if not pending:
            continue
        starts.append(_start(found, wave, pending, say))
        if starts[-1].file:
            say(f"resuming from step {starts[-1].step:,} of wave {describe(pending)}")
        elif lost := _lost(found, wave, pending):
            say(f"wave {describe(pending)} starts anew: {lost}")
    return starts


def _start(found: Found, wave: Wave, pending: tuple[Condition, ...], say: Callable[[str], None]) -> Start:
    """Where a wave starts; a sound checkpoint whose arrays are not those of the wave is counted among the
    unusable ones.
    """
    while file := choose(found, wave.digest, wave.group, [condition.id for condition in pending]):
        stand = found.usable[file]
        start = Start(wave, pending, file, stand.step, stand.processors)
        try:
            from_arrays(wave.plan, stack_members(pending, wave.slots), *start.reached())
        except RequestError as error:
            found.unusable[file] = f"was written by another version of ratewarp, or was changed ({error})"
            say(f"{file} {found.unusable[file]}; it is not used")
            del found.usable[file]
            continue
        return start
    return Start(wave, pending, None, 0)


def _lost(found: Found, wave: Wave, pending: Sequence[Condition]) -> str:
    """Why a wave starts anew although a checkpoint holds some of its conditions; empty if none does."""
    ids = {condition.id for condition in pending}
    holding = [stand for stand in found.usable.values() if ids & set(stand.conditions)]
    if not holding:
        return ""
    last = max(holding, key=lambda stand: stand.step)
    if last.group != wave.group:
        return f"step {last.step:,} was kept by another version of ratewarp"
    why = "because --members-at-once changed or a stored condition was removed"
    return f"step {last.step:,} was kept of other conditions together, {why}"


def first_of_group(starts: Sequence[Start], index: int) -> bool:
    return index == 0 or starts[index - 1].wave.group != starts[index].wave.group


def describe(conditions: Sequence[Condition]) -> str:
    if len(conditions) <= 2:
        return " and ".join(f"{c.model}{_aim(c)}, seed {c.seed}" for c in conditions)
    names = list(dict.fromkeys(c.model for c in conditions))
    return f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''} ({len(conditions)} models)"


def _aim(condition: Condition) -> str:
    return "" if condition.capacity_nats is None else f" at {condition.capacity_nats:g} nats"

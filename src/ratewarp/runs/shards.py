"""Shards: the conditions of a study in parts, each for a process or a machine that knows nothing of the
others.

A share is contiguous in the order of `groups`, so that few shards hold conditions of more than one compiled
program: n shards of p programs compile at most n + p − 1 programs together. A directory that holds a shard
has `shard.json`, which says which one; its `study.yaml` is that of the whole study.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from importlib.metadata import version
from itertools import accumulate
from typing import Any, NamedTuple

from ratewarp._checks import RequestError, refuse
from ratewarp._files import disk_errors
from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.groups import groups, steps_of
from ratewarp.runs.run_files import DamagedError, damage, read_json, set_aside
from ratewarp.studies import Condition, Study

NOTE = "shard.json"
MOST_SHARDS = 100_000

_REQUIREMENT = "K/N, such as 3/16, K from 1 to N"


class Shard(NamedTuple):
    """A part of a study.

    Attributes:
        number: which, from 1.
        of: how many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"

    @property
    def option(self) -> str:
        """As it stands on the command line."""
        return f"--shard {self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """What is added to the name of a study's run directory."""
        return f"-{self.number}-of-{self.of}"

    def share(self, study: Study) -> tuple[Condition, ...]:
        """The conditions of this part."""
        return shares(study, self.of)[self.number - 1]


def read_shard(text: str) -> Shard:
    """A part as it stands on the command line.

    Raises:
        RequestError: it is no such part.

    Examples:
        >>> read_shard("3/16")
        Shard(number=3, of=16)
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
    if not found:
        refuse("--shard", _REQUIREMENT, text)
    return checked_shard((int(found[1]), int(found[2])), "--shard")


def checked_shard(value: Any, argument: str = "shard") -> Shard:
    """A part as it is given from Python: (number, of).

    Raises:
        RequestError: it is no such part.
    """
    pair = tuple(value) if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not all(type(one) is int for one in pair):
        refuse(argument, "two whole numbers, such as (3, 16)", value)
    if not 1 <= pair[1] <= MOST_SHARDS:
        refuse(argument, f"one of 1 to {MOST_SHARDS:,} shards", f"{pair[0]}/{pair[1]}")
    if not 1 <= pair[0] <= pair[1]:
        refuse(argument, f"{_REQUIREMENT}: shards are counted from 1", f"{pair[0]}/{pair[1]}")
    return Shard(*pair)


def shares(study: Study, of: int) -> list[tuple[Condition, ...]]:
    """The conditions of every part: a function of the study and of the number of parts alone.

    The model-steps of all conditions are laid end to end, by program, those with few steps first, and cut at
    equal lengths; a condition belongs where its middle falls. So the model-steps of two parts differ by less
    than those of two conditions.

    Examples:
        >>> study = Study(capacities_nats=[1, 2, 3], models={"a": {}, "b": {"tasks": ["E2M1"]}})
        >>> [[c.model for c in share] for share in shares(study, 3)]
        [['a', 'a'], ['a', 'b'], ['b', 'b']]
    """
    ordered = [one for group in groups(study.conditions) for one in sorted(group, key=steps_of)]
    ends = list(accumulate(map(steps_of, ordered)))
    found: list[list[Condition]] = [[] for _ in range(of)]
    for condition, end in zip(ordered, ends, strict=True):
        twice_the_middle = 2 * end - steps_of(condition)  # whole numbers, so that every machine cuts alike
        found[twice_the_middle * of // (2 * ends[-1])].append(condition)
    return [tuple(share) for share in found]


def noted_shard(run: RunDirectory) -> Shard | None:
    """Which part a run directory holds; None if it is of the whole study.

    Raises:
        DamagedError: what says so is damaged.
    """
    note = _note(run)
    return None if note is None else Shard(note["shard"], note["of"])


def noted_versions(run: RunDirectory) -> tuple[str, ...]:
    """Versions of ratewarp and JAX that have worked on the shard in a run directory; none if it is of the
    whole study.
    """
    note = _note(run)
    return () if note is None else tuple(note["versions"])


def these_versions() -> str:
    """Versions of ratewarp and JAX here, in words."""
    return versions_in_words(version("ratewarp"), version("jax"))


def versions_in_words(ratewarp: object, jax: object) -> str:
    return f"ratewarp {ratewarp} and JAX {jax}"


def note_shard(run: RunDirectory, shard: Shard, say: Callable[[str], None]) -> None:
    """Writes into a locked run directory which part it holds.

    Raises:
        RequestError: it holds another part, or a run of the whole study.
        RatewarpError: it cannot be written.
    """
    file = run.path / NOTE
    had: Any = {}
    try:
        had = _note(run)
    except DamagedError as error:
        say(f"{error}; renamed to {set_aside(file).name}, and a new one is written")
    if had is None and (run.begun or run.checkpoints.exists()):
        raise RequestError(
            f"{run.path} holds a run of the whole study; a shard needs a folder of its own: choose another"
            " with --out"
        )
    if had and (had["shard"], had["of"]) != shard:
        raise RequestError(
            f"{run.path} holds {Shard(had['shard'], had['of'])}; choose another folder with --out"
        )
    versions = list(dict.fromkeys([*(had or {}).get("versions", ()), these_versions()]))
    note = {"shard": shard.number, "of": shard.of, "versions": versions}
    if note != had:
        run.write_text(NOTE, json.dumps(note, indent=1) + "\n")


def forget_shard(run: RunDirectory) -> None:
    """From now on a locked run directory is of the whole study."""
    run.refuse_lost()
    with disk_errors(run.path / NOTE):
        (run.path / NOTE).unlink(missing_ok=True)


def _note(run: RunDirectory) -> dict[str, Any] | None:
    file = run.path / NOTE
    if not os.path.lexists(file):
        return None
    with damage(file, "remove it to make this a run of the whole study"):
        note = read_json(file)
        sound = isinstance(note.get("versions"), list) and all(isinstance(v, str) for v in note["versions"])
        try:
            checked_shard((note.get("shard"), note.get("of")))
        except RequestError:
            sound = False
        if not sound:
            raise DamagedError(file, "is damaged: it does not say which shard this is")
        return note

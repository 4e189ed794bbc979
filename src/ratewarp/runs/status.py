"""How far a run is, as data."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ratewarp.runs.checkpoints import find_checkpoints
from ratewarp.runs.directory import TABLES, RunDirectory
from ratewarp.runs.mending import damaged_parts
from ratewarp.runs.run_files import DamagedError
from ratewarp.runs.run_lock import holder_of
from ratewarp.runs.shards import Shard, noted_shard
from ratewarp.studies import stored_study


class Reached(NamedTuple):
    """How far the training of a condition is.

    Attributes:
        step: steps done, as its newest sound checkpoint holds them.
        steps: steps in all.
    """

    step: int
    steps: int


class RunStatus(NamedTuple):
    """How far a run is.

    Attributes:
        study: its name.
        conditions: ids of all its conditions, in order.
        finished: ids of the conditions that are stored and sound.
        missing: ids of the others.
        training: those of the others that have a checkpoint.
        readouts: ids of the conditions on whose frozen codes heads are wanted.
        readouts_missing: those of them whose heads are not stored, or damaged.
        damaged: what is wrong with each part that cannot be used, to be read as a sentence.
        writer: which process works on the run now, in words; empty if none.
        shard: which part of the study the directory holds, of which the above is told; None if it is of the
            whole study.
    """

    study: str
    conditions: tuple[str, ...]
    finished: tuple[str, ...]
    missing: tuple[str, ...]
    training: dict[str, Reached]
    readouts: tuple[str, ...]
    readouts_missing: tuple[str, ...]
    damaged: tuple[str, ...]
    writer: str
    shard: Shard | None


def run_status(run: RunDirectory, *, thorough: bool = True) -> RunStatus:
    """How far a run is, while another process works on it or later. Nothing is written, and damaged parts do
    not stop it.

    Arguments:
        run: from `ratewarp.open_run`.
        thorough: whether to compare all files with their SHA-256, which takes about a second a gigabyte; if
            not, those missing, of another size or kind are noticed.

    Returns:
        What is finished, how far the rest is, and what is damaged.

    Raises:
        RequestError: its study cannot be read.
    """
    study = stored_study(run.study, run.path)
    shard, wrong_note = _shard(run)
    conditions = shard.share(study) if shard else study.conditions
    steps = {condition.id: condition.setting.recipe.steps for condition in conditions}
    parts = [*wrong_note, *damaged_parts(run, study, thorough=thorough)]
    broken = {place for place, _ in parts}
    finished = [name for name in steps if run.finished(name) and run.path / "conditions" / name not in broken]
    found = find_checkpoints(run.checkpoints)
    kept = sorted((stand.step, name) for stand in found.usable.values() for name in stand.conditions)
    readers = [one.id for one in conditions if one.model in study.readouts and not shard]
    stored = set(finished)
    holder = holder_of(run.path)
    return RunStatus(
        study=study.name,
        conditions=tuple(steps),
        finished=tuple(finished),
        missing=tuple(name for name in steps if name not in stored),
        training={
            name: Reached(min(step, steps[name]), steps[name])
            for step, name in kept
            if name in steps and name not in stored
        },
        readouts=tuple(readers),
        readouts_missing=tuple(
            name for name in readers if not run.has_heads(name) or run.path / "readouts" / name in broken
        ),
        damaged=(
            *(wrong for _, wrong in parts),
            *_damaged_tables(run),
            *(f"{file} {why}" for file, why in found.unusable.items()),
        ),
        writer=holder.describe() if holder else "",
        shard=shard,
    )


def _shard(run: RunDirectory) -> tuple[Shard | None, list[tuple[Path, str]]]:
    """Which part of its study a run directory holds; and its note of that, with what is wrong, if it is
    damaged.
    """
    try:
        return noted_shard(run), []
    except DamagedError as error:
        return None, [(error.file, f"{error.file} {error.reason}")]


def _damaged_tables(run: RunDirectory) -> list[str]:
    """What is wrong with tables that are written; nothing is said of them where the manifest, which has their
    sums, is damaged.
    """
    found = []
    for name in TABLES:
        if not run.has_table(name):
            continue
        try:
            run.table(name)
        except DamagedError as error:
            if error.file.name != "manifest.json":
                found.append(f"{error.file} {error.reason}")
    return found

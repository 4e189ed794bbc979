"""What `ratewarp run --dry-run` prints: what a run will take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ratewarp.cli.printing import progress_bar

if TYPE_CHECKING:
    from ratewarp.runs.estimate import Estimate, Program
    from ratewarp.runs.shards import Shard
    from ratewarp.studies import Study

_LISTED = 20  # conditions
_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"))  # of a duration of at least two


def print_plan(
    study: Study,
    folder: Path,
    shard: Shard | None,
    members_at_once: int | None,
    *,
    timing: bool,
    as_json: bool,
) -> None:
    """Prints conditions, programs, steps, and an estimate of time, memory and disk; times some steps where
    `timing` says so.
    """
    from ratewarp._cores import use_every_core
    from ratewarp.runs.estimate import estimate
    from ratewarp.training.devices import keep_compiled_programs

    conditions = shard.share(study) if shard else study.conditions
    use_every_core()
    keep_compiled_programs()
    with progress_bar() as (show, _):
        found = estimate(
            study, conditions, members_at_once, heads=shard is None, timing=timing, progress=show
        )
    ids = [condition.id for condition in conditions]
    if as_json:
        programs = [program._asdict() for program in found.programs]
        part = shard and shard._asdict()
        told = {"study": study.name, "out": str(folder), "shard": part, "conditions": ids}
        print(json.dumps({**told, "estimate": {**found._asdict(), "programs": programs}}))
        return
    for line in _lines(study, folder, shard, found, ids):
        print(line)


def _lines(study: Study, folder: Path, shard: Shard | None, found: Estimate, ids: Sequence[str]) -> list[str]:
    part = f", {shard}" if shard else ""
    programs = _many(len(found.programs), "compiled program")
    waves = _many(sum(program.waves for program in found.programs), "wave")
    heads = f", {found.head_steps:,} steps of heads on frozen codes" if found.head_steps else ""
    return [
        f"{study.name}{part}: {_many(len(ids), 'condition')} in {programs}, {waves},"
        f" {found.model_steps:,} model-steps{heads}, into {folder}",
        f"time: {_time(found)}",
        *(f"  {_program(program)}" for program in found.programs),
        f"memory: about {_size(found.memory_bytes)} for a wave and its images, besides Python and JAX",
        f"disk: about {_size(found.disk_bytes)} for conditions and checkpoints",
        *(f"  {name}" for name in ids[:_LISTED]),
        *([f"  … and {len(ids) - _LISTED:,} more; --json lists all"] if len(ids) > _LISTED else []),
    ]


def _time(found: Estimate) -> str:
    if found.seconds is None:
        return "not measured"
    untimed = sum(program.seconds_per_model_step is None for program in found.programs)
    others = f" ({untimed} programs were not timed and count as the largest)" if untimed else ""
    return (
        f"about {_duration(found.seconds)} to train on this machine{others}; measuring and drawing come on"
        " top"
    )


def _program(program: Program) -> str:
    names = ", ".join(program.models[:3]) + (" …" if len(program.models) > 3 else "")
    step, compiling = program.seconds_per_model_step, program.compile_seconds
    time = "not timed" if step is None else f"{1000 * step:.2g} ms a model-step, {compiling:.0f} s to compile"
    return (
        f"{names}: {_many(program.conditions, 'condition')}, {program.members_at_once} at once,"
        f" {program.model_steps:,} model-steps; {time}; {_size(program.condition_bytes)} each on disk"
    )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    """A duration in the largest unit of which it has at least two.

    Examples:
        >>> _duration(45), _duration(150), _duration(200_000)
        ('45 seconds', '2.5 minutes', '2.3 days')
    """
    for unit, name in _UNITS:
        if seconds >= 2 * unit:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds:.0f} seconds"


def _size(size: float) -> str:
    """Bytes in words.

    Examples:
        >>> _size(1_530), _size(2_000_000), _size(3_260_000_000)
        ('1.5 kB', '2 MB', '3.3 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}" if size >= 100 * unit else f"{size / unit:.2g} {name}"
    return f"{size / 1e3:.2g} kB"

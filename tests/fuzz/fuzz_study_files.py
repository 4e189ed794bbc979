"""Hostile study files, and changes to studies on the command line. How to run it: see `fuzz.harness`."""

from __future__ import annotations

import random
from pathlib import Path

from fuzz.harness import Case, call_command, run_from_command_line
from fuzz.hostile_studies import hostile_change, hostile_study, hostile_table


def prepare() -> None:
    """Imports what `run --dry-run` and `status` need."""


def make_case(rng: random.Random, folder: Path) -> Case:
    """A study file, or changes to a built-in study, for a dry run, for a look at a run directory, or all the
    way to its stored form.
    """
    content, label = hostile_study(rng)
    (folder / "study.yaml").write_bytes(content)
    (folder / "table.csv").write_bytes(hostile_table(rng))
    way = rng.random()
    if way < 0.3:
        return Case(f"stored, {label}", ("study.yaml",), attack="store_and_read")
    if way < 0.35:
        return Case(f"status, {label}", ("status", "."))
    if way < 0.55:
        changes = [
            part
            for _ in range(rng.choice((1, 1, 2)))
            for part in ("--set", hostile_change(rng).replace("\x00", ""))
        ]
        return Case(
            "--set",
            ("run", rng.choice(("demo", "paper", "study.yaml")), "--dry-run", "--no-timing", *changes),
        )
    options = ("--dry-run", "--no-timing", *(("--json",) if rng.random() < 0.2 else ()))
    if rng.random() < 0.1:
        wide = (
            "--seeds=3",
            "--models=a,b",
            "--models=\x1b[1m",
            "--capacities=1",
            "--capacities=nan,inf",
            "--capacities=x",
            "--models=",
        )
        options += (rng.choice(wide),)
    return Case(label, ("run", "study.yaml", *options))


def store_and_read(path: str) -> int:
    """What a run does with a study before it trains, and after: it must come back equal. Exit code as of the
    command.
    """
    from ratewarp._checks import RatewarpError
    from ratewarp.runs.directory import create_run
    from ratewarp.studies import Study, load_study, resolved

    try:
        study = load_study(path)
    except RatewarpError:
        return call_command("run", path, "--dry-run", "--no-timing")
    for again in range(2):  # made, then taken up again
        run = create_run(Path("run"), resolved(study), lambda stored: resolved(Study(**stored)))
        stored = Study(**run.study)
        assert resolved(stored) == resolved(study), again
        assert [one.id for one in stored.conditions] == [one.id for one in study.conditions], again
    return 0


if __name__ == "__main__":
    run_from_command_line("fuzz.fuzz_study_files")

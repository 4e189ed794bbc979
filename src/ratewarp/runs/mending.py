"""Damaged parts of a run directory are renamed, never removed, so that a run can make them again; each is
told to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ratewarp._checks import RatewarpError
from ratewarp.runs.directory import CONDITION_FILES, READOUT_FILES, RunDirectory
from ratewarp.runs.run_files import MOST_ARRAYS, SUMS, DamagedError, check_regular, check_sums, set_aside
from ratewarp.studies import Condition, Study

TRAINED_AGAIN = "it is trained again"


def set_damage_aside(
    run: RunDirectory, study: Study, say: Callable[[str], None], then: str = TRAINED_AGAIN
) -> None:
    """Renames a damaged manifest, condition, or heads on frozen codes to `<name>.damaged-N`.

    Arguments:
        run: locked to be written to.
        study: what it is the run of.
        say: called with a sentence for each.
        then: what becomes of a condition, or of its heads, in words.

    Raises:
        RatewarpError: one cannot be renamed.
    """
    for place, error in list(damaged_parts(run, study)):  # all are looked at before one is renamed
        becomes = "a new one is written" if place.name == "manifest.json" else then
        say(f"{error}; renamed to {set_aside(place).name}, and {becomes}")


def damaged_parts(run: RunDirectory, study: Study, *, thorough: bool = True) -> Iterator[tuple[Path, str]]:
    """The manifest, and folders of conditions and of heads, that are not as they were written; and what is
    wrong with each. If not thorough, files that have sums are not read: those missing, of another size or
    kind are noticed.
    """
    try:
        _ = run.manifest
    except DamagedError as error:
        yield run.path / "manifest.json", f"{error.file} {error.reason}"
    for condition in study.conditions:
        for folder, files in (
            (run.path / "conditions", CONDITION_FILES),
            (run.path / "readouts", READOUT_FILES),
        ):
            place = folder / condition.id
            if (place.exists() or place.is_symlink()) and (
                wrong := _wrong(run, condition, place, files, thorough)
            ):
                yield place, wrong


def _wrong(
    run: RunDirectory, condition: Condition, place: Path, files: tuple[str, ...], thorough: bool
) -> str:
    """What is wrong with a folder; empty if nothing."""
    try:
        for name in files:
            check_regular(place / name, MOST_ARRAYS)
        check_sums(place, files, thorough=thorough)
        # of an earlier version: all that can be said is whether it can be read
        if not (place / SUMS).exists():
            _read(run, condition, place.parent.name)
    except DamagedError as error:
        return f"{error.file} {error.reason}"
    except RatewarpError as error:
        return str(error)
    return ""


def _read(run: RunDirectory, condition: Condition, kind: str) -> None:
    """Reads all of a stored condition, or of the heads on its frozen codes."""
    if kind == "readouts":
        if not run.finished(condition.id):  # heads are read with the model they are of
            return
        run.readout(condition.id)
        run.readout_params(condition.id)
        return
    described = run.condition(condition.id)
    for key in ("model", "capacity_nats", "seed"):
        if described.get(key) != getattr(condition, key):
            raise DamagedError(
                run.path / "conditions" / condition.id / "condition.json", f"is damaged: it has another {key}"
            )
    run.record(condition.id)
    run.params(condition.id)

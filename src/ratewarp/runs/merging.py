"""Merging: what several directories hold of one study, copied into one. They are read only; all of them are
checked before anything is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ratewarp._checks import RatewarpError, RequestError
from ratewarp._progress import Progress
from ratewarp.runs.directory import CONDITION_FILES, READOUT_FILES, RunDirectory, open_run
from ratewarp.runs.mending import damaged_parts, set_damage_aside
from ratewarp.runs.run_files import MOST_ARRAYS, DamagedError, check_sums, read_regular, sum_of
from ratewarp.runs.run_lock import holder_of
from ratewarp.runs.shards import Shard, noted_shard, noted_versions, shares, versions_in_words
from ratewarp.studies import Condition, Study, resolved, stored_study

KINDS = {"conditions": CONDITION_FILES, "readouts": READOUT_FILES}
COPIED_AGAIN = "it is copied again from a directory that has it"

# in a manifest: what does not hold for all directories
_OF_ONE_RUN = ("sessions", "sha256", "seconds_tables")
_NAMED = 3


class Part(NamedTuple):
    """A condition, or the heads on its frozen codes, as a directory holds it.

    Attributes:
        run: the directory.
        sums: SHA-256 of each of its files.
    """

    run: RunDirectory
    sums: dict[str, str]


Parts = dict[tuple[str, str], Part]
"""By kind, a key of `KINDS`, and id of the condition."""


def open_parts(directories: Sequence[str | Path], out: Path) -> list[RunDirectory]:
    """The directories to merge into `out`, each once; `out` itself is none of them, as what it holds is there
    already.

    Raises:
        RequestError: one is no run directory, none is left, or `out` lies in one of them.
    """
    found = {Path(one).resolve(): open_run(one) for one in directories}
    here = out.resolve()
    found.pop(here, None)
    if not found:
        raise RequestError(f"there is nothing to merge into {out}; name other run directories")
    for place, run in found.items():
        if here.is_relative_to(place):
            raise RequestError(f"{out} lies in {run.path}, which is to be read only; choose another --out")
    return list(found.values())


def common_study(runs: Sequence[RunDirectory]) -> Study:
    """The study that all directories are of.

    Raises:
        RequestError: one is of another.
    """
    first, *others = runs
    study = stored_study(first.study, first.path)
    wanted = resolved(study)
    for run in others:
        if run.study == first.study:
            continue
        own = resolved(stored_study(run.study, run.path))
        if differing := [key for key in wanted if own[key] != wanted[key]]:
            raise RequestError(
                f"{run.path} holds a part of another study than {first.path}: they differ in"
                f" {', '.join(differing)}"
            )
    return study


def take_in(
    out: RunDirectory,
    study: Study,
    runs: Sequence[RunDirectory],
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Copies every condition, and heads, that `out` does not hold, and adds the sessions of all directories
    to its manifest.

    Arguments:
        out: locked to be written to.
        study: that all are of.
        runs: the others, from `open_parts`.
        progress: called with how many conditions are looked at, then copied.
        say: called with what a person should know.

    Raises:
        RequestError: `out` holds a shard.
        RatewarpError: a directory is damaged or of other versions, two hold the same condition with different
            bytes, or `out` cannot be written. Nothing was copied, but for the last.
    """
    if shard := noted_shard(out):
        raise RequestError(f"{out.path} holds {shard}; merge into a folder of its own, with --out")
    set_damage_aside(out, study, say, COPIED_AGAIN)
    _refuse_other_versions([out, *runs], say)
    for run in runs:
        if holder := holder_of(run.path):
            say(f"{run.path} {holder.describe()}; what it has finished so far is merged")
    parts = _agreeing([out, *runs], study, progress)
    others = {place: part for place, part in parts.items() if part.run is not out}
    for number, ((kind, name), part) in enumerate(others.items()):
        progress(Progress("copying conditions", number, len(others)))
        out.write_copy(kind, name, _contents(part, kind, name))
    out.write_manifest(_manifest(out, runs))


def missing_conditions(run: RunDirectory, study: Study) -> list[Condition]:
    """Conditions of a study that its directory does not hold."""
    return [condition for condition in study.conditions if not run.finished(condition.id)]


def told_missing(out: RunDirectory, study: Study, runs: Sequence[RunDirectory]) -> list[str]:
    """Which conditions `out` lacks, in sentences: by shard where the directories are shards of one division,
    with the command that trains each.
    """
    missing = {condition.id for condition in missing_conditions(out, study)}
    if not missing:
        return []
    told = [f"{out.path}: {len(missing)} of {len(study.conditions)} conditions are missing"]
    places = {shard: run.path for run in runs if (shard := noted_shard(run))}
    divisions = {shard.of for shard in places}
    if len(divisions) != 1:
        listed = [condition.id for condition in study.conditions if condition.id in missing]
        more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
        return [*told, f"missing: {', '.join(listed[:_NAMED])}{more}; train them with: {out.command}"]
    (of,) = divisions
    for number, share in enumerate(shares(study, of), start=1):
        lacking = sum(condition.id in missing for condition in share)
        shard = Shard(number, of)
        place = places.get(shard, Path("runs") / f"{study.name}{shard.folder}")
        command = f"ratewarp run {out.path / 'study.yaml'} {shard.option} --out {place}"
        if lacking:
            told.append(f"{shard}: {lacking} of {len(share)} missing; train them with: {command}")
    return told


def _refuse_other_versions(runs: Sequence[RunDirectory], say: Callable[[str], None]) -> None:
    """Refuses directories that were not trained with the same versions of ratewarp and JAX."""
    first: tuple[RunDirectory, str] | None = None
    for run in runs:
        versions = _versions(run)
        if not versions and run.begun:
            say(f"{run.path} does not say which versions trained it; they are taken to be the same")
        for own in versions:
            first = first or (run, own)
            if own != first[1]:
                raise RatewarpError(
                    f"{run.path} was trained with {own}, {first[0].path} with {first[1]}; a run has the"
                    " numbers of one version: train one of them again"
                )


def _versions(run: RunDirectory) -> list[str]:
    """Versions that a directory was trained with, as far as it tells."""
    manifest = run.manifest
    told = [one for one in manifest.get("sessions", []) if "ratewarp" in one and "jax" in one]
    found = [versions_in_words(one["ratewarp"], one["jax"]) for one in told if one.get("trained")]
    if "ratewarp" in manifest and "jax" in manifest.get("packages", {}) and not told:
        found.append(versions_in_words(manifest["ratewarp"], manifest["packages"]["jax"]))
    return list(dict.fromkeys([*noted_versions(run), *found]))


def _agreeing(runs: Sequence[RunDirectory], study: Study, progress: Callable[[Progress], None]) -> Parts:
    """Every part that any directory holds, from the first that does.

    Raises:
        RatewarpError: one is damaged, or differs between two.
    """
    found: Parts = {}
    for number, run in enumerate(runs):
        progress(Progress(f"checking {run.path}", number, len(runs)))
        _refuse_damaged(run, study)
        for place, sums in _sums(run, study):
            other = found.setdefault(place, Part(run, sums))
            differing = [file for file, digest in sums.items() if other.sums[file] != digest]
            if differing:
                inside = Path(*place)
                raise RatewarpError(
                    f"{other.run.path / inside} and {run.path / inside} differ in {', '.join(differing)},"
                    " although they are of the same condition; leave out one of the directories"
                )
    return found


def _refuse_damaged(run: RunDirectory, study: Study) -> None:
    shard = noted_shard(run)
    wrong = [told for _, told in damaged_parts(run, study)]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        again = f"{run.command} {shard.option}" if shard else run.command
        raise RatewarpError(f"{wrong[0]}{more}; it is set aside and made again by: {again}")


def _sums(run: RunDirectory, study: Study) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """Every part that a sound directory holds, with the SHA-256 of its files."""
    for condition in study.conditions:
        for kind, files in KINDS.items():
            folder = run.path / kind / condition.id
            if folder.is_dir():
                # of an earlier version: it has no sums
                sums = check_sums(folder, files, thorough=False)
                yield (
                    (kind, condition.id),
                    sums or {file: sum_of(folder / file, MOST_ARRAYS) for file in files},
                )


def _contents(part: Part, kind: str, name: str) -> dict[str, bytes]:
    """The files of a part, as they were when it was checked."""
    found = {}
    for file, wanted in part.sums.items():
        place = part.run.path / kind / name / file
        found[file] = read_regular(place, MOST_ARRAYS)
        if sha256(found[file]).hexdigest() != wanted:
            raise DamagedError(place, "was changed while it was copied; run the same command again")
    return found


def _manifest(out: RunDirectory, runs: Sequence[RunDirectory]) -> dict[str, Any]:
    """That of `out`, with what all directories share and the sessions of each, which say where they are
    from.
    """
    manifests = [run.manifest for run in runs]
    shared = next((one for one in manifests if one), {})
    sessions = list(out.manifest.get("sessions", []))
    for run, manifest in zip(runs, manifests, strict=True):
        for session in manifest.get("sessions", []):
            told = {"directory": run.path.name, **session}
            if told not in sessions:  # as they are where a merge was interrupted, or another directory added
                sessions.append(told)
    return {
        **{name: value for name, value in shared.items() if name not in _OF_ONE_RUN},
        **out.manifest,
        "sessions": sorted(sessions, key=lambda session: str(session.get("started", ""))),
    }

"""Damaged run directories: every command that reads one says what is wrong, or gives what it gave before. How
to run: see `fuzz.harness`.

Beside what the harness counts, an attack ends with a traceback of its own (`DifferentError`) where the answer
differs from that of the undamaged run without a word, and where a file outside was changed.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from fuzz.harness import ROOT, Case, call_command, run_from_command_line

READING = ("status", "status --json", "check-paper", "bound", "view")
_RUNS = os.environ.get("RATEWARP_FUZZED_RUNS", "")
# of cases that run the study again, which takes seconds each
_RUN_SHARE = float(os.environ.get("RATEWARP_FUZZED_RUN_SHARE", "0.5"))
_MAKE = """
import sys
from pathlib import Path
from fuzz.damaged_runs import make_runs
from fuzz.fuzz_run_directories import ask_all
make_runs(Path(sys.argv[1]))
ask_all(Path(sys.argv[1]))
"""
# a program's name does not depend on the path of its folder
_ANYWHERE = {"JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none"}
_said: dict[str, str] = {}  # what every command says of the undamaged runs


class DifferentError(Exception):
    """An answer that is not that of the undamaged run, without a word."""


def runs() -> Path:
    """The folder of the undamaged runs, made by a process of its own, unless `RATEWARP_FUZZED_RUNS` names one
    that has them.
    """
    global _RUNS
    if not _RUNS:
        _RUNS = tempfile.mkdtemp(prefix="fuzzed-runs-")
        atexit.register(shutil.rmtree, _RUNS, ignore_errors=True)
    folder = Path(_RUNS)
    if not (folder / "said.json").exists():
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
        environment = {**os.environ, "PYTHONPATH": paths}
        if _RUN_SHARE:
            environment |= {"JAX_COMPILATION_CACHE_DIR": str(folder / "programs"), **_ANYWHERE}
            environment |= {
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            }
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _MAKE, str(folder)], env=environment, check=True
        )
    return folder


def ask_all(folder: Path) -> None:
    """Asks every reading command about copies of the undamaged runs and keeps what they say."""
    place = Path(tempfile.mkdtemp(prefix="fuzzed-asked-"))
    for base in ("bounded", "half"):
        shutil.copytree(folder / base, place / base)
        for command in READING:
            _said[f"{base} {command}"] = _ask(command, place / base)[1]
    shutil.rmtree(place)
    (folder / "said.json").write_text(json.dumps(_said))


def prepare() -> None:
    """Makes the runs, imports what the commands need, and reads once, so that a case does not have to begin
    with it.
    """
    folder = runs()
    os.environ.update(_ANYWHERE, JAX_COMPILATION_CACHE_DIR="programs")  # in the folder of the case
    import ratewarp.api
    import ratewarp.cli
    import ratewarp.report.views
    import ratewarp.results.paper.comparison
    import ratewarp.runs.status  # noqa: F401

    _said.update(json.loads((folder / "said.json").read_text()))
    arguments = sys.argv
    for command in ("view", "status", "bound"):
        _ask(command, folder / "bounded")
    sys.argv = arguments


def make_case(rng: random.Random, folder: Path) -> Case:
    """A copy of a run, damaged once or a few times, and a command."""
    from fuzz.damaged_runs import damage

    command = rng.choices((*READING, "run"), (1, 1, 1.5, 1.5, 1.5, _RUN_SHARE))[0]
    base = rng.choice(("whole", "half")) if command == "run" else rng.choice(("bounded", "bounded", "half"))
    run = shutil.copytree(runs() / base, folder / "run")
    if rng.random() < 0.1:
        for sums in run.rglob("sums.json"):
            sums.unlink()  # as an earlier version left it
    if command == "run":
        shutil.copytree(runs() / "programs", folder / "programs")
    told = [damage(rng, run) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    labels = "; ".join(label for label, _ in told)
    if command == "run":
        _point_inside(run)
    hidden = any(unseen for _, unseen in told) or not any(run.glob("conditions/*/sums.json"))
    return Case(f"{command} of {base}: {labels}", (command, base, "hidden" if hidden else ""), "attack")


def _point_inside(run: Path) -> None:
    """Puts pipes in the place of links that lead out: where one is replaced or renamed, the harness counts
    what it leads to as written.
    """
    for link in [place for place in run.rglob("*") if place.is_symlink()]:
        if not link.resolve().is_relative_to(run.parent.resolve()):
            link.unlink()
            os.mkfifo(link)


def attack(command: str, base: str, hidden: str) -> int:
    """Calls a command on the damaged run and compares what it says, or leaves, with the undamaged one."""
    run, outside = Path("run"), Path("outside")
    before = _contents(outside)
    if command == "run":
        return _resume(run, base, hidden, before)
    code, out, errors = _ask(command, run)
    print(out, errors, code, file=sys.stderr)
    if _contents(outside) != before:
        raise DifferentError("files outside were changed")
    quiet = code in (0, 3) and not any(word in errors for word in ("damaged", "error:", "is not finished"))
    if quiet and not hidden and not command.startswith("status") and out != _said[f"{base} {command}"]:
        raise DifferentError(f"{command} says something else: {out[:300]}")
    return code


def _resume(run: Path, base: str, hidden: str, before: dict[str, str]) -> int:
    """Runs the study again in the damaged folder."""
    study = runs() / "whole" / "study.yaml"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = _run_study(study, run)
    print(out.getvalue(), file=sys.stderr)
    if _contents(Path("outside")) != before:
        raise DifferentError("files outside were changed")
    if code == 0 and not hidden:
        wanted, found = _contents(runs() / "whole"), _contents(run)
        different = [
            name
            for name, digest in wanted.items()
            if name.startswith(("tables", "conditions")) and found.get(name) != digest
        ]
        if different := [name for name in different if not name.endswith("sums.json")]:
            raise DifferentError(f"run left other results: {different}")
    return code


def _run_study(study: Path, run: Path) -> int:
    from ratewarp._checks import RatewarpError, RequestError
    from ratewarp.api import run as run_study
    from ratewarp.studies import load_study

    try:
        run_study(
            load_study(str(study)),
            run,
            report=False,
            members_at_once=2,
            say=lambda line: print(line, file=sys.stderr),
        )
    except RequestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RatewarpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _ask(command: str, run: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a reading command, with the folder's name taken out."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as errors,
    ):
        if command == "view":
            code = _view(run)
        else:
            name, *options = command.split()
            code = call_command(name, str(run), *options, *(["--json"] if name == "check-paper" else []))
    return code, out.getvalue().replace(str(run), "RUN"), errors.getvalue()


def _view(run: Path) -> int:
    """What the report reads of a run, without drawing it."""
    from ratewarp._checks import RatewarpError
    from ratewarp.report.views import RunView
    from ratewarp.runs.directory import open_run

    try:
        view = RunView(open_run(run))
        for table in (view.models, view.tasks, view.run.table("geometry")):
            print(table.to_csv())
        for condition in view.study.conditions:
            record = view.record(condition)
            print(
                {
                    name: sha256(record[name].values.tobytes()).hexdigest()
                    for name in ("code", "rate", "image", "history_rate")
                }
            )
            view.run.params(condition.id)
        print(view.run.manifest.get("packages"))
    except RatewarpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _contents(folder: Path) -> dict[str, str]:
    """Digest of every regular file."""
    files = (
        sorted(f for f in folder.rglob("*") if f.is_file() and not f.is_symlink()) if folder.exists() else []
    )
    return {str(f.relative_to(folder)): sha256(f.read_bytes()).hexdigest() for f in files}


if __name__ == "__main__":
    run_from_command_line("fuzz.fuzz_run_directories")

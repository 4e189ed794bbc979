"""Hostile cases, each in a process of its own: what breaks, hangs, swells, or writes where it should not.

A target is a module beside this one, such as `fuzz_code_files`, with three names:

    def prepare() -> None:
        \"\"\"Imports what the command needs, once; nothing that starts threads (no JAX backend).\"\"\"

    def make_case(rng: random.Random, folder: Path) -> Case:
        \"\"\"Writes files into the empty `folder`; says which arguments the command is called with, from
        inside it.\"\"\"

    if __name__ == "__main__":
        run_from_command_line("fuzz.my_target")

It is run from the root of the project, long or short:

    PYTHONPATH=src:tests python -m fuzz.fuzz_code_files --cases 3000 --seed 0 --seconds 1800
    PYTHONPATH=src:tests python -m fuzz.fuzz_code_files --seed 0 --only 17 --keep /tmp/case  # one again

and by a test as `run_cases("fuzz.my_target", cases=100, seed=0)`, whose `Tally` must have no `failures`. A
case may call something other than the command line: set `Case.attack` to a function that the target defines,
by name.

Each of a few workers imports the target once and forks a process a case, so that nothing is carried from one
to the next. Linux only: memory and writes are watched there.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 10**9  # bytes that a case may need beyond what the worker held
ADDRESSES = 3 * 10**9  # bytes that a case can ask for at all
MOST_WRITTEN = 10**9  # bytes of any file that it writes
# times the seconds of work, that a case may last: on a busy machine it gets a part of one processor
PATIENCE = 12
_EVERY = 250  # cases after which a line says how far it is
TRACEBACK = 70  # exit code of an exception that nobody caught
CANARY = b"untouched"
_STRAY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Case(NamedTuple):
    """What is tried.

    Attributes:
        label: what was made, for the report.
        arguments: of the command, or of the attack.
        attack: name of a function of the target that takes the arguments; the command line where it is empty.
    """

    label: str
    arguments: tuple[str, ...]
    attack: str = ""


class Failure(NamedTuple):
    """What went wrong in one case: traceback, signal, hang, memory, write, escape."""

    kind: str
    number: int
    label: str
    detail: str


class Tally(NamedTuple):
    """What came of all cases.

    Attributes:
        cases: how many were tried.
        codes: how often the command ended with which exit code.
        failures: what went wrong.
        slowest: seconds that the slowest case took.
        largest: bytes that the largest case needed beyond what its worker held.
    """

    cases: int
    codes: dict[int, int]
    failures: tuple[Failure, ...]
    slowest: float
    largest: int

    def __str__(self) -> str:
        counts = Counter(failure.kind for failure in self.failures)
        kinds = ("traceback", "signal", "hang", "memory", "write", "escape")
        wrong = ", ".join(f"{kind} {counts[kind]}" for kind in kinds)
        codes = ", ".join(f"{code}: {self.codes[code]}" for code in sorted(self.codes))
        most = f"slowest {self.slowest:.1f} s, largest {self.largest / 1e6:.0f} MB"
        lines = [f"{self.cases} cases; exit codes {codes}; {most}", wrong]
        for failure in self.failures:
            lines.append(f"  {failure.kind} in case {failure.number} ({failure.label}): {failure.detail}")
        return "\n".join(lines)


def run_cases(
    target: str,
    *,
    cases: int,
    seed: int,
    seconds: float = 3600,
    limit: float = 5,
    memory: int = MOST_MEMORY,
    workers: int = 1,
) -> Tally:
    """Tries cases of a target, in as many workers.

    Arguments:
        target: name of the module, such as `fuzz.fuzz_code_files`.
        cases: how many.
        seed: of all of them; case n is the same whatever the others are.
        seconds: after which no further case is begun.
        limit: seconds of work that one case may take, and a twelfth of those that it may last.
        memory: bytes that it may need beyond what its worker held.
        workers: processes side by side.
    """
    ours, theirs = os.pipe()
    started = []
    for worker in range(workers):
        asked = {
            "target": target,
            "numbers": [worker, cases, workers],
            "seed": seed,
            "seconds": seconds,
            "limits": [limit, memory],
        }
        started.append(_worker(asked, theirs))
    os.close(theirs)
    outcomes = []
    with open(ours, encoding="utf-8") as lines:
        for line in lines:
            outcomes.append(json.loads(line))
            if len(outcomes) % _EVERY == 0:
                print(f"{target}: {len(outcomes)} cases, {_tally(outcomes)}", file=sys.stderr, flush=True)
    if codes := [process.returncode for process in started if process.wait()]:
        raise RuntimeError(f"a worker of {target} ended with {codes[0]}; see its traceback above")
    return _tally(outcomes)


def run_from_command_line(target: str) -> NoReturn:
    """`--cases N --seed S --seconds T`, or one case again; prints the tally, exit code 1 if anything went
    wrong.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {target}")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600, help="begin no case after so many")
    parser.add_argument("--limit", type=float, default=5, help="seconds of work that a case may take")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", type=int, help="number of the one case to try")
    parser.add_argument("--keep", type=Path, help="new folder to keep its files in, with what it printed")
    asked = parser.parse_args()
    if asked.only is None:
        tally = run_cases(
            target,
            cases=asked.cases,
            seed=asked.seed,
            seconds=asked.seconds,
            limit=asked.limit,
            workers=asked.workers,
        )
    else:
        module = _prepared(target)
        tally = _tally([_tried(module, asked.only, asked.seed, asked.limit, keep=asked.keep)])
    print(tally)
    sys.exit(1 if tally.failures else 0)


def _tally(outcomes: list[dict[str, Any]]) -> Tally:
    failures = [
        Failure(kind, one["number"], one["label"], detail)
        for one in outcomes
        for kind, detail in one["wrong"]
    ]
    codes = Counter(one["code"] for one in outcomes)
    slowest = max((one["seconds"] for one in outcomes), default=0.0)
    largest = max((one["memory"] for one in outcomes), default=0)
    return Tally(
        len(outcomes), dict(codes), tuple(sorted(failures, key=lambda one: one.number)), slowest, largest
    )


def _worker(asked: dict[str, Any], out: int) -> subprocess.Popen[bytes]:
    """A process that tries its share of the cases and prints an outcome a line."""
    paths = [str(ROOT / "src"), str(ROOT / "tests"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {
        **os.environ,
        **threads,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", "from fuzz.harness import work; work()", json.dumps(asked)]
    return subprocess.Popen(command, env=environment, stdout=out)


def work() -> None:
    """What a worker does; called in a process of its own."""
    asked = json.loads(sys.argv[1])
    module = _prepared(asked["target"])
    end = time.monotonic() + asked["seconds"]
    for number in range(*asked["numbers"]):
        if time.monotonic() > end:
            break
        line = json.dumps(_tried(module, number, asked["seed"], *asked["limits"]))
        sys.stdout.write(f"{line}\n")  # at once: other workers write into the same pipe
        sys.stdout.flush()


def _prepared(target: str) -> Any:
    module = importlib.import_module(target)
    module.prepare()
    gc.freeze()  # a collection in a forked process would copy every page that it looks at
    return module


def _tried(
    module: Any, number: int, seed: int, limit: float, most: int = MOST_MEMORY, keep: Path | None = None
) -> dict[str, Any]:
    """One case: made here, attacked in a process of its own, judged by what is left."""
    place = keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder, canary = place / "case", place / "canary"
    folder.mkdir(parents=True)
    canary.write_bytes(CANARY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what makes hostile files
        case = module.make_case(random.Random(f"{seed}-{number}"), folder)
    attack = getattr(module, case.attack) if case.attack else call_command
    outcome = _attacked(attack, case.arguments, place, limit, most)
    if canary.read_bytes() != CANARY or {file.name for file in place.iterdir()} - {
        "case",
        "canary",
        "printed",
        "writes",
    }:
        outcome["wrong"].append(("write", "files beside the folder of the case were changed"))
    if keep is None:
        shutil.rmtree(place, ignore_errors=True)
    else:
        print(case, file=sys.stderr)
    return {"number": number, "label": case.label, **outcome}


def _attacked(
    attack: Callable[..., int], arguments: tuple[str, ...], place: Path, limit: float, most: int
) -> dict[str, Any]:
    held = _held()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _be_the_case(attack, arguments, place, limit)
    status, usage, hung = _waited(pid, start + PATIENCE * limit)
    hung |= os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    seconds = time.monotonic() - start
    memory = max(0, usage.ru_maxrss * 1024 - held)
    printed = (place / "printed").read_bytes() if (place / "printed").exists() else b""
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    wrong = list(_wrong(code, hung, printed.decode("utf-8", "surrogateescape"), seconds))
    wrong += [("memory", f"{memory / 1e9:.2f} GB")] if memory > most else []
    wrong += [("write", line) for line in _lines(place / "writes")]
    return {"code": code, "wrong": wrong, "seconds": seconds, "memory": memory}


def _wrong(code: int, hung: bool, printed: str, seconds: float) -> Iterator[tuple[str, str]]:
    last = (printed.strip().splitlines() or [""])[-1][:300]
    if hung:
        yield "hang", f"stopped after {seconds:.1f} s"
    elif code < 0:
        yield "signal", signal.Signals(-code).name
    if "Traceback (most recent call last)" in printed or code == TRACEBACK:
        yield "traceback", last
    elif code not in (0, 1, 2, 3) and not hung and code >= 0:
        yield "traceback", f"exit code {code}: {last}"
    if found := _STRAY.search(printed):
        yield "escape", f"{found.group()!r} in {printed[max(0, found.start() - 60) : found.end() + 20]!r}"


def _waited(pid: int, end: float) -> tuple[int, resource.struct_rusage, bool]:
    """How a process ended, killed if it had not by `end`."""
    handle = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([handle], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
    finally:
        os.close(handle)
    return status, usage, not ready


def _be_the_case(
    attack: Callable[..., int], arguments: tuple[str, ...], place: Path, limit: float
) -> NoReturn:
    """The forked process: its own group, folder and limits; what it prints and where it writes is kept."""
    code = TRACEBACK
    try:
        os.setpgid(0, 0)
        printed = os.open(place / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        writes = os.open(place / "writes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, printed), (2, printed)):
            os.dup2(source, target)
        sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        os.chdir(place / "case")
        resource.setrlimit(resource.RLIMIT_AS, (_addresses() + ADDRESSES,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(limit), ceil(limit) + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN,) * 2)
        _watch_writes(place / "case", writes)
        code = attack(*arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


_EVENTS = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _watch_writes(folder: Path, writes: int) -> None:
    """Notes every file that is opened for writing, made, renamed or removed outside the folder of the case."""
    inside = f"{folder.resolve()}{os.sep}"

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        resolve = os.path.realpath
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & _WRITING:
                return
            if flags & os.O_NOFOLLOW:
                resolve = os.path.abspath  # a link is refused, not followed
        elif event not in _EVENTS:
            return
        for name in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
            if not isinstance(name, str | bytes | os.PathLike):
                continue
            path = resolve(os.fsdecode(name))
            if not path.startswith(inside) and path != os.devnull:
                os.write(writes, f"{event} {path!r}\n".encode())

    sys.addaudithook(look)


def call_command(*arguments: str) -> int:
    """The command `ratewarp` in this process; its exit code."""
    from ratewarp.cli import main

    sys.argv = ["ratewarp", *arguments]
    try:
        main()
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
            return 1
        return leaving.code or 0
    return 0


def _lines(file: Path) -> list[str]:
    return sorted(set(file.read_text(errors="replace").splitlines())) if file.exists() else []


@lru_cache(maxsize=1)
def _held() -> int:
    """Bytes that a process forked from this one holds before it does anything, as of the first case."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.wait4(pid, 0)[2].ru_maxrss * 1024


def _addresses() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

"""Signals at random moments: every command must end within five seconds with the right code, and runs must
resume to the same bytes.

    python benchmarks/signals.py --each 50 --out docs/results/signals.csv

Every command is first timed; then it is started again and again and gets one signal at a moment drawn
uniformly between its start and its end. A run that was stopped is started again in the same folder until it
ends by itself, and its tables, records and parameters are compared with those of a run that nobody stopped. A
command that had done its work before it heard of the signal, and says so by exit code 0, is counted apart; so
is one that got its signal before Python had begun to run this package.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import signal
import subprocess
import sys
import time
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
LIMIT_SECONDS = 5.0
COLD = "run, nothing compiled yet"
STUDY = """
name: stopped
network: {latents: 2, convolutions: [{filters: 8, kernel: 4}, {filters: 8}]}
recipe: {steps: 400}
training_images: 5000
validation_each: 8
codes_each: 4
bound_points: 4
models: {baseline: {}, E2M1: {tasks: [E2M1]}}
readouts: {baseline: [E2M1]}
capacities_nats: [0.3, 3]
"""
COLUMNS = ["command", "signal", "after_seconds", "took_seconds", "exit_code", "verdict"]


def commands(folder: Path) -> dict[str, list[str]]:
    """Every kind of long work, by name; `run` is given its folder later."""
    program = str(Path(sys.executable).with_name("ratewarp"))
    return {
        "run": [program, "run", "study.yaml", "--checkpoint-every", "0"],
        "run --dry-run": [program, "run", "many.yaml", "--dry-run"],
        "report": [program, "report", "whole"],
        "measure": [
            program,
            "measure",
            "codes.npz",
            "--interval",
            "bca",
            "--resamples",
            "5000",
            "--permutations",
            "5000",
        ],
        "bound": [program, "bound", "corridors", "--points", "40"],
        "bench": [
            program,
            "bench",
            "--rounds",
            "1",
            "--seconds",
            "1",
            "--members",
            "1",
            "--without",
            "start-up",
        ],
    }


def prepare(folder: Path) -> None:
    """Study files and codes."""
    import numpy as np

    (folder / "study.yaml").write_text(STUDY)
    models = ", ".join(f"m{i}: {{}}" for i in range(500))
    (folder / "many.yaml").write_text(f"models: {{{models}}}\ncapacities_nats: [0.3, 3]\n")
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(3000, 10))
    np.savez(
        folder / "codes.npz",
        codes=codes,
        reference=codes + rng.normal(size=codes.shape),
        labels=rng.integers(0, 3, 3000),
    )


def timed(command: list[str], folder: Path) -> float:
    """Seconds that a command takes if nobody stops it."""
    started = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - started


def contents(run: Path) -> dict[str, bytes]:
    """What must be the same."""
    places = [*run.glob("tables/*.csv"), *run.glob("conditions/*/*"), *run.glob("readouts/*/*")]
    return {str(file.relative_to(run)): file.read_bytes() for file in sorted(places)}


def attack(command: list[str], folder: Path, number: signal.Signals, after: float) -> tuple[float, int, str]:
    """Starts a command, sends it one signal, and tells how long it took to end, its exit code and what it
    said.
    """
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, errors = process.communicate(timeout=after)
        return 0.0, process.returncode, errors
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    sent = time.monotonic()
    try:
        _, errors = process.communicate(timeout=60)
        took = time.monotonic() - sent
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, errors = process.communicate()
        took = 60.0
    return took, process.returncode, errors


def verdict(took: float, code: int, errors: str, number: signal.Signals) -> str:
    """In a word or two."""
    if "Traceback" in errors or "Exception ignored" in errors:
        places = set(re.findall(r"ratewarp/(\w+)\.py", errors))
        return "early" if places <= {"__init__", "__main__"} else "traceback"
    if took > LIMIT_SECONDS:
        return "too late"
    if code == 0:
        return "finished"
    if code == -number:
        return "early"
    return "ended" if code == CODES[number] else "wrong code"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--each", type=int, default=50, help="signals of each kind")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    asked = options.parse_args()
    # signals that are ignored here would be ignored by the commands, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    rng, rows = random.Random(asked.seed), []
    with TemporaryDirectory(prefix="ratewarp-signals-") as place:
        folder = Path(place)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        prepare(folder)
        works = commands(folder)
        lasting = {}
        for name, command in [
            (COLD, [*works["run"], "--out", "whole"]),
            ("run", [*works["run"], "--out", "again"]),
            *works.items(),
        ]:
            if name not in lasting:
                lasting[name] = timed(command, folder)
                print(f"{name}: {lasting[name]:.1f} s", flush=True)
        expected = contents(folder / "whole")
        assert contents(folder / "again") == expected
        numbers = [number for number in CODES for _ in range(asked.each)]
        rng.shuffle(numbers)
        runs, same, begun = count(1), 0, folder / "run0"
        names = cycle(
            ["run", "report", "run", "run --dry-run", "run", "measure", "run", "bound", COLD, "bench"]
        )
        for number, name in zip(numbers, names, strict=False):
            running = name in ("run", COLD)
            command = [*works["run"], "--out", begun.name] if running else works[name]
            after = rng.uniform(0, lasting[name])
            cache = f"cache{len(rows)}" if name == COLD else "cache"
            os.environ["XDG_CACHE_HOME"] = str(folder / cache)
            took, code, errors = attack(command, folder, number, after)
            os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
            rows.append(
                dict(
                    zip(
                        COLUMNS,
                        [
                            name,
                            number.name,
                            f"{after:.2f}",
                            f"{took:.2f}",
                            code,
                            verdict(took, code, errors, number),
                        ],
                        strict=True,
                    )
                )
            )
            print(rows[-1], flush=True)
            if rows[-1]["verdict"] in ("traceback", "wrong code", "too late"):
                print(errors, flush=True)
            if running and (code == 0 or rng.random() < 0.2):
                subprocess.run(
                    [*works["run"], "--out", begun.name], cwd=folder, check=True, capture_output=True
                )
                assert contents(begun) == expected, f"{begun} differs"
                same, begun = same + 1, folder / f"run{next(runs)}"
        subprocess.run([*works["run"], "--out", begun.name], cwd=folder, check=True, capture_output=True)
        assert contents(begun) == expected, f"{begun} differs"
        print(f"{same + 1} stopped runs ended with the same bytes")
    for kind in sorted({row["verdict"] for row in rows}):
        chosen = [row for row in rows if row["verdict"] == kind]
        print(f"{kind}: {len(chosen)}, longest {max(float(row['took_seconds']) for row in chosen):.2f} s")
    if asked.out:
        with asked.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()

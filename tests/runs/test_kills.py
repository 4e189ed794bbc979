"""Training processes are killed at many moments; what they leave resumes to the same bytes as a run that was
not killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ratewarp.runs.directory import TABLES

KILLS = int(os.environ.get("RATEWARP_KILLS", "5"))  # at least; more take long


class _Killable:
    """The process of `killable.py`."""

    def __init__(self, folder: Path):
        # a process with one thread can be forked safely
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        command = [
            sys.executable,
            "-W",
            "ignore",
            str(Path(__file__).parents[1] / "killable.py"),
            str(folder / "log.json"),
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, out: Path, *, after: float | None = None, **order) -> dict:
        """Runs the study once; `after` so many seconds it is killed from here, if it still runs."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"out": str(out), **order}) + "\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        timer = threading.Timer(after, os.kill, (child, signal.SIGKILL)) if after is not None else None
        if timer:
            timer.start()
        answer = json.loads(self.process.stdout.readline())
        if timer:
            timer.cancel()
        assert answer["stage"] != "failed", answer
        return answer


@pytest.fixture(scope="module")
def killable(tmp_path_factory):
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    started = _Killable(tmp_path_factory.mktemp("killable"))
    with started.process:
        yield started


def _contents(out: Path) -> dict[str, bytes]:
    """Every table, and the files of every condition."""
    return {
        str(f.relative_to(out)): f.read_bytes()
        for f in sorted([*out.glob("tables/*"), *out.glob("conditions/*/*")])
    }


def _orders(rng: random.Random):
    """First a kill in each place that must be among them, then any."""
    yield {"stage": "write_checkpoint", "at": rng.randint(1, 3), "mode": "half"}
    yield {"stage": "write_checkpoint", "at": rng.randint(4, 9), "mode": "after"}
    yield {"stage": "write_condition", "at": rng.randint(1, 5), "mode": "half"}
    # between conditions of a wave
    yield {"stage": "write_condition", "at": rng.randint(6, 9), "mode": "before"}
    yield {"stage": "write_table", "at": rng.randint(1, 9), "mode": "before"}
    while True:
        yield {"at": rng.randint(1, 20), "mode": rng.choice(["before", "after", "half"])}


def test_a_run_killed_again_and_again_ends_with_the_same_bytes(killable, tmp_path):
    assert killable.run(tmp_path / "whole")["stage"] == "finished"
    whole = _contents(tmp_path / "whole")
    assert len(whole) == len(TABLES) + 4 * 4
    started = time.monotonic()  # the programs are compiled and kept now
    killable.run(tmp_path / "timed")
    seconds = time.monotonic() - started
    rng = random.Random(20)
    orders, happened = _orders(rng), []
    for number in range(100):
        out = tmp_path / f"killed{number}"
        for _ in range(8):
            blind = len(happened) > KILLS // 2 and rng.random() < 0.3
            answer = (
                killable.run(out, after=rng.uniform(0, seconds))
                if blind
                else killable.run(out, **next(orders))
            )
            if not answer["killed"]:
                break
            happened.append(answer["stage"])
        assert answer["stage"] == "finished" or killable.run(out)["stage"] == "finished"
        assert _contents(out) == whole
        assert {f.name for f in out.iterdir()} == {"study.yaml", "manifest.json", "conditions", "tables"}
        if len(happened) >= KILLS:
            break
    assert len(happened) >= KILLS
    print(f"{len(happened)} kills in {number + 1} runs: {happened}")
    assert {"write_checkpoint", "write_condition", "write_table"} <= set(happened)

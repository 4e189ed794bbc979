"""A target with one case for each fault that the harness must notice, and one without."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from fuzz.harness import Case, run_from_command_line

FAULTS = ("none", "traceback", "signal", "hang", "memory", "write", "escape")


def prepare() -> None:
    """Nothing is needed."""


def make_case(rng: random.Random, folder: Path) -> Case:
    """One of the faults, drawn."""
    fault = FAULTS[rng.randrange(len(FAULTS))]
    return Case(fault, (fault, str(folder.parent)), attack="fail")


def fail(fault: str, outside: str) -> int:
    """Does what it is told to."""
    if fault == "traceback":
        raise ValueError("nobody catches this")
    if fault == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "hang":
        time.sleep(60)
    if fault == "memory":
        print(len(bytearray(b"x") * (2 * 10**8)))
    if fault == "write":
        with open(os.path.join(outside, "canary"), "a") as canary:
            canary.write("and more")
    if fault == "escape":
        print("\x1b[31mred", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_from_command_line("fuzz.known_faults")

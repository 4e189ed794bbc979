"""Hostile files and requests for `ratewarp bound`. How to run it: see `fuzz.harness`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from fuzz.harness import Case, run_from_command_line
from fuzz.hostile_files import hostile_file


def prepare() -> None:
    """Imports what `bound` needs."""
    import h5py  # noqa: F401
    import xarray  # noqa: F401

    import ratewarp.cli
    import ratewarp.report.bound_figure
    import ratewarp.results.bound_request
    import ratewarp.theory  # noqa: F401


def make_case(rng: random.Random, folder: Path) -> Case:
    """A file with distortions or means, and options that may be out of range."""
    path, label = hostile_file(rng, folder, "source", _world(rng))
    arguments = ["bound", path.name, "--points", rng.choice(("2", "3", "5"))]
    if rng.random() < 0.15:
        wide = (
            "0",
            "0.1,0.2",
            "nan",
            "inf",
            "1e308",
            "-1",
            "a\x1b[31m",
            "1e-320",
            "," * 50,
            "0.1," * 400 + "1",
        )
        arguments = ["bound", path.name, f"--rates={rng.choice(wide)}"]
    if rng.random() < 0.15:
        arguments += [f"--tolerance={rng.choice(('1e-300', '0', 'nan', 'inf', '1', '1e-3', '-1', '1e-12'))}"]
    if rng.random() < 0.1:
        arguments += ["--out", rng.choice(("out.csv", "x" * 300, "none/out.csv", "\x1b[31m/x", path.name))]
    if rng.random() < 0.1:
        arguments += ["--figure", rng.choice(("out.png", "x" * 300 + ".png", "out.\x1b[1m"))]
    if rng.random() < 0.1:
        arguments += [rng.choice(("--json", "--frequency=E1M1", "--tasks=E2M1", "--task-weight=1"))]
    return Case(label, tuple(arguments))


def _world(rng: random.Random) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(rng.getrandbits(32))
    stimuli, points = rng.choice((1, 2, 4, 6)), rng.choice((1, 2, 5))
    p = draw.random(stimuli) + 0.01
    world = {"p": p / p.sum()} if rng.random() < 0.7 else {}
    if rng.random() < 0.6:
        return {**world, "d": draw.random((stimuli, points)).round(rng.choice((1, 9)))}
    return {**world, "means": draw.random((stimuli, points))}


if __name__ == "__main__":
    run_from_command_line("fuzz.fuzz_bound_files")

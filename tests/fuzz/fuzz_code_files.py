"""Hostile files and requests for `ratewarp measure`. How to run it: see `fuzz.harness`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from fuzz.harness import Case, run_from_command_line
from fuzz.hostile_files import NAMES, hostile_file

ROLES = ("codes", "labels", "factors", "stimuli", "reference", "frequency", "noise", "reference-noise", "ids")


def prepare() -> None:
    """Imports what `measure` needs."""
    import h5py  # noqa: F401
    import xarray  # noqa: F401

    import ratewarp.cli
    import ratewarp.codes.measurement
    import ratewarp.codes.request
    import ratewarp.report.measured  # noqa: F401


def make_case(rng: random.Random, folder: Path) -> Case:
    """A file of codes, sometimes a second one, and options that may name what is not there."""
    first, label = hostile_file(rng, folder, "own", _world(rng))
    arguments = ["measure", first.name, "--permutations", rng.choice(("0", "20"))]
    if rng.random() < 0.3:
        second, other = hostile_file(rng, folder, "second", _world(rng))
        role = rng.choice(ROLES)
        key = "" if rng.random() < 0.5 else f":{rng.choice((*ROLES, *NAMES))}"
        arguments += [f"--{role}", f"{second.name}{key}"]
        label += f", {role} of {other}"
    asking = rng.random() < 0.3
    for role in ROLES:
        if asking and f"--{role}" not in arguments and rng.random() < 0.3:
            arguments += [f"--{role}={_key(rng)}"]
    if rng.random() < 0.1:
        arguments += ["--figure", rng.choice(("out.png", "x" * 300 + ".png", "none/out.png", "out.\x1b[1m"))]
    if rng.random() < 0.1:
        arguments += [
            rng.choice(
                ("--extra", "--json", "--interval=bca", "--interval=\x1b[31m", "--seed=99999999999999999999")
            )
        ]
    if rng.random() < 0.3:
        arguments += [f"--kind={rng.choice(('distances', 'squared distances', 'codes', 'x'))}"]
        arguments += rng.choice(([], [], ["--subject=mean"], ["--subject=1"], ["--reference-kind=codes"]))
    if rng.random() < 0.1:
        arguments += ["--codes=RDMs.RDM"]
    return Case(label, tuple(arguments))


def _key(rng: random.Random) -> str:
    return rng.choice(
        (
            rng.choice(ROLES),
            rng.choice(NAMES),
            ",".join(rng.choices(ROLES, k=3)),
            "x" * 5000,
            "own.npz:codes",
            "no.csv",
            "c*",
        )
    )


def _world(rng: random.Random) -> dict[str, np.ndarray]:
    """Arrays that fit together, not too many items."""
    draw = np.random.default_rng(rng.getrandbits(32))
    items = rng.choice((2, 3, 8, 24))
    factors = np.stack([np.arange(items) % 4 // 2, np.arange(items) % 2 + 1], axis=1)
    codes = draw.standard_normal((items, rng.choice((1, 3, 5))))
    if rng.random() < 0.15:
        codes = np.linalg.norm(codes[:, None] - codes, axis=2)
    world = {
        "codes": codes,
        "labels": rng.choice((np.array(["a", "b"]), np.array([0, 1])))[np.arange(items) % 2],
        "factors": factors,
        "reference": draw.standard_normal((items, 4)),
        "frequency": factors[:, 0] + 0.5,
        "noise": draw.random(codes.shape),
        "ids": np.array([f"i{place}" for place in range(items)]),
        "stimuli": factors @ [3, 1],
    }
    return {name: value for name, value in world.items() if name == "codes" or rng.random() < 0.5}


if __name__ == "__main__":
    run_from_command_line("fuzz.fuzz_code_files")

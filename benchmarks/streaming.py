"""What it costs to read stored images from disk while training, and how much memory.

    python benchmarks/streaming.py FOLDER [IMAGES]

Writes a file of that many images of 64 × 64 × 3 (500,000 unless told otherwise, 6.1 GB) to FOLDER, and prints
as JSON: seconds to look at all of them, and the most memory held by a process that opens them and trains for
some steps; then, for 20,000 images (0.25 GB), the time of a model-step held on the device and streamed, in
alternation, and their ratio. The files are removed at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROUNDS, STEPS, MEMBERS, FEW = 5, 12, 4, 20_000
SHAPE = (64, 64, 3)


def write(path: Path, images: int) -> None:
    """Images of bytes at random, blurred by doubling: nothing but their size matters."""
    rng = np.random.default_rng(0)
    found = np.lib.format.open_memmap(path, "w+", np.uint8, (images, *SHAPE))
    for first in range(0, images, 10_000):
        small = rng.integers(0, 256, (min(10_000, images - first), 16, 16, 3), np.uint8)
        found[first : first + 10_000] = small.repeat(4, axis=1).repeat(4, axis=2)
    found.flush()


def whole(path: Path) -> dict[str, Any]:
    """Opens all images and trains on them a little."""
    from ratewarp.bench.contestant import peak_bytes

    clock = time.perf_counter()
    study = study_of(path)
    looked = time.perf_counter() - clock
    seconds = next(turns(study, held=False))
    return {"seconds_to_look": looked, "ms_per_model_step": 1e3 * seconds, "peak_bytes": peak_bytes()}


def study_of(path: Path) -> Any:
    from ratewarp import Study
    from ratewarp.sources import ImageFiles

    network = {"kind": "convolutional", "convolutions": "by size", "latents": 10}
    return Study(source=ImageFiles(path), network=network, capacities_nats=[10], seeds=list(range(MEMBERS)))


def turns(study: Any, held: bool) -> Any:
    """Seconds a model-step, again and again."""
    import jax

    from ratewarp.runs.waves import plan_of, stack_members
    from ratewarp.sources.images import Stream, make_images
    from ratewarp.training.loop import train

    key, counts = jax.random.key(0), study.conditions[0].setting.image_counts()
    source = study.source
    images = (
        make_images(source, counts, key=key, most_bytes=float("inf")) if held else Stream(source, key=key)
    )
    members = stack_members(study.conditions, MEMBERS)
    running = train(plan_of(study.conditions[0].setting), members, images)
    done, _, _ = next(running)  # compiles
    while True:
        clock, start = time.perf_counter(), done
        while done - start < STEPS:
            done, state, _ = next(running)
            jax.block_until_ready(state)
        yield (time.perf_counter() - clock) / (done - start) / MEMBERS


def main() -> None:
    from ratewarp._cores import use_every_core

    use_every_core()
    folder, images = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500_000
    file, few = folder / "streaming.npy", folder / "streaming-few.npy"
    if sys.argv[3:] == ["whole"]:
        print(json.dumps(whole(file)))
        return
    write(file, images)
    try:
        again = [sys.executable, __file__, str(folder), str(images), "whole"]
        found = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
        write(few, FEW)
        study = study_of(few)
        contest = {"held": turns(study, True), "streamed": turns(study, False)}
        times: dict[str, list[float]] = {name: [] for name in contest}
        for _ in range(ROUNDS):
            for name, turn in contest.items():
                times[name].append(next(turn))
    finally:
        file.unlink()
        few.unlink(missing_ok=True)
    middle = {f"{name}_ms_per_model_step": 1e3 * median(one) for name, one in times.items()}
    ratios = [a / b for a, b in zip(times["streamed"], times["held"], strict=True)]
    print(
        json.dumps({"images": images, **found, **middle, "ratio": median(ratios), "ratios": ratios}, indent=2)
    )


if __name__ == "__main__":
    main()

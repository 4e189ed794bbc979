"""What measuring costs: the class distortion matrix of 100,000 codes beside its bare matrix products, and
1,522 codes with 1,000 resamples.

    python benchmarks/measures.py OUT [ITEMS]

Three rounds in alternation, wall time. The products are those of the same tiles (512 × 512 items on and above
the diagonal, 50 latents, codes and reference) by as many threads, with nothing done to what they give. The
resamples are of every measure with a reference and one task, `bca`; `everything` is the same with the default
interval and 1,000 permutations; `class_distance` has intervals; `subjects` are 40 × 92 conditions × 100 time
points, all measures with intervals. Writes OUT/measures.json with every
timing, and the highest memory of the process.
"""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from os import cpu_count
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

import ratewarp
from ratewarp.geometry import class_distortion_matrix
from ratewarp.geometry.measuring import Representation, Settings, measure_codes

ITEMS, LATENTS, CLASSES, TILE, ROUNDS = 100_000, 50, 25, 512, 3


def products(codes: np.ndarray, reference: np.ndarray) -> None:
    """The matrix products of all tiles of both sets of codes."""
    edges = [slice(start, start + TILE) for start in range(0, len(codes), TILE)]

    def tile(place: tuple[slice, slice]) -> None:
        for one in (codes, reference):
            one[place[0]] @ one[place[1]].T

    with threadpool_limits(1), ThreadPoolExecutor(cpu_count()) as pool:
        for _ in pool.map(tile, combinations_with_replacement(edges, 2)):
            pass


def resampled() -> None:
    """Every measure of 1,522 codes in five latents, with 1,000 resamples."""
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(1522, 5))
    labels = (reference[:, 0] > 0).astype(int)
    ratewarp.measure(
        reference + labels[:, None], reference=reference, labels=labels, interval="bca", resamples=1000
    )


def everything() -> None:
    """Every measure of 1,522 codes in five latents, with 1,000 permutations."""
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(1522, 5))
    labels = (reference[:, 0] > 0).astype(int)
    ratewarp.measure(reference + labels[:, None], reference=reference, labels=labels)


def subjects() -> None:
    """Every measure of 40 subjects × 92 conditions × 100 time points, against a reference."""
    rng = np.random.default_rng(0)
    labels, reference = np.arange(92) % 4, rng.normal(size=(92, 20))
    sets = [rng.normal(size=(92, 20, 100)) + (labels == 1)[:, None, None] for _ in range(40)]
    ratewarp.measure_several(sets, labels, reference=reference)


def main(out: Path, items: int = ITEMS) -> None:
    """Times, writes and prints."""
    rng = np.random.default_rng(0)
    codes, reference = rng.normal(size=(2, items, LATENTS))
    classes = rng.integers(0, CLASSES, items)
    every = np.arange(items)
    pair = [Representation(one, every) for one in (codes, reference)]
    one_measure = Settings(permutations=0, measures=("class_distance",))
    jobs = {
        "products": lambda: products(codes, reference),
        "class_distortion": lambda: class_distortion_matrix(codes, reference, classes),
        "class_distance": lambda: list(measure_codes(pair[0], {"": classes}, pair[1], one_measure)),
        "everything": everything,
        "resamples": resampled,
        "subjects": subjects,
    }
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            start = perf_counter()
            job()
            seconds[name].append(round(perf_counter() - start, 3))
            print(name, seconds[name][-1], flush=True)
    found = {
        "items": items,
        "latents": LATENTS,
        "classes": CLASSES,
        "cores": cpu_count(),
        "seconds": seconds,
        "over_products": median(
            a / b for a, b in zip(seconds["class_distortion"], seconds["products"], strict=True)
        ),
        "peak_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "measures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))

"""Rate–distortion curves of small sources: ours beside dit's Blahut–Arimoto, timed in alternation.

    python benchmarks/bound.py [ROUNDS]

Sources of 2 to 32 outcomes under the Hamming distortion, which is what dit's `RDCurve` is written for, with its own settings (100 restarts
of at most 100 steps a slope) and as many slopes as ours has rates. Prints one row a size: median seconds of each, and how far dit's
distortion lies above ours at dit's own rates. Needs the extra `bench`.
"""

from __future__ import annotations

import sys
from time import perf_counter

import dit
import numpy as np
import pandas as pd
from dit.rate_distortion import RDCurve

from ratewarp.theory import Curve, rate_distortion

SIZES = (2, 4, 8, 16, 32)
POINTS = 21


def _dit_curve(p: np.ndarray) -> RDCurve:
    outcomes = [(str(i),) for i in range(len(p))]
    return RDCurve(dit.Distribution(outcomes, p), beta_num=POINTS, method="ba")


def _our_curve(p: np.ndarray) -> Curve:
    return rate_distortion(p, 1 - np.eye(len(p)), points=POINTS)


def _row(size: int, rounds: int) -> dict[str, float]:
    p = np.random.default_rng(size).dirichlet(np.ones(size))
    seconds = np.zeros((rounds, 2))
    for i in range(rounds):
        start = perf_counter()
        theirs = _dit_curve(p)
        middle = perf_counter()
        ours = _our_curve(p)
        seconds[i] = middle - start, perf_counter() - middle
    excess = theirs.distortions - ours.distortion(np.maximum(theirs.rates, 0) * np.log(2))
    return {
        "outcomes": size,
        "dit_seconds": np.median(seconds[:, 0]),
        "ratewarp_seconds": np.median(seconds[:, 1]),
        "our_largest_gap_nats": ours.table["gap_nats"].max(),
        "dit_least_excess": excess.min(),
        "dit_largest_excess": excess.max(),
    }


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(pd.DataFrame([_row(size, rounds) for size in SIZES]).to_string(index=False, float_format="{:.2e}".format))

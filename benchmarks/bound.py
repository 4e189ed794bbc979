"""Rate–distortion curves of small sources: ours beside dit's Blahut–Arimoto, timed in alternation.

    python benchmarks/bound.py [ROUNDS] [--out FILE]

Sources of 2 to 32 outcomes under the Hamming distortion, which is what dit's `RDCurve` is written for, with
its own settings (100 restarts of at most 100 steps a slope) and as many rates as it has slopes. One row a
size: median seconds of each and their ratio, and how far each lies above the certified least R + βD at dit's
own slopes. At equal slope, since elsewhere a curve is a chord between its points; at dit's rates, which are
not those that ours was asked for, the distortion of ours may be larger by more than its tolerance.

Needs the extra `bench`.
"""

from __future__ import annotations

import sys
from time import perf_counter

import dit
import numpy as np
import pandas as pd
from dit.rate_distortion import RDCurve

from ratewarp.theory import rate_distortion
from ratewarp.theory.alphabets import Columns
from ratewarp.theory.slopes import solve

SIZES = (2, 4, 8, 16, 32)
POINTS = 21
TOLERANCE = 1e-7  # of R + βD where the two are compared, nats


def _dit_curve(p: np.ndarray) -> RDCurve:
    outcomes = [(str(i),) for i in range(len(p))]
    return RDCurve(dit.Distribution(outcomes, p), beta_num=POINTS, method="ba")


def _excesses(p: np.ndarray, theirs: RDCurve) -> np.ndarray:
    """R + βD above the certified least, dit's and ours, at every positive slope of dit's, nats."""
    alphabet, rows = Columns(p, 1 - np.eye(len(p))), []
    for bits, rate, distortion in zip(theirs.betas, theirs.rates, theirs.distortions, strict=True):
        beta = float(bits * np.log(2))  # dit counts rates in bits
        if beta > 0:
            ours = solve(alphabet, beta, alphabet.own, p, TOLERANCE)
            rows.append(
                (
                    rate * np.log(2) + beta * distortion - ours.lower,
                    ours.rate + beta * ours.distortion - ours.lower,
                )
            )
    return np.array(rows)


def _row(size: int, rounds: int) -> dict[str, object]:
    p = np.random.default_rng(size).dirichlet(np.ones(size))
    seconds, curves = [], []
    for _ in range(rounds):
        start = perf_counter()
        theirs = _dit_curve(p)
        middle = perf_counter()
        ours = rate_distortion(p, 1 - np.eye(size), points=POINTS)
        seconds.append((middle - start, perf_counter() - middle))
        curves.append((theirs, ours))
    theirs, ours = curves[-1]
    theirs_above, ours_above = _excesses(p, theirs).T
    dit_seconds, our_seconds = np.median(seconds, axis=0)
    return {
        "outcomes": size,
        "rounds": rounds,
        "dit_seconds": dit_seconds,
        "ratewarp_seconds": our_seconds,
        "ratio": dit_seconds / our_seconds,
        "ratewarp_largest_gap_nats": ours.table["gap_nats"].max(),
        "dit_least_excess_nats": theirs_above.min(),
        "dit_largest_excess_nats": theirs_above.max(),
        "ratewarp_largest_excess_nats": ours_above.max(),
    }


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    table = pd.DataFrame([_row(size, *(numbers or [3])) for size in SIZES])
    print(table.to_string(index=False, float_format="{:.2e}".format))
    if "--out" in sys.argv:
        table.to_csv(sys.argv[sys.argv.index("--out") + 1], index=False, float_format="%.4g")

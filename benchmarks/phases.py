"""How often a place is said to be warped that is not, in simulated families.

    python benchmarks/phases.py [--tables 60]

7 capacities × 6 × 6 places × 4 seeds and three warps. The seeds of a capacity share the noise of their
reference (0, 50 or 90 % of the variance); noise is normal, heavy-tailed (t of 3 degrees) or skewed
(exponential); its size is the same everywhere, or changes with capacity, one axis, and from place to place.
Either no place is warped, or three of the capacities are at the upper half of one axis. Prints the mean share
of false findings among all, the share of tables with any false finding, and the share of warped places found.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
import pandas as pd

from ratewarp.results.phases import LEVEL, WARPS, phases

SHAPE = (len(WARPS), 7, 6, 6, 4)
KEYS = ["capacity", "ratio", "weight"]


def drawn(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if kind == "t3":
        return rng.standard_t(3, size=shape) / np.sqrt(3)
    return rng.exponential(size=shape) - 1 if kind == "skewed" else rng.normal(size=shape)


def family(
    kind: str, shared: float, uneven: bool, warped: bool, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of a table of measures, and at which places there is a warp."""
    warps, capacities, ratios, weights, seeds = SHAPE
    reference = drawn(kind, rng, (warps, capacities, 1, 1, seeds))
    values = np.sqrt(shared) * reference + np.sqrt(1 - shared) * drawn(kind, rng, SHAPE)
    if uneven:
        values = values * np.exp(0.5 * rng.normal(size=(warps, capacities, 1, 1, 1)))
        values = values * np.exp(np.linspace(1, -1, ratios)).reshape(1, 1, -1, 1, 1)
        values = values * np.exp(0.3 * rng.normal(size=(*SHAPE[:-1], 1)))
    truth = np.zeros(SHAPE[:-1], bool)
    if warped:
        truth[:, :3, :, weights // 2 :] = True
        values = values + 4 * np.abs(values).mean(axis=(0, 4), keepdims=True) * truth[..., None]
    places = np.indices(SHAPE).reshape(5, -1)
    flat = values.ravel()
    rows = {
        "model": "m",
        "task": "t",
        "measure": np.array([*WARPS])[places[0]],
        **dict(zip([*KEYS, "seed"], places[1:], strict=True)),
        "value": flat,
        "low": flat - 1,
        "high": flat + 1,
    }
    return pd.DataFrame(rows), truth


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=60)
    tables = parser.parse_args().tables
    names = {name: number for number, name in enumerate(WARPS)}
    for kind, shared, uneven, warped in product(
        ("normal", "t3", "skewed"), (0.0, 0.5, 0.9), (False, True), (False, True)
    ):
        rng, shares, power = np.random.default_rng(1), [], []
        for _ in range(tables):
            table, truth = family(kind, shared, uneven, warped, rng)
            found = phases(table, KEYS, KEYS[1:])
            said = (found["p_adjusted"] < LEVEL).to_numpy()
            places = [found["measure"].map(names.__getitem__), *(found[key] for key in KEYS)]
            true = truth[tuple(one.to_numpy() for one in places)]
            shares.append(np.sum(said & ~true) / max(said.sum(), 1))
            power.append(said[true].mean() if warped else np.nan)
        told = f"power {np.mean(power):.2f}" if warped else "no warp"
        print(
            f"{kind:>6}, {shared:.0%} shared, {'uneven' if uneven else 'even'}, {told}:"
            f" false {np.mean(shares):.3f}, any {np.mean(np.array(shares) > 0):.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

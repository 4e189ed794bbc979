"""How often intervals over sets hold the mean of all sets there could be: Student's t, and hierarchical
bootstraps.

    python benchmarks/intervals_over_sets.py OUT

Prototypization of two classes in three latents; 5, 10 or 20 sets, each with 20 or 200 stimuli of its own.
Sets vary in how far the classes lie apart, or do not; or all sets see one sample of stimuli and have four
fifths of its variance in common. The truth is the mean over all sets of the share with stimuli without end.
"nested" draws sets, and within each stimuli of every class; "added" draws sets, and adds to each an error of
its jackknife's size. 1,000 samples a cell, 400 draws a bootstrap. Writes OUT/intervals-over-sets.csv.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp.geometry import prototypization
from ratewarp.geometry.over_sets import mean_over_sets

LATENTS, APART, DRAWS, SAMPLES = 3, 2.0, 400, 1000
POPULATIONS = {"sets vary": (0.4, 0.0), "sets alike": (0.0, 0.0), "stimuli in common": (0.4, 0.8)}


class Codes(NamedTuple):
    """Codes of all sets, half of the stimuli in each class: (sets, 2, stimuli of a class, latents)."""

    values: np.ndarray

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of codes and of their squared lengths, by set and class."""
        return self.values.sum(axis=2), (self.values**2).sum(axis=(2, 3))


def share(number: np.ndarray | int, sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Prototypization from sums over the stimuli of two classes alike in weight: (…, 2, latents), (…, 2)."""
    number = np.broadcast_to(number, squares.shape).astype(float)
    means, weight = sums / number[..., None], number / number.sum(axis=-1, keepdims=True)
    within = (squares - number * (means**2).sum(axis=-1)) / (number - 1)
    centre = (weight[..., None] * means).sum(axis=-2, keepdims=True)
    apart = (weight * ((means - centre) ** 2).sum(axis=-1)).sum(axis=-1)
    between = apart - (weight * (1 - weight) * within / number).sum(axis=-1)
    return between / (between + (weight * within).sum(axis=-1))


def standard_errors(codes: Codes) -> np.ndarray:
    """By the jackknife over the stimuli of each class."""
    sums, squares = codes.sums()
    many, variance = codes.values.shape[2], 0
    for one in range(2):
        left_sums = np.repeat(sums[:, None], many, axis=1)
        left_squares = np.repeat(squares[:, None], many, axis=1)
        number = np.full(left_squares.shape, many)
        number[..., one] -= 1
        left_sums[:, :, one] -= codes.values[:, one]
        left_squares[:, :, one] -= (codes.values[:, one] ** 2).sum(axis=-1)
        left = share(number, left_sums, left_squares)
        variance = variance + (many - 1) * left.var(axis=1)
    return np.sqrt(variance)


def drawn(sets: int, stimuli: int, varying: float, common: float, rng: np.random.Generator) -> Codes:
    """Sets from the population."""
    shape = (2, stimuli // 2, LATENTS)
    own, shown = rng.standard_normal((sets, *shape)), rng.standard_normal(shape)
    values = np.sqrt(1 - common) * own + np.sqrt(common) * shown
    half = APART / 2 * np.exp(varying * rng.standard_normal(sets))
    values[..., 0] += half[:, None, None] * np.array([-1, 1])[None, :, None]
    return Codes(values)


def truth(varying: float) -> float:
    """Mean over sets, by Gauss and Hermite."""
    places, weights = np.polynomial.hermite_e.hermegauss(64)
    square = (APART / 2 * np.exp(varying * places)) ** 2
    return float(weights @ (square / (square + LATENTS)) / weights.sum())


def intervals(codes: Codes, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Ends of the 95 % interval of the mean, of each kind."""
    many, sets = codes.values.shape[2], len(codes.values)
    values = share(many, *codes.sums())
    t = mean_over_sets(values[:, None])
    chosen = rng.integers(sets, size=(DRAWS, sets))
    added = values[chosen] + standard_errors(codes)[chosen] * rng.standard_normal(chosen.shape)
    counts = rng.multinomial(many, np.full(many, 1 / many), size=(DRAWS, sets, 2))
    sums, squares = np.empty((DRAWS, sets, 2, LATENTS)), np.empty((DRAWS, sets, 2))
    lengths = (codes.values**2).sum(axis=-1)
    for one in range(sets):  # draws of the same set at once: one product for all
        found = chosen == one
        sums[found] = np.einsum("dcm,cml->dcl", counts[found], codes.values[one])
        squares[found] = np.einsum("dcm,cm->dc", counts[found], lengths[one])
    nested = share(many, sums, squares)
    ends = {"nested": nested.mean(axis=1), "added": added.mean(axis=1)}
    return {"t": np.array([t.low[0], t.high[0]])} | {
        name: np.quantile(means, [0.025, 0.975]) for name, means in ends.items()
    }


def cell(population: str, sets: int, stimuli: int) -> list[dict[str, Any]]:
    """Shares of samples whose interval holds the truth, and how wide it is on average."""
    varying, common = POPULATIONS[population]
    goal, found = truth(varying), []
    for sample in range(SAMPLES):
        rng = np.random.default_rng([sample, sets, stimuli, list(POPULATIONS).index(population)])
        found.append(intervals(drawn(sets, stimuli, varying, common, rng), rng))
    rows = []
    for name in found[0]:
        ends = np.stack([one[name] for one in found])
        held = np.mean((ends[:, 0] <= goal) & (goal <= ends[:, 1]))
        asked = {"population": population, "sets": sets, "stimuli": stimuli, "interval": name}
        rows.append({**asked, "held": held, "width": np.mean(ends[:, 1] - ends[:, 0])})
    return rows


def main(out: Path) -> None:
    one = drawn(2, 20, 0.4, 0.0, np.random.default_rng(0))
    flat = prototypization(one.values[0].reshape(-1, LATENTS), np.repeat([0, 1], 10))
    if not np.isclose(share(10, *one.sums())[0], flat):
        raise SystemExit(f"share of sums is not prototypization: {flat}")
    rows = [row for asked in product(POPULATIONS, (5, 10, 20), (20, 200)) for row in cell(*asked)]
    pd.DataFrame(rows).to_csv(out / "intervals-over-sets.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

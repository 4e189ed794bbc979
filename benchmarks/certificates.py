"""Certificates of free points under attack: do codes exist below what a curve says that no code can beat?

    python benchmarks/certificates.py [KIND …] [--random N] [--slopes N] [--out FILE]

KIND is one of `scales`, `tasks`, `corridors`, `natural`; all if none is given. One row a source. At several
of a curve's solved slopes β a search of its own, plain mean shift from many hundred random starts, looks for
points that lower R + βD; plain alternating steps then find weights for all points found. Columns:

- `gap`: the largest gap that the curve claims, nats; `searched`: whether any of its certificates rests on a
  search.
- `missed`: by how much the search finds log c above the curve's own ceiling, nats, at most over the slopes:
  how wrong it might be. Says nothing of `natural` sources, whose rare stimuli count for less in the curve's
  bound than in this search.
- `false_by`: by how much a code that was found lies below the certified R + βD, nats: how wrong it is.
  Negative where none does.
- `seconds`: of solving the curve.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from ratewarp.sources import Corridors, frequency, task
from ratewarp.theory import Curve, LogLoss, SquaredError, Weighted, rate_distortion
from ratewarp.theory.slopes import Solved

TOLERANCE = 1e-4
SLOPES = 10  # of a curve that are attacked
ROUNDS = 2  # of searching and weighing at each of them
STEPS = 300  # of mean shift, for every start
STARTS = 600
FEW = 4  # dimensions
RARE = 1e-9  # probability below which a stimulus does not matter to a search
LEAST = 1e-300  # of Z, which is a number still
BURSTS, BURST = 8, 250  # alternating steps, and after how many of them points without weight are dropped


@dataclass(frozen=True)
class Source:
    """A source of stimuli, squared error with weight 1, and tasks.

    Attributes:
        name: of the row.
        p: probability of every stimulus.
        means: one row a stimulus.
        tasks: weight and labels of every task.
        rates: that are asked for.
    """

    name: str
    p: np.ndarray
    means: np.ndarray
    tasks: tuple[tuple[float, np.ndarray], ...] = ()
    rates: object = None

    def cost(self) -> SquaredError | Weighted:
        terms = [(weight, LogLoss(labels)) for weight, labels in self.tasks]
        return Weighted((1.0, SquaredError(self.means)), *terms) if terms else SquaredError(self.means)


def uniform(stimuli: int) -> np.ndarray:
    return np.full(stimuli, 1 / stimuli)


def of_many_scales() -> Iterator[Source]:
    """Means whose distances lie orders of magnitude apart."""
    for spread in (1.0, 2.0):
        yield Source(
            f"lognormal({spread:g})",
            uniform(40),
            np.exp(spread * np.random.default_rng(6).normal(size=(40, 1))),
        )
    yield Source("Cauchy", uniform(40), np.random.default_rng(6).standard_cauchy((40, 1)))
    for within in (0.1, 0.01, 0.005, 0.003, 0.001, 0.0003):
        rng = np.random.default_rng(0)
        centres = np.repeat(rng.normal(size=(5, 2)), 6, axis=0)
        yield Source(
            f"5 clusters of 6, width {within:g}", uniform(30), centres + within * rng.normal(size=(30, 2))
        )
    for far in (30, 100, 300):
        means = np.vstack([np.random.default_rng(1).normal(size=(20, 2)), [[far, 0.0]]])
        yield Source(f"20 normal and one at {far}", np.append(np.full(20, 0.99 / 20), 0.01), means)
    scales = np.repeat([1.0, 1e-3, 1e-6], 6)[:, None]
    yield Source("scales 1, 1e-3, 1e-6", uniform(18), scales * np.random.default_rng(2).normal(size=(18, 2)))


def of_tasks(count: int) -> Iterator[Source]:
    """Small random sources with one or two tasks of small weight."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        stimuli, pixels = int(rng.integers(3, 13)), int(rng.integers(1, 5))
        p, means = rng.dirichlet(np.ones(stimuli)), rng.normal(size=(stimuli, pixels))
        tasks = []
        for _ in range(int(rng.integers(1, 3))):
            labels = np.unique(rng.integers(0, int(rng.integers(2, 4)), size=stimuli), return_inverse=True)[1]
            tasks.append((float(np.exp(rng.uniform(np.log(0.05), np.log(3)))), labels))
        yield Source(f"random source {seed}", p, means, tuple(tasks))


def of_corridors() -> Iterator[Source]:
    corridors = Corridors()
    means = corridors.mean_images().reshape(169, -1)
    for name in ("uniform", "E1M1", "E1M2"):
        yield Source(f"Corridors, {name}", frequency(name, corridors), means)
    asked = np.linspace(0, np.log(169), 12)
    for names, weight in ((["E2M1"], 1.0), (["E2M5"], 1.0), (["E2M5"], 0.01), (["E2M2", "E2M4"], 0.03)):
        parts = ["E2M1", "E2M2", "E2M3", "E2M4"] if names == ["E2M5"] else names
        tasks = tuple((weight, task(part, corridors).labels) for part in parts)
        yield Source(
            f"Corridors, {' and '.join(names)}, weight {weight:g}", uniform(169), means, tasks, asked
        )


def natural() -> Iterator[Source]:
    """Distributions of a textbook on whole numbers, tails and all."""
    from scipy import stats

    for name, law, highest in (
        ("binomial(100, 0.5)", stats.binom(100, 0.5), 100),
        ("binomial(60, 0.3)", stats.binom(60, 0.3), 60),
        ("Poisson(10)", stats.poisson(10), 60),
        ("Poisson(5)", stats.poisson(5), 40),
        ("geometric(0.3)", stats.geom(0.3), 100),
        ("grey levels N(128, 16)", stats.norm(128, 16), 255),
    ):
        x = np.arange(highest + 1.0)
        p = law.pdf(x) if name.startswith("grey") else law.pmf(x)
        yield Source(name, p / p.sum(), x[:, None], rates=np.array([0.1, 0.25, 0.5, 1.0, 1.5, 2.0]))
    x = np.linspace(-20, 20, 161)
    p = np.exp(-np.abs(x))
    yield Source("Laplace on ±20", p / p.sum(), x[:, None], rates=np.array([0.1, 0.25, 0.5, 1.0, 1.5, 2.0]))


KINDS: dict[str, Callable[[int], Iterator[Source]]] = {
    "scales": lambda _: of_many_scales(),
    "tasks": of_tasks,
    "corridors": lambda _: of_corridors(),
    "natural": lambda _: natural(),
}


class Attack:
    """A search of its own for points of one source, in plain formulas."""

    def __init__(self, source: Source, seed: int):
        self.source, self.rng = source, np.random.default_rng(seed)
        centred = source.means - source.means.mean(axis=0)
        left, singular, _ = np.linalg.svd(centred, full_matrices=False)
        needed = singular > 1e-12 * singular[0]
        self.means = (left * singular)[:, needed] if centred.shape[1] > needed.sum() else centred
        self.parts = [np.eye(labels.max() + 1)[labels] for _, labels in source.tasks]

    def points(self, shares: np.ndarray) -> list[np.ndarray]:
        """The mean image, and the mean label of every task, of every row of shares."""
        return [shares @ self.means, *[shares @ part for part in self.parts]]

    def distances(self, points: list[np.ndarray]) -> np.ndarray:
        """(points, stimuli); in few dimensions by squares of differences, so that nothing cancels."""
        found = np.zeros((len(points[0]), len(self.source.p)))
        if self.means.shape[1] <= FEW:
            for column in range(self.means.shape[1]):
                found += (points[0][:, column, None] - self.means[:, column]) ** 2
        else:
            found += (
                np.sum(points[0] ** 2, axis=1)[:, None]
                + np.sum(self.means**2, axis=1)
                - 2 * points[0] @ self.means.T
            )
        found /= self.source.means.shape[1]
        for (weight, labels), part in zip(self.source.tasks, points[1:], strict=True):
            with np.errstate(divide="ignore"):
                found += weight * -np.log(part[:, labels])
        return found

    def starts(self, near: np.ndarray) -> np.ndarray:
        """Shares of stimuli: single ones, pairs, groups of every size, and what stands there already, a
        little blurred.
        """
        n = len(self.source.p)
        pairs = np.eye(n)[self.rng.integers(0, n, size=(STARTS, 2))]
        few = [self.rng.dirichlet(np.full(n, size / n), size=STARTS // 3) for size in (1.5, 4.0, 12.0)]
        blurred = near[self.rng.integers(0, len(near), size=STARTS // 2)]
        mixed = np.concatenate(
            [
                np.eye(n),
                pairs.mean(axis=1),
                *few,
                near,
                0.5 * blurred + 0.5 * pairs.mean(axis=1)[: len(blurred)],
            ]
        )
        return 0.999 * mixed + 0.001 / n  # no label is out of the question

    def climbed(self, beta: float, logw: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares at the tops of Σ_s w_s exp(−β d), and their heights."""
        shares = self.starts(near)
        for step in range(STEPS):
            exponents = logw - beta * self.distances(self.points(shares))
            highest = exponents.max(axis=1, keepdims=True)
            weights = np.exp(exponents - highest)
            shares = weights / weights.sum(axis=1, keepdims=True)
            if step % 50 == 49:
                shares = np.unique(shares.round(7), axis=0)
                shares /= shares.sum(axis=1, keepdims=True)
        exponents = logw - beta * self.distances(self.points(shares))
        highest = exponents.max(axis=1)
        return shares, highest + np.log(np.exp(exponents - highest[:, None]).sum(axis=1))


def attacked(source: Source, curve: Curve, one: Solved, seed: int) -> tuple[float, float]:
    """By how much the ceiling of a solved slope is missed, and by how much a code lies below its bound,
    nats.
    """
    attack, p, beta = Attack(source, seed), source.p, one.beta
    shares, weights, z = at_slope(curve, one, len(p))
    missed = -np.inf
    for turn in range(ROUNDS):
        logw = np.where(p > RARE, np.log(p) - np.log(z), -np.inf)
        found, heights = attack.climbed(beta, logw, shares)
        if turn == 0:
            missed = float(heights.max()) + float(p @ np.log(z)) + one.lower
        tall = np.argsort(-heights)[:300]
        shares = np.concatenate([shares, found[tall]])
        weights = np.append(0.7 * weights, np.full(len(tall), 0.3 / len(tall)))
        shares, weights, z = weighed(
            p, np.exp(-beta * attack.distances(attack.points(shares))), shares, weights
        )
    return missed, one.lower + float(p @ np.log(z))


def weighed(
    p: np.ndarray, kernel: np.ndarray, shares: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points that keep some weight after many alternating steps, their weights, and Z; −Σ p log Z is what the
    code pays.
    """
    for _ in range(BURSTS):
        for _ in range(BURST):
            weights = weights * (kernel @ (p / np.maximum(weights @ kernel, LEAST)))
        kept = weights > 1e-9
        shares, kernel, weights = shares[kept], kernel[kept], weights[kept] / weights[kept].sum()
    return shares, weights, np.maximum(weights @ kernel, LEAST)


def at_slope(curve: Curve, one: Solved, stimuli: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of stimuli in the points of a solved slope, their weights, and Z of every stimulus, before the
    solver's last step.
    """
    alphabet: Any = curve.alphabet
    kernel = np.exp(-one.beta * (alphabet.distances(one.points) + alphabet._least[:, None]))
    z = kernel @ one.weights
    joint = (alphabet.p[:, None] * kernel / z[:, None]).T
    shares = np.zeros((len(joint), stimuli))
    shares[:, alphabet._first] = joint / joint.sum(axis=1, keepdims=True)
    return shares, one.weights, np.maximum(z, LEAST)


def row(kind: str, source: Source, slopes: int = SLOPES) -> dict[str, object]:
    start = perf_counter()
    found: dict[str, object] = {"kind": kind, "source": source.name, "stimuli": len(source.p)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            curve = rate_distortion(
                source.p, source.cost(), points=20, rates=source.rates, tolerance=TOLERANCE
            )
    except np.linalg.LinAlgError as error:
        return {**found, "error": f"LinAlgError: {error}"}
    found |= {"seconds": perf_counter() - start, "gap": curve.table["gap_nats"].max()}
    found["searched"] = bool((curve.table["certificate"] == "searched").any())
    if len(curve.alphabet.p) < len(source.p):
        return {
            **found,
            "error": f"{len(source.p) - len(curve.alphabet.p)} stimuli merged or absent; not attacked",
        }
    inner = [one for one in curve.envelope.solved if 0 < one.beta < np.inf]
    chosen = [
        inner[i]
        for i in np.unique(np.linspace(0, len(inner) - 1, min(slopes, len(inner))).round().astype(int))
    ]
    chosen.sort(key=lambda one: one.beta)
    results = np.array([attacked(source, curve, one, seed) for seed, one in enumerate(chosen)])
    return {**found, "slopes": len(chosen), "missed": results[:, 0].max(), "false_by": results[:, 1].max()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=[])
    parser.add_argument("--random", type=int, default=60)
    parser.add_argument("--slopes", type=int, default=SLOPES)
    parser.add_argument("--out")
    asked = parser.parse_args()
    rows = []
    for kind in asked.kinds or KINDS:
        for source in KINDS[kind](asked.random):
            rows.append(row(kind, source, asked.slopes))
            print(
                {
                    key: f"{value:.2e}" if isinstance(value, float) else value
                    for key, value in rows[-1].items()
                },
                flush=True,
            )
    table = pd.DataFrame(rows)
    if asked.out:
        table.to_csv(asked.out, index=False, float_format="%.3g")


if __name__ == "__main__":
    sys.exit(main())

"""How often 95 % intervals cover the truth, and how often chance is called a finding at 5 %.

    python benchmarks/coverage.py OUT

Stimuli drawn at random from a population, two items each, whose true values are computed from 400,000
stimuli; 1,000 samples of 30, 60 and 150 stimuli. For orthogonalization, which has kinks where its truth is 1
and where two latents are tied, populations whose task lies at a known angle to a latent, too. Effective
prototypes have four items a stimulus; their truth is the mean of another 1,000 samples. For frequency, grids
of 36, 64 and 144 stimuli whose frequencies and codes are drawn anew, two items each; the truth is the mean of
another 1,000 grids. Writes OUT/coverage.csv.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ratewarp.geometry.measuring import Representation, Settings, measure_codes

OF_CLASSES = ("prototypization", "orthogonalization", "free_orthogonalization")
OF_FREQUENCY = ("specialization", "resolution_ratio")
TRIALS, STIMULI, TRUTH = 1000, (30, 60, 150), 400_000
MEASURES = ("participation_ratio", "prototypization", "orthogonalization", "free_orthogonalization")
PAIR_MEASURES = (
    "linear_cka",
    "procrustes_distance",
    "class_distortion 0 0",
    "class_distortion 0 1",
    "class_distortion 1 1",
)
PAIR_TRUTH = 8_000  # stimuli, for measures of all pairs
ITEMS = 4  # of each stimulus, for effective prototypes
FREQUENCY_MEASURES = OF_FREQUENCY
JACKKNIFE_ONLY = ("orthogonalization", *FREQUENCY_MEASURES)  # whatever interval is asked for
# degrees between the task and the first latent, by number of latents
ANGLES = {2: (0, 10, 30, 45), 5: (0, 10, 30)}
APART = 2.5  # distance of two classes, in standard deviations within them
# of grids; steps grow with frequency to this power, mean codes stray by so many steps
SIDES, EXPONENT, SCATTER = (6, 8, 12), 0.25, 0.15
INTERVALS = ("jackknife", "bca", "percentile")


def sample(
    rng: np.random.Generator, stimuli: int, items: int = 2
) -> tuple[Representation, Representation, np.ndarray]:
    """Codes, codes of the same items with less of the task in them, and classes."""
    factors = rng.uniform(-1, 1, (stimuli, 2))
    classes = (factors[:, 0] + 0.3 * rng.normal(size=stimuli) > 0).astype(np.int64)
    plain = factors @ np.array([[1, 0.3, 0.2], [0, 0.8, -0.3]])
    units = np.repeat(np.arange(stimuli), items)

    def noisy(means: np.ndarray) -> Representation:
        return Representation(means[units] + 0.3 * rng.normal(size=(items * stimuli, 3)), units)

    return noisy(plain + 0.8 * classes[:, None] * [0.6, 0.2, 0.0]), noisy(plain), classes[units]


def values(
    rng: np.random.Generator,
    stimuli: int,
    interval: Any = "jackknife",
    measures: tuple[str, ...] = (
        "participation_ratio",
        "prototypization",
        "orthogonalization",
        "free_orthogonalization",
    ),
    items: int = 2,
) -> dict[str, Any]:
    """All findings of one sample, by name."""
    own, reference, classes = sample(rng, stimuli, items)
    settings = Settings(
        permutations=0, measures=measures, interval=interval, resamples=500, remove_noise=False
    )
    found = measure_codes(own, {"class": classes}, reference, settings)
    return {" ".join([one.measure, *map(str, one.place.values())]): one for one in found}


def coverage() -> list[dict[str, Any]]:
    """Share of samples whose interval holds the truth."""
    truth = {name: one.value for name, one in values(np.random.default_rng(10**6), TRUTH).items()}
    rows = []
    for stimuli in STIMULI:
        for interval in INTERVALS:
            names = [
                f"{one}{suffix}"
                for one in MEASURES
                if interval == "jackknife" or one not in JACKKNIFE_ONLY
                for suffix in ("", "_change")
            ]
            print(f"{stimuli} stimuli, {interval}", flush=True)
            runs = [values(np.random.default_rng(trial), stimuli, interval) for trial in range(TRIALS)]
            rows += [_covered(runs, truth, name, stimuli, interval) for name in names]
    return rows


def pair_coverage() -> list[dict[str, Any]]:
    """Share of samples whose interval holds the truth, for likeness and the class distortion matrix."""
    measures = ("linear_cka", "procrustes_distance", "class_distortion")
    truth = {
        name: one.value
        for name, one in values(np.random.default_rng(10**6), PAIR_TRUTH, measures=measures).items()
    }
    rows = []
    for stimuli in STIMULI:
        print(f"{stimuli} stimuli, likeness and distances", flush=True)
        runs = [values(np.random.default_rng(trial), stimuli, measures=measures) for trial in range(TRIALS)]
        rows += [_covered(runs, truth, name, stimuli, "jackknife") for name in PAIR_MEASURES]
    return rows


def prototype_coverage() -> list[dict[str, Any]]:
    """Share of samples whose interval of effective prototypes holds the mean of all samples of that many
    stimuli.
    """
    names = ("effective_prototypes", "effective_prototypes_change")
    rows = []
    for stimuli in STIMULI:
        print(f"{stimuli} stimuli, effective prototypes", flush=True)
        make = {"stimuli": stimuli, "measures": ("latent_rate", "effective_prototypes"), "items": ITEMS}
        others = [values(np.random.default_rng(10**6 + trial), **make) for trial in range(TRIALS)]
        truth = {name: np.mean([run[name].value for run in others]) for name in names}
        runs = [values(np.random.default_rng(trial), **make) for trial in range(TRIALS)]
        rows += [_covered(runs, truth, name, stimuli, "jackknife") for name in names]
    return rows


def angle_coverage() -> list[dict[str, Any]]:
    """Share of samples whose interval of orthogonalization holds the cosine of the angle between the task and
    the nearest latent.
    """
    settings = Settings(permutations=0, measures=OF_CLASSES, remove_noise=False)
    rows = []
    for stimuli, latents in product(STIMULI, ANGLES):
        print(f"{stimuli} stimuli, {latents} latents at angles", flush=True)
        for angle in ANGLES[latents]:
            axis = np.r_[
                np.cos(np.radians(angle)),
                np.full(latents - 1, np.sin(np.radians(angle)) / np.sqrt(latents - 1)),
            ]
            held = 0
            for trial in range(TRIALS):
                rng = np.random.default_rng(trial)
                classes = rng.permutation(np.arange(stimuli) % 2)
                own = Representation(
                    rng.normal(size=(stimuli, latents)) + APART * classes[:, None] * axis, np.arange(stimuli)
                )
                found = {one.measure: one for one in measure_codes(own, {"class": classes}, None, settings)}[
                    "orthogonalization"
                ]
                held += found.low <= axis.max() <= found.high
            name = f"orthogonalization, {latents} latents, {angle} degrees"
            rows.append(
                {
                    "test": "coverage",
                    "stimuli": stimuli,
                    "interval": "jackknife",
                    "measure": name,
                    "share": held / TRIALS,
                }
            )
    return rows


def grid_values(rng: np.random.Generator, side: int) -> dict[str, Any]:
    """All findings about frequency on one grid, whose steps are longer between stimuli that are frequent,
    against an even grid.
    """
    stimuli = side**2
    factors = np.array([[a, b] for a in range(side) for b in range(side)], float)
    frequency = rng.permutation(np.where(np.arange(stimuli) < stimuli // 2, 1.0, 4.0))
    log_length = EXPONENT * np.log(frequency).reshape(side, side)
    stretched = [
        np.cumsum(np.exp((log_length + np.roll(log_length, 1, axis)) / 2), axis).ravel() for axis in (0, 1)
    ]
    units = np.repeat(np.arange(stimuli), 2)

    def noisy(means: np.ndarray) -> Representation:
        strayed = np.column_stack([means, np.zeros(stimuli)]) + SCATTER * rng.normal(size=(stimuli, 3))
        return Representation(
            strayed[units] + 0.1 * rng.normal(size=(2 * stimuli, 3)),
            units,
            factors,
            frequency / frequency.sum(),
        )

    settings = Settings(permutations=0, measures=OF_FREQUENCY, remove_noise=False)
    found = measure_codes(noisy(np.column_stack(stretched)), {}, noisy(factors), settings)
    return {one.measure: one for one in found}


def frequency_coverage() -> list[dict[str, Any]]:
    """Share of grids whose interval holds the mean of all grids."""
    names = [f"{name}{suffix}" for name in FREQUENCY_MEASURES for suffix in ("", "_change")]
    rows = []
    for side in SIDES:
        others = [grid_values(np.random.default_rng(10**6 + trial), side) for trial in range(TRIALS)]
        truth = {name: np.mean([run[name].value for run in others]) for name in names}
        print(f"grid of {side**2}", flush=True)
        runs = [grid_values(np.random.default_rng(trial), side) for trial in range(TRIALS)]
        rows += [_covered(runs, truth, name, side**2, "jackknife") for name in names]
    return rows


def _covered(
    runs: list[dict[str, Any]], truth: dict[str, Any], name: str, stimuli: int, interval: str
) -> dict[str, Any]:
    held = np.mean([run[name].low <= truth[name] <= run[name].high for run in runs])
    return {"test": "coverage", "stimuli": stimuli, "interval": interval, "measure": name, "share": held}


def false_findings() -> list[dict[str, Any]]:
    """Share of samples without any relation in which p ≤ 0.05."""
    factors = np.array([[a, b] for a in range(6) for b in range(6)], float)
    hits = {"prototypization": 0, "specialization": 0}
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        frequency = rng.permutation(np.repeat([1.0, 5.0], 18))
        units = np.repeat(np.arange(36), 2)
        own = Representation(
            factors[units] + 0.5 * rng.normal(size=(72, 2)), units, factors, frequency / frequency.sum()
        )
        classes = rng.permutation(np.arange(36) % 2)[units]
        settings = Settings(
            permutations=199,
            measures=(*OF_CLASSES, *OF_FREQUENCY),
            seed=trial,
            remove_noise=False,
        )
        for one in measure_codes(own, {"class": classes}, None, settings):
            if one.measure in hits:
                hits[one.measure] += one.p <= 0.05
    return [
        {"test": "false findings", "stimuli": 36, "interval": "", "measure": name, "share": n / TRIALS}
        for name, n in hits.items()
    ]


def main(out: Path) -> None:
    """Simulates and writes the table."""
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(
        coverage()
        + pair_coverage()
        + prototype_coverage()
        + angle_coverage()
        + frequency_coverage()
        + false_findings()
    )
    table.to_csv(out / "coverage.csv", index=False, float_format="%.4g")
    print(
        table.pivot_table(
            index=["test", "measure"], columns=["stimuli", "interval"], values="share"
        ).to_string()
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

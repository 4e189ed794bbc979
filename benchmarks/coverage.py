"""How often 95 % intervals cover the truth, and how often chance is called a finding at 5 %.

    python benchmarks/coverage.py OUT

Stimuli drawn at random from a population, two items each, whose true values are computed from 400,000 stimuli; 1,000 samples of 30, 60 and
150 stimuli. Writes OUT/coverage.csv.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ratewarp.geometry.measuring import Representation, Settings, measure_codes

TRIALS, STIMULI, TRUTH = 1000, (30, 60, 150), 400_000
MEASURES = ("participation_ratio", "prototypization", "orthogonalization", "free_orthogonalization")
INTERVALS = ("jackknife", "bca", "percentile")


def sample(rng: np.random.Generator, stimuli: int) -> tuple[Representation, Representation, np.ndarray]:
    """Codes, codes of the same items with less of the task in them, and classes."""
    factors = rng.uniform(-1, 1, (stimuli, 2))
    classes = (factors[:, 0] + 0.3 * rng.normal(size=stimuli) > 0).astype(np.int64)
    plain = factors @ np.array([[1, 0.3, 0.2], [0, 0.8, -0.3]])
    units = np.repeat(np.arange(stimuli), 2)

    def noisy(means: np.ndarray) -> Representation:
        return Representation(means[units] + 0.3 * rng.normal(size=(2 * stimuli, 3)), units)

    return noisy(plain + 0.8 * classes[:, None] * [0.6, 0.2, 0.0]), noisy(plain), classes[units]


def values(rng: np.random.Generator, stimuli: int, interval: Any, permutations: int = 0) -> dict[str, Any]:
    """All findings of one sample, by name."""
    own, reference, classes = sample(rng, stimuli)
    settings = Settings(permutations=permutations, families=("dimensions", "classes"), interval=interval, resamples=500)
    return {one.measure: one for one in measure_codes(own, {"class": classes}, reference, settings)}


def coverage() -> list[dict[str, Any]]:
    """Share of samples whose interval holds the truth."""
    truth = {name: one.value for name, one in values(np.random.default_rng(10**6), TRUTH, "jackknife").items()}
    names = [f"{name}{suffix}" for name in MEASURES for suffix in ("", "_change")]
    rows = []
    for stimuli in STIMULI:
        for interval in INTERVALS:
            print(f"{stimuli} stimuli, {interval}", flush=True)
            runs = [values(np.random.default_rng(trial), stimuli, interval) for trial in range(TRIALS)]
            for name in names:
                held = np.mean([run[name].low <= truth[name] <= run[name].high for run in runs])
                rows.append({"test": "coverage", "stimuli": stimuli, "interval": interval, "measure": name, "share": held})
    return rows


def false_findings() -> list[dict[str, Any]]:
    """Share of samples without any relation in which p ≤ 0.05."""
    factors = np.array([[a, b] for a in range(6) for b in range(6)], float)
    hits = {"prototypization": 0, "specialization": 0}
    for trial in range(TRIALS):
        rng = np.random.default_rng(trial)
        frequency = rng.permutation(np.repeat([1.0, 5.0], 18))
        units = np.repeat(np.arange(36), 2)
        own = Representation(factors[units] + 0.5 * rng.normal(size=(72, 2)), units, factors, frequency / frequency.sum())
        classes = rng.permutation(np.arange(36) % 2)[units]
        settings = Settings(permutations=199, families=("classes", "frequency"), seed=trial)
        for one in measure_codes(own, {"class": classes}, None, settings):
            if one.measure in hits:
                hits[one.measure] += one.p <= 0.05
    return [{"test": "false findings", "stimuli": 36, "interval": "", "measure": name, "share": n / TRIALS} for name, n in hits.items()]


def main(out: Path) -> None:
    """Simulates and writes the table."""
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(coverage() + false_findings())
    table.to_csv(out / "coverage.csv", index=False, float_format="%.4g")
    print(table.pivot_table(index=["test", "measure"], columns=["stimuli", "interval"], values="share").to_string())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Probes of γ, the pressure on the rate in the published recipe, behind the table in the study `paper`.

    python benchmarks/pressures.py OUT

Seed 90. Writes OUT/pressures.csv: rate, distortion and F1 (mean over batches of 32 images) of every probe.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from ratewarp import Study, load_study
from ratewarp.runner import run_study

PROBES: dict[float, dict[str, tuple[int, ...]]] = {  # capacity in nats → model → pressures
    0.3: {"E2M1": (1000, 3000), "E2M3": (1000,), "E2M4": (1000,), "E2M5": (10_000,)},
    1: {"E2M3": (300,), "E2M4": (1000,), "E2M5": (5000,)},
    3: {"baseline": (200,), "E1M1": (200,), "E1M2": (200,), "E2M3": (300,), "E2M4": (300, 1000), "E2M5": (1000, 5000, 10_000)},
    6: {"E2M5": (1000,)},
}


def main(out: Path) -> None:
    """Trains every probe and writes the table."""
    rows: list[dict[str, Any]] = []
    for capacity, probes in PROBES.items():
        whole = load_study("paper").part(capacities=[capacity]).model_dump()
        cells = [(model, pressure) for model, pressures in probes.items() for pressure in pressures]
        models = {
            f"{model}_{pressure}": {**whole["models"][model], "recipe": {**whole["models"][model]["recipe"], "pressure": pressure}}
            for model, pressure in cells
        }
        changes = {"models": models, "reference": next(iter(models)), "readouts": {}, "seeds": [90], "name": f"pressures_{capacity:g}"}
        run = run_study(
            Study(**{**whole, **changes}), out / f"{capacity:g}", lambda at: print(f"{at.doing}: {at.done / max(at.total, 1):.0%}")
        )
        found, tasks = run.table("models"), run.table("tasks")
        for (model, pressure), (_, row) in product(cells, found.iterrows()):
            if row["model"] == f"{model}_{pressure}":
                f1 = tasks[tasks["condition"] == row["condition"]].set_index("task")["f1_batches"]
                numbers = {key: row[key] for key in ("capacity_nats", "steps", "seed", "rate_nats", "distortion")}
                rows.append({"model": model, "pressure": pressure, **numbers, **{f"f1_{task}": value for task, value in f1.items()}})
    pd.DataFrame(rows).to_csv(out / "pressures.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

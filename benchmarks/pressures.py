"""Probes of γ, the pressure on the rate in the published recipe, behind the study `paper`.

    python benchmarks/pressures.py OUT

Writes OUT/pressures.csv: rate, distortion and F1 (mean over batches of 32 images) of every probe. `schedule`
is the publication's earlier or later one of the task weight; it does not matter to models without tasks.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ratewarp import Study, load_study
from ratewarp.api import run as train

SCHEDULES: dict[str, dict[str, Any]] = {
    "": {},
    "early": {"task_ramp_steps": (0, 2500), "many_class_weight": 1},
    "late": {"task_ramp_steps": (2500, 5000), "many_class_weight": 10},
}


class Probe(NamedTuple):
    """Models of one kind at one capacity and seed, one a pressure."""

    capacity_nats: float
    seed: int
    model: str
    schedule: str
    pressures: tuple[int, ...]


PROBES = (
    Probe(0.3, 90, "E2M1", "early", (1000, 3000)),
    Probe(0.3, 90, "E2M3", "early", (1000,)),
    Probe(0.3, 90, "E2M4", "early", (1000,)),
    Probe(0.3, 90, "E2M5", "early", (3000, 10_000)),
    Probe(0.3, 90, "E2M5", "late", (10_000,)),
    Probe(1, 90, "E2M3", "early", (300,)),
    Probe(1, 90, "E2M4", "early", (1000,)),
    Probe(1, 90, "E2M5", "late", (5000,)),
    Probe(3, 90, "baseline", "", (200,)),
    Probe(3, 90, "E1M1", "", (200,)),
    Probe(3, 90, "E1M2", "", (200,)),
    Probe(3, 90, "E2M3", "early", (300,)),
    Probe(3, 90, "E2M4", "early", (300, 1000)),
    Probe(3, 90, "E2M5", "early", (300, 1000, 3000)),
    Probe(3, 90, "E2M5", "late", (1000, 5000, 10_000)),
    Probe(6, 90, "E2M4", "early", (100,)),
    Probe(6, 90, "E2M5", "late", (300, 1000)),
    Probe(10, 90, "baseline", "", (50, 100, 1000, 3000)),
    Probe(10, 90, "E1M1", "", (100,)),
    Probe(10, 90, "E1M2", "", (100,)),
    Probe(10, 90, "E2M4", "early", (100,)),
    Probe(10, 90, "E2M5", "early", (300,)),
    Probe(10, 90, "E2M5", "late", (300,)),
    Probe(10, 91, "baseline", "", (100, 200)),
    *(Probe(10, seed, "baseline", "", (100, 300)) for seed in (92, 93, 94, 95)),
)


def probed(group: list[Probe], out: Path) -> list[dict[str, Any]]:
    """Trains the probes of one capacity and seed together."""
    capacity, seed = group[0].capacity_nats, group[0].seed
    whole = load_study("paper").part(capacities=[capacity]).model_dump()
    models, cells = {}, {}
    for probe in group:
        own = {key: value for key, value in whole["models"][probe.model].items() if key != "at"}
        for pressure in probe.pressures:
            name = "_".join(filter(None, (probe.model, probe.schedule, str(pressure))))
            models[name] = {
                **own,
                "recipe": {**own["recipe"], **SCHEDULES[probe.schedule], "pressure": pressure},
            }
            cells[name] = {"model": probe.model, "schedule": probe.schedule, "pressure": pressure}
    name = f"pressures_{capacity:g}_{seed}"
    changes = {
        "models": models,
        "reference": next(iter(models)),
        "readouts": {},
        "seeds": [seed],
        "name": name,
    }
    run = train(
        Study(**{**whole, **changes}),
        out / name,
        progress=lambda at: print(f"{at.doing}: {at.done / max(at.total, 1):.0%}"),
        report=False,
    )
    tasks, geometry = run.table("tasks"), run.table("geometry")
    dimensions = geometry[geometry["measure"] == "participation_ratio"].set_index("condition")["value"]
    rows = []
    for row in run.table("models").to_dict("records"):
        f1 = tasks[tasks["condition"] == row["condition"]].set_index("task")["f1_batches"]
        numbers = {key: row[key] for key in ("capacity_nats", "steps", "seed", "rate_nats", "distortion")}
        scores = {f"f1_{task}": value for task, value in f1.items()}
        rows.append(
            {
                **cells[row["model"]],
                **numbers,
                **scores,
                "participation_ratio": dimensions.get(row["condition"]),
            }
        )
    return rows


def main(out: Path) -> None:
    """Trains every probe and writes the table."""
    groups = [
        list(group) for _, group in groupby(PROBES, key=lambda probe: (probe.capacity_nats, probe.seed))
    ]
    table = pd.DataFrame([row for group in groups for row in probed(group, out)])
    order = ["model", "capacity_nats", "schedule", "pressure", "seed"]
    table.sort_values(order).to_csv(out / "pressures.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

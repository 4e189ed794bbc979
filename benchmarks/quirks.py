"""What each quirk of the published recipe changes: the same models with one switch turned off at a time.

    python benchmarks/quirks.py OUT

Seed 91, two models at 3 nats. Writes OUT/quirks.csv: distortion and rate of each, and F1 of the task.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from ratewarp import Study, load_study
from ratewarp.api import run as train

SWITCHES: dict[str, dict[str, dict[str, Any]]] = {
    "baseline": {
        "as published": {},
        "quarter_steps": {"quarter_steps": 0},
        "validation_batches": {"validation_batches": 0},
        "processes": {"processes": 1},
    },
    "E2M4": {
        "as published": {},
        "double_softmax": {"double_softmax": False},
        "earlier task schedule": {"task_ramp_steps": (2500, 5000), "many_class_weight": 10},
    },
}
CAPACITY = 3


def _named(switch: str) -> str:
    """The switch as a name of a model."""
    return switch.replace(" ", "_").replace(",", "")


def main(out: Path) -> None:
    """Trains every model and writes the table."""
    rows = []
    for model, switches in SWITCHES.items():
        own = load_study("paper").part(models=[model], capacities=[CAPACITY]).model_dump()
        setting = own["models"][model]
        models = {
            _named(name): {**setting, "recipe": {**setting["recipe"], **off}}
            for name, off in switches.items()
        }
        study = Study(
            **{
                **own,
                "name": model,
                "models": models,
                "reference": "as_published",
                "readouts": {},
                "seeds": [91],
            }
        )
        run = train(
            study,
            out / model,
            progress=lambda at: print(f"{at.doing}: {at.done / max(at.total, 1):.0%}", flush=True),
            report=False,
        )
        tasks = run.table("tasks").set_index("condition")[["f1", "f1_batches"]]
        found = run.table("models").set_index("condition").join(tasks)
        for name in switches:
            row = found[found["model"] == _named(name)].iloc[0]
            rows.append(
                {
                    "model": model,
                    "turned_off": name,
                    **{key: row[key] for key in ("rate_nats", "distortion", "f1", "f1_batches")},
                }
            )
    pd.DataFrame(rows).to_csv(out / "quirks.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

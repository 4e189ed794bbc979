"""Whether models trained on worlds of known truth move the index of what was planted: a frequent part, a
task.

    python benchmarks/known_truth.py OUT [SEEDS]

Trains baseline, a model with uneven frequency and a model with a task on `population` and on `sprites`, at
one capacity and with 5 seeds each unless told otherwise. Writes OUT/known-truth.csv, one row an index and
seed: `value`, `reference` (the baseline of the same seed under the same labelling), `change` with its 95 %
interval; `p`, how often permuted labels reach the value (adjusted, Holm; frequencies that change smoothly
over stimuli have none); `p_networks`, of the exact permutation test of which of all networks were trained
with what was planted: the share of all ways to choose half of them in which means differ as much.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import ratewarp
from ratewarp.studies import load_study

AT = {"population": 2, "sprites": 3}  # nats
PLANTED = {  # world → model → labelling it is measured by
    "population": {"skewed": "frequency", "decision": "half"},
    "sprites": {"left": "frequency", "shape": "which"},
}
INDICES = {"frequency": ("specialization",), "task": ("prototypization", "orthogonalization")}


def changes(world: str, seeds: int, out: Path) -> pd.DataFrame:
    """Every index of what was planted, for every seed."""
    short = [f"capacities_nats=[{AT[world]}]", f"seeds={list(range(seeds))}", "bound_points=0", "readouts={}"]
    done = ratewarp.run(load_study(world, short), out, report=False)
    table, rows = done.table("geometry"), []
    for model, labelling in PLANTED[world].items():
        for index in INDICES["frequency" if labelling == "frequency" else "task"]:
            own = table[(table["model"] == model) & (table["task"] == labelling)].set_index("measure")
            rows += _rows(own, index, {"world": world, "model": model, "labelling": labelling})
    return pd.DataFrame(rows)


def _rows(own: pd.DataFrame, index: str, labels: dict[str, str]) -> list[dict[str, object]]:
    value, change = (own.loc[[name]].set_index("seed") for name in (index, f"{index}_change"))
    reference = value["value"] - change["value"]
    p = permuted(value["value"].to_numpy(), reference.to_numpy())
    return [
        {
            **labels,
            "index": index,
            "seed": seed,
            "value": value.loc[seed, "value"],
            "reference": reference.loc[seed],
            "change": change.loc[seed, "value"],
            "low": change.loc[seed, "low"],
            "high": change.loc[seed, "high"],
            "p": value.loc[seed, "p_adjusted"],
            "p_networks": p,
        }
        for seed in value.index
    ]


def permuted(planted: np.ndarray, plain: np.ndarray) -> float:
    """Two-sided p of the difference of means, over all ways to choose which networks were planted.

    Examples:
        >>> permuted(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
        0.3333333333333333
    """
    every = np.concatenate([planted, plain])
    means = np.array([every[list(one)].mean() for one in combinations(range(len(every)), len(planted))])
    apart = np.abs(means - every.mean())
    return float((apart >= apart[0] * (1 - 1e-9)).mean())


def main() -> None:
    out, seeds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with TemporaryDirectory() as folder:
        found = [changes(world, seeds, Path(folder) / world) for world in AT]
    out.mkdir(parents=True, exist_ok=True)
    table = pd.concat(found)
    table.to_csv(out / "known-truth.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()

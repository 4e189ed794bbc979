"""What narrow matrix products do to the losses: the baseline at three capacities and three precisions, two
seeds.

    python benchmarks/precision.py OUT

trains into the run directory OUT and prints means over seeds. On a CPU the factors of every product are
rounded as an accelerator rounds them (see `ratewarp.networks.products.product_of`).
"""

from __future__ import annotations

import sys

import ratewarp

PRECISIONS = ("float32", "tensorfloat32", "bfloat16")

if __name__ == "__main__":
    study = ratewarp.Study(
        name="precision",
        title="Precision of matrix products",
        recipe={"name": "swift"},
        reference="float32",
        models={precision: {"recipe": {"precision": precision}} for precision in PRECISIONS},
        capacities_nats=[0.3, 3, 10],
        seeds=[0, 1],
    )
    models = ratewarp.run(study, sys.argv[1], report=False).table("models")
    print(
        models.groupby(["capacity_nats", "model"], sort=False)[["rate_nats", "distortion"]]
        .agg(["mean", "min", "max"])
        .round(4)
        .to_string()
    )

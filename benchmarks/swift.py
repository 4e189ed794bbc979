"""The recipe `swift` against the published validation loss of the baseline, on seeds that played no part in
choosing it.

    python benchmarks/swift.py OUT

trains twenty models into the run directory OUT and prints one row a capacity.
"""

from __future__ import annotations

import sys

import ratewarp

# read off the publication's figures, ±0.001
PUBLISHED = {0.3: 0.1449, 1.0: 0.1227, 3.0: 0.0737, 6.0: 0.0546, 10.0: 0.0533}

if __name__ == "__main__":
    study = ratewarp.Study(
        name="swift",
        title="The swift recipe",
        recipe={"name": "swift"},
        training_images=170_000,
        models={"baseline": {}},
        capacities_nats=list(PUBLISHED),
        seeds=[200, 201, 202, 203],
    )
    models = ratewarp.run(study, sys.argv[1], report=False).table("models")
    models["difference"] = models["distortion"] - models["capacity_nats"].map(PUBLISHED)
    print(
        models.groupby("capacity_nats")[["rate_nats", "distortion", "difference"]]
        .agg(["mean", "min", "max"])
        .round(4)
        .to_string()
    )

"""The bound of a run of which only the tables are left: `python benchmarks/bound_of_tables.py docs/results/paper`.

Writes tables/bound.csv and tables/normative.csv, adds the distances to the bound to tables/models.csv, and draws the figures bound and
normative. The standard error of the semantic distortion, which older tables lack, is taken to be that of the distortion, which is larger.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from ratewarp.bounds import BOUND, bound_rows, distance, semantic_curve
from ratewarp.normative import NORMATIVE, normative_rows
from ratewarp.report.bound import bound_figure
from ratewarp.report.normative import normative_figure
from ratewarp.report.style import figure_style
from ratewarp.report.views import RunView
from ratewarp.store import open_run
from ratewarp.studies import Study


def main(folder: Path) -> None:
    run = open_run(folder)
    study = Study(**run.study)
    models = run.table("models")
    error = models["semantic_se"] if "semantic_se" in models else models["distortion_se"]
    rows = [
        distance(semantic_curve(study.settings[row.model], study.bound_points), (row.rate_nats, row.rate_se), (row.semantic_distortion, se))
        for row, se in zip(models.itertuples(), error, strict=True)
    ]
    run.write_table("models", models.assign(**pd.DataFrame(rows, index=models.index)))
    run.write_table("bound", pd.DataFrame(bound_rows(study), columns=BOUND))
    run.write_table("normative", pd.DataFrame(normative_rows(study), columns=NORMATIVE))
    view = RunView(run)
    with figure_style():
        for name, figure in {"bound": bound_figure(view), "normative": normative_figure(view)}.items():
            for kind in ("png", "pdf"):
                figure.savefig(folder / "figures" / f"{name}.{kind}", metadata={"CreationDate": None} if kind == "pdf" else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a reader of a page must know before all: which conditions are not to be relied on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ratewarp.report.views import RunView

_MOST_ALERTS = 20


def alerts(view: RunView) -> list[str]:
    """What is missing of the run, and conditions that diverged, missed their capacity or have no results, a
    sentence each; of very many the first, and how many more there are.
    """
    table = view.table("models")
    told = set(table["condition"])
    missing = [condition.id for condition in view.conditions if condition.id not in told]
    return [
        *(view.gaps if view.there else _missing(missing)),
        *shortened(alerts_of(table, view.study.reference)),
    ]


def condition_alerts(view: RunView) -> dict[str, str]:
    """What a reader must know of single conditions, by their names; of those that are sound there is none."""
    table = view.table("models").query("status != 'missing'")
    missing = {*(condition.id for condition in view.conditions)} - {*table["condition"]}
    told = dict.fromkeys(sorted(missing), "missing. It was not trained, or its results cannot be read.")
    rows = table.query("status != 'ok'").to_dict("records")
    return told | {str(row["condition"]): why_not(row, view.study.reference) for row in rows}


def alerts_of(models: pd.DataFrame, reference: str) -> list[str]:
    """What a reader must know of models that diverged or missed their capacity."""
    found = []
    for row in models.query("status not in ('ok', 'missing')").to_dict("records"):
        aim = "" if pd.isna(row["capacity_nats"]) else f" at {row['capacity_nats']:g} nats"
        found.append(f"{row['model']}{aim}, seed {row['seed']}: {why_not(row, reference)}")
    return found


def why_not(row: dict[Any, Any], reference: str) -> str:
    """Why the numbers of a row of the table of models do not stand for its capacity, or for anything."""
    if row["status"] == "off target":
        return (
            f"off target. Its rate ended at {row['rate_nats']:.3g} nats; it does not show what its capacity"
            " does."
        )
    step = row.get("diverged_at")
    when = "" if step is None or bool(pd.isna(step)) else f" at step {step:,.0f}"
    left_out = " The geometry of other models against it is left out." if row["model"] == reference else ""
    return f"diverged{when}. Its numbers are not to be used.{left_out}"


def shortened(found: list[str]) -> list[str]:
    """The first alerts, and how many more there are."""
    more = len(found) - _MOST_ALERTS
    told = f"{more:,} more models diverged or are off target: see the column status of tables/models.csv."
    return [*found[:_MOST_ALERTS], *([told] if more > 0 else [])]


def _missing(conditions: list[str]) -> list[str]:
    if not conditions:
        return []
    named = ", ".join(conditions[:3]) + (f" and {len(conditions) - 3:,} more" if len(conditions) > 3 else "")
    return [f"Not in the tables, and so without numbers: {named}."]

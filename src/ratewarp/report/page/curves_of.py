"""Curves of a stage: measures of trained models and of optimal codes, and the bound."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ratewarp.geometry import MEASURES
from ratewarp.report.plane import floor_of_noise
from ratewarp.report.views import RunView

_DEEPEST = 80  # points of a curve of the bound


def measured_curves(view: RunView) -> list[dict[str, Any]]:
    """Measures that figures show, with a row for every condition: its name, value and interval."""
    table = view.run.table("geometry")
    found = []
    for measure in MEASURES:
        if "warps" not in measure.figures:
            continue
        rows = table[table["measure"] == measure.shown]
        for task, own in rows.groupby(rows["task"].fillna(""), sort=False):
            found.append(
                {
                    "measure": measure.shown,
                    "title": measure.panel or measure.title,
                    "task": str(task),
                    "log": measure.scale == "log",
                    "rows": own[["condition", "value", "low", "high"]].to_numpy().tolist(),
                }
            )
    return found


def normative_curves(view: RunView) -> list[dict[str, Any]]:
    """The same measures of optimal codes, against rate."""
    table, shown = view.drawn_curves("normative"), {one.shown for one in MEASURES if "warps" in one.figures}
    table = table[table["measure"].isin(shown)]
    keys = [table["measure"], table["model"], table["task"].fillna("")]
    return [
        {"measure": measure, "model": model, "task": str(task), "rate": own["rate_nats"].tolist(),
         "value": own["value"].tolist()}
        for (measure, model, task), own in table.groupby(keys, sort=False)
    ]  # fmt: skip


def bound_curves(view: RunView) -> list[dict[str, Any]]:
    """The least distortion at every rate, by model; models of one frequency have the same curve."""
    table = view.drawn_curves("bound")
    curves: dict[tuple[float, ...], dict[str, Any]] = {}
    for model, own in table.groupby("model", sort=False):
        step = max(1, len(own) // _DEEPEST)
        some = pd.DataFrame(own.iloc[::step])
        key = tuple(some["distortion"])
        curve = {"models": [], "rate": some["rate_nats"].tolist(), "distortion": list(key)}
        curves.setdefault(key, curve)["models"].append(model)
    return list(curves.values())


def floor(view: RunView) -> float | None:
    """Distortion below which a model reproduces pixel noise, where there is such."""
    found = floor_of_noise(view)
    return None if found is None else float(found)

"""Curves of a stage: measures of trained models and of optimal codes, and the bound."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ratewarp.geometry import MEASURES
from ratewarp.report.plane import floor_of_noise
from ratewarp.report.views import RunView
from ratewarp.studies import Axis

_DEEPEST = 80  # points of a curve of the bound


def measured_curves(view: RunView) -> list[dict[str, Any]]:
    """Measures that figures show, with a row for every condition: its name, value and interval."""
    measures = [one for one in MEASURES if "warps" in one.figures]
    # changes from the reference first: the three warps
    shown = {one.shown: one for one in sorted(measures, key=lambda one: not one.shown.endswith("_change"))}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in _rows(view.table("geometry"), list(shown)):
        measure = shown[row["measure"]]
        curve = {
            "measure": measure.shown,
            "title": measure.panel or measure.title,
            "task": row["task"],
            "log": measure.scale == "log",
            "rows": [],
        }
        rows = found.setdefault((measure.shown, row["task"]), curve)["rows"]
        rows.append([row[name] for name in ("condition", "value", "low", "high")])
    order = list(shown)
    return sorted(found.values(), key=lambda one: order.index(one["measure"]))


def normative_curves(view: RunView) -> list[dict[str, Any]]:
    """The same measures of optimal codes, against rate; `place` as of conditions, None along the capacity and
    where a model does not vary.
    """
    shown, axes = [one.shown for one in MEASURES if "warps" in one.figures], view.study.crossed
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in _rows(view.table("normative"), shown):
        place = [_place_on(axis, row) for axis in axes]
        key = (row["measure"], row["model"], row["task"], *place)
        labels = dict(zip(("measure", "model", "task"), key, strict=False))
        curve = found.setdefault(key, {**labels, "place": place, "rate": [], "value": []})
        curve["rate"].append(row["rate_nats"])
        curve["value"].append(row["value"])
    return list(found.values())


def _place_on(axis: Axis, row: dict[Any, Any]) -> int | None:
    """Where on an axis a row of a table is; None where it is of all places."""
    keys = [key for key in axis.keys if key in row]
    if not keys or all(pd.isna(row[key]) for key in keys):
        return None
    wanted = [str(row[key]) for key in keys]
    for place in range(len(axis.values)):
        values = axis.at(place)
        if [str(type(row[key])(values[key])) for key in keys] == wanted:
            return place
    return None


def _rows(table: pd.DataFrame, measures: list[str]) -> list[dict[Any, Any]]:
    """Rows of some measures; an empty text where there is no task."""
    chosen = pd.DataFrame(table[table["measure"].isin(measures)])
    rows = chosen.to_dict("records")
    return [{**row, "task": row["task"] if isinstance(row["task"], str) else ""} for row in rows]


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

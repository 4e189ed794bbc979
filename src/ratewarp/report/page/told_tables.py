"""The tables that sentences are made from, read once and sorted by condition."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pandas as pd

from ratewarp.report.page.figures_in_words import Found
from ratewarp.report.page.optimal_shares import OptimalShares
from ratewarp.report.views import RunView
from ratewarp.studies import Cell

PROTOTYPES, AXES, RATIO, SLOPE, DIMENSIONS = (
    "prototypization",
    "orthogonalization",
    "resolution_ratio",
    "specialization",
    "participation_ratio",
)
_TOLD = [name + end for name in (PROTOTYPES, AXES, RATIO, SLOPE, DIMENSIONS) for end in ("", "_change")]
_OF_CLASSES = ("class_distance", "class_distortion")  # whose rows say how many classes there are


class ToldTables:
    """What is known of the conditions of a run.

    Attributes:
        view: the run.
        rows: condition → its row of the table of models.
        found: condition → measure and task → number.
        optimal: prototypization of optimal codes.
    """

    def __init__(self, view: RunView) -> None:
        self.view = view
        self.rows = {row["condition"]: row for row in view.table("models").to_dict("records")}
        self.optimal = OptimalShares(view)
        geometry = view.table("geometry")
        self.found = _by_condition(pd.DataFrame(geometry[geometry["measure"].isin(_TOLD)]))
        classes = pd.DataFrame(geometry[geometry["measure"].isin(_OF_CLASSES)])
        self._last_class: dict[tuple[str, str], float] = {}
        named = zip(*(classes[name].tolist() for name in ("condition", "task", "other")), strict=True)
        for condition, task, other in named:
            key = str(condition), str(task)
            self._last_class[key] = max(float(other), self._last_class.get(key, 0.0))
        self._seeds: dict[tuple[str, Any], list[str]] = defaultdict(list)
        for cell, condition in view.study.cells.items():
            self._seeds[cell.model, cell.place].append(condition.id)

    def two_classes(self, condition: str, task: str) -> bool:
        """Whether a task is known to have two classes."""
        return self._last_class.get((condition, task)) == 1

    def agreeing(self, cell: Cell, measure: str, task: str, direction: str) -> tuple[int, int]:
        """In how many seeds a change has that direction, and in how many it is known."""
        known = [self.found[one].get((measure, task)) for one in self._seeds[cell.model, cell.place]]
        directions = [one.direction for one in known if one is not None and one.direction]
        return directions.count(direction), len(directions)

    def beside(self, cell: Cell) -> dict[Any, Any] | None:
        """The row of the reference of a cell; None where there is none that can be compared with."""
        other = self.view.study.reference_of(cell)
        row = None if other is None else self.rows.get(self.view.study.cells[other].id)
        return None if row is None or row["status"] == "diverged" else row


def _by_condition(table: pd.DataFrame) -> dict[str, dict[tuple[str, str], Found]]:
    found: dict[str, dict[tuple[str, str], Found]] = defaultdict(dict)
    names = ("condition", "measure", "task", "note")
    words = [["" if pd.isna(one) else str(one) for one in table[name]] for name in names]
    numbers = [table[name].astype(float).tolist() for name in ("value", "low", "high")]
    places, ends = zip(*words, strict=True), zip(*numbers, strict=True)
    for (condition, measure, task, note), (value, low, high) in zip(places, ends, strict=True):
        found[condition][measure, task] = Found(value, low, high, note)
    return found

"""How far the best possible codes are gathered by class, at any rate: what models may be held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ratewarp.report.views import RunView
from ratewarp.studies import Cell

_Curve = tuple[np.ndarray, np.ndarray]  # rates, prototypization


class OptimalShares:
    """Prototypization of optimal codes, from the table of normative codes; none if it is not written."""

    def __init__(self, view: RunView) -> None:
        self._study = view.study
        # a value of an axis that is empty stands for all of them
        self._curves: dict[tuple[str, str], list[tuple[tuple[str, ...], _Curve]]] = defaultdict(list)
        table, keys = _written(view), self._study.further_keys
        table = pd.DataFrame(table[table["measure"] == "prototypization"])
        points: dict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
        for row in table.to_dict("records"):
            place = (str(row["model"]), str(row["task"]), *(_word(row[key]) for key in keys))
            points[place].append((float(row["rate_nats"]), float(row["value"])))
        for (model, task, *values), own in points.items():
            rates, shares = np.array(sorted(own)).T
            self._curves[model, task].append((tuple(values), (rates, shares)))

    def at(self, cell: Cell, task: str, rate: float) -> float | None:
        """Of the optimal code for the objective of a cell at that rate: between the rates of the table on a
        line, above its highest, at which all stimuli are told apart, as there. None where it is not known.
        """
        if (
            "at" in self._study.models[cell.model]
        ):  # its objective depends on the capacity, the table does not
            return None
        values = self._study.values_at(cell.place)
        wanted = [_word(values.get(key)) for key in self._study.further_keys]
        for known, (rates, shares) in self._curves[cell.model, task]:
            if _fits(known, wanted) and rate >= rates[0]:
                return float(np.interp(rate, rates, shares))
        return None


def _fits(known: Sequence[str], wanted: Sequence[str]) -> bool:
    return all(one in ("", other) for one, other in zip(known, wanted, strict=True))


def _written(view: RunView) -> pd.DataFrame:
    if view.there or view.run.has_table("normative"):
        return view.table("normative")
    return pd.DataFrame(columns=["model", "measure", "task", "rate_nats", "value"])


def _word(value: Any) -> str:
    """A value of a column: 16, 16.0 and "16" are the same; nothing is empty."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    try:
        return repr(float(str(value)))
    except ValueError:
        return str(value)

"""The warps of a model over the axes of a study, as grids to draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ratewarp.report.views import RunView
from ratewarp.results.phases import LEVEL, WARPS, optimal_at, phases
from ratewarp.studies import CAPACITY
from ratewarp.studies.condition import FREQUENCY_SCHEME

Grid = np.ndarray  # capacities × second axis × first axis


@dataclass(frozen=True)
class PhaseView:
    """The warps of a model at every capacity and place of up to two further axes.

    Attributes:
        view: the run.
        model: whose warps; it varies along the axes.
        across: key and values of the first axis.
        down: key and values of the second; one place where there is none.
    """

    view: RunView
    model: str
    across: tuple[str, list[Any]]
    down: tuple[str, list[Any]]

    @property
    def capacities(self) -> list[float]:
        return list(self.view.study.capacities_nats)

    @cached_property
    def warps(self) -> dict[str, str]:
        """Warps that are measured somewhere → the labelling they are of: frequency, or the model's first
        task.
        """
        tasks = [one.name for one in self.view.settings[self.model].labellings()]
        of_task = {name: tasks[0] for name in WARPS if name != "specialization_change"} if tasks else {}
        return {"specialization_change": FREQUENCY_SCHEME, **of_task}

    def values(self, warp: str) -> Grid:
        """Mean over seeds; NaN where the warp is not defined."""
        return self._grid(self._models, warp, "value")

    def reach(self, warp: str) -> Grid:
        """Half the width of the 95 % intervals."""
        return self._grid(self._models, warp, "high") - self.values(warp)

    def stands_out(self, warp: str) -> Grid:
        """Whether a warp is above (1) or below (−1) its reference more than chance would move it, corrected
        for all places and warps, or not (0).
        """
        sure = self._grid(self._models, warp, "p_adjusted") < LEVEL
        return np.where(sure, np.sign(self.values(warp)), 0)

    def optimal(self, warp: str) -> Grid:
        """The warp of optimal codes."""
        return self._grid(self._optimal, warp, "value")

    def optimal_stands_out(self, warp: str) -> Grid:
        """Whether a warp of optimal codes is one that would have stood out in trained models of that
        capacity.
        """
        p, corrected = (self._models[name].to_numpy(float) for name in ("p", "p_adjusted"))
        chance = p[corrected < LEVEL].max(initial=LEVEL / len(p))
        freedom = self._grid(self._models, warp, "freedom")
        needed = -stdtrit(freedom, chance / 2) * self._grid(self._models, warp, "se")
        least = np.nanmedian(needed, axis=(1, 2), keepdims=True)
        values = self.optimal(warp)
        return np.where(np.abs(values) > least, np.sign(values), 0)

    @cached_property
    def measured(self) -> pd.DataFrame:
        """Warps of trained models, a row for each condition and warp; of a run that is shown as it is, none
        may be there.
        """
        return self._own(self.view.table("geometry"))

    @cached_property
    def _models(self) -> pd.DataFrame:
        keys = [CAPACITY, *self.view.study.further_keys]
        return phases(self.measured, keys, self.view.study.further_keys)

    @cached_property
    def _optimal(self) -> pd.DataFrame:
        rows = self.view.table("normative")
        found = optimal_at(self._own(rows, optimal=True), self.capacities, self.view.study.further_keys)
        return found.rename(columns={"rate_nats": CAPACITY})

    def _own(self, rows: pd.DataFrame, *, optimal: bool = False) -> pd.DataFrame:
        """Rows of the model, of the labelling that each warp is of, at the first place of other axes."""
        kept = rows["model"] == self.model
        pairs = dict(self.warps)
        if optimal and "orthogonalization_change" in pairs:
            pairs["free_orthogonalization_change"] = pairs["orthogonalization_change"]
        task = rows["task"].astype(object)
        kept &= task == rows["measure"].map(lambda measure: pairs.get(measure))
        return pd.DataFrame(rows[kept])

    def _grid(self, table: pd.DataFrame, warp: str, column: str) -> Grid:
        (across, columns), (down, rows) = self.across, self.down
        known = {
            (one[CAPACITY], one[down] if down else None, one[across]): one[column]
            for one in pd.DataFrame(table[table["measure"] == warp]).to_dict("records")
        }
        shape = (len(self.capacities), len(rows), len(columns))
        places = product(self.capacities, rows, columns)
        return np.array([known.get(place, np.nan) for place in places], float).reshape(shape)


def phase_view(view: RunView) -> PhaseView | None:
    """The first model that varies along all axes, over capacity and one or two further ones of numbers; None
    for a study that crosses capacity with nothing else.
    """
    study = view.study
    if not study.capacities_nats or len(study.crossed) < 2:
        return None
    further = [
        (axis.keys[0], [axis.at(place)[axis.keys[0]] for place in range(len(axis.values))])
        for axis in study.crossed[1:3]
        if len(axis.keys) == 1 and all(isinstance(one, int | float) for (one,) in axis.values)
    ]
    varying = [cell.model for cell in study.cells if None not in cell.place and cell.model != study.reference]
    if not further or not varying or len(study.crossed) > 3:
        return None
    found = PhaseView(view, varying[0], *further, *([("", [None])] if len(further) == 1 else []))
    if found.measured.empty:
        return None
    return found if any(np.isfinite(found.values(warp)).any() for warp in found.warps) else None

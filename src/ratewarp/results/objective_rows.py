"""The part of the tables that is of one objective, without regard to training: its bound, and the measures of
its optimal codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ratewarp._threads import threads
from ratewarp.results.bounds import bound_rows, objective_of, solvable
from ratewarp.results.normative import normative_rows
from ratewarp.results.table_parts import Rows, part_key
from ratewarp.studies import Cell, Setting, Study


@dataclass(frozen=True)
class ObjectivePart:
    """What a bound is of: a setting, that of the reference if it is another model, and the axes' values that
    all its places share.
    """

    study: Study
    model: str
    setting: Setting
    reference: Setting | None
    values: dict[str, Any]

    def key(self) -> str:
        """What its rows depend on."""
        objectives = objective_of(self.setting), objective_of(self.reference)
        return part_key(["model", self.study.bound_points, self.study.capacities_nats, *objectives])

    def rows(self) -> Rows:
        """Its rows, which models of the same objective share."""
        points = self.study.bound_points
        highest = max(self.study.capacities_nats, default=0.0)
        with threads(1):  # of matrices this small, several threads wait for each other
            return {
                "bound": list(bound_rows(self.setting, points, highest)),
                "normative": list(normative_rows(self.setting, self.reference, points)),
            }

    def labelled(self, rows: Rows) -> Rows:
        """The rows as they stand in the tables."""
        shared = {name: self.values.get(name) for name in self.study.further_keys}
        return {name: [{"model": self.model, **shared, **row} for row in own] for name, own in rows.items()}


def objectives(study: Study, model: str, cells: Iterable[Cell]) -> list[ObjectivePart]:
    """What is solved for a model: its bound at every place where that is another."""
    found: dict[tuple[str, str], ObjectivePart] = {}
    for cell in cells:
        beside = study.reference_of(cell) if model != study.reference else None
        one = ObjectivePart(
            study,
            model,
            solvable(study.setting_at(cell)),
            beside and solvable(study.setting_at(beside)),
            study.values_at(cell.place),
        )
        key = objective_of(one.setting), objective_of(one.reference)
        if key in found:
            shared = {
                name: value
                for name, value in found[key].values.items()
                if name in one.values and one.values[name] == value
            }
            one = replace(found[key], values=shared)
        found[key] = one
    return list(found.values())

"""Reads a run of which parts may be missing, damaged or of another version: what cannot be read is left
empty, and told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import RatewarpError
from ratewarp.report.blank_record import blank_record
from ratewarp.results.condition_rows import rate_status, rows_of_record
from ratewarp.results.table_parts import Rows
from ratewarp.results.tables import columns_of
from ratewarp.runs.directory import TABLES, RunDirectory
from ratewarp.studies import Cell, Condition, Study, stored_study

_NAMED = 3  # conditions that a sentence names
_MOST_TOLD = 20  # damaged parts that have a sentence each
_TOLD = {"models": "rates and distortions", "tasks": "scores of tasks"}  # that records say, too
# columns whose lack changes nothing that is shown
_NOT_SHOWN = {
    "sample_se",
    "distortion_below",
    "rate_se",
    "semantic_se",
    "information_se",
    "excess_distortion",
}

Made = TypeVar("Made")


class WhatIsThere:
    """What can be read of a run.

    Attributes:
        run: the run directory.
    """

    def __init__(self, run: RunDirectory, study: Study | None = None) -> None:
        """Of its own study, or of the same one with objects that a run directory does not keep."""
        self.run, self._given = run, study
        self._told: dict[str, None] = {}  # in the order in which they were found
        self._tables: dict[str, pd.DataFrame] = {}
        self._unwritten: set[str] = set()
        self._read: set[str] = set()
        self._blank: set[str] = set()
        self._unlisted = 0  # conditions that are stored, but in no row of the table of models

    @cached_property
    def study(self) -> Study:
        """The study, without which there is nothing to show.

        Raises:
            RatewarpError: it cannot be read.
        """
        return self._given or stored_study(self.run.study, self.run.path)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; empty where there is none that can be read."""
        return self.or_none(lambda: self.run.manifest, "versions and times") or {}

    @property
    def gaps(self) -> list[str]:
        """What is missing, a sentence each, of all that was asked for so far."""
        told = [*self._told]
        more = [f"{len(told) - _MOST_TOLD:,} more parts are damaged."] if len(told) > _MOST_TOLD else []
        tables = [*self._without_tables, *self._not_listed]
        return [*self._untrained, *told[:_MOST_TOLD], *more, *tables, *self._other_version]

    def refuse_nothing(self) -> None:
        """Refuses a run without a single condition or number.

        Raises:
            RatewarpError: there is nothing to show.
        """
        if self._first_record is None and self.table("models").empty:
            number = len(self.study.conditions)
            raise RatewarpError(
                f"{self.run.path} has nothing to show yet: none of its {number:,} conditions is stored whole;"
                f" train them by: {self.run.command}"
            )

    def or_none(self, make: Callable[[], Made], what: str) -> Made | None:
        """What is made of stored files; None where one of them is damaged, and then the page says that it is
        without `what`.
        """
        try:
            return make()
        except RatewarpError as error:
            self.note(f"Without {what}: {error}")
            return None

    def note(self, gap: str) -> None:
        """Tells of something else that is missing, in a sentence; once."""
        self._told[gap] = None

    def record(self, condition: Condition) -> xr.Dataset:
        """The record of a condition; one without numbers where it cannot be read, so that it is shown as a
        model that has no codes.
        """
        found = self._stored(condition)
        return blank_record(condition, self._first_record) if found is None else found

    def table(self, name: str) -> pd.DataFrame:
        """One of `TABLES` with all its columns, empty where they are not known. Models that are in no table
        have what their records say by themselves.
        """
        if name not in self._tables:
            self._tables[name] = self._completed(name, self._written(name))
        return self._tables[name]

    def _stored(self, condition: Condition) -> xr.Dataset | None:
        if condition.id in self._blank or not self.run.finished(condition.id):
            return None
        found = self.or_none(lambda: self.run.record(condition.id), f"codes and images of {condition.id}")
        if found is None:
            self._blank.add(condition.id)
        return found

    @cached_property
    def _first_record(self) -> xr.Dataset | None:
        """Of the first condition that has one: images and stimuli of all."""
        records = (self._stored(condition) for condition in self.study.conditions)
        return next((one for one in records if one is not None), None)

    def _written(self, name: str) -> pd.DataFrame:
        """A table as it is stored, with the columns that this version expects."""
        columns = columns_of(name, self.study)
        empty = pd.DataFrame(columns=columns)
        if not self.run.has_table(name):
            self._unwritten.add(name)
            return empty
        compare = bool(self.manifest)  # there is nothing to compare with, and that has been told
        found = self.or_none(lambda: self.run.table(name, compare=compare), f"the table {name}")
        if found is None:
            return empty
        self._read.add(name)
        missing = [one for one in columns if one not in found]
        if told := [one for one in missing if one not in _NOT_SHOWN]:
            named = f"column{'s' if len(told) > 1 else ''} {', '.join(told)}"
            text = f"tables/{name}.csv was written by another version of ratewarp: it has no {named}."
            self.note(f"{text} All tables are written again by: {self._tabulated}")
        return found.reindex(columns=[*found.columns, *missing])

    def _completed(self, name: str, table: pd.DataFrame) -> pd.DataFrame:
        if name not in ("models", "tasks"):
            return table
        known = set(table["condition"])
        if name == "tasks":  # a model without tasks has no row of them: it is known from the other table
            known = known | set(self._written_ids) if len(table) else set()
        cells = self.study.cells.items()
        rows = [
            row
            for cell, condition in cells
            if condition.id not in known
            for row in self._rows(cell, condition).get(name, [])
        ]
        if name == "models" and name in self._read:
            self._unlisted = len(rows)
        if rows:
            added = pd.DataFrame(rows).reindex(columns=table.columns)
            table = added if table.empty else pd.concat([table, added.dropna(axis="columns", how="all")])
        return _with_status(table) if name == "models" else table

    @cached_property
    def _written_ids(self) -> frozenset[str]:
        """Conditions of the table of models as it is stored."""
        return frozenset(map(str, self._written("models")["condition"]))

    def _rows(self, cell: Cell, condition: Condition) -> Rows:
        record = self._stored(condition)
        if record is None:
            return {}
        make = lambda: rows_of_record(condition, cell, self.study, self.run, record)  # noqa: E731
        return self.or_none(make, f"heads on the frozen codes of {condition.id}") or {}

    @cached_property
    def _missing(self) -> list[str]:
        return [one.id for one in self.study.conditions if not self.run.finished(one.id)]

    @property
    def _tabulated(self) -> str:
        """What writes the tables: where training is not finished, that comes first."""
        return self.run.command if self._missing else f"ratewarp tabulate {self.run.path}"

    @property
    def _untrained(self) -> list[str]:
        missing = self._missing
        if not missing:
            return []
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        return [
            f"This run is not finished: {len(missing):,} of its {len(self.study.conditions):,} conditions"
            f" {'is' if len(missing) == 1 else 'are'} not trained yet ({', '.join(missing[:_NAMED])}{more})."
            f" They are trained by: {self.run.command}"
        ]

    @property
    def _without_tables(self) -> list[str]:
        lacking = [name for name in TABLES if name in self._unwritten]
        if not lacking:
            return []
        if len(lacking) == len(TABLES):
            named = "The tables are"
        else:
            named = (
                f"The table{'s' if lacking[1:] else ''} {', '.join(lacking)} {'are' if lacking[1:] else 'is'}"
            )
        kept = " and ".join(_TOLD[one] for one in lacking if one in _TOLD)
        shown = f" The page has {kept} from the records; the rest" if kept else " What they have"
        return [f"{named} not written.{shown} is left out. All tables are written by: {self._tabulated}"]

    @property
    def _not_listed(self) -> list[str]:
        if not self._unlisted:
            return []
        number = f"{self._unlisted:,} trained condition{'s are' if self._unlisted > 1 else ' is'}"
        return [
            f"{number} not in tables/models.csv: there are no measures of their codes."
            f" All tables are written again by: {self._tabulated}"
        ]

    @property
    def _other_version(self) -> list[str]:
        """Told beside what is missing, since it may explain it."""
        made, own = str(self.manifest.get("ratewarp", "")), version("ratewarp")
        if not made or made == own or not (self._told or self._unwritten):
            return []
        return [f"The run was made by ratewarp {made}, this page by ratewarp {own}."]


def _with_status(models: pd.DataFrame) -> pd.DataFrame:
    """Whether each model is near its capacity, where the table does not say so."""
    if not bool(np.any(models["status"].isna())):
        return models
    rows = zip(models["rate_nats"], models["capacity_nats"], models["status"], strict=True)
    said = [
        status
        if isinstance(status, str)
        else "missing"
        if pd.isna(rate)
        else rate_status(float(rate), None if pd.isna(aim) else float(aim))
        for rate, aim, status in rows
    ]
    return models.assign(status=said)

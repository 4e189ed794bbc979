"""The tables of a run: one row per condition, a task of a condition, a geometric measure of a condition, a
rate of the bound, a measure of an optimal code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Protocol

import pandas as pd

from ratewarp.geometry import adjusted
from ratewarp.geometry.measures import MEASURES
from ratewarp.geometry.measuring import PLACES, Settings
from ratewarp.results.bounds import BOUND, Distance
from ratewarp.results.condition_rows import ConditionPart, Reader, labels_of
from ratewarp.results.normative import NORMATIVE
from ratewarp.results.objective_rows import objectives
from ratewarp.results.part_processes import FEWEST, made_by_processes
from ratewarp.results.table_parts import Parts, Rows
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import CAPACITY, Condition, Study

MODELS = [
    "condition",
    "model",
    "capacity_nats",
    "seed",
    "rate_nats",
    "rate_se",
    "rate_bits",
    "rate_gap",
    "distortion",
    "distortion_se",
    "semantic_distortion",
    "semantic_se",
    "multiplier",
    *Distance._fields,
    "stimulus_information_low",
    "stimulus_information_high",
    "image_information_low",
    "image_information_high",
    "information_se",
    "information_images",
    "active_units",
    "steps",
    "status",
    "diverged_at",
]
TASKS = [
    "condition",
    "regime",
    "representation",
    "task",
    "capacity_nats",
    "seed",
    "f1",
    "f1_batches",
    "accuracy",
]
_FOUND = ["value", "low", "high", "p", "p_adjusted", "n", "note"]
GEOMETRY = ["condition", "model", "capacity_nats", "seed", "measure", "task", *PLACES, *_FOUND]
COLUMNS = {"models": MODELS, "tasks": TASKS, "geometry": GEOMETRY, "bound": BOUND, "normative": NORMATIVE}

# p cannot be below 1 / permutations: with fewer, no test would stand the correction for all of them
_PERMUTATIONS_A_TEST = 40
_MOST_PERMUTATIONS = 10_000
_MOST_TESTS = 500  # beyond, not even these would

# codes drawn of every image for bounds on information: one alone leaves an error of some hundredths of a nat
_DRAWS, _DRAWS_OF_MANY = 16, 2
_MANY = 500  # conditions, whose means rather than each are looked at


class Part(Protocol):
    """A part of the tables that is made on its own."""

    def key(self) -> str:
        """What its rows depend on."""
        ...

    def rows(self) -> Rows:
        """Its rows."""
        ...

    def labelled(self, rows: Rows) -> Rows:
        """The rows as they stand in the tables."""
        ...


def build_tables(
    run: RunDirectory,
    study: Study,
    conditions: Sequence[Condition] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    keep: bool = False,
) -> dict[str, pd.DataFrame]:
    """All tables of a study, by name.

    Arguments:
        run: where its conditions are stored.
        study: what was run.
        conditions: those to be in the tables, all stored; every condition of the study if not given. Heads on
            frozen codes that are not stored have no rows, and neither have changes from a reference that is
            not among them.
        progress: called with how many parts are done, and how many there are.
        keep: keep what is measured of every condition and model in the folder `measured` of the run, and take
            up what an interrupted call left there; many parts are then made by several processes. The caller
            removes the folder once the tables are written. Changes no number.
    """
    every = parts_of(run, study, conditions)
    kept, keys = Parts(run, keep), [part.key() for part in every]
    progress(0, len(every))
    if keep and conditions is None:
        pending = [number for number, key in enumerate(keys) if not kept.known(key)]
        if len(pending) >= FEWEST:
            for number, rows in made_by_processes(run.path, pending):
                kept.rows(keys[number], lambda found=rows: found)
                progress(len(kept.made), len(every))

    found: list[Rows] = []
    for done, (key, part) in enumerate(zip(keys, every, strict=True), 1):
        found.append(part.labelled(kept.rows(key, part.rows)))
        progress(max(done, len(kept.made)), len(every))
    return _joined(found, study)


def parts_of(run: RunDirectory, study: Study, conditions: Sequence[Condition] | None = None) -> list[Part]:
    """All parts of the tables, in their order: of each model its conditions, then what is solved for it."""
    chosen = study.conditions if conditions is None else conditions
    settings, reader = _test_settings(chosen), Reader(run)
    draws = _DRAWS_OF_MANY if len(chosen) > _MANY else _DRAWS
    stored = {condition.id for condition in chosen}
    found: list[Part] = []
    # in turn: the curve of a model is solved once
    for model, own in groupby(study.cells.items(), key=lambda item: item[0].model):
        cells = dict(own)
        for cell, condition in cells.items():
            if condition.id not in stored:
                continue
            beside = study.reference_of(cell)
            known = (
                study.cells[beside].id if beside is not None and study.cells[beside].id in stored else None
            )
            labels = labels_of(study, cell, condition)
            found.append(ConditionPart(condition, labels, study, reader, settings, draws, known))
        if study.bound_points:
            found += objectives(study, model, cells)
    return found


def columns_of(name: str, study: Study) -> list[str]:
    """Columns of a table of a study."""
    columns = COLUMNS[name]
    at = columns.index(CAPACITY if CAPACITY in columns else "model") + 1
    return [*columns[:at], *study.further_keys, *columns[at:]]


def _joined(parts: Sequence[Rows], study: Study) -> dict[str, pd.DataFrame]:
    """The tables, from all their parts; tests are corrected for their number in the whole table (Holm)."""
    tables = {}
    for name in COLUMNS:
        rows = [row for part in parts for row in part.get(name, [])]
        tables[name] = pd.DataFrame(rows, columns=columns_of(name, study))
    tables["models"] = tables["models"].astype({"diverged_at": "Int64"})

    tables["geometry"]["p_adjusted"] = adjusted(tables["geometry"]["p"].to_numpy(dtype=float))
    return tables


def _test_settings(conditions: Sequence[Condition]) -> Settings:
    """As many permutations as the correction for the number of all tests needs, and no more than usual where
    none would do.
    """
    tests = sum(len(condition.setting.class_schemes()) + 1 for condition in conditions)
    wanted = tuple(one.name for one in MEASURES if one.asked_of != "codes" and not one.slow)
    usual = Settings(measures=wanted, remove_noise=False)
    if tests > _MOST_TESTS:
        return usual
    return replace(
        usual, permutations=min(max(usual.permutations, _PERMUTATIONS_A_TEST * tests), _MOST_PERMUTATIONS)
    )

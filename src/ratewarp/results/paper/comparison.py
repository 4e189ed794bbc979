"""A run beside the publication: every published number, and whether its statements hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError
from ratewarp.results.paper import published_class_distortion, published_distortion, published_f1
from ratewarp.results.paper.statements import paper_statements
from ratewarp.runs.directory import RunDirectory

NEEDED = {
    "models": ("rate_nats", "distortion"),
    "tasks": ("f1_batches",),
    "geometry": ("measure", "class", "other", "value"),
}

DISTORTION_TOLERANCE = 0.005  # squared error per pixel, of the mean over seeds
DISTORTION_CELLS = 36  # of 40 that must lie within it
F1_TOLERANCE = 0.05  # added to either end of the seeds' range
F1_CELLS = 100  # of 120 published values that must lie inside
SIGN_ABOVE = 0.05  # published entries of a class distortion matrix whose sign is compared
# models whose matrices the threshold counts; those of E2M5 stand beside it
COUNTED_MATRICES = ("E1M1", "E2M1")

_NAMED = 5  # conditions of an unfinished run that are named

Table = pd.DataFrame
Row = dict[str, Any]
_CELL = ["model", "capacity_nats"]
_HEAD = ["regime", "representation", "task", "capacity_nats"]
_ENTRY = ["model", "task", "capacity_nats", "class", "other"]


class Threshold(NamedTuple):
    """One thing that must hold: how many cells hold, how many must, how many could be looked at, how many
    there are.
    """

    name: str
    holding: int
    needed: int
    compared: int
    cells: int

    @property
    def holds(self) -> bool | None:
        """Whether enough hold; of a part of the cells, whether the same share does. None where there is
        nothing to compare.
        """
        return self.holding * self.cells >= self.needed * self.compared if self.compared else None


@dataclass(frozen=True)
class Comparison:
    """A run beside the publication.

    Attributes:
        distortion: squared error per pixel, a row a published cell.
        f1: a row a published cell.
        class_distortion: a row a published entry of a class distortion matrix; `counted` says whether the
            threshold looks at it.
        statements: qualitative statements of the publication, a row each.
        thresholds: what must hold.
        missing: what the run lacks, in words: conditions of its own study that are not stored yet, then
            published cells, a line a table.
    """

    distortion: Table
    f1: Table
    class_distortion: Table
    statements: Table
    thresholds: tuple[Threshold, ...]
    missing: tuple[str, ...]

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by name."""
        return {name: getattr(self, name) for name in ("distortion", "f1", "class_distortion", "statements")}

    @property
    def complete(self) -> bool:
        """Whether the run holds every published cell, and is finished."""
        return not self.missing

    @property
    def holds(self) -> bool:
        """Whether nothing that could be compared is out of tolerance."""
        return all(threshold.holds is not False for threshold in self.thresholds)


def compare_published(run: RunDirectory) -> Comparison:
    """Sets a run beside the publication.

    Cells that the run lacks are left empty; what it has is compared. Tables that an unfinished run does not
    have yet are computed from the conditions that it has stored, and not written. A cell that was trained but
    has no number, because a model diverged or collapsed, is outside. Published F1 are means over batches of
    32 images, so they are compared with the column `f1_batches`. The rate reached stands beside every
    distortion: the published rates are not known.

    Arguments:
        run: of the built-in study `paper`, a part of it, or any study with models of the same names.

    Returns:
        The comparison.

    Raises:
        RequestError: the run has no model that the publication has.
        RatewarpError: a table was written by another version.
    """
    tables, unfinished = _tables(run)
    models, tasks, geometry = (_rows(tables[name]) if name in tables else [] for name in NEEDED)
    _refuse_strangers(
        run, {row["model"] for row in (*models, *geometry)} | {row["representation"] for row in tasks}
    )
    # where nothing was measured, nothing is known of how the codes are: their cells are missing
    trained = (
        {(row["model"], row["capacity_nats"], row["seed"]) for row in (*models, *geometry)}
        if geometry
        else set()
    )
    rates = _beside(published_distortion(), models, _CELL, "distortion", "rate_nats", _near)
    distortion = [
        {**cell, "rate_nats": rate["mean"]}
        for cell, rate in zip(
            _beside(published_distortion(), models, _CELL, "distortion", "distortion", _near),
            rates,
            strict=True,
        )
    ]
    f1 = _beside(published_f1(), tasks, _HEAD, "f1", "f1_batches", _in_range)
    entries = [
        {**entry, "counted": entry["model"] in COUNTED_MATRICES}
        for entry in _beside(
            published_class_distortion(), _entries(geometry, trained), _ENTRY, "value", "value", _same_sign
        )
    ]
    counted = [entry for entry in entries if entry["counted"]]
    statements = list(paper_statements(geometry, trained))
    return Comparison(
        distortion=Table(distortion),
        f1=Table(f1),
        class_distortion=Table(entries),
        statements=Table(statements),
        thresholds=(
            _threshold("distortion", distortion, DISTORTION_CELLS),
            _threshold("f1", f1, F1_CELLS),
            _threshold("class_distortion", counted, len(counted)),
            _threshold("statements", statements, len(statements)),
        ),
        missing=(*unfinished, *_missing(tables, distortion, f1, entries, statements)),
    )


def write_comparison(run: RunDirectory, comparison: Comparison) -> str:
    """Writes the tables to `comparison/` in the run directory, as CSV and one JSON file; returns the JSON."""
    for name, table in comparison.tables.items():
        run.write_text(
            f"comparison/{name}.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        )
    text = comparison_json(comparison)
    run.write_text("comparison/comparison.json", text + "\n")
    return text


def comparison_json(comparison: Comparison) -> str:
    """The comparison as one JSON object."""
    content = {
        "complete": comparison.complete,
        "holds": comparison.holds,
        "missing": list(comparison.missing),
        "thresholds": [
            {**threshold._asdict(), "holds": threshold.holds} for threshold in comparison.thresholds
        ],
        **{name: _plain(table) for name, table in comparison.tables.items()},
    }
    return json.dumps(content, indent=1)


def _tables(run: RunDirectory) -> tuple[dict[str, Table], list[str]]:
    """Tables by name: those of the run, and of an unfinished one what its stored conditions give; and what
    those lack, in words.
    """
    written = {name: run.table(name, needs) for name, needs in NEEDED.items() if run.has_table(name)}
    if len(written) == len(NEEDED) or not run.begun:
        return written, []
    from ratewarp.results.tables import build_tables
    from ratewarp.studies import stored_study  # here, so that a finished run is compared without loading JAX

    # nothing published is compared with the bound
    study = stored_study(run.study, run.path).model_copy(update={"bound_points": 0})
    stored = [condition for condition in study.conditions if run.finished(condition.id)]
    read = [condition for condition in study.conditions if condition.model in study.readouts]
    lacking = {
        "conditions": [condition.id for condition in study.conditions if not run.finished(condition.id)],
        "heads on the frozen codes of": [
            condition.id for condition in read if not run.has_heads(condition.id)
        ],
    }
    return {**build_tables(run, study, stored), **written}, [
        f"{what}: {_some(ids)}" for what, ids in lacking.items() if ids
    ]


def _some(ids: list[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse_strangers(run: RunDirectory, ours: set[str]) -> None:
    """A run of other models only is a mistake; one that has nothing yet is not."""
    theirs = {row["model"] for row in _rows(published_distortion())}
    if ours and not theirs & ours:
        raise RequestError(
            f"{run.path} has none of the published models ({', '.join(sorted(theirs))}); it has"
            f" {', '.join(sorted(ours))}"
        )


def _missing(
    tables: dict[str, Table], distortion: list[Row], f1: list[Row], entries: list[Row], statements: list[Row]
) -> Iterator[str]:
    """What could not be compared, a line a table."""
    told: dict[str, tuple[str, list[Row], Callable[[Row], str]]] = {
        "distortion": ("models", distortion, lambda row: row["model"]),
        "f1": ("tasks", f1, lambda row: f"{row['regime']} {row['representation']}"),
        "class_distortion": ("geometry", entries, lambda row: row["model"]),
    }
    for name, (table, rows, what) in told.items():
        lacking = [row for row in rows if row["inside"] is None]
        if len(lacking) == len(rows):
            why = (
                ""
                if table in tables
                else f" (no tables/{table}.csv, and no stored conditions to compute it from)"
            )
            yield f"{name}: everything{why}"
        elif lacking:
            yield f"{name}: {_places(lacking, what)}"
    lost = sum(row["inside"] is None for row in statements)
    if lost:
        yield f"statements: {lost} of {len(statements)}"


def _places(rows: list[Row], what: Callable[[Row], str]) -> str:
    """Cells in a few words: what lacks the same capacities stands together."""
    capacities: dict[str, dict[float, None]] = {}
    for row in rows:
        capacities.setdefault(what(row), {})[row["capacity_nats"]] = None
    together: dict[tuple[float, ...], list[str]] = {}
    for name, found in capacities.items():
        together.setdefault(tuple(sorted(found)), []).append(name)
    return "; ".join(
        f"{', '.join(sorted(names))} at {', '.join(f'{one:g}' for one in found)} nats"
        for found, names in together.items()
    )


def _rows(table: Table) -> list[Row]:
    return cast(list[Row], table.to_dict("records"))


def _plain(table: Table) -> list[Row]:
    """Rows as JSON can hold them: nothing is None."""
    return [
        {key: None if pd.isna(value) else value for key, value in row.items()}
        for row in _rows(table.astype(object))
    ]


def _beside(
    published: Table,
    ours: list[Row],
    keys: Sequence[str],
    their_column: str,
    our_column: str,
    inside: Callable[[float, np.ndarray], bool],
) -> list[Row]:
    """Published numbers, each with the mean, least and most of ours over seeds; empty where there is none."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in ours:
        found.setdefault(tuple(row[key] for key in keys), []).append(row[our_column])
    return [
        _cell(row, keys, row[their_column], found.get(tuple(row[key] for key in keys), []), inside)
        for row in _rows(published)
    ]


def _cell(
    row: Row,
    keys: Sequence[str],
    published: float,
    found: list[float],
    inside: Callable[[float, np.ndarray], bool],
) -> Row:
    cell = {**{key: row[key] for key in keys}, "published": published}
    ours = np.array([value for value in found if not np.isnan(value)])
    if not len(ours):
        empty = {"mean": None, "least": None, "most": None, "seeds": 0, "difference": None}
        return {**cell, **empty, "inside": False if found else None}
    mean = float(ours.mean())
    return {
        **cell,
        "mean": mean,
        "least": float(ours.min()),
        "most": float(ours.max()),
        "seeds": len(ours),
        "difference": mean - published,
        "inside": inside(published, ours),
    }


def _near(published: float, ours: np.ndarray) -> bool:
    return bool(abs(ours.mean() - published) <= DISTORTION_TOLERANCE)


def _in_range(published: float, ours: np.ndarray) -> bool:
    return bool(ours.min() - F1_TOLERANCE <= published <= ours.max() + F1_TOLERANCE)


def _same_sign(published: float, ours: np.ndarray) -> bool:
    """Whether most seeds have the published sign; small entries may have any."""
    return bool(abs(published) <= SIGN_ABOVE or np.mean(np.sign(ours) == np.sign(published)) > 0.5)


def _entries(geometry: list[Row], trained: set[tuple[str, float, int]]) -> list[Row]:
    """Entries of class distortion matrices, with their classes as columns; NaN as well where both models were
    trained from a seed.
    """
    entries: list[Row] = []
    for row in _rows(published_class_distortion()):
        own, baseline = (
            {seed for model, capacity, seed in trained if (model, capacity) == (name, row["capacity_nats"])}
            for name in (row["model"], "baseline")
        )
        if own & baseline:
            entries.append({**{key: row[key] for key in _ENTRY}, "value": np.nan})
    for row in geometry:
        if row["measure"] == "class_distortion":
            entries.append({**row, "class": int(row["class"]), "other": int(row["other"])})
    return entries


def _threshold(name: str, rows: list[Row], needed: int) -> Threshold:
    known = [row["inside"] for row in rows if row["inside"] is not None]
    return Threshold(name, sum(known), needed, len(known), len(rows))

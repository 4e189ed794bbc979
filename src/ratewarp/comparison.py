"""A run beside the publication: every published number, and its statements as checks computed from the run's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError
from ratewarp.published import published_class_distortion, published_distortion, published_f1
from ratewarp.store import RunDirectory

DISTORTION_TOLERANCE = 0.005  # squared error per pixel, of the mean over seeds
DISTORTION_CELLS = 36  # of 40 that must lie within it
F1_TOLERANCE = 0.05  # added to either end of the seeds' range
F1_CELLS = 100  # of 120 published values that must lie inside
SIGN_ABOVE = 0.05  # published entries of a class distortion matrix whose sign is compared

Table = pd.DataFrame
_CELL = ["model", "capacity_nats"]
_HEAD = ["regime", "representation", "task", "capacity_nats"]
_ENTRY = ["model", "task", "capacity_nats", "a", "b"]


class Threshold(NamedTuple):
    """One thing that must hold: how many cells hold, how many must, how many could be looked at, how many there are."""

    name: str
    holding: int
    needed: int
    compared: int
    cells: int

    @property
    def holds(self) -> bool:
        """Whether enough hold; of a part of the cells, whether no more fail than may fail of all."""
        return self.compared - self.holding <= self.cells - self.needed


@dataclass(frozen=True)
class Comparison:
    """A run beside the publication.

    Attributes:
        distortion: squared error per pixel, a row a published cell.
        f1: a row a published cell.
        class_distortion: a row a published entry of a class distortion matrix.
        statements: qualitative statements of the publication, a row each.
        thresholds: what must hold.
    """

    distortion: Table
    f1: Table
    class_distortion: Table
    statements: Table
    thresholds: tuple[Threshold, ...]

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by name."""
        return {name: getattr(self, name) for name in ("distortion", "f1", "class_distortion", "statements")}

    @property
    def complete(self) -> bool:
        """Whether the run holds every published cell."""
        return all(threshold.compared == threshold.cells for threshold in self.thresholds)

    @property
    def holds(self) -> bool:
        """Whether everything that could be compared is within tolerance."""
        return all(threshold.holds for threshold in self.thresholds)


def compare_published(run: RunDirectory) -> Comparison:
    """Sets a finished run beside the publication.

    Cells that the run lacks are left empty; what it has is compared. Published F1 are means over batches of 32 images, so they
    are compared with the column `f1_batches`.

    Arguments:
        run: of the built-in study `paper`, a part of it, or any study with models of the same names.

    Returns:
        The comparison.

    Raises:
        RequestError: the run has no model that the publication has.
        RatewarpError: the run is not finished.
    """
    models, tasks, geometry = (run.table(name) for name in ("models", "tasks", "geometry"))
    if not set(models["model"]) & set(published_distortion()["model"]):
        names = ", ".join(dict.fromkeys(published_distortion()["model"]))
        raise RequestError(f"{run.path} has none of the published models ({names}); it has {', '.join(dict.fromkeys(models['model']))}")
    distortion = _beside(published_distortion(), models, _CELL, "distortion", "distortion")
    distortion["inside"] = _inside(distortion, distortion["difference"].abs() <= DISTORTION_TOLERANCE)
    f1 = _beside(published_f1(), tasks, _HEAD, "f1", "f1_batches")
    f1["inside"] = _inside(f1, f1["published"].between(f1["least"] - F1_TOLERANCE, f1["most"] + F1_TOLERANCE))
    entries = _beside(published_class_distortion(), _entries(geometry), _ENTRY, "value", "value")
    entries["inside"] = _inside(entries, (entries["published"].abs() <= SIGN_ABOVE) | (entries["same_sign"] > 0.5))
    statements = pd.DataFrame(list(_statements(geometry)))
    return Comparison(
        distortion=distortion.drop(columns="same_sign"),
        f1=f1.drop(columns="same_sign"),
        class_distortion=entries,
        statements=statements,
        thresholds=(
            _threshold("distortion", distortion, DISTORTION_CELLS),
            _threshold("f1", f1, F1_CELLS),
            _threshold("class_distortion", entries, len(entries)),
            _threshold("statements", statements, len(statements)),
        ),
    )


def _beside(published: Table, ours: Table, keys: list[str], their_column: str, our_column: str) -> Table:
    """Published numbers, each with the mean, least and most of ours over seeds; empty where the run has none."""
    found = ours.dropna(subset=[our_column]).groupby(keys)[our_column]
    of_seeds = found.agg(mean="mean", least="min", most="max", seeds="count").reset_index()
    table = published.rename(columns={their_column: "published"}).merge(of_seeds, on=keys, how="left")
    table["difference"] = table["mean"] - table["published"]
    signs = ours.merge(published.rename(columns={their_column: "published"}), on=keys, suffixes=("", "_theirs"))
    signs["same"] = np.sign(signs[our_column]) == np.sign(signs["published"])
    share = signs.groupby(keys)["same"].mean().rename("same_sign").reset_index()
    return table.astype({"seeds": "Int64"}).merge(share, on=keys, how="left")


def _inside(table: Table, holds: pd.Series) -> pd.Series:
    """True or false; empty where the run lacks the cell."""
    return holds.astype("boolean").where(table["mean"].notna())


def _entries(geometry: Table) -> Table:
    """Entries of class distortion matrices, with their classes as columns."""
    places = geometry["measure"].str.extract(r"^class_distortion\[(\d+),(\d+)\]$")
    rows = geometry[places[0].notna()].copy()
    return rows.assign(a=places[0].dropna().astype(int), b=places[1].dropna().astype(int))


def _threshold(name: str, table: Table, needed: int) -> Threshold:
    return Threshold(name, int(table["inside"].sum()), needed, int(table["inside"].notna().sum()), len(table))


class _Look(NamedTuple):
    """One number of the geometry table at the lowest or highest published capacity."""

    model: str
    measure: str
    task: str
    capacity_nats: float


_LOW, _HIGH = 0.3, 10.0


def _statements(geometry: Table) -> Iterator[dict[str, Any]]:
    """The publication's statements; each holds if the mean over seeds of every difference it rests on is positive."""
    for task in ("E2M1", "E2M2", "E2M3", "E2M4"):
        yield _statement(
            geometry,
            f"low capacity collapses the codes of {task} onto category prototypes",
            {
                "share of variance between categories, 0.3 minus 10 nats": [
                    (1, _Look(task, "prototypization", task, _LOW)),
                    (-1, _Look(task, "prototypization", task, _HIGH)),
                ],
                "the same minus the baseline's, 0.3 nats": [(1, _Look(task, "prototypization_change", task, _LOW))],
            },
        )
    for model in ("E1M1", "E1M2"):
        yield _statement(
            geometry,
            f"skewed frequency ({model}) gives frequent stimuli more resolution at low capacity",
            {
                "resolution of frequent over rare stimuli, minus the baseline's, 0.3 nats": [
                    (1, _Look(model, "resolution_ratio_change", "frequency", _LOW))
                ]
            },
        )
    yield _statement(
        geometry,
        "skewed frequency (E1M1) recruits extra dimensions at high capacity",
        {"participation ratio minus the baseline's, 10 nats": _more_dimensions("E1M1")},
    )
    for task in ("E2M1", "E2M2"):
        yield _statement(
            geometry,
            f"a task ({task}) turns a latent axis to itself",
            {
                f"alignment of the task's axis minus the baseline's, {capacity:g} nats": [
                    (1, _Look(task, "orthogonalization_change", task, capacity))
                ]
                for capacity in (_LOW, _HIGH)
            },
        )
    yield _statement(
        geometry,
        "effects coexist in E2M5",
        {
            "share of variance between the classes of E2M1 minus the baseline's, 0.3 nats": [
                (1, _Look("E2M5", "prototypization_change", "E2M1", _LOW))
            ],
            "alignment of the axis of E2M1 minus the baseline's, 0.3 nats": [(1, _Look("E2M5", "orthogonalization_change", "E2M1", _LOW))],
            "participation ratio minus the baseline's, 10 nats": _more_dimensions("E2M5"),
        },
    )


def _more_dimensions(model: str) -> list[tuple[int, _Look]]:
    return [(1, _Look(model, "participation_ratio", "", _HIGH)), (-1, _Look("baseline", "participation_ratio", "", _HIGH))]


def _statement(geometry: Table, statement: str, differences: dict[str, list[tuple[int, _Look]]]) -> dict[str, Any]:
    found = {text: _difference(geometry, parts) for text, parts in differences.items()}
    known = all(values is not None for values in found.values())
    evidence = "; ".join(
        f"{text}: {'not in this run' if values is None else ', '.join(f'{value:+.3f}' for value in values)}"
        for text, values in found.items()
    )
    holds = all(values is not None and np.mean(values) > 0 for values in found.values()) if known else None
    return {"statement": statement, "inside": holds, "evidence": evidence}


def _difference(geometry: Table, parts: Sequence[tuple[int, _Look]]) -> np.ndarray | None:
    """Signed sum of numbers, one a seed; None if the run lacks any."""
    columns = []
    for sign, look in parts:
        rows = geometry
        for key, wanted in look._asdict().items():
            rows = rows[(rows[key].isna() if wanted == "" else rows[key] == wanted)]
        columns.append(sign * rows.set_index("seed")["value"])
    total = pd.concat(columns, axis=1, join="inner").sum(axis=1)
    return total.to_numpy() if len(total) else None

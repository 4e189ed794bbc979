"""The tables of a run: one row a condition, one a task of a condition, one a geometric measure of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp.geometry import active_units
from ratewarp.geometry.measuring import Representation, Settings, measure_codes
from ratewarp.recipe import Constrained
from ratewarp.scores import f1, f1_over_batches
from ratewarp.store import RunDirectory
from ratewarp.studies import Condition, Study

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
    "multiplier",
    "active_units",
    "steps",
    "status",
    "diverged_at",
]
TASKS = ["condition", "regime", "representation", "task", "capacity_nats", "seed", "f1", "f1_batches", "accuracy"]
GEOMETRY = ["condition", "model", "capacity_nats", "seed", "measure", "task", "value", "low", "high", "p", "n", "note"]

RATE_TOLERANCE = 0.1  # a rate further from the capacity than this share of it, or than this many nats below 1 nat, is off target


def build_tables(run: RunDirectory, study: Study, conditions: Sequence[Condition] | None = None) -> dict[str, pd.DataFrame]:
    """All tables of a study, by name.

    Arguments:
        run: where its conditions are stored.
        study: what was run.
        conditions: those to be in the tables, all stored; every condition of the study if not given. Heads on frozen codes that are
            not stored have no rows, and neither have changes from a reference that is not among them.
    """
    chosen = study.conditions if conditions is None else conditions
    records = {c.id: run.record(c.id) for c in chosen}
    models = pd.DataFrame([_model_row(c, records[c.id], run.params(c.id)) for c in chosen], columns=MODELS)
    return {
        "models": models.astype({"diverged_at": "Int64"}),
        "tasks": pd.DataFrame([row for c in chosen for row in _all_task_rows(c, study, run, records[c.id])], columns=TASKS),
        "geometry": pd.DataFrame([row for c in chosen for row in _geometry_rows(c, study, records)], columns=GEOMETRY),
    }


def _model_row(condition: Condition, record: xr.Dataset, params: Mapping[str, np.ndarray]) -> dict[str, Any]:
    rate, rate_se = _weighted(record["rate"], record["frequency"])
    distortion, distortion_se = _weighted(record["distortion"], record["frequency"])
    semantic, _ = _weighted(record["semantic_distortion"], record["frequency"])
    sound = _sound(record) and all(np.isfinite(array).all() for array in params.values())
    return {
        **_labels(condition),
        "rate_nats": rate,
        "rate_se": rate_se,
        "rate_bits": rate / np.log(2),
        "rate_gap": rate - condition.capacity_nats,
        "distortion": distortion,
        "distortion_se": distortion_se,
        "semantic_distortion": semantic,
        "multiplier": float(record["history_multiplier"][-1]) if isinstance(condition.setting.recipe, Constrained) else None,
        "active_units": active_units(record["code"].values) if sound else None,
        "steps": record.sizes["step"],
        "status": rate_status(rate, condition.capacity_nats) if sound else "diverged",
        "diverged_at": _first_not_finite(record),
    }


def rate_status(rate: float, capacity: float) -> str:
    """Whether a rate, in nats, is near enough to its capacity.

    Examples:
        >>> [rate_status(rate, capacity) for rate, capacity in ((3.2, 3), (3.4, 3), (0.39, 0.3), (0.41, 0.3))]
        ['ok', 'off target', 'ok', 'off target']
    """
    return "ok" if abs(rate - capacity) <= RATE_TOLERANCE * max(capacity, 1) else "off target"


def _sound(record: xr.Dataset) -> bool:
    """Whether what was measured on held-out images is finite."""
    return all(bool(np.isfinite(record[name]).all()) for name in ("code", "rate", "distortion"))


def _first_not_finite(record: xr.Dataset) -> int | None:
    """The first step, counted from 0, whose rate or distortion is not finite."""
    bad = np.flatnonzero(~np.isfinite(record["history_rate"].values + record["history_distortion"].values))
    return int(bad[0]) if bad.size else None


def _weighted(values: xr.DataArray, frequency: xr.DataArray) -> tuple[float, float]:
    """Mean over stimuli by their frequency and over their images, with its standard error over images."""
    p, v = frequency.values, values.values.astype(float)
    variance = v.var(axis=1, ddof=1) if v.shape[1] > 1 else np.full(len(v), np.nan)
    return float(p @ v.mean(axis=1)), float(np.sqrt(p**2 @ variance / v.shape[1]))


def _all_task_rows(condition: Condition, study: Study, run: RunDirectory, record: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of the model's own heads, and of those trained on its frozen codes."""
    sound, tasks = _sound(record), record.sizes["task"]
    yield from _task_rows(condition, record, "joint" if tasks == 1 else "simultaneous", sound)
    if condition.model in study.readouts and run.read_out(condition.id):
        yield from _task_rows(condition, run.readout(condition.id), "transfer" if tasks else "disjoint", sound)


def _task_rows(condition: Condition, record: xr.Dataset, regime: str, sound: bool) -> Iterator[dict[str, Any]]:
    """F1 (of class 1; macro for more than two classes) and accuracy of heads on sampled codes of held-out images.

    Numbers are left empty for a model that diverged.
    """
    for name in record["task"].values:
        labels = record["label"].sel(task=name).values
        predictions = record["prediction"].sel(task=name).values
        truth = np.repeat(labels, predictions.shape[1])
        weights = np.repeat(record["frequency"].values, predictions.shape[1])
        said = predictions.ravel()
        scores = {
            "f1": f1(truth, said, weights),
            "f1_batches": f1_over_batches(truth, said, weights, classes=int(labels.max()) + 1),
            "accuracy": float(weights @ (truth == said) / weights.sum()),
        }
        row = {**_labels(condition), "regime": regime, "representation": condition.model, "task": str(name)}
        yield {**row, **(scores if sound else dict.fromkeys(scores))}


def _geometry_rows(condition: Condition, study: Study, records: dict[str, xr.Dataset]) -> Iterator[dict[str, Any]]:
    """What is measured on the codes of one condition, against those of its reference; measures that are not defined are left out."""
    record = records[condition.id]
    if not _sound(record):
        return
    reference = study.reference_for(condition)
    compared = reference.id != condition.id and reference.id in records and _sound(records[reference.id])
    schemes = condition.setting.class_schemes() if compared else {}
    own = _representation(record)
    labels = {name: classes[own.units] for name, classes in schemes.items()}
    theirs = _representation(records[reference.id]) if compared else None
    for found in measure_codes(own, labels, theirs, Settings()):
        if np.isfinite(found.value):
            yield {**_labels(condition), **found._asdict()}


def _representation(record: xr.Dataset) -> Representation:
    """Codes of a record, in units of stimuli."""
    values = (record[name].values.astype(float) for name in ("code", "factor_value", "frequency", "variance"))
    codes, factors, frequency, noise = values
    return Representation(codes, record["stimulus"].values.astype(np.int64), factors, frequency, noise)


def _labels(condition: Condition) -> dict[str, Any]:
    return {"condition": condition.id, "model": condition.model, "capacity_nats": condition.capacity_nats, "seed": condition.seed}

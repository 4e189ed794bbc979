"""The tables of a run: one row a condition, one a task of a condition, one a geometric measure of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import combinations_with_replacement
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.metrics import accuracy_score, f1_score

from ratewarp._checks import RequestError
from ratewarp.geometry import active_units, bootstrap, class_distortion_matrix, jackknife, merge_classes, participation_ratio
from ratewarp.recipe import Constrained
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
TASKS = ["condition", "regime", "representation", "task", "capacity_nats", "seed", "f1", "accuracy"]
GEOMETRY = ["condition", "model", "capacity_nats", "seed", "measure", "task", "value", "low", "high", "n"]

RATE_TOLERANCE = 0.1  # a rate further from the capacity than this share of it, or than this many nats below 1 nat, is off target


def build_tables(run: RunDirectory, study: Study) -> dict[str, pd.DataFrame]:
    """All tables of a study whose conditions are all stored, by name."""
    records = {c.id: run.record(c.id) for c in study.conditions}
    models = pd.DataFrame([_model_row(c, records[c.id], run.params(c.id)) for c in study.conditions], columns=MODELS)
    return {
        "models": models.astype({"diverged_at": "Int64"}),
        "tasks": pd.DataFrame([row for c in study.conditions for row in _task_rows(c, records[c.id])], columns=TASKS),
        "geometry": pd.DataFrame([row for c in study.conditions for row in _geometry_rows(c, study, records)], columns=GEOMETRY),
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


def _task_rows(condition: Condition, record: xr.Dataset) -> Iterator[dict[str, Any]]:
    """F1 (of class 1; macro for more than two classes) and accuracy of the heads on sampled codes of held-out images.

    Both are left empty for a model that diverged.
    """
    sound = _sound(record)
    regime = "joint" if record.sizes["task"] == 1 else "simultaneous"
    for name in record["task"].values:
        labels = record["label"].sel(task=name).values
        predictions = record["prediction"].sel(task=name).values
        truth = np.repeat(labels, predictions.shape[1])
        weights = np.repeat(record["frequency"].values, predictions.shape[1])
        average = "binary" if labels.max() == 1 else "macro"
        yield {
            **_labels(condition),
            "regime": regime,
            "representation": condition.model,
            "task": str(name),
            "f1": f1_score(truth, predictions.ravel(), average=average, sample_weight=weights, zero_division=cast(Any, 0))
            if sound
            else None,
            "accuracy": accuracy_score(truth, predictions.ravel(), sample_weight=weights) if sound else None,
        }


def _geometry_rows(condition: Condition, study: Study, records: dict[str, xr.Dataset]) -> Iterator[dict[str, Any]]:
    record = records[condition.id]
    codes = record["code"].values
    if not _sound(record):
        return
    each = condition.setting.codes_each
    stimuli = record["stimulus"].values

    def ratio(drawn: np.ndarray) -> float:
        return participation_ratio(
            np.repeat(codes.reshape(-1, each, codes.shape[1]), drawn.astype(int), axis=0).reshape(-1, codes.shape[1])
        )

    with suppress(RequestError):  # constant codes have no dimensions
        yield _measure(condition, "participation_ratio", "", jackknife(ratio, record.sizes["stimulus_index"]))
    reference = study.reference_for(condition)
    if reference.id == condition.id:
        return
    if not _sound(records[reference.id]):
        return
    with suppress(RequestError):  # a reference that has collapsed tells nothing apart
        fine = class_distortion_matrix(codes, records[reference.id]["code"].values, stimuli).values
        for scheme, labels in condition.setting.class_schemes().items():
            matrix = bootstrap(lambda drawn, labels=labels: merge_classes(fine, labels, drawn), len(labels))
            for a, b in combinations_with_replacement(range(int(labels.max()) + 1), 2):
                yield _measure(condition, f"class_distortion[{a},{b}]", scheme, matrix, (a, b))


def _measure(condition: Condition, measure: str, scheme: str, interval: Any, entry: tuple[int, ...] = ()) -> dict[str, Any]:
    value, low, high = (float(np.asarray(part)[entry]) for part in (interval.value, interval.low, interval.high))
    return {**_labels(condition), "measure": measure, "task": scheme, "value": value, "low": low, "high": high, "n": interval.n}


def _labels(condition: Condition) -> dict[str, Any]:
    return {"condition": condition.id, "model": condition.model, "capacity_nats": condition.capacity_nats, "seed": condition.seed}

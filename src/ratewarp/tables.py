"""The tables of a run: one row a condition, one a task of a condition, one a geometric measure of a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp._checks import RequestError
from ratewarp.geometry import (
    Interval,
    active_units,
    bootstrap,
    class_distortion_matrix,
    jackknife,
    local_resolution,
    merge_classes,
    orthogonalization,
    participation_ratio,
    prototypization,
)
from ratewarp.recipe import Constrained
from ratewarp.scores import f1, f1_over_batches
from ratewarp.store import RunDirectory
from ratewarp.studies import FREQUENCY_SCHEME, Condition, Study

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
GEOMETRY = ["condition", "model", "capacity_nats", "seed", "measure", "task", "value", "low", "high", "n"]

RATE_TOLERANCE = 0.1  # a rate further from the capacity than this share of it, or than this many nats below 1 nat, is off target


def build_tables(run: RunDirectory, study: Study) -> dict[str, pd.DataFrame]:
    """All tables of a study whose conditions are all stored, by name."""
    records = {c.id: run.record(c.id) for c in study.conditions}
    models = pd.DataFrame([_model_row(c, records[c.id], run.params(c.id)) for c in study.conditions], columns=MODELS)
    return {
        "models": models.astype({"diverged_at": "Int64"}),
        "tasks": pd.DataFrame([row for c in study.conditions for row in _all_task_rows(c, study, run, records[c.id])], columns=TASKS),
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


def _all_task_rows(condition: Condition, study: Study, run: RunDirectory, record: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of the model's own heads, and of those trained on its frozen codes."""
    sound, tasks = _sound(record), record.sizes["task"]
    yield from _task_rows(condition, record, "joint" if tasks == 1 else "simultaneous", sound)
    if condition.model in study.readouts:
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
    record = records[condition.id]
    if not _sound(record):
        return
    codes = _Codes(record["code"].values, record.sizes["stimulus_index"])
    ratio = jackknife(codes.of(participation_ratio), codes.stimuli)
    if np.isfinite(ratio.value):  # constant codes have no dimensions
        yield _measure(condition, "participation_ratio", "", _cut(ratio, 1, codes.values.shape[1]))
    reference = study.reference_for(condition)
    if reference.id == condition.id or not _sound(records[reference.id]):
        return
    theirs = _Codes(records[reference.id]["code"].values, codes.stimuli)
    for scheme, labels in condition.setting.class_schemes().items():
        yield from _class_rows(condition, scheme, labels, codes, theirs)
        yield from _warp_rows(condition, scheme, labels, codes, theirs, record["factor_value"].values)


@dataclass(frozen=True)
class _Codes:
    """Codes in order of their stimulus, equally many of each."""

    values: np.ndarray
    stimuli: int

    @property
    def places(self) -> np.ndarray:
        """Stimulus of every code."""
        return np.repeat(np.arange(self.stimuli), len(self.values) // self.stimuli)

    def of(self, measure: Callable[..., float], labels: np.ndarray | None = None) -> Callable[[np.ndarray], float]:
        """`measure` of the codes, and of their labels if given, as a function of which stimuli are kept (1) or left out (0).

        NaN where the measure is not defined, such as where a class has lost its only stimulus.
        """

        def statistic(kept_stimuli: np.ndarray) -> float:
            kept = kept_stimuli[self.places] > 0
            own = self.values[kept]
            with suppress(RequestError):
                return measure(own) if labels is None else measure(own, labels[self.places][kept])
            return np.nan

        return statistic


def _class_rows(condition: Condition, scheme: str, labels: np.ndarray, codes: _Codes, theirs: _Codes) -> Iterator[dict[str, Any]]:
    """Entries of the class distortion matrix."""
    with suppress(RequestError):  # a reference that has collapsed tells nothing apart
        fine = class_distortion_matrix(codes.values, theirs.values, codes.places).values
        matrix = bootstrap(lambda drawn: merge_classes(fine, labels, drawn), len(labels))
        for a, b in combinations_with_replacement(range(int(labels.max()) + 1), 2):
            yield _measure(condition, f"class_distortion[{a},{b}]", scheme, matrix, (a, b))


def _warp_rows(
    condition: Condition, scheme: str, labels: np.ndarray, codes: _Codes, theirs: _Codes, factors: np.ndarray
) -> Iterator[dict[str, Any]]:
    """The three distortions, each of the model and by how much it differs from the reference."""
    measures: dict[str, Callable[[_Codes], Callable[[np.ndarray], float]]] = {
        "prototypization": lambda one: one.of(prototypization, labels),
    }
    if labels.max() == 1:
        measures["orthogonalization"] = lambda one: one.of(orthogonalization, labels)
    if scheme == FREQUENCY_SCHEME:
        measures["resolution_ratio"] = lambda one: _resolution_ratio(one, labels, factors.astype(float))
    for name, measure in measures.items():
        own, other = measure(codes), measure(theirs)
        value = jackknife(own, codes.stimuli)
        change = jackknife(lambda kept, own=own, other=other: own(kept) - other(kept), codes.stimuli)
        most = np.inf if name == "resolution_ratio" else 1.0
        if np.isfinite(value.value):  # else codes that are all alike, or without an active latent
            yield _measure(condition, name, scheme, _cut(value, 0, most))
        if np.isfinite(change.value):
            yield _measure(condition, f"{name}_change", scheme, _cut(change, -most, most))


def _cut(interval: Interval, least: float, most: float) -> Interval:
    """An interval whose ends are within the range of the measure."""
    low, high = (np.clip(end, least, most) for end in (interval.low, interval.high))
    return Interval(interval.value, low, high, interval.n)


def _resolution_ratio(codes: _Codes, labels: np.ndarray, factors: np.ndarray) -> Callable[[np.ndarray], float]:
    """Mean resolution of frequent stimuli over that of rare ones, as a function of which stimuli are kept; NaN without either."""

    def statistic(kept: np.ndarray) -> float:
        chosen = kept[codes.places] > 0
        places = (np.cumsum(kept > 0) - 1)[codes.places[chosen]]
        own = labels[kept > 0]
        with suppress(RequestError):
            resolution = local_resolution(codes.values[chosen], places, factors[kept > 0])
            groups = [resolution[(own == one) & np.isfinite(resolution)] for one in (1, 0)]
            if all(len(group) for group in groups):
                return float(groups[0].mean() / groups[1].mean())
        return np.nan

    return statistic


def _measure(condition: Condition, measure: str, scheme: str, interval: Any, entry: tuple[int, ...] = ()) -> dict[str, Any]:
    value, low, high = (float(np.asarray(part)[entry]) for part in (interval.value, interval.low, interval.high))
    return {**_labels(condition), "measure": measure, "task": scheme, "value": value, "low": low, "high": high, "n": interval.n}


def _labels(condition: Condition) -> dict[str, Any]:
    return {"condition": condition.id, "model": condition.model, "capacity_nats": condition.capacity_nats, "seed": condition.seed}

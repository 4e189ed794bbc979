"""The part of the tables that is of one condition: rows of it, of its tasks and of its measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ratewarp._threads import threads
from ratewarp.geometry import active_units
from ratewarp.geometry.measuring import Representation, Settings, measure_codes
from ratewarp.results.bounds import distance, objective_of, sample_se, semantic_curve, solvable
from ratewarp.results.occurring import measured
from ratewarp.results.scores import f1, f1_over_batches
from ratewarp.results.stimulus_spaces import space_of
from ratewarp.results.table_parts import Rows, part_key
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import CAPACITY, Cell, Condition, Study
from ratewarp.theory import information_bounds

_REFERENCES = 32  # whose codes are held in memory
# a rate further from the capacity than this share of it, or than this many nats below 1 nat, is off target
RATE_TOLERANCE = 0.1
_DIVERGED = {"active_units": None, "status": "diverged"}
_OF_BOUND = (("rate_nats", "rate_se"), ("semantic_distortion", "semantic_se"))


@dataclass(frozen=True)
class Reader:
    """Reads a record when it is asked for, and holds the codes of a few references, which many conditions
    need.
    """

    run: RunDirectory

    def files(self, condition: str | None) -> Sequence[Path | None]:
        """What the rows of a condition are made from."""
        if condition is None:
            return [None]
        stored, read = self.run.path / "conditions" / condition, self.run.path / "readouts" / condition
        return [stored / "record.nc", stored / "params.safetensors", read / "record.nc"]

    @cached_property
    def codes(self) -> Callable[[str], Representation | None]:
        """Codes of a reference; None where it diverged."""

        @lru_cache(maxsize=_REFERENCES)
        def read(condition: str) -> Representation | None:
            record = self.run.record(condition)
            return _representation(record) if _sound(record) else None

        return read


@dataclass(frozen=True)
class ConditionPart:
    """One condition that is to be measured, against the reference of this id, if there is one; `draws` codes
    of every image stand for its posterior in the bounds on information.
    """

    condition: Condition
    labels: dict[str, Any]
    study: Study
    reader: Reader
    settings: Settings
    draws: int
    reference: str | None

    def key(self) -> str:
        """What its rows depend on."""
        setting, readouts = self.condition.setting, self.study.readouts.get(self.condition.model)
        asked = [
            setting.model_dump_json(),
            objective_of(setting),
            self.study.bound_points,
            readouts,
            self.settings,
            self.draws,
        ]
        files = [*self.reader.files(self.condition.id), *self.reader.files(self.reference)]
        return part_key([*self.labels.values(), *asked], files)

    def rows(self) -> Rows:
        """Its rows in every table."""
        run = self.reader.run
        record, params = run.record(self.condition.id), run.params(self.condition.id)
        with threads(1):  # of matrices this small, several threads wait for each other
            models = [{**self.labels, **self._model(record, params)}]
            geometry = list(self._geometry(record))
        tasks = [{**self.labels, **row} for row in _all_task_rows(self.condition, self.study, run, record)]
        return {"models": models, "tasks": tasks, "geometry": geometry}

    def labelled(self, rows: Rows) -> Rows:
        """The same: they say already which condition they are of."""
        return rows

    def _model(self, record: xr.Dataset, params: Mapping[str, np.ndarray]) -> dict[str, Any]:
        condition, study = self.condition, self.study
        row = _reached(condition, record)
        if not (_sound(record) and all(np.isfinite(array).all() for array in params.values())):
            return {**row, **_DIVERGED}
        rate, semantic = ((row[name], row[error]) for name, error in _OF_BOUND)
        against = _against_bound(condition, study, rate, semantic) if study.bound_points else {}
        return {**row, **against, **_information(record, self.draws)}

    def _geometry(self, record: xr.Dataset) -> Iterator[dict[str, Any]]:
        """What is measured on its codes, against those of its reference; measures that are not defined are
        left out.
        """
        if not _sound(record):
            return
        theirs = None
        if self.reference is not None and self.reference != self.condition.id:
            theirs = self.reader.codes(self.reference)
        setting = self.condition.setting
        space = space_of(setting)
        own = replace(_representation(record), kinds=space.kinds, points=space.points)
        occurring = measured(own, theirs, setting.class_schemes())
        for found in measure_codes(occurring.own, occurring.labels, occurring.reference, self.settings):
            if np.isfinite(found.value):
                named = occurring.named(found)._asdict()
                yield {**self.labels, **named.pop("place"), **named}


def rows_of_record(
    condition: Condition, cell: Cell, study: Study, run: RunDirectory, record: xr.Dataset
) -> Rows:
    """What the record of a condition says by itself, at once: its rows of `models`, without the bound and
    information, and of `tasks`.
    """
    labels = labels_of(study, cell, condition)
    tasks = [{**labels, **row} for row in _all_task_rows(condition, study, run, record)]
    return {"models": [{**labels, **_reached(condition, record)}], "tasks": tasks}


def _reached(condition: Condition, record: xr.Dataset) -> dict[str, Any]:
    """Rate, distortion and state of a model, from its record."""
    weighted = _weighted_sample if condition.setting.samples_stimuli() else _weighted
    rate, rate_se = weighted(record["rate"], record["frequency"])
    distortion, distortion_se = weighted(record["distortion"], record["frequency"])
    semantic, semantic_se = weighted(record["semantic_distortion"], record["frequency"])
    row = {
        "rate_nats": rate,
        "rate_se": rate_se,
        "rate_bits": rate / np.log(2),
        "rate_gap": None if condition.capacity_nats is None else rate - condition.capacity_nats,
        "distortion": distortion,
        "distortion_se": distortion_se,
        "semantic_distortion": semantic,
        "semantic_se": semantic_se,
        "multiplier": float(record["history_multiplier"][-1])
        if condition.setting.recipe.MULTIPLIER_IS_SLOPE
        else None,
        "active_units": active_units(
            record["code"].values[record["frequency"].values[record["stimulus"].values] > 0]
        )
        if _sound(record)
        else None,
        "steps": record.sizes["step"],
        "status": rate_status(rate, condition.capacity_nats),
        "diverged_at": _first_not_finite(record),
    }
    return row if _sound(record) else {**row, **_DIVERGED}


def _against_bound(
    condition: Condition, study: Study, rate: tuple[float, float], semantic: tuple[float, float]
) -> dict[str, float]:
    """How far a model is from the bound of its source and frequency."""
    setting = solvable(condition.setting)
    curve = semantic_curve(setting, study.bound_points)
    found = distance(curve, rate, semantic)
    if setting is not condition.setting:  # of other stimuli than the model is measured on
        chance = float(sample_se(setting, curve, np.array([max(rate[0], 0)]))[0])
        found = found._replace(excess_nats_se=float(np.hypot(found.excess_nats_se, chance)))
    return found._asdict()


def _information(record: xr.Dataset, draws: int) -> dict[str, float]:
    """Bounds on what sampled codes tell about the stimulus and about the image, nats, from the images whose
    codes are stored.
    """
    arrays = (record[name].values for name in ("code", "variance", "stimulus"))
    found = information_bounds(*arrays, frequency=record["frequency"].values, draws=draws, seed=0)
    bounds = {
        "stimulus_information_low": found.stimulus_low,
        "stimulus_information_high": found.stimulus_high,
        "image_information_low": found.image_low,
        "image_information_high": found.image_high,
    }
    values = {name: bound.value for name, bound in bounds.items()}
    return {
        **values,
        "information_se": max(bound.standard_error for bound in bounds.values()),
        "information_images": found.images,
    }


def rate_status(rate: float, capacity: float | None) -> str:
    """Whether a rate, in nats, is near enough to its capacity, if there is one.

    Examples:
        >>> [rate_status(rate, capacity) for rate, capacity in ((3.2, 3), (3.4, 3), (0.39, 0.3), (0.41, 0.3))]
        ['ok', 'off target', 'ok', 'off target']
    """
    return (
        "ok"
        if capacity is None or abs(rate - capacity) <= RATE_TOLERANCE * max(capacity, 1)
        else "off target"
    )


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


def _weighted_sample(values: xr.DataArray, frequency: xr.DataArray) -> tuple[float, float]:
    """The same where stimuli are a sample of all, with its standard error over stimuli."""
    p, means = frequency.values, values.values.astype(float).mean(axis=1)
    mean, number = float(p @ means), np.count_nonzero(p)
    spread = np.sqrt(p**2 @ (means - mean) ** 2 * number / (number - 1)) if number > 1 else np.nan
    return mean, float(spread)


def _all_task_rows(
    condition: Condition, study: Study, run: RunDirectory, record: xr.Dataset
) -> Iterator[dict[str, Any]]:
    """Rows of the model's own heads, and of those trained on its frozen codes."""
    sound, tasks = _sound(record), record.sizes["task"]
    yield from _task_rows(condition, record, "joint" if tasks == 1 else "simultaneous", sound)
    if condition.model in study.readouts and run.has_heads(condition.id):
        yield from _task_rows(
            condition, run.readout(condition.id), "transfer" if tasks else "disjoint", sound
        )


def _task_rows(
    condition: Condition, record: xr.Dataset, regime: str, sound: bool
) -> Iterator[dict[str, Any]]:
    """F1 (of class 1; macro for more than two classes) and accuracy of heads on sampled codes of held-out
    images.

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
        row = {"regime": regime, "representation": condition.model, "task": str(name)}
        yield {**row, **(scores if sound else dict.fromkeys(scores))}


def _representation(record: xr.Dataset) -> Representation:
    """Codes of a record, in units of stimuli."""
    values = (record[name].values.astype(float) for name in ("code", "factor_value", "frequency", "variance"))
    codes, factors, frequency, noise = values
    return Representation(codes, record["stimulus"].values.astype(np.int64), factors, frequency, noise)


def labels_of(study: Study, cell: Cell, condition: Condition) -> dict[str, Any]:
    """What says in a row which condition it is of."""
    values = study.values_at(cell.place)
    further = {name: values.get(name) for name in study.further_keys}
    return {
        "condition": condition.id,
        "model": cell.model,
        CAPACITY: condition.capacity_nats,
        **further,
        "seed": cell.seed,
    }

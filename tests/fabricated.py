"""Run directories with made-up records: all that is measured and drawn, without any training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ratewarp.results.tables import COLUMNS
from ratewarp.runs.directory import RunDirectory, create_run
from ratewarp.runs.kept_pictures import pictured
from ratewarp.sources import PIXELS, coordinates_of, kept_files
from ratewarp.studies import Condition, Study, resolved

LATENTS = 2
STEPS = 3
HELD_OUT = 3


def fabricated_record(condition: Condition, seed: int = 0) -> xr.Dataset:
    """A record as training would leave it: codes that follow the factors, with noise."""
    setting = condition.setting
    source, tasks, measured = setting.source, setting.labellings(), setting.measured()
    each, images = min(setting.codes_each, setting.images_each()), min(HELD_OUT, setting.images_each())
    aim = condition.capacity_nats or 1.0
    rng = np.random.default_rng([seed, int(1000 * aim), len(condition.model)])
    factors = setting.factor_numbers()
    place = np.repeat(np.arange(len(measured)), each)
    codes = 0.3 * rng.standard_normal((len(place), LATENTS))
    codes[:, : factors.shape[1]] += (factors[place] / np.maximum(np.ptp(factors, axis=0), 1e-9) * 2 - 1)[
        :, :LATENTS
    ]
    held_out = (len(measured), images)
    labels = np.array([task.labels[measured] for task in tasks], np.int16).reshape(len(tasks), len(measured))
    said = np.repeat(labels.T[:, :, None], images, axis=2).astype(np.int16)
    first, shown = _pictured(condition)
    shape = (len(shown), *source.image_shape[: 2 if source.image_shape[2] == 1 else 3])
    pixels = (first, "row", "column", "channel")[: len(shape)]
    stored = PIXELS[source.pixels]
    highest = min(stored.limits[1], 255)
    return xr.Dataset(
        {
            "code": (("item", "latent"), codes.astype(np.float32)),
            "variance": (("item", "latent"), np.full(codes.shape, 0.1, np.float32)),
            "rate": (
                ("stimulus_index", "held_out"),
                rng.uniform(0.9, 1.1, held_out).astype(np.float32) * aim,
            ),
            "distortion": (
                ("stimulus_index", "held_out"),
                rng.uniform(0.1, 0.2, held_out).astype(np.float32),
            ),
            "semantic_distortion": (
                ("stimulus_index", "held_out"),
                rng.uniform(0.05, 0.1, held_out).astype(np.float32),
            ),
            "prediction": (("stimulus_index", "task", "held_out"), said),
            "label": (("task", "stimulus_index"), labels),
            "frequency": ("stimulus_index", setting.probabilities()),
            "factor_value": (("stimulus_index", "factor"), factors),
            "image": (pixels, rng.integers(0, highest, shape, endpoint=True).astype(stored.dtype)),
            "reconstruction": (pixels, rng.uniform(size=shape).astype(np.float32)),
            "history_distortion": ("step", np.full(STEPS, 0.2, np.float32)),
            "history_rate": ("step", np.full(STEPS, 1.0, np.float32)),
            "history_task_loss": (("step", "task"), np.zeros((STEPS, len(tasks)), np.float32)),
            "history_multiplier": ("step", np.full(STEPS, 0.1, np.float32)),
        },
        coords={
            "stimulus": ("item", place),
            "task": np.array([task.name for task in tasks], dtype="U"),
            "factor": np.array([factor.name for factor in coordinates_of(source).values()], dtype="U"),
            **({"pictured": ("pictured", shown)} if first == "pictured" else {}),
        },
        attrs={"condition": condition.id},
    )


def _pictured(condition: Condition) -> tuple[str, np.ndarray]:
    """The first dimension of the pictures of a condition, and of which measured stimuli they are."""
    number = len(condition.setting.measured())
    shown = pictured(number, int(np.prod(condition.setting.source.image_shape)))
    return ("stimulus_index", np.arange(number)) if shown is None else ("pictured", shown)


def fabricated_run(study: Study, folder: Path) -> RunDirectory:
    """A run directory that holds every condition of a study, and no tables."""
    run = create_run(folder, resolved(study))
    for name, content in kept_files(study.source).items():
        run.write_bytes(name, content)
    for condition in study.conditions:
        description = json.loads(condition.model_dump_json())
        run.write_condition(
            condition.id, description, fabricated_record(condition), {"weight": np.zeros(2, np.float32)}
        )
    return run


def replace_record(run: RunDirectory, condition: Condition) -> None:
    """Other codes in place of those of a condition."""
    put_record(run, condition, fabricated_record(condition, seed=1))


def put_record(run: RunDirectory, condition: Condition, record: xr.Dataset) -> None:
    """Another record in place of that of a condition, without sums, as an earlier version left it."""
    file = run.path / "conditions" / condition.id / "record.nc"
    file.unlink()
    file.with_name("sums.json").unlink(missing_ok=True)
    record.to_netcdf(file, engine="h5netcdf")


def fabricated_tables(run: RunDirectory, study: Study) -> RunDirectory:
    """All tables of a run, of numbers that are made up, and a manifest."""
    rng = np.random.default_rng(0)
    cells = [
        {"condition": c.id, "model": c.model, "capacity_nats": c.capacity_nats, "seed": c.seed}
        for c in study.conditions
    ]
    models = [
        {**one, "rate_nats": one["capacity_nats"] or 1.0, "distortion": 0.1, "status": "ok"} for one in cells
    ]
    schemes = {name: list(setting.class_schemes()) for name, setting in study.settings.items()}
    tasks = [
        {**one, "regime": "joint", "representation": one["model"], "task": task.name, "f1_batches": 0.5}
        for one in cells
        for task in study.settings[one["model"]].labellings()
    ]
    measures = ("prototypization_change", "specialization_change", "participation_ratio")
    geometry = [
        {**one, "measure": name, "task": scheme, "value": rng.normal(), "low": -1.0, "high": 1.0}
        for one in cells
        for scheme in schemes[one["model"]]
        for name in measures
    ]
    curves = [{"model": model, "rate_nats": float(rate)} for model in study.models for rate in range(3)]
    bound = [{**one, "distortion": 1.0 - one["rate_nats"] / 2, "certificate": "searched"} for one in curves]
    normative = [
        {**one, "measure": name, "task": scheme, "value": rng.uniform(1, 2)}
        for one in curves
        for scheme in schemes[one["model"]]
        for name in measures
    ]
    rows = {"models": models, "tasks": tasks, "geometry": geometry, "bound": bound, "normative": normative}
    for name, columns in COLUMNS.items():
        run.write_table(name, pd.DataFrame(rows[name], columns=columns))
    run.write_manifest({"ratewarp": "0"})
    return run

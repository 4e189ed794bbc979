"""Run directories with made-up records: all that is measured and drawn, without any training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

from ratewarp.runs.directory import RunDirectory, create_run
from ratewarp.studies import Condition, Study, resolved

LATENTS = 2
STEPS = 3
HELD_OUT = 3


def fabricated_record(condition: Condition, seed: int = 0) -> xr.Dataset:
    """A record as training would leave it: codes that follow the factors, with noise."""
    setting = condition.setting
    source, each, tasks = setting.source, setting.codes_each, setting.labellings()
    rng = np.random.default_rng([seed, int(1000 * condition.capacity_nats), len(condition.model)])
    stimuli = np.asarray(source.stimuli)
    place = np.repeat(np.arange(len(stimuli)), each)
    codes = stimuli[place][:, :LATENTS] / 6 - 1 + 0.3 * rng.standard_normal((len(place), LATENTS))
    held_out = (len(stimuli), HELD_OUT)
    labels = np.array([task.labels for task in tasks], np.int16).reshape(len(tasks), len(stimuli))
    said = np.repeat(labels.T[:, :, None], HELD_OUT, axis=2).astype(np.int16)
    shape = (len(stimuli), *source.image_shape[:2])
    return xr.Dataset(
        {
            "code": (("item", "latent"), codes.astype(np.float32)),
            "variance": (("item", "latent"), np.full(codes.shape, 0.1, np.float32)),
            "rate": (
                ("stimulus_index", "held_out"),
                rng.uniform(0.9, 1.1, held_out).astype(np.float32) * condition.capacity_nats,
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
            "factor_value": (("stimulus_index", "factor"), stimuli),
            "image": (("stimulus_index", "row", "column"), rng.integers(0, 2, shape).astype(np.uint8)),
            "reconstruction": (
                ("stimulus_index", "row", "column"),
                rng.uniform(size=shape).astype(np.float32),
            ),
            "history_distortion": ("step", np.full(STEPS, 0.2, np.float32)),
            "history_rate": ("step", np.full(STEPS, 1.0, np.float32)),
            "history_task_loss": (("step", "task"), np.zeros((STEPS, len(tasks)), np.float32)),
            "history_multiplier": ("step", np.full(STEPS, 0.1, np.float32)),
        },
        coords={
            "stimulus": ("item", place),
            "task": np.array([task.name for task in tasks], dtype="U"),
            "factor": np.array([factor.name for factor in source.factors], dtype="U"),
        },
        attrs={"condition": condition.id},
    )


def fabricated_run(study: Study, folder: Path) -> RunDirectory:
    """A run directory that holds every condition of a study, and no tables."""
    run = create_run(folder, resolved(study))
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

"""What a run leaves: small records and parameters without any training, and runs without a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ratewarp.api import run
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

STIMULI, EACH, LATENTS, STEPS = 3, 2, 2, 4
PARAMS = {"a.weight": np.arange(4, dtype=np.float32).reshape(2, 2), "b": np.zeros((), np.float32)}


def make_record(condition: str, *, without: str = "", **changed: Any) -> xr.Dataset:
    """A record of that condition; variables can be left out, or `changed` to other dimensions and values."""
    held_out, items = (STIMULI, EACH), STIMULI * EACH
    numbers = np.random.default_rng(0)
    variables = {
        "code": (("item", "latent"), numbers.normal(size=(items, LATENTS)).astype(np.float32)),
        "variance": (("item", "latent"), np.full((items, LATENTS), 0.5, np.float32)),
        **{
            name: (("stimulus_index", "held_out"), np.ones(held_out))
            for name in ("rate", "distortion", "semantic_distortion")
        },
        "prediction": (("stimulus_index", "task", "held_out"), np.zeros((STIMULI, 1, EACH), np.int16)),
        "label": (("task", "stimulus_index"), np.array([[0, 1, 1]], np.int16)),
        "frequency": ("stimulus_index", np.full(STIMULI, 1 / STIMULI)),
        "factor_value": (("stimulus_index", "factor"), np.arange(STIMULI)[:, None]),
        **{
            name: (("stimulus_index", "row", "column"), np.ones((STIMULI, 2, 2)))
            for name in ("image", "reconstruction")
        },
        **{f"history_{name}": ("step", np.ones(STEPS)) for name in ("distortion", "rate", "multiplier")},
        "history_task_loss": (("step", "task"), np.ones((STEPS, 1))),
    }
    coordinates = {
        "stimulus": ("item", np.repeat(np.arange(STIMULI), EACH)),
        "task": np.array(["E2M1"]),
        "factor": np.array(["x"]),
    }
    record = xr.Dataset(variables, coordinates, {"condition": condition})
    for name, value in changed.items():
        record = (
            record.drop_vars(name).assign({name: value})
            if name in variables
            else record.assign_coords({name: value})
        )
    return record.drop_vars(without) if without else record


def make_readout(condition: str) -> xr.Dataset:
    """A record of heads on the frozen codes of that condition."""
    return make_record(condition)[["prediction", "label", "frequency"]].drop_vars("factor", errors="ignore")


def run_study(study: Study, out: Path, progress: Any = lambda _: None, **knobs: Any) -> RunDirectory:
    """Trains and tabulates, without figures and page."""
    return run(study, out, progress=progress, report=False, **knobs)

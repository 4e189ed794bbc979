"""Records: what is kept of a trained condition, as labelled arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ratewarp.sources import Task, coordinates_of
from ratewarp.studies import Condition
from ratewarp.training.evaluation import Evaluation
from ratewarp.training.loop import Trace


def make_record(
    condition: Condition, evaluation: Evaluation, report: Trace, first_images: np.ndarray
) -> xr.Dataset:
    """The record of one condition.

    Arguments:
        condition: what was trained.
        evaluation: of this member, without the member axis.
        report: every training step of this member.
        first_images: the first held-out image of every stimulus.

    Returns:
        Dataset over `item` (images whose codes are kept, `stimulus` says of which stimulus), `latent`,
        `stimulus_index`, `held_out` (all held-out images of a stimulus), `task`, `step`, and pixel rows,
        columns and, if there are several, channels. Rates in nats, distortions in the unit of the likelihood.
    """
    setting = condition.setting
    tasks, measured = setting.labellings(), setting.measured()
    each = min(setting.codes_each, setting.images_each())
    stimuli = len(measured)
    latents = evaluation.codes.shape[-1]
    per_stimulus = ("stimulus_index", "held_out")
    return xr.Dataset(
        {
            "code": (("item", "latent"), evaluation.codes[:, :each].reshape(-1, latents)),
            "variance": (("item", "latent"), evaluation.variances[:, :each].reshape(-1, latents)),
            "rate": (per_stimulus, evaluation.rate),
            "distortion": (per_stimulus, evaluation.distortion),
            "semantic_distortion": (per_stimulus, evaluation.semantic_distortion),
            "prediction": (("stimulus_index", "task", "held_out"), evaluation.predictions.astype(np.int16)),
            "label": (
                ("task", "stimulus_index"),
                np.array([t.labels[measured] for t in tasks], np.int16).reshape(len(tasks), stimuli),
            ),
            "frequency": ("stimulus_index", setting.probabilities()),
            "factor_value": (("stimulus_index", "factor"), _whole_where_all_are(setting.factor_numbers())),
            "image": _pictures(first_images),
            "reconstruction": _pictures(evaluation.reconstructions),
            "history_distortion": ("step", report.distortion),
            "history_rate": ("step", report.rate),
            "history_task_loss": (("step", "task"), report.tasks),
            "history_multiplier": ("step", report.multiplier),
        },
        coords={
            "stimulus": ("item", np.repeat(np.arange(stimuli), each)),
            "task": np.array([t.name for t in tasks], dtype="U"),
            "factor": np.array([f.name for f in coordinates_of(setting.source).values()], dtype="U"),
        },
        attrs=labels_of(condition),
    )


def make_head_record(condition: Condition, tasks: Sequence[Task], predictions: np.ndarray) -> xr.Dataset:
    """What is kept of the heads on the frozen codes of a condition; predictions are by stimulus, task and
    held-out image.
    """
    measured = condition.setting.measured()
    return xr.Dataset(
        {
            "prediction": (("stimulus_index", "task", "held_out"), predictions.astype(np.int16)),
            "label": (("task", "stimulus_index"), np.array([t.labels[measured] for t in tasks], np.int16)),
            "frequency": ("stimulus_index", condition.setting.probabilities()),
        },
        coords={"task": np.array([t.name for t in tasks], dtype="U")},
        attrs=labels_of(condition),
    )


def _pictures(images: Any) -> tuple[tuple[str, ...], np.ndarray]:
    """One image per stimulus with its dimensions; those of one channel have no axis for it."""
    if images.shape[3] == 1:
        return ("stimulus_index", "row", "column"), images[..., 0]
    return ("stimulus_index", "row", "column", "channel"), images


def _whole_where_all_are(values: np.ndarray) -> np.ndarray:
    return values.astype(int) if np.array_equal(values, np.round(values)) else values


def labels_of(condition: Condition) -> dict[str, str | float | int]:
    """What says in a record which condition it is of."""
    aim = {} if condition.capacity_nats is None else {"capacity_nats": condition.capacity_nats}
    return {"condition": condition.id, "model": condition.model, **aim, "seed": condition.seed}

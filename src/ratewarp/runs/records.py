"""Records: what is kept of a trained condition, as labelled arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from ratewarp.runs.kept_pictures import pictured
from ratewarp.sources import Task, coordinates_of
from ratewarp.studies import Condition
from ratewarp.training.evaluation import Evaluation
from ratewarp.training.loop import Trace

_DROPPED = 13  # of the 23 bits that single precision keeps of a fraction


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
        Pictures are of every stimulus or, where these would be too many numbers, of those that the
        coordinate `pictured` names. Reconstructions and histories that no number is made from have the
        precision of a half float, 1 part in 2000, the rest is exact.
    """
    setting = condition.setting
    tasks, measured = setting.labellings(), setting.measured()
    each = min(setting.codes_each, setting.images_each())
    stimuli = len(measured)
    latents = evaluation.codes.shape[-1]
    per_stimulus = ("stimulus_index", "held_out")
    shown = pictured(stimuli, first_images[0].size)
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
            "image": _pictures(first_images, shown),
            "reconstruction": _pictures(rounded(evaluation.reconstructions), shown),
            "history_distortion": ("step", rounded(report.distortion)),
            "history_rate": ("step", rounded(report.rate)),
            "history_task_loss": (("step", "task"), rounded(report.tasks)),
            "history_multiplier": ("step", report.multiplier),
        },
        coords={
            "stimulus": ("item", np.repeat(np.arange(stimuli), each)),
            "task": np.array([t.name for t in tasks], dtype="U"),
            "factor": np.array([f.name for f in coordinates_of(setting.source).values()], dtype="U"),
            **({} if shown is None else {"pictured": ("pictured", shown)}),
        },
        attrs=labels_of(condition),
    )


def rounded(values: Any) -> Float[np.ndarray, "..."]:
    """Numbers to 11 significant bits, those of a half float, in the range of their own type: their last bits
    are 0 and compress to nothing. What is not finite stays.

    Arguments:
        values: single precision.

    Examples:
        >>> rounded(np.array([0.1, 1000.3, -3e38, np.inf], np.float32)).tolist()
        [0.0999755859375, 1000.5, -3.0007322004844476e+38, inf]
    """
    exact = np.asarray(values, np.float32)
    bits = exact.view(np.int32)
    half = (1 << (_DROPPED - 1)) - 1
    even = (bits >> _DROPPED) & 1  # ties go to the even neighbour
    whole = ((bits + half + even) >> _DROPPED) << _DROPPED
    near = whole.view(np.float32)
    return np.where(np.isfinite(exact) & np.isfinite(near), near, exact)


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


def _pictures(images: Any, shown: np.ndarray | None) -> tuple[tuple[str, ...], np.ndarray]:
    """One image per stimulus, or of those that are shown, with its dimensions; those of one channel have no
    axis for it.
    """
    first, kept = ("stimulus_index", images) if shown is None else ("pictured", images[shown])
    if images.shape[3] == 1:
        return (first, "row", "column"), kept[..., 0]
    return (first, "row", "column", "channel"), kept


def _whole_where_all_are(values: np.ndarray) -> np.ndarray:
    return values.astype(int) if np.array_equal(values, np.round(values)) else values


def labels_of(condition: Condition) -> dict[str, str | float | int]:
    """What says in a record which condition it is of."""
    aim = {} if condition.capacity_nats is None else {"capacity_nats": condition.capacity_nats}
    return {"condition": condition.id, "model": condition.model, **aim, "seed": condition.seed}

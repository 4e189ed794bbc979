"""What stands for the record of a condition that cannot be read: its stimuli, and no numbers."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ratewarp.sources import PIXELS, Source, coordinates_of
from ratewarp.studies import Condition

_MOST_PICTURED = 400  # images of a record that stands for all


def blank_record(condition: Condition, other: xr.Dataset | None) -> xr.Dataset:
    """A record as of a network that diverged: codes, rates and reconstructions are NaN.

    Arguments:
        condition: of which there is no record.
        other: one of the same study, whose images stand for those of this one; images are empty where there
            is none of the same stimuli.

    Returns:
        Dataset with the dimensions and variables of `ratewarp.runs.records.make_record` that are drawn.
    """
    setting = condition.setting
    source, measured, tasks = setting.source, setting.measured(), setting.labellings()
    stimuli, each = len(measured), min(setting.codes_each, setting.images_each())
    images = _images(source, stimuli, other)
    shown = None if images.dims[0] == "stimulus_index" else images["pictured"].values
    labels = np.array([task.labels[measured] for task in tasks], np.int16).reshape(len(tasks), stimuli)
    codes = np.full((stimuli * each, setting.network.latents), np.nan, np.float32)
    held_out = (("stimulus_index", "held_out"), np.full((stimuli, 1), np.nan, np.float32))
    return xr.Dataset(
        {
            "code": (("item", "latent"), codes),
            "variance": (("item", "latent"), codes),
            **dict.fromkeys(("rate", "distortion", "semantic_distortion"), held_out),
            "label": (("task", "stimulus_index"), labels),
            "frequency": ("stimulus_index", setting.probabilities()),
            "factor_value": (("stimulus_index", "factor"), setting.factor_numbers()),
            "image": (images.dims, images.values),
            "reconstruction": (images.dims, np.full(images.shape, np.nan, np.float32)),
        },
        coords={
            "stimulus": ("item", np.repeat(np.arange(stimuli), each)),
            "task": np.array([task.name for task in tasks], dtype="U"),
            "factor": np.array([factor.name for factor in coordinates_of(source).values()], dtype="U"),
            **({} if shown is None else {"pictured": ("pictured", shown)}),
        },
        attrs={"condition": condition.id},
    )


def _images(source: Source, stimuli: int, other: xr.Dataset | None) -> xr.DataArray:
    """Images of another record of the same stimuli, or empty ones."""
    shape = source.image_shape[: 2 if source.image_shape[2] == 1 else 3]
    if other is not None and other.sizes["stimulus_index"] == stimuli and other["image"].shape[1:] == shape:
        return other["image"]
    chosen = np.unique(np.linspace(0, stimuli - 1, min(stimuli, _MOST_PICTURED)).round().astype(int))
    pictures = np.zeros((len(chosen), *shape), PIXELS[source.pixels].dtype)
    dimensions = ("pictured", "row", "column", "channel")[: 1 + len(shape)]
    return xr.DataArray(pictures, dims=dimensions, coords={"pictured": ("pictured", chosen)})

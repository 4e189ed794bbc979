"""The stimuli of a stage: their factors, their images, and which of them every code is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ratewarp.report.factor_grid import factor_grid
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.pictured import are_responses, image_of, pictured_stimuli
from ratewarp.sources import Source
from ratewarp.studies import Condition

MOST_PICTURED = 400  # stimuli with an image on the page


def world_data(condition: Condition, record: xr.Dataset) -> dict[str, Any]:
    """Factors, images and items of a condition; all conditions of a study have the same."""
    source = condition.setting.source
    shown = shown_pictures(record)
    images = np.stack([image_of(record, place, source) for place in shown])
    return {
        "source": source.name,
        "shape": list(source.image_shape),
        "paint": _paint(source),
        "factors": _factors(record, source),
        "pictured": packed(pictured_stimuli(record)[shown]),
        "images": packed(images, "u1"),
        "stimulus": packed(record["stimulus"].values),
        "stimuli": int(record.sizes["stimulus_index"]),
    }


def shown_pictures(record: xr.Dataset) -> np.ndarray:
    """Which of the pictures of a record are on the page: all, or of many some that are evenly spread."""
    number = len(pictured_stimuli(record))
    return np.unique(np.linspace(0, number - 1, min(number, MOST_PICTURED)).round().astype(int))


def _paint(source: Source) -> str:
    """How numbers of an image become a picture."""
    if are_responses(source):
        return "responses"
    if source.image_shape[2] == 3:
        return "colour"
    return "ink" if source.pixels == "binary" else "bright"


def _factors(record: xr.Dataset, source: Source) -> list[dict[str, Any]]:
    """Every factor with its values, in order, and the rank of the value of every stimulus."""
    grid = factor_grid(record, source)
    return [
        {
            "name": factor.name,
            "kind": factor.kind,
            "values": [str(value) if isinstance(value, str) else float(value) for value in factor.values],
            "ranks": packed(grid.ranks[:, column]),
        }
        for column, factor in enumerate(source.factors)
    ]

"""Whether a table of a run can be used: the columns without which it says nothing, and numbers where numbers
belong.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from ratewarp.runs.run_files import DamagedError

_NEEDED = {
    "models": ("model", "capacity_nats", "seed"),
    "tasks": ("representation", "task", "capacity_nats", "seed"),
    "geometry": ("model", "capacity_nats", "seed", "measure", "task", "value"),
    "bound": ("model", "rate_nats", "distortion", "gap_nats"),
    "normative": ("model", "rate_nats"),
}
_NUMBERS = {
    *("capacity_nats", "seed", "class", "other", "latent", "value", "low", "high", "p", "p_adjusted", "n"),
    *(
        "rate_nats",
        "rate_se",
        "rate_bits",
        "rate_gap",
        "distortion",
        "distortion_se",
        "semantic_distortion",
        "semantic_se",
        "multiplier",
    ),
    *("bound_rate_nats", "excess_nats", "excess_nats_se", "excess_distortion", "efficiency", "bound_slope"),
    *(
        "stimulus_information_low",
        "stimulus_information_high",
        "image_information_low",
        "image_information_high",
        "information_se",
    ),
    *("information_images", "active_units", "steps", "diverged_at", "f1", "f1_batches", "accuracy"),
    *("distortion_below", "slope", "gap_nats", "sample_se", "raw_low", "raw_high"),
}


def check_table(name: str, table: pd.DataFrame, file: Path) -> None:
    """Checks a table that was read.

    Raises:
        DamagedError: a column is missing, or holds text instead of numbers.
    """
    missing = [column for column in _NEEDED[name] if column not in table]
    if missing:
        raise DamagedError(file, f"is damaged: it has no column {', '.join(missing)}")
    for column in table:
        if len(table) and column in _NUMBERS and not is_numeric_dtype(table[column]):
            raise DamagedError(file, f"is damaged: its column {column} holds text instead of numbers")

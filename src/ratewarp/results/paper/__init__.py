"""The publication's numbers: D'Amato, Lancia, Pezzulo, PLoS Comput Biol 21(5): e1012952, 2025 (arXiv
2406.07269).

`distortion.csv` and `f1.csv` are read off its vector figures (± 0.0003 and ± 0.001), one training run a
number. `class_distortion.csv` is computed from the codes of 1,522 test images that the publication shares,
against its baseline at equal capacity; class 1 are the frequent stimuli, or those of which the task's
condition is true. Codes of E1M1, E2M1 and E2M5 are shared.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd


@cache
def published_distortion() -> pd.DataFrame:
    """Validation squared error per pixel: model, capacity_nats, distortion.

    Examples:
        >>> len(published_distortion())
        40
    """
    return _read("distortion")


@cache
def published_f1() -> pd.DataFrame:
    """Validation F1, a mean over batches of 32 images: regime, representation, task, capacity_nats, f1.

    Examples:
        >>> published_f1().groupby("regime", sort=False).size().to_dict()
        {'disjoint': 20, 'joint': 20, 'simultaneous': 20, 'transfer': 60}
    """
    return _read("f1")


@cache
def published_class_distortion() -> pd.DataFrame:
    """Entries of class distortion matrices: model, task, capacity_nats, a, b, value."""
    return _read("class_distortion")


def _read(name: str) -> pd.DataFrame:
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)

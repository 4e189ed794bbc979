"""Tests of one table, corrected for their number."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from ratewarp.geometry import adjusted
from ratewarp.geometry.measuring import PLACES


def corrected(table: pd.DataFrame) -> Float[np.ndarray, " rows"]:
    """p of every row by Holm's rule, within its family: permutation tests of indices, changes of indices,
    entries of matrices.

    The many entries of a matrix would otherwise leave no index a chance, and each of the three asks a
    question of its own.

    Arguments:
        table: with the columns measure, class, other, latent and p.

    Returns:
        One number per row; NaN where there is no test.

    Examples:
        >>> measures = ["prototypization", "prototypization_change", *["class_distance_change"] * 3]
        >>> table = pd.DataFrame({"measure": measures, "class": [None, None, "a", "a", "b"]})
        >>> corrected(table.assign(other=table["class"], latent=None, p=[0.01, 0.02, 0.01, 0.02, 0.03]))
        array([0.01, 0.02, 0.03, 0.04, 0.04])
    """
    p = table["p"].to_numpy(dtype=float)
    entries = np.any([table[place].notna().to_numpy() for place in PLACES], axis=0)
    changes = np.array([name.endswith("_change") for name in table["measure"]], dtype=bool)
    found = np.full(len(table), np.nan)
    for family in (entries, ~entries & changes, ~entries & ~changes):
        found[family] = adjusted(p[family])
    return found

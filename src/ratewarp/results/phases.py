"""Phases: where on the axes of a study each warp stands out from chance, and what optimal codes do there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy.stats import norm

from ratewarp.geometry import adjusted

WARPS = {
    "specialization_change": "specialization",
    "prototypization_change": "prototypization",
    "orthogonalization_change": "orthogonalization",
}
# what stands for each in codes that have no axes of their own
OPTIMAL = {**{name: name for name in WARPS}, "orthogonalization_change": "free_orthogonalization_change"}
LEVEL = 0.05  # of all tests of a table together
_NORMAL = float(norm.ppf(0.975))  # half the width of a 95 % interval, in standard errors
_LABELS = ["model", "measure", "task"]


def phases(geometry: pd.DataFrame, places: Sequence[str], pooled: Sequence[str] = ()) -> pd.DataFrame:
    """The warps at every place, over seeds, with their chance.

    The standard error of a mean over n seeds is √(σ² + s²/n). σ is that of a single network over stimuli,
    from its interval; the stimuli are the same for all seeds, so that σ does not shrink with their number. s
    is the standard deviation between seeds, pooled over places where `pooled` is equal, or that of the place
    itself where it is larger: seeds may differ more at some places, or by outliers. With one seed everywhere
    s is not known and is left out; then nothing is said of other networks.

    Arguments:
        geometry: rows of `tables/geometry.csv`.
        places: columns that say at which place of the study a row is.
        pooled: those of them within which seeds differ alike.

    Returns:
        A row for each model, place, labelling and warp that chance could have moved: `places`, `measure`,
        `task`, `value` (mean over seeds), `se`, `low` and `high` (95 %), `seeds`, `p` (two-sided, normal)
        and `p_adjusted` (Holm, over all rows). Where all seeds are exactly the reference, p is 1.
    """
    shown = pd.DataFrame(geometry[geometry["measure"].isin([*WARPS])])
    width = (shown["high"] - shown["low"]) / (2 * _NORMAL)
    keys = [*_LABELS, *places]
    cells = shown.assign(variance=width**2).groupby(keys, dropna=False, sort=False)
    table = cells.agg(
        value=("value", "mean"),
        seeds=("value", "size"),
        spread=("value", lambda one: float(((one - one.mean()) ** 2).sum())),
        over_stimuli=("variance", "mean"),
    ).reset_index()

    alike = [table[key].astype(str) for key in (*_LABELS, *pooled)]
    freedom = cast(Any, (table["seeds"] - 1).groupby(alike).transform("sum"))
    between = cast(Any, table["spread"].groupby(alike).transform("sum")) / freedom.where(freedom > 0)
    own = table["spread"] / (table["seeds"] - 1).where(table["seeds"] > 1)
    larger = np.fmax(between.fillna(0), own.fillna(0))
    table["se"] = np.sqrt(table["over_stimuli"] + larger / table["seeds"])

    half = _NORMAL * table["se"]
    table = table.assign(low=table["value"] - half, high=table["value"] + half)
    distance = np.where(table["value"] == 0, 0, np.abs(table["value"]) / table["se"])
    table["p"] = 2 * norm.sf(distance)
    table["p_adjusted"] = adjusted(table["p"].to_numpy(dtype=float))
    return pd.DataFrame(table[[*keys, "value", "se", "low", "high", "seeds", "p", "p_adjusted"]])


def optimal_at(normative: pd.DataFrame, rates: Sequence[float], places: Sequence[str]) -> pd.DataFrame:
    """The warps of optimal codes at given rates, along straight lines between those of the table.

    Arguments:
        normative: rows of `tables/normative.csv`.
        rates: nats. Beyond the highest of the table codes stay as they are there, since they then tell all
            stimuli apart.
        places: columns of the further axes.

    Returns:
        A row for each model, place, labelling, warp and rate: `places`, `measure` (by the name it has for
        trained models), `task`, `rate_nats`, `value`.
    """
    names = {optimal: name for name, optimal in OPTIMAL.items()}
    shown = pd.DataFrame(normative[normative["measure"].isin([*names])])
    keys = [*_LABELS, *places]
    rows: list[dict[str, Any]] = []
    for place, own in shown.groupby(keys, dropna=False, sort=False):
        labels = dict(zip(keys, cast(tuple[Any, ...], place), strict=True))
        labels["measure"] = names[labels["measure"]]
        ordered = own.sort_values(by="rate_nats")
        values = np.interp(rates, ordered["rate_nats"].to_numpy(float), ordered["value"].to_numpy(float))
        rows += [
            {**labels, "rate_nats": rate, "value": value} for rate, value in zip(rates, values, strict=True)
        ]
    return pd.DataFrame(rows, columns=[*keys, "rate_nats", "value"])

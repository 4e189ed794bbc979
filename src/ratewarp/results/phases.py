"""Phases: where on the axes of a study each warp stands out from chance, and what optimal codes do there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from ratewarp.geometry import adjusted
from ratewarp.results.steadied import steadied

WARPS = {
    "specialization_change": "specialization",
    "prototypization_change": "prototypization",
    "orthogonalization_change": "orthogonalization",
}
# what stands for each in codes that have no axes of their own
OPTIMAL = {**{name: name for name in WARPS}, "orthogonalization_change": "free_orthogonalization_change"}
LEVEL = 0.05  # share of the places said to be warped that may be so by chance
_LABELS = ["model", "measure", "task"]


def phases(geometry: pd.DataFrame, places: Sequence[str], trend: Sequence[str] = ()) -> pd.DataFrame:
    """The warps at every place, over seeds, with their chance.

    What is asked is whether networks trained at a place have the warp, on these stimuli: chance is that of
    training, from seed to seed. Few seeds tell little of it at one place, so that its variance is drawn
    towards what is usual (`steadied`), and the mean has Student's t distribution. With one seed everywhere
    the interval of the one network stands for it, over stimuli; then nothing is said of other networks.

    Arguments:
        geometry: rows of `tables/geometry.csv`.
        places: columns that say at which place of the study a row is.
        trend: those of them with which the variance between seeds may change. Not those along which the
            reference is another one: what its seeds have in common at many places would be taken for what is
            usual there.

    Returns:
        A row for each model, place, labelling and warp that chance could have moved: `places`, `measure`,
        `task`, `value` (mean over seeds), `se`, `freedom` (degrees of it), `low` and `high` (95 %), `seeds`,
        `p` (two-sided) and `p_adjusted` (Benjamini and Hochberg, over all rows: of those below `LEVEL`, a
        share of `LEVEL` is expected to be chance). Where all seeds are exactly the reference, p is 1.
    """
    shown = pd.DataFrame(geometry[geometry["measure"].isin([*WARPS])])
    width = (shown["high"] - shown["low"]) / (2 * float(ndtri(0.975)))
    keys = [*_LABELS, *places]
    cells = shown.assign(variance=width**2).groupby(keys, dropna=False, sort=False)
    table = cells.agg(
        value=("value", "mean"),
        seeds=("value", "size"),
        spread=("value", lambda one: float(((one - one.mean()) ** 2).sum())),
        over_stimuli=("variance", "mean"),
    ).reset_index()

    if bool(np.any(table["seeds"] > 1)):
        parts = [
            _between_seeds(pd.DataFrame(own), trend)
            for _, own in table.groupby(_LABELS, dropna=False, sort=False)
        ]
        table = table.join(pd.concat(parts))
    else:
        table = table.assign(se=np.sqrt(table["over_stimuli"]), freedom=np.inf)

    reach = stdtrit(table["freedom"], 0.975) * table["se"]
    table = table.assign(low=table["value"] - reach, high=table["value"] + reach)
    chance = 2 * stdtr(table["freedom"], -np.abs(table["value"]) / table["se"])
    table["p"] = np.where(table["value"] == 0, 1.0, chance)
    table["p_adjusted"] = adjusted(table["p"].to_numpy(dtype=float), method="fdr")
    shown_columns = ["value", "se", "freedom", "low", "high", "seeds", "p", "p_adjusted"]
    return pd.DataFrame(table[[*keys, *shown_columns]])


def _between_seeds(own: pd.DataFrame, trend: Sequence[str]) -> pd.DataFrame:
    """Standard errors of means over seeds, of one warp at all its places, and their degrees of freedom."""
    freedom = (own["seeds"] - 1).to_numpy()
    variance = own["spread"].to_numpy() / np.maximum(freedom, 1)
    levels = pd.get_dummies(own[[*trend]].astype(str), drop_first=True) if trend else None
    found = steadied(variance, freedom, None if levels is None else levels.to_numpy(float))
    return pd.DataFrame(
        {"se": np.sqrt(found.variance / own["seeds"].to_numpy()), "freedom": found.freedom}, index=own.index
    )


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

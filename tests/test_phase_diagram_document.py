"""What docs/phase-diagram.md says, from the tables beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ratewarp.results.phases import LEVEL, WARPS, phases

RESULTS = Path(__file__).parents[1] / "docs" / "results" / "phase-diagram"
KEYS = ["capacity_nats", "frequency_ratio", "recipe.task_weight"]
TEXT = (RESULTS.parents[1] / "phase-diagram.md").read_text()


def _places(name: str) -> pd.DataFrame:
    """A row a place, a column a warp: 1 where it stands out above its reference, −1 below, 0 where it does
    not.
    """
    table = phases(pd.read_csv(RESULTS / name), KEYS, KEYS[1:])
    sign = np.sign(table["value"]).where(table["p_adjusted"] < LEVEL, 0)
    return table.assign(sign=sign).pivot_table(index=KEYS, columns="measure", values=["sign", "value"])


@pytest.fixture(scope="module")
def places():
    return _places("warps.csv")


def test_counts_of_places(places):
    above = places["sign"] > 0
    assert len(above) == 252
    numbers = [int((above.sum(axis=1) == number).sum()) for number in range(4)]
    none, one, two, three = numbers
    assert (
        f"**Of {len(above)} places, {none} have no warp, {one} have one, {two} two and {three} all three.**"
        in TEXT
    )
    assert f"({above['prototypization_change'].sum()} of 252 places)" in TEXT
    assert f"at {above['specialization_change'].sum()} of the 210 places" in TEXT
    assert f"takes them away ({(places['sign']['prototypization_change'] < 0).sum()} places" in TEXT
    together = (above.sum(axis=1) == 3).groupby("capacity_nats").sum()
    assert list(together[together > 0].index) == [1, 1.5, 2, 3]
    first, second, third, fourth = together[together > 0]
    assert f"{first}, {second}, {third} and {fourth} places at 1, 1.5, 2 and 3 nats" in TEXT


def test_every_model_is_on_target():
    models = pd.read_csv(RESULTS / "models.csv")
    assert len(models) == 1036
    assert (models["status"] == "ok").all()


def test_the_published_network_says_the_same(places):
    theirs = _places("published-network.csv")
    ours = places.loc[theirs.index]
    correlations = []
    agree, out, both = 0, 0, 0
    for warp in WARPS:
        known = theirs["value"][warp].notna() & ours["value"][warp].notna()
        correlations.append(np.corrcoef(theirs["value"][warp][known], ours["value"][warp][known])[0, 1])
        stands = known & (ours["sign"][warp] != 0)
        out += stands.sum()
        agree += (np.sign(theirs["value"][warp]) == ours["sign"][warp])[stands].sum()
        both += (theirs["sign"][warp] == ours["sign"][warp])[stands].sum()
        assert not ((theirs["sign"][warp] * ours["sign"][warp]) < 0).any()
    first, second, third = correlations
    assert f"{first:.2f} (specialization), {second:.2f} (prototypization) and {third:.2f}" in TEXT
    assert f"same sign at {agree} of {out} places, and it stands out in both at {both}" in " ".join(
        TEXT.split()
    )

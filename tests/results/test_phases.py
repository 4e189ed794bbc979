"""Phases: chance of the warps at every place, against its definition, and its error rate under simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ratewarp.results.phases import optimal_at, phases

HALF = norm.ppf(0.975)


def _rows(values, errors, *, capacities=(1.0,), measure="prototypization_change"):
    """A row for each capacity, place and seed; `values` is over these three."""
    rows = []
    for (c, x, seed), value in np.ndenumerate(values):
        half = HALF * errors[c, x, seed]
        place = {"capacity_nats": capacities[c], "ratio": x, "seed": seed}
        rows.append(
            {
                "model": "m",
                "task": "t",
                "measure": measure,
                "value": value,
                "low": value - half,
                "high": value + half,
            }
            | place
        )
    return pd.DataFrame(rows)


def test_errors_are_of_stimuli_and_of_seeds_pooled_by_capacity():
    rng = np.random.default_rng(0)
    values, errors = rng.normal(size=(2, 3, 4)), rng.uniform(0.1, 0.2, size=(2, 3, 4))
    found = phases(
        _rows(values, errors, capacities=(1.0, 3.0)), ["capacity_nats", "ratio"], pooled=["capacity_nats"]
    )
    for c, capacity in enumerate((1.0, 3.0)):
        own = values[c].var(axis=1, ddof=1)
        for x in range(3):
            row = found[(found["capacity_nats"] == capacity) & (found["ratio"] == x)].iloc[0]
            se = np.sqrt(np.mean(errors[c, x] ** 2) + max(own.mean(), own[x]) / 4)
            assert row["value"] == pytest.approx(values[c, x].mean())
            assert row["se"] == pytest.approx(se)
            assert row["high"] == pytest.approx(values[c, x].mean() + HALF * se)
            assert row["p"] == pytest.approx(2 * norm.sf(abs(values[c, x].mean()) / se))
            assert row["seeds"] == 4
    ordered = np.sort(found["p"])
    holm = np.minimum(1, np.maximum.accumulate(ordered * np.arange(6, 0, -1)))
    np.testing.assert_allclose(np.sort(found["p_adjusted"]), holm)


def test_one_seed_leaves_the_error_over_stimuli():
    found = phases(_rows(np.full((1, 2, 1), 0.3), np.full((1, 2, 1), 0.1)), ["capacity_nats", "ratio"])
    np.testing.assert_allclose(found["se"], 0.1)


def test_what_is_exactly_the_reference_does_not_stand_out():
    found = phases(_rows(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))), ["capacity_nats", "ratio"])
    assert (found["p_adjusted"] == 1).all()


@pytest.mark.parametrize(
    "noise",
    [
        lambda rng, shape: rng.normal(size=shape),
        lambda rng, shape: rng.standard_t(5, size=shape) / np.sqrt(5 / 3),  # heavy tails
        lambda rng, shape: (
            rng.normal(size=shape) * rng.uniform(0.5, 1.5, size=shape[:2])[..., None]
        ),  # uneven
    ],
    ids=["normal", "heavy-tailed", "uneven"],
)
def test_nothing_is_found_where_there_is_nothing(noise):
    """64 places without any warp, 2 seeds, stimuli that all seeds and places share in part: the probability of
    any finding stays near 5 %.
    """
    rng, false = np.random.default_rng(3), 0
    tables = 300
    for _ in range(tables):
        shared = 0.5 * rng.normal(size=(1, 64, 1))  # of the stimuli: the same for both seeds
        values = shared + noise(rng, (1, 64, 2))
        found = phases(
            _rows(values, np.full(values.shape, 0.5)), ["capacity_nats", "ratio"], ["capacity_nats"]
        )
        false += bool((found["p_adjusted"] < 0.05).any())
    print(false / tables)
    assert false / tables < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tables)


def test_a_warp_that_is_there_is_found():
    rng = np.random.default_rng(4)
    values = rng.normal(scale=0.02, size=(1, 64, 2))
    values[0, 10:20] += 0.3
    found = phases(_rows(values, np.full(values.shape, 0.02)), ["capacity_nats", "ratio"], ["capacity_nats"])
    assert set(found.loc[found["p_adjusted"] < 0.05, "ratio"]) == set(range(10, 20))


def test_optimal_codes_between_rates_and_beyond():
    table = pd.DataFrame(
        {
            "model": "m",
            "ratio": 2.0,
            "task": "t",
            "rate_nats": [2.0, 1.0],
            "measure": "free_orthogonalization_change",
            "value": [0.4, 0.2],
        }
    )
    found = optimal_at(table, [1.5, 9.0], ["ratio"])
    assert found["measure"].tolist() == ["orthogonalization_change"] * 2
    np.testing.assert_allclose(found["value"], [0.3, 0.4])

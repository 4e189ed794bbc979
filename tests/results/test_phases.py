"""Phases: chance of the warps at every place, against its definition, and its error rate under simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, norm, t

from ratewarp.results.phases import optimal_at, phases
from ratewarp.results.steadied import steadied

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


def test_errors_are_of_seeds_and_steadied():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 3, 4)) * np.array([1.0, 2.0, 0.5])[:, None]
    table = _rows(values, np.full(values.shape, 9.0), capacities=(1.0, 3.0))
    found = phases(table, ["capacity_nats", "ratio"])
    expected = steadied(values.var(axis=2, ddof=1).ravel(), np.full(6, 3))
    np.testing.assert_allclose(found["value"], values.mean(axis=2).ravel())
    np.testing.assert_allclose(found["se"], np.sqrt(expected.variance / 4))
    one = found.iloc[2]
    assert one["high"] == pytest.approx(one["value"] + t.ppf(0.975, one["freedom"]) * one["se"])
    assert one["p"] == pytest.approx(2 * t.sf(abs(one["value"]) / one["se"], one["freedom"]))
    np.testing.assert_allclose(found["p_adjusted"], false_discovery_control(found["p"]))


def test_one_seed_leaves_the_error_over_stimuli():
    found = phases(_rows(np.full((1, 2, 1), 0.3), np.full((1, 2, 1), 0.1)), ["capacity_nats", "ratio"])
    np.testing.assert_allclose(found["se"], 0.1)


def test_what_is_exactly_the_reference_does_not_stand_out():
    found = phases(_rows(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))), ["capacity_nats", "ratio"])
    assert (found["p_adjusted"] == 1).all()


NOISE = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(3, size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
}


def _simulated(rng, noise, warped):
    """7 capacities × 12 places × 4 seeds: the seeds of a capacity share its reference, which is as noisy as a
    network; the noise of a place is larger at low places, and uneven beside.
    """
    shape = (7, 12, 4)
    values = noise(rng, shape) - noise(rng, (7, 1, 4))
    size = np.exp(np.linspace(1, -1, 12) + 0.4 * rng.normal(size=shape[:2]))[..., None]
    return values * size + 6 * size * warped[..., None]


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
@pytest.mark.parametrize("warped", [0, 4], ids=["nowhere", "at some places"])
def test_few_of_the_places_said_to_be_warped_are_not(noise, warped):
    """The mean share of false ones stays near 5 %; where no place is warped, any is false."""
    rng, tables, false, power = np.random.default_rng(3), 150, [], []
    truth = np.zeros((7, 12), bool)
    truth[2 : 2 + warped, 6:] = True
    for _ in range(tables):
        values = _simulated(rng, noise, truth)
        table = _rows(values, np.ones(values.shape), capacities=range(7))
        found = phases(table, ["capacity_nats", "ratio"], ["ratio"])
        said = (found["p_adjusted"] < 0.05).to_numpy().reshape(truth.shape)
        false.append(np.sum(said & ~truth) / max(said.sum(), 1))
        power.append(said[truth].mean() if warped else 1.0)
    print(np.mean(false), np.mean(power))
    assert np.mean(false) < 0.05 + 3 * np.std(false) / np.sqrt(tables)
    assert np.mean(power) > 0.5


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

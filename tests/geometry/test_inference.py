from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import false_discovery_control, t

from oracles import STANDARD_ERRORS
from ratewarp._checks import RequestError
from ratewarp.geometry import adjusted, infer, permutation_p

RNG = np.random.default_rng(0)


def _mean(sample):
    return lambda weights: weights @ sample / weights.sum(axis=1)


@pytest.mark.parametrize(("interval", "method"), [("bca", "BCa"), ("percentile", "percentile")])
def test_bootstrap_against_scipy(interval, method):
    sample = RNG.exponential(size=60)
    ours = infer(_mean(sample), 60, resamples=20_000, interval=interval)
    theirs = scipy_bootstrap((sample,), np.mean, n_resamples=20_000, method=method, rng=0).confidence_interval
    np.testing.assert_allclose([ours.low, ours.high], theirs, rtol=0.02)
    assert ours.value == pytest.approx(sample.mean())


def test_jackknife_of_a_mean_is_the_t_interval():
    sample = RNG.exponential(size=25)
    interval = infer(_mean(sample), 25)
    np.testing.assert_allclose(
        [interval.low, interval.high], t.interval(0.95, 24, sample.mean(), sample.std(ddof=1) / 5), rtol=1e-10
    )


@pytest.mark.parametrize("interval", ["bca", "percentile", "jackknife"])
def test_intervals_of_a_mean_cover(interval):
    hits = 0
    for trial in range(300):
        found = infer(
            _mean(np.random.default_rng(trial).normal(size=40)), 40, resamples=300, interval=interval
        )
        hits += bool(found.low <= 0 <= found.high)
    assert abs(hits / 300 - 0.94) < STANDARD_ERRORS * np.sqrt(0.94 * 0.06 / 300)


def test_over_seeds_is_the_t_interval_of_their_means():
    samples = RNG.normal(size=(4, 30))
    found = infer([_mean(sample) for sample in samples], 30, over="seeds")
    means = samples.mean(axis=1)
    np.testing.assert_allclose(
        [found.low, found.high], t.interval(0.95, 3, means.mean(), means.std(ddof=1) / 2)
    )
    assert (found.value, found.n) == (pytest.approx(means.mean()), 4)


def test_over_both_covers_a_crossed_design():
    """Units that all seeds share, and seeds that all units share: 94 % or more, since noise is counted twice."""
    hits = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        of_units, of_seeds = rng.normal(size=25), rng.normal(size=5) * 0.3
        samples = of_units + of_seeds[:, None] + 0.1 * rng.normal(size=(5, 25))
        found = infer([_mean(sample) for sample in samples], 25, over="both")
        hits += bool(found.low <= 0 <= found.high)
    assert 0.91 <= hits / 300 <= 0.99


def test_few_units_and_one_seed_are_said_and_never_nan():
    few = infer(_mean(RNG.normal(size=5)), 5)
    assert few.note == "only 5 units"
    fewer = infer(_mean(RNG.normal(size=3)), 3, bounds=(-9.0, 9.0))
    assert (float(fewer.low), float(fewer.high), fewer.note) == (-9, 9, "only 3 units: too few to tell")
    one = infer(_mean(RNG.normal(size=9)), 9, over="seeds", bounds=(-1.0, 1.0))
    assert (float(one.low), float(one.high), one.note) == (-1, 1, "one seed: too few to tell")
    both = infer(_mean(RNG.normal(size=9)), 9, over="both")
    assert both.note == "one seed: over units only"
    assert np.isfinite(both.low)

    def fragile(weights):
        return np.where(weights[:, 0] > 0, 0.5, np.nan)

    for interval in ("jackknife", "bca", "percentile"):
        found = infer(fragile, 12, interval=interval, bounds=(0.0, 1.0))
        assert np.isfinite([found.low, found.high]).all()


def test_arrays_and_undefined_draws():
    values = RNG.normal(size=(20, 2, 2))
    found = infer(
        lambda weights: np.einsum("du,uab->dab", weights, values) / weights.sum(axis=1)[:, None, None],
        20,
        interval="bca",
    )
    assert found.value.shape == found.low.shape == found.high.shape == (2, 2)
    assert np.all((found.low < found.value) & (found.value < found.high))
    nothing = infer(lambda weights: np.full(len(weights), np.nan), 9)
    assert (float(nothing.low), float(nothing.high), nothing.note) == (-np.inf, np.inf, "too few to tell")


def test_undefined_draws_are_left_out():
    """A mean that is undefined whenever the first unit is drawn twice equals the bootstrap of the other
    draws.
    """
    sample = RNG.normal(size=30)
    partly = infer(
        lambda weights: np.where(weights[:, 0] > 1, np.nan, _mean(sample)(weights)),
        30,
        resamples=20_000,
        interval="percentile",
    )
    drawn = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=20_000).astype(float)
    kept = _mean(sample)(drawn[drawn[:, 0] <= 1])
    np.testing.assert_allclose([partly.low, partly.high], np.quantile(kept, [0.025, 0.975]), atol=1e-12)


def test_permutation_p_by_counting():
    null = np.array([0.0, 1, 2, 3, np.nan])
    assert permutation_p(2.5, null) == (1 + 1) / 5
    assert permutation_p(0.5, null, side="less") == (1 + 1) / 5
    assert permutation_p(2.5, null, side="both") == 2 * (1 + 1) / 5
    assert permutation_p(9, null) == 1 / 5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections(p):
    values = np.array(p)
    holm, fdr = adjusted(values), adjusted(values, method="fdr")
    np.testing.assert_allclose(fdr, false_discovery_control(values))
    for level in (0.01, 0.05, 0.2):
        found = np.zeros(len(values), bool)  # step down, by hand
        for rank, test in enumerate(np.argsort(values, kind="stable")):
            if values[test] > level / (len(values) - rank):
                break
            found[test] = True
        near = np.isclose(holm, level, rtol=1e-9)
        np.testing.assert_array_equal((holm <= level)[~near], found[~near])


def test_bad_requests_are_named():
    for arguments, match in (
        ({"units": 1}, "units must be at least 2"),
        ({"level": 1.0}, "level must be between"),
        ({"resamples": 10}, "resamples must be at least 100"),
        ({"interval": "bc"}, "Did you mean 'bca'"),
        ({"over": "seed"}, "Did you mean 'seeds'"),
    ):
        with pytest.raises(RequestError, match=match):
            infer(_mean(np.ones(5)), **{"units": 5, **arguments})
    with pytest.raises(RequestError, match="not NaN"):
        permutation_p(0.0, np.array([np.nan]))
    with pytest.raises(RequestError, match="correction"):
        adjusted(np.array([0.1]), method="bonferroni")


def test_only_entries_without_an_interval_are_noted():
    def statistic(weights):
        return np.stack(
            [weights @ np.arange(10.0) / weights.sum(axis=1), np.where(weights[:, 0] > 0, 1.0, np.nan)],
            axis=1,
        )

    found = infer(statistic, 10, bounds=(0, 9))
    assert (found.note_at(0), found.note_at(1)) == ("", "too few to tell")
    few = infer(lambda w: np.stack([w @ np.arange(5.0), np.where(w[:, 0] > 0, 1.0, np.nan)], axis=1), 5)
    assert (few.note_at(0), few.note_at(1)) == ("only 5 units", "only 5 units: too few to tell")

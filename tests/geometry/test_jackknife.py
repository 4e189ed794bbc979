from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2, norm, t

from oracles import STANDARD_ERRORS
from ratewarp.geometry import infer, orthogonalization, planted_codes
from ratewarp.geometry.alignment import alignment_statistic, off_axis
from ratewarp.geometry.jackknife import Side, cosine_interval, left_out, log_mean_interval, of_difference
from ratewarp.geometry.measuring import Representation, Settings, measure_codes

RNG = np.random.default_rng(0)
T = t.ppf(0.975, 39)


def _mean(sample):
    return lambda weights: weights @ sample / weights.sum(axis=1)


def _side(sample):
    found = infer(_mean(sample), len(sample))
    without = left_out(_mean(sample), len(sample))
    return Side(float(found.value), float(found.low), float(found.high), without.mean() - without)


def test_a_difference_of_means_has_the_jackknife_of_the_difference():
    first, second = RNG.normal(size=(2, 40)) + RNG.normal(size=40)
    ours, direct = of_difference(_side(first), _side(second), 40), infer(_mean(first - second), 40)
    np.testing.assert_allclose(
        [ours.value, ours.low, ours.high], [direct.value, direct.low, direct.high], rtol=1e-9
    )


def test_lopsided_sides_give_a_lopsided_difference():
    """Independent sides: the lower end is the lower reach of the first and the upper reach of the second, by
    Pythagoras.
    """
    still = np.zeros(3)
    found = of_difference(Side(1.0, 0.7, 1.1, still), Side(0.5, 0.3, 0.9, still), 9)
    np.testing.assert_allclose([found.low, found.high], [0.5 - 0.5, 0.5 + np.hypot(0.1, 0.2)])


def _aligned(codes, classes):
    return [
        (
            alignment_statistic(codes, np.arange(len(codes)), classes),
            off_axis(codes.shape[1], int(classes.max()) + 1),
        )
    ]


@pytest.mark.parametrize(("shift", "turned"), [(2.0, 0.0), (2.0, 1.0), (40.0, 20.0)])
def test_ends_of_a_cosine_are_limits_of_a_noncentral_chi(shift, turned):
    """Beside an axis, some way off, and so far off that the distribution is normal; against scipy, one unit
    left out at a time.
    """
    codes, classes = RNG.normal(size=(40, 3)), np.arange(40) % 2
    codes[:, :2] += np.outer(classes, [shift, turned])
    ((statistic, freedom),) = sides = _aligned(codes, classes)
    assert freedom == 2
    found = cosine_interval(sides, 40, 0.95)
    angle = np.arccos(statistic(np.ones((1, 40)))[0])
    without = [
        np.arccos(statistic(np.delete(np.eye(40), unit, 0).sum(axis=0)[None])[0]) for unit in range(40)
    ]
    error = np.sqrt(39 / 40 * np.sum((without - np.mean(without)) ** 2)) * T / norm.ppf(0.975)
    far = chi2.cdf((angle / error) ** 2, 2) > 0.975
    assert np.cos(angle) == pytest.approx(found.value)
    assert ncx2.cdf((angle / error) ** 2, 2, (np.arccos(found.low) / error) ** 2) == pytest.approx(
        0.025, abs=1e-3
    )
    cosines = np.cos(without)
    outer = found.value + T * np.sqrt(39 / 40 * np.sum((cosines - cosines.mean()) ** 2))
    nearest = (
        np.sqrt(max(brentq(lambda nc: ncx2.cdf((angle / error) ** 2, 2, nc) - 0.975, 1e-9, 1e4), 0)) * error
        if far
        else 0
    )
    assert found.high == pytest.approx(min(max(outer, np.cos(nearest)), 1), abs=1e-4)
    assert found.low < found.value < found.high


def test_a_cosine_without_any_doubt():
    alone = cosine_interval([(lambda weights: np.ones(len(weights)), 1)], 9, 0.95)
    assert (alone.value, alone.low, alone.high) == (1, 1, 1)
    untold = cosine_interval([(lambda weights: np.where(weights[:, 0] > 0, 0.9, np.nan), 2)], 9, 0.95)
    assert (untold.value, untold.low, untold.high) == (0.9, 0, 1)
    assert "too few" in untold.note
    stuck = cosine_interval([(lambda weights: np.where(weights.sum(axis=1) < 9, 0.8, 0.9), 2)], 9, 0.95)
    assert (stuck.value, stuck.low, stuck.high) == (0.9, 0, 1)  # equal without any unit, but not for certain
    few = cosine_interval([(lambda weights: np.full(len(weights), 0.9), 2)], 3, 0.95)
    assert (few.low, few.high) == (0, 1)


@pytest.mark.parametrize("latents", [2, 60])
def test_an_interval_holds_its_value_where_nothing_differs(latents):
    """Two samples of one class, or fewer items than latents."""
    for trial in range(20):
        codes = np.random.default_rng(trial).normal(size=(12, latents))
        found = cosine_interval(_aligned(codes, np.arange(12) % 2), 12, 0.95)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert (found.note == "too little differs to tell a direction") == ((found.low, found.high) == (0, 1))


@pytest.mark.parametrize(("latents", "degrees"), [(2, 0), (2, 10), (2, 45), (5, 0), (5, 10), (5, 30)])
def test_orthogonalization_is_covered_at_its_kinks(latents, degrees):
    """On an axis, beside one, and between two: in 95 % of samples, on an axis in more, since no end can miss
    it from above.
    """
    angle = np.radians(degrees)
    axis = np.r_[np.cos(angle), np.full(latents - 1, np.sin(angle) / np.sqrt(latents - 1))]
    held, classes = 0, np.arange(60) % 2
    for trial in range(300):
        codes = np.random.default_rng(trial).normal(size=(60, latents)) + 2.5 * classes[:, None] * axis
        found = cosine_interval(_aligned(codes, classes), 60, 0.95)
        held += bool(found.low <= axis.max() <= found.high)
    assert held / 300 >= 0.95 - STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / 300)
    assert held / 300 <= 0.98 or degrees <= 10


@pytest.mark.parametrize("degrees", [0, 20])
def test_orthogonalization_of_four_classes_is_covered(degrees):
    """Quadrants of two of three latents, turned; the truth is that of 100,000 items."""
    turn = np.eye(3)
    turn[:2, :2] = [
        [np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))],
        [np.sin(np.radians(degrees)), np.cos(np.radians(degrees))],
    ]
    corners = np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0], [2, 3, 0]]) @ turn

    def sample(trial, items):
        rng, classes = np.random.default_rng(trial), np.arange(items) % 4
        return rng.normal(size=(items, 3)) + corners[classes], classes

    truth = orthogonalization(*sample(-1 % 2**32, 100_000))
    hits = [cosine_interval(_aligned(*sample(trial, 80)), 80, 0.95) for trial in range(300)]
    held = np.mean([one.low - 1e-3 <= truth <= one.high + 1e-3 for one in hits])
    assert held >= 0.90


def _ring(units):
    """Every unit and its next two neighbours."""
    return np.array([(one, (one + step) % units) for one in range(units) for step in (1, 2)])


def test_variance_over_pairs_by_brute_force():
    pairs = _ring(12)
    influence = RNG.normal(size=12)[pairs].sum(axis=1) + RNG.normal(size=24)
    influence -= influence.mean()
    shared = np.array([[bool(set(one) & set(other)) for other in pairs] for one in pairs])
    variance = influence @ shared @ influence
    assert variance > influence @ influence
    found = log_mean_interval([(0.3, influence)], pairs, 12, 0.95)
    reach = t.ppf(0.975, 11) * np.sqrt(variance * 12 / 11)
    np.testing.assert_allclose([found.value, found.low, found.high], np.exp([0.3, 0.3 - reach, 0.3 + reach]))


@pytest.mark.parametrize("of_units", [0.0, 1.0])
def test_standard_error_over_pairs_is_the_spread_over_samples(of_units):
    pairs = _ring(60)
    means, errors = [], []
    for trial in range(500):
        rng = np.random.default_rng(trial)
        logs = of_units * rng.normal(size=60)[pairs].sum(axis=1) + rng.normal(size=120)
        found = log_mean_interval([(logs.mean(), (logs - logs.mean()) / 120)], pairs, 60, 0.95)
        means.append(logs.mean())
        errors.append(np.log(found.high / found.low) / 2 / t.ppf(0.975, 59))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(means), rel=0.15)


def test_what_keeps_the_jackknife_says_so():
    planted = planted_codes(side=6)
    known = (planted.stimuli, planted.factors, planted.frequency)
    own, reference = (Representation(codes, *known) for codes in (planted.codes, planted.reference))
    wanted = ("prototypization", "orthogonalization", "specialization", "resolution_ratio")

    def found(interval):
        settings = Settings(permutations=0, measures=wanted, interval=interval)
        return {
            one.measure: one for one in measure_codes(own, {"class": planted.classes}, reference, settings)
        }

    default, drawn = found("jackknife"), found("bca")
    for measure in ("orthogonalization", "specialization", "resolution_ratio"):
        for name in (measure, f"{measure}_change"):
            assert drawn[name][:5] == default[name][:5]
            assert "jackknife" in drawn[name].note
            assert "jackknife" not in default[name].note
    assert drawn["prototypization"].low != default["prototypization"].low
    assert drawn["prototypization"].note == ""


def test_no_direction_is_known_where_classes_do_not_differ():
    lost = 0
    for trial in range(100):
        codes = np.random.default_rng(trial).normal(size=(60, 3))
        found = cosine_interval(_aligned(codes, np.arange(60) % 2), 60, 0.95)
        lost += (found.low, found.high, found.note) == (0, 1, "too little differs to tell a direction")
    assert lost >= 50

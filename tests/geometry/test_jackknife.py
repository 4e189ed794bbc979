from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from ratewarp.geometry import infer, planted_codes
from ratewarp.geometry.alignment import alignment_statistic
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
    np.testing.assert_allclose([ours.value, ours.low, ours.high], [direct.value, direct.low, direct.high], rtol=1e-9)


def test_lopsided_sides_give_a_lopsided_difference():
    """Independent sides: the lower end is the lower reach of the first and the upper reach of the second, by Pythagoras."""
    still = np.zeros(3)
    found = of_difference(Side(1.0, 0.7, 1.1, still), Side(0.5, 0.3, 0.9, still), 9)
    np.testing.assert_allclose([found.low, found.high], [0.5 - 0.5, 0.5 + np.hypot(0.1, 0.2)])


def test_ends_of_a_cosine_are_the_outer_ones_of_cosine_and_angle():
    codes, classes = RNG.normal(size=(40, 3)), np.arange(40) % 2
    codes[:, 0] += 2 * classes
    statistic = alignment_statistic(codes, np.arange(40), classes)
    value = statistic(np.ones((1, 40)))[0]
    ends = []
    for forth, back in ((lambda x: x, lambda x: x), (np.arccos, np.cos)):  # one at a time, in a slow loop
        without = [forth(statistic(np.delete(np.eye(40), unit, 0).sum(axis=0)[None])[0]) for unit in range(40)]
        reach = T * np.sqrt(39 / 40 * np.sum((without - np.mean(without)) ** 2))
        ends += [back(max(forth(value) - reach, 0)), back(forth(value) + reach)]
    found = cosine_interval([statistic], 40, 0.95)
    np.testing.assert_allclose([found.value, found.low, found.high], [value, min(ends), min(max(ends), 1)], rtol=1e-9)


@pytest.mark.parametrize(("latents", "degrees"), [(2, 0), (2, 10), (2, 45), (5, 0), (5, 10)])
def test_orthogonalization_is_covered_at_its_kinks(latents, degrees):
    """On an axis, beside one, and between two; the jackknife of the cosine alone holds the second in 90 % and the third in 87 %."""
    angle = np.radians(degrees)
    axis = np.r_[np.cos(angle), np.full(latents - 1, np.sin(angle) / np.sqrt(latents - 1))]
    held, classes = 0, np.arange(60) % 2
    for trial in range(300):
        codes = np.random.default_rng(trial).normal(size=(60, latents)) + 2.5 * classes[:, None] * axis
        found = cosine_interval([alignment_statistic(codes, np.arange(60), classes)], 60, 0.95)
        held += bool(found.low <= axis.max() <= found.high)
    assert held / 300 >= 0.925


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
    wanted = ("classes", "frequency")

    def found(interval):
        settings = Settings(permutations=0, families=wanted, interval=interval)
        return {one.measure: one for one in measure_codes(own, {"class": planted.classes}, reference, settings)}

    default, drawn = found("jackknife"), found("bca")
    for measure in ("orthogonalization", "specialization", "resolution_ratio"):
        for name in (measure, f"{measure}_change"):
            assert drawn[name][:5] == default[name][:5]
            assert "jackknife" in drawn[name].note
            assert "jackknife" not in default[name].note
    assert drawn["prototypization"].low != default["prototypization"].low
    assert drawn["prototypization"].note == ""

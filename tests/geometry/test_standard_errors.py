"""Standard errors and tests of changes, against slow loops and against the ends of intervals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from oracles import STANDARD_ERRORS
from ratewarp.geometry import (
    infer,
    linear_cka,
    orthogonalization,
    participation_ratio,
    planted_codes,
    procrustes_distance,
    prototypization,
)
from ratewarp.geometry.measuring import Representation, Settings, measure_codes

RNG = np.random.default_rng(0)
CODES, OTHERS = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 3))
CLASSES = np.arange(30) % 2
CODES[:, 0] += 2 * CLASSES
SETTINGS = Settings(permutations=0, test_changes=True)


def _found(settings=SETTINGS, codes=CODES, reference=OTHERS):
    own, other = (Representation(one, np.arange(len(one))) for one in (codes, reference))
    every = measure_codes(own, {"class": CLASSES[: len(codes)]}, other, settings)
    return {" ".join([one.measure, *map(str, one.place.values())]): one for one in every}


def _jackknife(statistic):
    """Standard error by leaving out one item at a time."""
    kept = [np.delete(np.arange(30), item) for item in range(30)]
    without = np.array([statistic(CODES[rows], OTHERS[rows], CLASSES[rows]) for rows in kept])
    return math.sqrt(29 / 30 * np.sum((without - without.mean()) ** 2))


def _log_distance(codes, classes):
    """Log root mean squared distance of items of the two classes, over that of all, by loops."""
    pairs = [(i, j) for i in range(len(codes)) for j in range(len(codes)) if i != j]
    squares = {pair: np.sum((codes[pair[0]] - codes[pair[1]]) ** 2) for pair in pairs}
    apart = [one for (i, j), one in squares.items() if classes[i] != classes[j]]
    return 0.5 * np.log(np.mean(apart) / np.mean(list(squares.values())))


ORACLES = {
    "prototypization": lambda a, b, c: prototypization(a, c),
    "prototypization_change": lambda a, b, c: prototypization(a, c) - prototypization(b, c),
    "orthogonalization": lambda a, b, c: orthogonalization(a, c),
    "orthogonalization_change": lambda a, b, c: orthogonalization(a, c) - orthogonalization(b, c),
    "participation_ratio_change": lambda a, b, c: participation_ratio(a) - participation_ratio(b),
    "linear_cka": lambda a, b, c: linear_cka(a, b),
    "procrustes_distance": lambda a, b, c: procrustes_distance(a, b),
    "class_distance 0 1": lambda a, b, c: _log_distance(a, c),
    "class_distance_change 0 1": lambda a, b, c: _log_distance(a, c) - _log_distance(b, c),
}


@pytest.mark.parametrize("name", ORACLES)
def test_standard_errors_are_those_of_a_slow_jackknife(name):
    assert _found()[name].se == pytest.approx(_jackknife(ORACLES[name]), rel=1e-6)


def test_bounds_do_not_clip_standard_errors():
    values = np.r_[np.full(10, 0.97), np.linspace(0.5, 1.0, 5)]
    plain, bounded = (
        infer(lambda weights: weights @ values / weights.sum(axis=1), 15, bounds=bounds)
        for bounds in ((-math.inf, math.inf), (0.9, 0.95))
    )
    assert bounded.high < plain.high
    assert bounded.se == plain.se == pytest.approx(values.std(ddof=1) / math.sqrt(15))


def test_a_symmetrical_change_has_student_s_test():
    for name in ("prototypization_change", "participation_ratio_change", "class_distance_change 0 1"):
        one = _found()[name]
        assert one.p == pytest.approx(2 * t.sf(abs(one.value) / one.se, 29))


@pytest.mark.parametrize("interval", ["jackknife", "bca", "percentile"])
def test_every_test_agrees_with_its_interval(interval):
    """Below 1 − level where 0 is outside the interval, and nowhere else, also of lopsided intervals."""
    numbers = 0
    for seed in range(8):
        planted = planted_codes(orthogonalization=0.2, specialization=0.2, side=4, items=2, seed=seed)
        known = (planted.stimuli, planted.factors, planted.frequency)
        own, other = (Representation(codes, *known) for codes in (planted.codes, planted.reference))
        for level in (0.95, 0.6):
            settings = replace(SETTINGS, level=level, interval=interval, remove_noise=False, resamples=400)
            for one in measure_codes(own, {"class": planted.classes}, other, settings):
                if one.measure.endswith("_change") and np.isfinite(one.value):
                    numbers += 1
                    assert (one.p <= 1 - level) == (one.low > 0 or one.high < 0), one
                else:
                    assert math.isnan(one.p)
    assert numbers > 100


def test_tests_of_changes_are_called_for():
    assert all(math.isnan(one.p) for one in _found(replace(SETTINGS, test_changes=False)).values())


def test_no_change_is_no_finding():
    """Also where rounding alone makes the two differ."""
    turned = CODES @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    for one in _found(reference=turned).values():
        if (
            one.measure.endswith("_change")
            and "orthogonalization" not in one.measure
            and np.isfinite(one.value)
        ):
            assert one.p == pytest.approx(1)
    assert _found(reference=CODES)["orthogonalization_change"].p == pytest.approx(1)


def test_too_few_units_have_neither():
    for one in _found(codes=CODES[:3], reference=OTHERS[:3]).values():
        assert math.isnan(one.p)
        assert math.isnan(one.se)


def test_bootstraps_have_the_spread_of_their_draws():
    sample = RNG.exponential(size=40)
    found = infer(
        lambda weights: weights @ sample / weights.sum(axis=1), 40, interval="bca", resamples=20_000
    )
    assert found.se == pytest.approx(sample.std() / math.sqrt(40), rel=0.02)


def test_tests_of_no_change_find_chance():
    """Five in a hundred, at 5 %."""
    found = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        first, second = rng.normal(size=(2, 30))
        difference = first - second
        found += bool(infer(lambda weights, d=difference: weights @ d / weights.sum(axis=1), 30).p <= 0.05)
    assert abs(found / 300 - 0.05) < STANDARD_ERRORS * math.sqrt(0.05 * 0.95 / 300)

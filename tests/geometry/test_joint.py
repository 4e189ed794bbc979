"""Effects of category and of frequency, each beside the other: with trial noise and without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import root
from scipy.spatial.distance import pdist, squareform

from oracles import STANDARD_ERRORS
from ratewarp.geometry.joint import joint_effects, joint_effects_of_squares
from ratewarp.geometry.measuring import Representation, Settings, measure_codes

STIMULI = 24
RNG = np.random.default_rng(0)
MEMBERS, FREQUENCY = RNG.permutation(np.arange(STIMULI) % 3), RNG.choice([1.0, 2.0, 8.0], STIMULI)
REFERENCE = RNG.normal(size=(STIMULI, 3))
ONES = np.ones((1, STIMULI))


def _squares(codes):
    return squareform(pdist(codes, "sqeuclidean"))


def _planted(category, frequency):
    """Squared distances that follow the model."""
    often = np.log(FREQUENCY)
    same = MEMBERS[:, None] == MEMBERS
    logs = 0.7 - category * same + frequency * (often[:, None] + often) / 2
    return _squares(REFERENCE) * np.exp(2 * logs)


@pytest.mark.parametrize(("category", "frequency"), [(0.0, 0.0), (0.4, -0.3), (-2.0, 1.5), (6.0, 2.0)])
def test_what_was_planted_is_found(category, frequency):
    found = joint_effects_of_squares(_planted(category, frequency), _squares(REFERENCE), MEMBERS, FREQUENCY)
    weights = np.concatenate([ONES, 1 - np.eye(STIMULI), RNG.integers(0, 3, (5, STIMULI))])
    np.testing.assert_allclose(found(weights), np.tile([category, frequency], (len(weights), 1)), atol=1e-7)


def test_equations_solved_by_root_finding():
    codes = RNG.normal(size=(STIMULI, 3))
    squares, reference = _squares(codes) - 0.3 * (1 - np.eye(STIMULI)), _squares(REFERENCE)
    assert (squares < 0).any()
    often = np.log(FREQUENCY)
    columns = [
        np.ones((STIMULI, STIMULI)),
        -1.0 * (MEMBERS[:, None] == MEMBERS),
        (often[:, None] + often) / 2,
    ]

    def equations(beta, keep):
        left = squares - reference * np.exp(2 * sum(b * x for b, x in zip(beta, columns, strict=True)))
        return [np.sum((x * left)[np.ix_(keep, keep)]) for x in columns]

    statistic = joint_effects_of_squares(squares, reference, MEMBERS, FREQUENCY)
    every = np.arange(STIMULI)
    solved = root(equations, np.zeros(3), args=(every,), tol=1e-12)
    assert solved.success
    np.testing.assert_allclose(statistic(ONES)[0], solved.x[1:], atol=1e-8)
    one_out = root(equations, solved.x, args=(every[1:],), tol=1e-12).x[1:]
    step = statistic(1 - np.eye(STIMULI)[:1])[0]  # one step of Newton's method
    assert np.max(np.abs(step - one_out)) < 0.2 * np.max(np.abs(one_out - solved.x[1:]))


def test_without_noise_both_forms_have_the_same_truth():
    steep = np.where(MEMBERS[:, None] == MEMBERS, 0.5, 0.9)
    squares = _squares(REFERENCE) * steep**2
    found = joint_effects_of_squares(squares, _squares(REFERENCE), MEMBERS, FREQUENCY)(ONES)[0]
    np.testing.assert_allclose(found, [np.log(0.9 / 0.5), 0], atol=1e-9)
    codes = REFERENCE * 3 @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(joint_effects(codes, REFERENCE, MEMBERS, FREQUENCY)(ONES)[0], 0, atol=1e-12)


def test_nothing_is_told_from_noise_alone_or_of_what_goes_together():
    plain = _squares(REFERENCE)
    below = -plain
    assert np.isnan(joint_effects_of_squares(below, plain, MEMBERS, FREQUENCY)(ONES)).all()
    assert np.isnan(joint_effects_of_squares(plain, below, MEMBERS, FREQUENCY)(ONES)).all()
    same = np.ones(STIMULI)
    assert np.isnan(joint_effects_of_squares(plain, plain, MEMBERS, same)(ONES)).all()


def _sample(seed, sizes, within=1.0):
    rng, members = np.random.default_rng(seed), np.arange(40) % 2
    units = np.repeat(np.arange(40), 6)
    frequency = rng.permutation(np.where(np.arange(40) < 20, 1.0, 4.0))
    apart, scatter = 1.5 * members[:, None] * np.eye(4)[0], 0.5 * rng.normal(size=(40, 4))
    sides = [
        Representation(
            (apart + narrow * scatter)[units] + size * rng.normal(size=(240, 4)),
            units,
            None,
            frequency / frequency.sum(),
        )
        for narrow, size in ((within, sizes[0]), (1.0, sizes[1]))
    ]
    settings = Settings(permutations=0, measures=("joint_effects",))
    found = measure_codes(sides[0], {"class": members[units]}, sides[1], settings)
    return {(one.measure, one.trial_noise): one for one in found}


def test_a_change_of_noise_alone_is_no_finding():
    """The form with noise finds it in 19 %."""
    samples = [_sample(seed, (0.4, 0.8)) for seed in range(200)]
    for name in ("category_effect", "frequency_effect"):
        found = [one[name, "removed"] for one in samples]
        values = np.array([one.value for one in found])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
        off = np.mean([not one.low <= 0 <= one.high for one in found])
        assert abs(off - 0.05) < STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / len(found))
        assert not found[0].note
    shifted = np.mean([one["category_effect", "included"].value for one in samples])
    assert shifted > 0.04


def test_narrower_categories_are_found_beside_a_change_of_noise():
    values = [_sample(seed, (0.4, 0.8), 0.6)["category_effect", "removed"].value for seed in range(60)]
    assert np.mean(values) > 0.2

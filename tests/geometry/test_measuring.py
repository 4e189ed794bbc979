"""All measures together: selectivity, coverage, and what is said where something is not defined."""

from __future__ import annotations

import numpy as np
import pytest

from oracles import STANDARD_ERRORS
from ratewarp._checks import RequestError
from ratewarp.geometry import (
    class_distortion_matrix,
    linear_cka,
    measuring,
    participation_ratio,
    planted_codes,
    prototypization,
)
from ratewarp.geometry.measures import MEASURES
from ratewarp.geometry.measuring import Representation, Settings, measure_codes

OF_CLASSES = ("prototypization", "orthogonalization", "free_orthogonalization")
OF_FREQUENCY = ("specialization", "resolution_ratio")
INDICES = ("prototypization", "specialization", "orthogonalization")


def _measured(planted, **settings):
    known = (planted.stimuli, planted.factors, planted.frequency)
    own, reference = (Representation(codes, *known) for codes in (planted.codes, planted.reference))
    found = measure_codes(
        own,
        {"class": planted.classes},
        reference,
        Settings(**{"permutations": 0, "remove_noise": False, **settings}),
    )
    return {(one.measure, *one.place.values()) if one.place else one.measure: one for one in found}


def _error(found):
    return (found.high - found.low) / 2 / 1.977  # 143 degrees of freedom


@pytest.mark.parametrize("index", INDICES)
def test_each_index_moves_with_its_own_distortion_alone(index):
    strength = {"prototypization": 0.3, "specialization": 0.5, "orthogonalization": 0.6}[index]
    runs = [
        _measured(planted_codes(**{index: strength}, seed=seed), measures=(*OF_CLASSES, *OF_FREQUENCY))
        for seed in range(12)
    ]
    for other in INDICES:
        mean = np.mean([run[f"{other}_change"].value for run in runs])
        error = np.mean([_error(run[f"{other}_change"]) for run in runs])
        assert mean > 5 * error if other == index else abs(mean) < error


def test_every_index_grows_with_its_strength():
    for index, strengths in {
        "prototypization": (0, 0.3, 0.6),
        "specialization": (0, 0.5, 1),
        "orthogonalization": (0, 0.5, 1),
    }.items():
        values = [
            _measured(
                planted_codes(**{index: one}),
                measures=(*OF_CLASSES, *OF_FREQUENCY),
            )[f"{index}_change"].value
            for one in strengths
        ]
        assert values == sorted(values)


def test_values_are_those_of_the_functions():
    planted = planted_codes(prototypization=0.4, side=6, items=4)
    found = _measured(planted, measures=tuple(one.name for one in MEASURES if not one.slow))
    known = (planted.classes,)
    own, theirs = (
        prototypization(codes, *known, stimuli=planted.stimuli)
        for codes in (planted.codes, planted.reference)
    )
    change = own - theirs
    assert found["prototypization"].value == pytest.approx(own)
    assert found["prototypization_change"].value == pytest.approx(change)
    assert found["participation_ratio"].value == pytest.approx(participation_ratio(planted.codes))
    assert found["linear_cka"].value == pytest.approx(linear_cka(planted.codes, planted.reference))
    matrix = class_distortion_matrix(planted.codes, planted.reference, planted.classes).values
    assert found["class_distortion", 0, 1].value == pytest.approx(matrix[0, 1])
    for one in found.values():
        assert one.note == "no interval" or one.low <= one.value <= one.high


def test_intervals_cover_the_population():
    """Stimuli drawn at random from a population whose values are computed from 200,000 of them."""

    def population(rng, stimuli):
        factors = rng.uniform(-1, 1, (stimuli, 2))
        classes = (factors[:, 0] + 0.3 * rng.normal(size=stimuli) > 0).astype(int)
        means = factors @ np.array([[1, 0.3, 0.2], [0, 0.8, -0.3]]) + 0.8 * classes[:, None] * [0.6, 0.2, 0]
        return (
            np.repeat(means, 2, axis=0) + 0.3 * rng.normal(size=(2 * stimuli, 3)),
            np.repeat(np.arange(stimuli), 2),
            np.repeat(classes, 2),
        )

    measures = ("participation_ratio", "prototypization", "orthogonalization", "free_orthogonalization")
    settings = Settings(permutations=0, measures=measures)

    def values(rng, stimuli):
        codes, units, classes = population(rng, stimuli)
        return {
            one.measure: one
            for one in measure_codes(Representation(codes, units), {"class": classes}, None, settings)
        }

    wide = measuring.MAX_BLOCKS
    truth = values(np.random.default_rng(10**6), 200_000)
    assert truth["prototypization"].n == wide  # more units than that are drawn in blocks
    trials = 200
    for measure in ("prototypization", "free_orthogonalization", "participation_ratio"):
        runs = [values(np.random.default_rng(trial), 60)[measure] for trial in range(trials)]
        cover = np.mean([one.low <= truth[measure].value <= one.high for one in runs])
        assert abs(cover - 0.95) < STANDARD_ERRORS * np.sqrt(0.95 * 0.05 / trials)


def test_permuted_labels_are_rarely_found():
    """False positives at 5 %: labels unrelated to the codes."""
    trials, hits = 300, 0
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        own = Representation(np.repeat(rng.normal(size=(24, 3)), 2, axis=0), np.repeat(np.arange(24), 2))
        labels = {"class": np.repeat(rng.permutation(np.arange(24) % 2), 2)}
        found = measure_codes(
            own,
            labels,
            None,
            Settings(permutations=199, measures=OF_CLASSES, seed=trial),
        )
        hits += next(one.p for one in found if one.measure == "prototypization") <= 0.05
    assert abs(hits / trials - 0.05) < STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / trials)


def test_permuted_frequencies_are_rarely_found():
    trials, hits = 300, 0
    factors = np.array([[a, b] for a in range(6) for b in range(6)], float)
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        frequency = rng.permutation(np.repeat([1.0, 5.0], 18))
        own = Representation(
            factors + 0.2 * rng.normal(size=(36, 2)), np.arange(36), factors, frequency / frequency.sum()
        )
        found = measure_codes(own, {}, None, Settings(permutations=199, measures=OF_FREQUENCY, seed=trial))
        hits += next(one.p for one in found if one.measure == "specialization") <= 0.05
    assert abs(hits / trials - 0.05) < STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / trials)


def test_what_is_not_defined_says_why():
    constant = Representation(np.ones((6, 2)), np.arange(6))
    found = {
        one.measure: one for one in measure_codes(constant, {"class": np.arange(6) % 2}, None, Settings())
    }
    assert found["prototypization"].note == "the codes are constant"
    assert np.isnan(found["participation_ratio"].value)
    assert found["effective_prototypes"].note == "needs 3 items of every stimulus"
    varied = Representation(np.random.default_rng(0).normal(size=(6, 2)), np.arange(6))
    one_class = {
        one.measure: one for one in measure_codes(varied, {"class": np.zeros(6, int)}, constant, Settings())
    }
    assert one_class["prototypization"].note == "one class"
    assert "constant" in one_class["linear_cka"].note
    lonely = {
        one.measure: one for one in measure_codes(varied, {"class": np.arange(6) // 5}, None, Settings())
    }
    # a class of one member leaves with it
    assert (lonely["orthogonalization"].low, lonely["orthogonalization"].high) == (0, 1)
    assert "too few to tell" in lonely["orthogonalization"].note


def test_one_frequent_stimulus_has_a_value_without_an_interval():
    planted = planted_codes(side=6)
    frequency = np.where(np.arange(36) == 14, 20.0, 1.0)
    known = (planted.stimuli, planted.factors, frequency / frequency.sum())
    own, reference = (Representation(codes, *known) for codes in (planted.codes, planted.reference))
    labels = {"frequency": (planted.stimuli == 14).astype(int)}
    found = {
        one.measure: one
        for one in measure_codes(own, labels, reference, Settings(permutations=0))
        if one.task == "frequency"
    }
    for measure in ("prototypization", "orthogonalization", "resolution_ratio", "resolution_ratio_change"):
        assert np.isfinite(found[measure].value)
    assert (found["resolution_ratio"].low, found["resolution_ratio"].high) == (0, np.inf)
    assert found["orthogonalization"].high <= 1 or np.isnan(found["orthogonalization"].high)


def test_planted_strengths_are_checked():
    for wrong in (
        {"prototypization": 1.0},
        {"specialization": -1},
        {"orthogonalization": 2},
        {"side": 5},
        {"latents": 1},
    ):
        with pytest.raises(RequestError, match=next(iter(wrong))):
            planted_codes(**wrong)

"""Measures without trial noise: unbiased, equal to peers' cross-validated distances, and unmoved where nothing but
the noise differs.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced
from scipy.spatial.distance import squareform

from ratewarp import measure
from ratewarp.geometry.measures import MEASURES
from ratewarp.geometry.measuring import Representation, Settings, measure_codes
from ratewarp.geometry.scatter import Sample
from ratewarp.geometry.similarity_left_out import _squared_trace, _Sums
from ratewarp.geometry.spread import Cells
from ratewarp.geometry.trial_noise import averaged

STIMULI, LATENTS, TRIALS = 24, 3, 4
RNG = np.random.default_rng(0)
MEANS = RNG.normal(size=(STIMULI, LATENTS)) * [2, 1, 0.5]
OTHER = MEANS @ RNG.normal(size=(LATENTS, 4)) + 0.5 * RNG.normal(size=(STIMULI, 4))
CLASSES = RNG.permutation(np.arange(STIMULI) % 3)
UNITS = np.repeat(np.arange(STIMULI), TRIALS)
FORMED = tuple(one.name for one in MEASURES if one.trial_noise)
FACTORS = np.sort(RNG.exponential(size=STIMULI))[:, None]
FREQUENCY = RNG.permutation(np.where(np.arange(STIMULI) < 12, 1.0, 4.0))
CORRELATED = np.array([[1, 0.8, 0.8], [0, 0.6, 0.2], [0, 0, 0.5]])


def _noisy(rng, means, size, units=UNITS):
    """Noise that is correlated and grows with the code."""
    mixed = rng.normal(size=(len(units), LATENTS)) @ CORRELATED
    wide = np.pad(mixed, ((0, 0), (0, means.shape[1] - LATENTS)))
    return means[units] + size * wide * (1 + np.abs(means[units]))


def _found(own, reference, units=UNITS, form="removed", measures=FORMED):
    frequency = FREQUENCY / FREQUENCY.sum()
    sides = [
        None if one is None else Representation(one, units, FACTORS, frequency) for one in (own, reference)
    ]
    settings = Settings(permutations=0, measures=measures)
    found = measure_codes(sides[0], {"class": CLASSES[units]}, sides[1], settings)
    return {(one.measure, *one.place.values()): one for one in found if one.trial_noise == form}


def test_mean_codes_and_their_errors():
    units = np.repeat(np.arange(3), [2, 3, 5])
    codes = RNG.normal(size=(10, 2))
    means, errors = averaged(codes, units)
    for unit, count in enumerate((2, 3, 5)):
        own = codes[units == unit]
        np.testing.assert_allclose(means[unit], own.mean(axis=0))
        rows = errors.rows[errors.units == unit]
        np.testing.assert_allclose(rows.T @ rows, np.cov(own.T) / count)


def test_without_noise_both_forms_agree():
    """Items of a stimulus are equal: nothing is to be taken off. What treats items as independent, or asks for
    geometric means, is left out.
    """
    own, other = MEANS[UNITS], OTHER[UNITS]
    removed, included = (_found(own, other, form=form) for form in ("removed", "included"))
    for name in (
        ("prototypization",),
        ("prototypization_change",),
        ("free_orthogonalization",),
        ("procrustes_distance",),
        ("class_distance", 0, 1),
        ("class_distance_change", 2, 2),
    ):
        if name == ("procrustes_distance",):  # freed of bias
            assert removed[name].value == pytest.approx(included[name].value, abs=0.1)
        else:
            assert removed[name].value == pytest.approx(included[name].value, rel=1e-9)
    assert removed["reliability",].value == pytest.approx(1)
    assert removed["noise_ceiling",].value == pytest.approx(1)


@pytest.mark.parametrize("units", [UNITS, np.repeat(np.arange(STIMULI), 2 + np.arange(STIMULI) % 5)])
def test_numbers_are_those_of_the_means_on_average(units):
    """The stimuli stay; their noise, which is correlated and unequal, is drawn anew."""
    clean = _found(MEANS[UNITS], OTHER[UNITS])
    runs = [
        _found(
            *(
                _noisy(np.random.default_rng([seed, side]), one, 0.25, units)
                for side, one in enumerate((MEANS, OTHER))
            ),
            units,
        )
        for seed in range(120)
    ]
    noisy = [
        _found(
            *(
                _noisy(np.random.default_rng([seed, side]), one, 0.25, units)
                for side, one in enumerate((MEANS, OTHER))
            ),
            units,
            "included",
        )
        for seed in range(20)
    ]
    for name in (
        ("participation_ratio",),
        ("participation_ratio_change",),
        ("linear_cka",),
        ("prototypization",),
        ("prototypization_change",),
        ("free_orthogonalization",),
        ("class_distance", 0, 1),
        ("class_distance_change", 1, 1),
        ("resolution_ratio",),
    ):
        values = np.array([run[name].value for run in runs])
        error, bias = values.std() / np.sqrt(len(values)), abs(values.mean() - clean[name].value)
        with_noise = abs(np.mean([run[name].value for run in noisy]) - clean[name].value)
        assert bias < 4 * error + 0.15 * with_noise + 0.01 * abs(clean[name].value), name


def test_variances_between_and_within_are_unbiased():
    """Classes of unequal size and variance, stimuli drawn anew, noise with few trials."""
    sizes, spread, centres = np.array([3, 5, 12]), np.array([3.0, 1.0, 0.5]), np.array([0.0, 1.0, 2.0])
    labels, shares = np.repeat(np.arange(3), sizes), sizes / sizes.sum()
    units = np.repeat(np.arange(20), 3)
    found = []
    for seed in range(1500):
        rng = np.random.default_rng(seed)
        means = centres[labels, None] + spread[labels, None] * rng.normal(size=(20, 2))
        codes, errors = averaged(means[units] + 2 * rng.normal(size=(60, 2)), units)
        every = np.arange(20)
        cells = Cells.of(codes, every, labels, every, errors.variances(20))
        found.append(np.concatenate(cells.spread(np.ones((1, 20))).variances()))
    expected = [2 * shares @ (centres - shares @ centres) ** 2, 2 * shares @ spread**2]
    error = np.std(found, axis=0) / np.sqrt(len(found))
    np.testing.assert_array_less(np.abs(np.mean(found, axis=0) - expected), 3.5 * error)


def _crossnobis(codes):
    """rsatoolbox's, every trial a fold of its own; theirs are over the number of latents."""
    known = {"stimulus": UNITS.astype(float), "trial": np.arange(float(len(UNITS)))}
    data = Dataset(codes, obs_descriptors=known)
    peer = calc_rdm_unbalanced(data, method="crossnobis", descriptor="stimulus", cv_descriptor="trial")
    return LATENTS * squareform(np.asarray(peer.dissimilarities)[0])


def test_distances_are_the_crossnobis_distances_of_rsatoolbox():
    codes = _noisy(np.random.default_rng(1), MEANS, 0.3)
    squares = _crossnobis(codes)
    found = _found(codes, None, measures=("class_distance",))
    every = squares[~np.eye(STIMULI, dtype=bool)].mean()
    for a in range(3):
        for b in range(a, 3):
            pairs = (CLASSES[:, None] == a) & (CLASSES[None] == b) & ~np.eye(STIMULI, dtype=bool)
            expected = 0.5 * np.log(squares[pairs].mean() / every)
            assert found["class_distance", a, b].value == pytest.approx(expected, rel=1e-8)


def test_resolution_is_of_the_crossnobis_distances_of_neighbours():
    """Two levels of frequency: the slope is half the log ratio of mean squares over that of frequencies."""
    codes = _noisy(np.random.default_rng(2), MEANS, 0.1)
    squares = _crossnobis(codes)
    gaps = np.diff(FACTORS[:, 0]) / np.median(np.diff(FACTORS[:, 0]))
    along = np.array([squares[i, i + 1] for i in range(STIMULI - 1)]) / gaps**2
    each = np.concatenate([[along[0]], (along[1:] + along[:-1]) / 2, [along[-1]]])
    often = FREQUENCY > 2
    expected = 0.5 * np.log(each[often].mean() / each[~often].mean()) / np.log(4)
    found = _found(codes, None, measures=("specialization",))["specialization",]
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert "a step along one factor, over its length" in found.note


def test_a_change_of_noise_alone_is_no_warp():
    off = {
        "prototypization_change": [],
        "participation_ratio_change": [],
        "free_orthogonalization_change": [],
    }
    before = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        means = rng.normal(size=(40, LATENTS)) + 2 * (np.arange(40) % 2)[:, None]
        units = np.repeat(np.arange(40), 5)
        pair = [
            Representation(means[units] + size * rng.normal(size=(200, LATENTS)), units) for size in (0.5, 1)
        ]
        settings = Settings(
            permutations=0, measures=("prototypization", "participation_ratio", "free_orthogonalization")
        )
        found = list(measure_codes(pair[0], {"odd": units % 2}, pair[1], settings))
        for one in found:
            if one.measure in off and one.trial_noise == "removed":
                off[one.measure].append(not one.low <= 0 <= one.high)
            if one.measure == "prototypization_change" and one.trial_noise == "included":
                before.append(one.low > 0)
    assert np.mean(before) > 0.8
    for name, found in off.items():
        assert np.mean(found) < 0.15, name


def test_stimuli_of_one_item_are_left_out_and_said():
    units = np.concatenate([UNITS, [STIMULI]])
    codes = np.concatenate([_noisy(RNG, MEANS, 0.3), [[9.0, 9.0, 9.0]]])
    labels = np.concatenate([CLASSES[UNITS], [0]])
    found = measure(codes, labels, stimuli=units, permutations=0)
    rows = found.table[
        (found.table["trial_noise"] == "removed") & (found.table["measure"] == "prototypization")
    ]
    assert rows["note"].item() == "1 stimuli of one item left out"
    rest = measure(codes[:-1], labels[:-1], stimuli=units[:-1], permutations=0)
    assert found.value("prototypization", "labels") == pytest.approx(rest.value("prototypization", "labels"))


def test_classes_that_differ_between_items_of_a_stimulus_have_the_form_with_noise_alone():
    found = measure(_noisy(RNG, MEANS, 0.3), np.arange(len(UNITS)) % 2, stimuli=UNITS, permutations=0)
    rows = found.table[found.table["measure"] == "prototypization"]
    assert list(rows["trial_noise"]) == ["included"]
    assert "classes differ between items of a stimulus" in found.table["note"].str.cat(sep=" ")


def test_noise_that_is_given_is_put_into_one_form():
    rng = np.random.default_rng(0)
    codes, variances = rng.normal(size=(4000, 2)), np.full((4000, 2), 0.5)
    found = measure(codes, codes[:, 0] > 0, noise=variances, permutations=0)
    plain = measure(codes, codes[:, 0] > 0, permutations=0)
    share = plain.value("prototypization", "labels")
    assert found.value("prototypization", "labels") == pytest.approx(share)
    expected = share * 2 / 3  # of variance 1 within either latent, and noise of 0.5
    assert found.value("prototypization", "labels", trial_noise="included") == pytest.approx(
        expected, abs=0.02
    )


def test_where_nothing_repeats_a_change_says_what_it_may_be_of():
    found = measure(MEANS, CLASSES, reference=OTHER, permutations=0).table.set_index("measure")
    assert "also of trial noise" in found.loc["prototypization_change", "note"]
    assert found.loc["prototypization", "note"] == ""


def test_reliability_is_the_share_of_variance_between_stimuli():
    """By the analysis of variance: (MS between − MS within) / MS between, for equal numbers of trials."""
    codes = _noisy(np.random.default_rng(3), MEANS, 0.5)
    means = codes.reshape(STIMULI, TRIALS, -1).mean(axis=1)
    between = TRIALS * np.sum((means - means.mean(axis=0)) ** 2) / (STIMULI - 1)
    within = np.sum((codes - means[UNITS]) ** 2) / (STIMULI * (TRIALS - 1))
    found = _found(codes, None, measures=("reliability",))["reliability",]
    assert found.value == pytest.approx((between - within) / between)
    assert found.low < found.value < found.high


def test_what_noise_leaves_nothing_of_is_undefined_and_says_so():
    """Codes that tell nothing of their stimuli, in few and in many latents."""
    for latents in (4, 60):
        rng = np.random.default_rng(latents)
        own, reference = (rng.normal(size=(len(UNITS), latents)) for _ in range(2))
        found = _found(own, reference)
        for name in ("participation_ratio", "linear_cka", "procrustes_distance"):
            assert np.isnan(found[name,].value), name
            assert "too little beside their trial noise: noise ceiling 0." in found[name,].note
        for one in found.values():
            if one.measure in ("prototypization", "free_orthogonalization") and np.isfinite(one.value):
                assert -1.5 < one.value <= 1.5, one


def test_shapes_of_more_latents_than_half_the_stimuli_are_undefined():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(STIMULI, 30))
    found = _found(
        wide[UNITS] + 0.1 * rng.normal(size=(96, 30)), wide[UNITS] + 0.1 * rng.normal(size=(96, 30))
    )
    assert "more latents than half the stimuli" in found["procrustes_distance",].note
    assert found["linear_cka",].value == pytest.approx(1, abs=0.05)


def test_shapes_that_are_alike_are_at_distance_zero_with_an_interval():
    own, reference = (_noisy(np.random.default_rng(seed), MEANS, 0.2) for seed in (0, 1))
    found = _found(own, reference)["procrustes_distance",]
    assert found.low == 0 <= found.value < found.high < 0.5


def test_noise_of_few_trials_in_a_small_class_is_taken_off_the_scatter_of_means():
    """A class of four stimuli, with two trials each, beside one of twenty with ten."""
    labels, trials = np.repeat([0, 1], [4, 20]), np.repeat([2, 10], [4, 20])
    rng = np.random.default_rng(0)
    means = rng.normal(size=(24, 3)) + labels[:, None]
    units, every = np.repeat(np.arange(24), trials), np.arange(24)
    clean = Sample(means, every, labels).scatter(np.ones((1, 24)))
    found = []
    for seed in range(400):
        noise = 1.5 * np.random.default_rng(seed).normal(size=(len(units), 3))
        codes, errors = averaged(means[units] + noise, units)
        scatter = Sample(codes, every, labels, errors).scatter(np.ones((1, 24)))
        found.append([np.trace(scatter.between[0]), np.trace(scatter.within[0])])
    error = np.std(found, axis=0) / np.sqrt(len(found))
    expected = [np.trace(clean.between[0]), np.trace(clean.within[0])]
    np.testing.assert_array_less(np.abs(np.mean(found, axis=0) - expected), 3.5 * error)


def test_more_trials_of_what_is_frequent_are_no_finding():
    """Even resolution; frequent stimuli have six times as many trials, at random places."""
    p = {"specialization": [], "kernel_prototypization": []}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        often = rng.permutation(np.arange(36) % 2)
        units = np.repeat(np.arange(36), np.where(often, 12, 2))
        factors = np.array([[a, b] for a in range(6) for b in range(6)], float)
        codes = np.pad(factors, ((0, 0), (0, 2)))[units] + rng.normal(size=(len(units), 4))
        frequency = np.where(often, 6.0, 1.0) / np.where(often, 6.0, 1.0).sum()
        settings = Settings(permutations=99, measures=tuple(p), seed=seed)
        own = Representation(codes, units, factors, frequency)
        for one in measure_codes(own, {"often": often[units]}, None, settings):
            if one.measure in p and np.isfinite(one.p):
                p[one.measure].append(one.p <= 0.05)
    for name, found in p.items():
        assert len(found) > 20, name
        assert np.mean(found) < 0.18, name


def test_squared_trace_by_all_quadruples():

    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(6), 3)
    means, errors = averaged(rng.normal(size=(18, 2)), units)
    apart = np.sum((means[:, None] - means[None]) ** 2, axis=2)
    apart = apart - errors.variances(6)[:, None] - errors.variances(6)[None]
    squared = np.mean([apart[i, j] * apart[k, m] / 4 for i, j, k, m in permutations(range(6), 4)])
    centred = means - means.mean(axis=0)
    blocks = np.arange(6)
    own = _Sums.of(centred, centred, blocks, (errors, errors))
    assert _squared_trace(centred, blocks, errors, own)(np.ones((1, 6)))[0] == pytest.approx(squared)

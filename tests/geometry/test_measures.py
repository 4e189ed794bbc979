from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import t
from sklearn.decomposition import PCA

from oracles import STANDARD_ERRORS
from ratewarp._checks import RequestError
from ratewarp.geometry import active_units, bootstrap, embed, jackknife, participation_ratio, scaled_tuning, tuning_curves

RNG = np.random.default_rng(0)


def test_participation_ratio_against_principal_components():
    codes = RNG.normal(size=(200, 4)) @ np.diag([3.0, 1, 0.5, 0])
    share = PCA().fit(codes).explained_variance_ratio_
    np.testing.assert_allclose(participation_ratio(codes), 1 / np.sum(share**2), rtol=1e-10)


@given(st.integers(1, 6), st.floats(0.01, 100), st.integers(0, 2**31))
def test_participation_ratio_range_and_invariance(latents, scale, seed):
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(20, latents))
    rotation, _ = np.linalg.qr(rng.normal(size=(latents, latents)))
    ratio = participation_ratio(codes)
    assert 1 - 1e-9 <= ratio <= latents + 1e-9
    np.testing.assert_allclose(participation_ratio(scale * codes @ rotation + 5), ratio, rtol=1e-6)


def test_constant_codes_have_no_dimensions():
    with pytest.raises(RequestError, match="constant"):
        participation_ratio(np.ones((5, 2)))
    assert active_units(np.ones((5, 2))) == 0


def test_active_units():
    codes = RNG.normal(size=(5000, 3)) * np.sqrt([1.0, 0.02, 0.002])
    assert active_units(codes) == 2
    assert active_units(codes, threshold=0.001) == 3


def test_tuning_curves_are_means_over_a_stimulus():
    codes, stimuli = RNG.normal(size=(60, 2)), RNG.permutation(np.repeat(np.arange(6), 10))
    curves = tuning_curves(codes, stimuli, 7)
    for stimulus in range(6):
        np.testing.assert_allclose(curves[stimulus], codes[stimuli == stimulus].mean(axis=0))
    assert np.isnan(curves[6]).all()
    scaled = scaled_tuning(curves[:6])
    assert (scaled.min(), scaled.max()) == (0, 1)
    np.testing.assert_allclose(np.corrcoef(scaled.ravel(), curves[:6].ravel())[0, 1], 1)
    with pytest.raises(RequestError, match="indices from 0 to 4"):
        tuning_curves(codes, stimuli, 5)


def test_a_plane_is_mapped_without_stress():
    plane = RNG.normal(size=(30, 2))
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    found = embed(plane @ rotation[:2])
    np.testing.assert_allclose(pdist(found.points), pdist(plane), rtol=1e-3)
    assert found.stress < 1e-4


def test_map_is_repeatable_and_turns_towards_another():
    codes = RNG.normal(size=(50, 4))
    first, again = embed(codes), embed(codes)
    np.testing.assert_array_equal(first.points, again.points)
    angle = 1.1
    turned = first.points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [1, -1]
    np.testing.assert_allclose(embed(codes, align_to=turned).points, turned, atol=1e-6)
    np.testing.assert_allclose(first.stress, np.sqrt(np.sum((pdist(first.points) - pdist(codes)) ** 2) / np.sum(pdist(codes) ** 2)))
    assert first.stress <= np.sqrt(np.sum((pdist(PCA(2).fit_transform(codes)) - pdist(codes)) ** 2) / np.sum(pdist(codes) ** 2))


def test_maps_of_degenerate_codes():
    assert embed(np.ones((4, 3))).stress == 0
    line = embed(np.arange(5.0)[:, None])
    np.testing.assert_allclose(pdist(line.points), pdist(np.arange(5.0)[:, None]), rtol=1e-3)


def test_bootstrap_against_scipy():
    sample = RNG.exponential(size=60)
    ours = bootstrap(lambda drawn: drawn @ sample / drawn.sum(), 60, resamples=20_000)
    theirs = scipy_bootstrap((sample,), np.mean, n_resamples=20_000, method="BCa", rng=0).confidence_interval
    np.testing.assert_allclose([ours.low, ours.high], theirs, rtol=0.02)
    assert ours.value == pytest.approx(sample.mean())


def test_bootstrap_covers():
    hits = 0
    for trial in range(300):
        sample = np.random.default_rng(trial).normal(size=40)
        interval = bootstrap(lambda drawn, s=sample: drawn @ s / drawn.sum(), 40, resamples=300)
        hits += bool(interval.low <= 0 <= interval.high)
    assert abs(hits / 300 - 0.94) < STANDARD_ERRORS * np.sqrt(0.94 * 0.06 / 300)


def test_bootstrap_of_arrays_and_of_undefined_draws():
    values = RNG.normal(size=(20, 2, 2))
    interval = bootstrap(lambda drawn: np.einsum("u,uab->ab", drawn, values) / drawn.sum(), 20)
    assert interval.value.shape == interval.low.shape == interval.high.shape == (2, 2)
    assert np.all((interval.low < interval.value) & (interval.value < interval.high))
    nothing = bootstrap(lambda drawn: np.nan, 5)
    assert np.isnan(nothing.low)
    assert np.isnan(nothing.high)
    with pytest.raises(RequestError, match="at least 2"):
        bootstrap(lambda drawn: 0.0, 1)


def test_undefined_draws_are_left_out():
    """A mean that is undefined whenever the first unit is drawn equals the bootstrap of the draws without it."""
    sample = RNG.normal(size=30)

    def mean(drawn):
        return drawn @ sample / drawn.sum()

    partly = bootstrap(lambda drawn: np.nan if drawn[0] > 1 else mean(drawn), 30, resamples=20_000)
    drawn = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=20_000)
    kept = [mean(row) for row in drawn if row[0] <= 1]
    np.testing.assert_allclose([partly.low, partly.high], np.quantile(kept, [0.025, 0.975]), atol=0.05)


def test_jackknife_of_a_mean_is_the_t_interval():
    sample = RNG.exponential(size=25)
    interval = jackknife(lambda kept: kept @ sample / kept.sum(), 25)
    np.testing.assert_allclose([interval.low, interval.high], t.interval(0.95, 24, sample.mean(), sample.std(ddof=1) / 5), rtol=1e-10)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from ratewarp._checks import RequestError
from ratewarp.geometry import active_units, embed, participation_ratio, scaled_tuning, tuning_curves

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
    turned = (
        first.points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [1, -1]
    )
    np.testing.assert_allclose(embed(codes, align_to=turned).points, turned, atol=1e-6)
    np.testing.assert_allclose(
        first.stress, np.sqrt(np.sum((pdist(first.points) - pdist(codes)) ** 2) / np.sum(pdist(codes) ** 2))
    )
    assert first.stress <= np.sqrt(
        np.sum((pdist(PCA(2).fit_transform(codes)) - pdist(codes)) ** 2) / np.sum(pdist(codes) ** 2)
    )


def test_maps_of_degenerate_codes():
    assert embed(np.ones((4, 3))).stress == 0
    line = embed(np.arange(5.0)[:, None])
    np.testing.assert_allclose(pdist(line.points), pdist(np.arange(5.0)[:, None]), rtol=1e-3)

"""Extreme sizes, and more latents than items: the same numbers, in bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.covariance import ledoit_wolf_shrinkage

from ratewarp import RequestError, measure
from ratewarp.geometry import (
    class_distortion_matrix,
    disentanglement,
    distance_ratios,
    effective_prototypes,
    embed,
    free_orthogonalization,
    linear_cka,
    local_resolution,
    mutual_information_gap,
    orthogonalization,
    participation_ratio,
    procrustes_distance,
    prototypization,
    scatter,
    specialization,
    task_angles,
)
from ratewarp.geometry.alignment import alignment
from ratewarp.geometry.prototypes import whole
from ratewarp.geometry.reach import scaled, shrinkage, spanned
from ratewarp.geometry.wide import wide_alignment

RNG = np.random.default_rng(0)
STIMULI = np.repeat(np.arange(12), 5)
GRID = np.array([[a, b] for a in range(4) for b in range(3)], float)
CODES = (GRID @ RNG.normal(size=(2, 3)))[STIMULI] + 0.3 * RNG.normal(size=(60, 3))
OTHER, CLASSES = CODES + RNG.normal(size=(60, 3)), STIMULI % 2
FREQUENCY = np.where(np.arange(12) < 6, 3.0, 1.0)

FREE_OF_SCALE = {
    "prototypization": lambda z: prototypization(z, CLASSES),
    "orthogonalization": lambda z: orthogonalization(z, CLASSES),
    "many classes": lambda z: orthogonalization(z, STIMULI % 3),
    "free_orthogonalization": lambda z: free_orthogonalization(z, CLASSES),
    "participation_ratio": participation_ratio,
    "specialization": lambda z: specialization(z, STIMULI, GRID, FREQUENCY),
    "local_resolution": lambda z: local_resolution(z, STIMULI, GRID).mean(),
    "effective_prototypes": lambda z: effective_prototypes(z, STIMULI),
    "linear_cka": lambda z: linear_cka(z, OTHER),
    "procrustes_distance": lambda z: procrustes_distance(z, OTHER),
    "task_angles": lambda z: task_angles(z, {"a": CLASSES, "b": STIMULI % 3})["angle_degrees"][0],
    "mutual_information_gap": lambda z: mutual_information_gap(z, GRID[STIMULI]),
    "completeness": lambda z: disentanglement(z, GRID[STIMULI]).completeness,
    "map": lambda z: embed(z).stress,
    "class_distortion_matrix": lambda z: class_distortion_matrix(z, z[:, ::-1] + z, CLASSES).values[0, 1],
    "distance_ratios": lambda z: distance_ratios(z, z[:, ::-1] + z).mean(),
}


@pytest.mark.parametrize("name", FREE_OF_SCALE)
@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_extreme_sizes_change_nothing(name, size):
    of = FREE_OF_SCALE[name]
    assert of(CODES * size) == pytest.approx(of(CODES), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_all_measures_of_extreme_sizes(size):
    known = {"factors": GRID[STIMULI], "frequency": FREQUENCY[STIMULI], "permutations": 20}
    plain = measure(CODES, CLASSES, reference=OTHER, **known).table
    table = measure(CODES * size, CLASSES, reference=OTHER * size, **known).table
    np.testing.assert_allclose(
        table[["value", "low", "high"]].to_numpy(float),
        plain[["value", "low", "high"]].to_numpy(float),
        rtol=1e-6,
    )
    apart = measure(
        CODES * size, CLASSES, reference=OTHER, noise=np.ones((60, 3)), permutations=20
    ).table.set_index("measure")
    removed = apart[apart["trial_noise"] == "removed"]
    assert np.isfinite(removed.loc["class_distance_change", "value"]).all()
    assert removed.loc["prototypization", "value"] == pytest.approx(prototypization(CODES, CLASSES))


def test_nats_of_codes_too_large_for_any_prior_are_not_infinite():
    table = measure(np.arange(6.0)[:, None] * 1e200, noise=np.ones((6, 1)), permutations=0).table.set_index(
        "measure"
    )
    assert "prior's standard deviation" in table.loc["latent_rate", "note"]


def test_codes_in_their_own_span():
    wide = np.repeat(RNG.normal(size=(10, 200)), 2, axis=0)
    coordinates = spanned(wide)
    assert coordinates.shape[1] <= 20
    np.testing.assert_allclose(pdist(coordinates), pdist(wide), atol=1e-9)
    np.testing.assert_array_equal(coordinates[::2], coordinates[1::2])  # equal codes stay equal
    assert spanned(CODES) is CODES


WIDE = RNG.normal(size=(30, 80)) + np.outer(np.arange(30) % 2, RNG.normal(size=80))
TURN = np.linalg.qr(RNG.normal(size=(80, 80)))[0]


def test_shrinkage_is_that_of_scikit_learn():
    for deviations in (CODES - CODES.mean(axis=0), WIDE - WIDE.mean(axis=0)):
        assert shrinkage(deviations) == pytest.approx(ledoit_wolf_shrinkage(deviations, assume_centered=True))
    assert shrinkage(spanned(WIDE), 80) == pytest.approx(
        ledoit_wolf_shrinkage(WIDE - WIDE.mean(axis=0), assume_centered=True)
    )


def test_silent_latents_beside_them_change_nothing_that_turns():
    padded = np.hstack([CODES, np.zeros((60, 200))])
    for name in (
        "prototypization",
        "free_orthogonalization",
        "participation_ratio",
        "specialization",
        "linear_cka",
        "procrustes_distance",
    ):
        assert FREE_OF_SCALE[name](padded) == pytest.approx(FREE_OF_SCALE[name](CODES), rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("amount", [0.05, 0.7])
def test_alignment_of_more_latents_than_items_by_the_long_way(classes, amount):
    members = np.arange(30) % classes
    weights = RNG.integers(0, 3, 30).astype(float)
    repeated = np.repeat(np.arange(30), weights.astype(int))
    expected = alignment(whole(WIDE[repeated], members[repeated]), amount)[0]
    assert wide_alignment(WIDE, members, weights, amount) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(wide_alignment(WIDE, members, (members > 0).astype(float), amount))


def test_products_made_anew_for_every_draw_are_the_same(monkeypatch):
    weights = RNG.multinomial(12, np.full(12, 1 / 12), size=4).astype(float)
    held = scatter.Sample(CODES, STIMULI, CLASSES).scatter(weights)
    monkeypatch.setattr(scatter, "MOST_BYTES", 100)
    np.testing.assert_allclose(
        scatter.Sample(CODES, STIMULI, CLASSES).scatter(weights).products, held.products, atol=1e-10
    )


def test_wide_codes_take_little_memory():
    """100 items of 5,000 latents: products of latents would take 20 GB."""
    rng = np.random.default_rng(1)
    codes, reference = rng.normal(size=(100, 5000)), rng.normal(size=(100, 5000))
    tracemalloc.start()
    table = measure(codes, np.arange(100) % 2, reference=reference, permutations=20).table
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500e6
    assert np.isfinite(table.loc[table["note"] == "", ["value", "low", "high"]].to_numpy(float)).all()


def test_the_rule_for_silent_latents_is_free_of_scale_where_noise_is_given():
    codes = np.random.default_rng(2).normal(size=(400, 3))
    classes = (codes[:, 0] + 0.8 * codes[:, 1] > 0).astype(int)
    plain = orthogonalization(codes, classes, noise=np.ones((400, 3)))
    for size in (9, 11, 1000):
        factor = np.array([1 / size, 1, 1])
        assert orthogonalization(
            codes * factor, classes, noise=factor**2 * np.ones((400, 3))
        ) == pytest.approx(plain, rel=1e-6)
    silent = orthogonalization(codes * [0.05, 1, 1], classes, noise=np.ones((400, 3)))
    assert silent == pytest.approx(orthogonalization(codes[:, 1:], classes), rel=1e-6)
    assert orthogonalization(codes / 100, classes, noise=np.ones((400, 3))) == pytest.approx(
        plain, rel=1e-6
    )  # none is heard: all of a size
    with pytest.raises(RequestError, match="noise must be variances of the same shape"):
        orthogonalization(codes, classes, noise=np.ones((400, 2)))
    assert scaled(codes) is codes

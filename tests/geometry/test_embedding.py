"""Maps against scikit-learn's SMACOF from the same start, and what leaves them as they are."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import smacof

from ratewarp._threads import threads
from ratewarp.geometry import embed
from ratewarp.geometry.embedding import _principal_plane
from ratewarp.geometry.majorization import _Stress, least_stress

RNG = np.random.default_rng(0)
RANDOM = RNG.normal(size=(150, 5))
CENTRES = 3 * RNG.normal(size=(7, 5))[RNG.integers(0, 7, 150)]
LINE = RNG.normal(size=(150, 1)) * np.arange(1.0, 5)
CODES = {
    "random": RANDOM,
    "of uneven spread": RANDOM * 0.3 ** np.arange(5),
    "of many latents": RNG.normal(size=(150, 60)),
    "on a sphere": RANDOM / np.linalg.norm(RANDOM, axis=1, keepdims=True),
    "clustered": CENTRES + 0.1 * RANDOM,
    "clustered tightly": CENTRES + 1e-4 * RANDOM,
    "on a line": LINE,
    "near a line": LINE + 0.03 * RANDOM[:, :4],
    "of one latent": RANDOM[:, :1],
    "of two latents": RANDOM[:, :2],
    "tied": RNG.integers(0, 3, (150, 5)).astype(float),
    "equal five by five": np.repeat(RANDOM[:30], 5, axis=0),
    "hidden behind each other": RANDOM * [1, 1, 0.5, 0, 0] * np.sign(RANDOM[:, 2:3]),
    "equally far": np.eye(60),
    "with one far away": np.vstack([RANDOM, np.full(5, 1e4)]),
    "of heavy tails": RNG.standard_cauchy((150, 4)),
    "few": RANDOM[:3],
    "two": RANDOM[:2],
}


def stress_of(points, codes):
    return np.sqrt(np.sum((pdist(points) - pdist(codes)) ** 2) / np.sum(pdist(codes) ** 2))


def by_scikit_learn(codes):
    found, _ = smacof(
        squareform(pdist(codes)),
        init=_principal_plane(codes),
        n_init=1,
        max_iter=300,
        eps=1e-6,
        normalized_stress=False,
    )
    return found


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("size", [1.0, 1e-4, 1e6])
def test_no_more_stress_than_smacof(name, size):
    codes = size * CODES[name]
    found = embed(codes)
    assert found.stress == pytest.approx(stress_of(found.points, codes), rel=1e-9, abs=1e-12)
    assert found.stress <= 1.01 * stress_of(by_scikit_learn(CODES[name]), CODES[name]) + 1e-7


@pytest.mark.parametrize("name", CODES)
def test_a_map_scales_with_its_codes(name):
    """Powers of two are exact; beyond `reach` codes are scaled to and fro."""
    plain = embed(CODES[name]).points
    for power in (-300, -3, 5, 300):
        np.testing.assert_array_equal(embed(np.ldexp(CODES[name], power)).points, np.ldexp(plain, power))


@pytest.mark.parametrize("name", ["random", "clustered", "tied"])
def test_a_map_does_not_depend_on_threads(name):
    codes = np.tile(CODES[name], (4, 1)) + 0.01 * RNG.normal(size=(600, 5))
    with threads(1):
        one = embed(codes).points
    with threads(3):
        np.testing.assert_array_equal(embed(codes).points, one)


def test_equal_codes_lie_on_one_point():
    points = embed(CODES["equal five by five"]).points.reshape(30, 5, 2)
    np.testing.assert_allclose(points, np.broadcast_to(points[:, :1], points.shape), atol=1e-9)


@pytest.mark.parametrize("items", [5, 64, 65, 200])
def test_guttman_transform_against_a_loop(items):
    distances, points = squareform(pdist(RNG.normal(size=(items, 4)))), RNG.normal(size=(items, 2))
    points -= points.mean(axis=0)
    found = _Stress(distances).at(points)
    expected = np.zeros((items, 2))
    for i in range(items):
        for j in range(items):
            if i != j:
                apart = points[i] - points[j]
                expected[i] += distances[i, j] / np.linalg.norm(apart) * apart / items
    np.testing.assert_allclose(points - found.residual, expected, atol=1e-10)
    squared = np.sum((squareform(pdist(points)) - distances) ** 2) / np.sum(distances**2)
    assert found.squared == pytest.approx(squared, rel=1e-10)


def test_residual_is_the_gradient():
    distances, points = squareform(pdist(RANDOM[:20])), RNG.normal(size=(20, 2))
    stress, step = _Stress(distances), np.zeros((20, 2))
    step[3, 1] = 1e-5
    slope = (stress.at(points + step).squared - stress.at(points - step).squared) / 2e-5
    assert slope == pytest.approx(4 * 20 * stress.at(points).residual[3, 1] / np.sum(distances**2), rel=1e-5)


def test_stress_never_rises_from_step_to_step():
    start, distances = RNG.normal(size=(80, 2)), squareform(pdist(CODES["of many latents"][:80]))
    codes = CODES["of many latents"][:80]
    found = [stress_of(least_stress(distances, start, steps), codes) for steps in range(30)]
    assert np.all(np.diff(found) <= 1e-12)
    assert found[-1] < found[0]


def test_a_map_is_turned_and_not_changed_by_alignment():
    codes = CODES["random"]
    plain, turned = embed(codes), embed(codes, align_to=RNG.normal(size=(150, 2)))
    assert turned.stress == plain.stress
    np.testing.assert_allclose(pdist(turned.points), pdist(plain.points), rtol=1e-9)

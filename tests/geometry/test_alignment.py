from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from oracles import STANDARD_ERRORS
from ratewarp._checks import RequestError
from ratewarp.geometry import free_orthogonalization, orthogonalization, task_angles
from ratewarp.geometry.alignment import active_latents

GENERATOR = np.random.default_rng(0)
CODES = GENERATOR.standard_normal((120, 4)) * [1, 2, 0.5, 0.05]
LABELS = GENERATOR.integers(0, 2, 120)


def test_two_classes_by_linear_discriminant_analysis():
    codes = CODES @ np.array([[1, 0.5, 0, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) + np.outer(
        LABELS, [1.0, 0.5, 0.0, 0.0]
    )
    active = codes.var(axis=0) > 0.01 * codes.var(axis=0).max()
    assert active.sum() == 3
    chosen = codes[:, active]
    inner = chosen - np.array([chosen[label == LABELS].mean(axis=0) for label in (0, 1)])[LABELS]
    scaled = chosen / inner.std(axis=0)
    found = LinearDiscriminantAnalysis(solver="lsqr").fit(scaled, LABELS).coef_[0]
    assert orthogonalization(codes, LABELS) == pytest.approx(
        np.abs(found).max() / np.linalg.norm(found), rel=1e-6
    )
    some = np.random.default_rng(0).permutation(len(LABELS))[:8]  # fewer than eight items a correlation
    codes, labels = codes[some][:, active], LABELS[some]
    assert len(set(labels)) == 2
    inner = codes - np.array([codes[label == labels].mean(axis=0) for label in (0, 1)])[labels]
    shrinkage = ledoit_wolf_shrinkage(inner / inner.std(axis=0), assume_centered=True)
    shrunk = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    found = shrunk.fit(codes / inner.std(axis=0), labels).coef_[0]
    assert orthogonalization(codes, labels) == pytest.approx(
        np.abs(found).max() / np.linalg.norm(found), rel=1e-6
    )


def test_it_asks_about_the_latents_own_axes():
    codes = GENERATOR.standard_normal((2000, 2))
    turned = codes @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert orthogonalization(codes, codes[:, 0] > 0) > 0.99
    assert orthogonalization(turned, codes[:, 0] > 0) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert orthogonalization(codes * [1, 1e-3], codes[:, 0] > 0) == 1


def test_many_classes_ask_for_one_latent_a_direction():
    """Classes on a grid of two factors: latents that are the factors own them, latents turned by 45° do not
    when one factor counts more.
    """
    grid = np.array([[a, b] for a in range(4) for b in range(3)] * 30, float)
    classes = (grid @ [3, 1]).astype(int)
    codes = grid * [1.0, 0.5] + 0.3 * GENERATOR.standard_normal(grid.shape)
    turned = codes @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert orthogonalization(codes, classes) > 0.99
    assert orthogonalization(turned, classes) < 0.9
    # two classes, said as three
    one = np.outer(classes % 2, [1.0, 1.0]) + 0.3 * GENERATOR.standard_normal(grid.shape)
    assert orthogonalization(one, classes % 2 + (classes == 3)) == pytest.approx(
        orthogonalization(one, classes % 2), abs=0.05
    )


@pytest.mark.parametrize(
    ("latents", "shifted", "halved"),
    [(2, np.sin(np.pi / 4) / (np.pi / 4), 0.86), (3, 0.83, 0.79), (5, 0.74, 0.70)],
)
def test_a_direction_at_random(latents, shifted, halved):
    """What the card says of chance; for shifted classes in two dimensions it is the mean of max(|cos φ|, |sin
    φ|).
    """
    rng = np.random.default_rng(3)
    directions = rng.standard_normal((150, latents))
    largest = np.abs(directions).max(axis=1) / np.linalg.norm(directions, axis=1)
    codes, classes = rng.standard_normal((4000, latents)), rng.integers(0, 2, 4000)
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    found = [orthogonalization(codes + np.outer(classes, unit), classes) for unit in units[:20]]
    np.testing.assert_allclose(found, largest[:20], atol=0.06)
    error = STANDARD_ERRORS * largest.std() / np.sqrt(len(largest))
    assert largest.mean() == pytest.approx(shifted, abs=error)
    assert np.mean([orthogonalization(codes, codes @ unit > 0) for unit in units]) == pytest.approx(
        halved, abs=error
    )


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 10), st.floats(0.0, 0.9), st.integers(2, 4))
def test_promised_invariances(seed, scale, collapse, classes):
    rng = np.random.default_rng(seed)
    labels = np.arange(80) % classes
    codes = rng.normal(size=(80, 3)) + rng.normal(size=(classes, 3))[labels]
    means = np.array([codes[labels == label].mean(axis=0) for label in range(classes)])
    collapsed = codes + collapse * (means[labels] - codes)
    assume(active_latents(collapsed, None).all())
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    plain, free = orthogonalization(codes, labels), free_orthogonalization(codes, labels)
    assert 1 / np.sqrt(3) - 1e-9 <= plain <= 1 + 1e-9
    assert 0 <= free <= 1
    for other in (codes + 7, collapsed, codes[:, ::-1], codes * scale):
        np.testing.assert_allclose(orthogonalization(other, labels), plain, rtol=1e-6)
        np.testing.assert_allclose(free_orthogonalization(other, labels), free, rtol=1e-6)
    np.testing.assert_allclose(free_orthogonalization(codes @ rotation, labels), free, rtol=1e-6)


def test_scale_of_single_latents_does_not_matter_to_alignment():
    codes = GENERATOR.normal(size=(200, 3)) + np.outer(np.arange(200) % 2, [1.0, 0.4, 0.1])
    stretched = orthogonalization(codes * [0.5, 2.0, 1.0], np.arange(200) % 2)
    assert stretched == pytest.approx(orthogonalization(codes, np.arange(200) % 2), rel=1e-6)


def test_free_form_by_the_formula_for_two_classes():
    codes = CODES + np.outer(LABELS, [1.0, 0.5, 0.0, 0.0])
    means = np.array([codes[label == LABELS].mean(axis=0) for label in (0, 1)])
    within = np.cov((codes - means[LABELS]).T, bias=True)
    along = (means[1] - means[0]) / np.linalg.norm(means[1] - means[0])
    assert free_orthogonalization(codes, LABELS) == pytest.approx(
        1 - along @ within @ along / np.trace(within)
    )
    isotropic = np.random.default_rng(5).standard_normal((20_000, 4)) + np.outer(
        np.arange(20_000) % 2, [1, 0, 0, 0]
    )
    assert free_orthogonalization(isotropic, np.arange(20_000) % 2) == pytest.approx(1 - 1 / 4, abs=0.01)


def test_angles_between_tasks():
    angle = np.radians(35)
    first, second = GENERATOR.integers(0, 2, 400), GENERATOR.integers(0, 2, 400)
    codes = 100 * np.outer(first, [1, 0, 0]) + 100 * np.outer(second, [np.cos(angle), np.sin(angle), 0])
    balanced = np.repeat(np.arange(4), 100)
    first, second = balanced // 2, balanced % 2
    codes = 100 * np.outer(first, [1, 0, 0]) + 100 * np.outer(second, [np.cos(angle), np.sin(angle), 0])
    found = task_angles(codes, {"first": first, "second": second, "both": balanced})
    np.testing.assert_allclose(found["angle_degrees"], [35, 0, 0], atol=1e-5)


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="classes must be labels of at least two classes"):
        orthogonalization(CODES, np.zeros(120, int))
    with pytest.raises(RequestError, match="constant codes"):
        orthogonalization(np.ones((4, 2)), np.arange(4) % 2)
    with pytest.raises(RequestError, match="scattered within classes"):
        free_orthogonalization(np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1]))
    with pytest.raises(RequestError, match="tasks must be at least two"):
        task_angles(CODES, {"one": LABELS})

from __future__ import annotations

import numpy as np
import pytest

from ratewarp._checks import RequestError
from ratewarp.geometry import prototypization

GENERATOR = np.random.default_rng(0)
CODES = GENERATOR.standard_normal((120, 4)) * [1, 2, 0.5, 0.05]
LABELS = GENERATOR.integers(0, 2, 120)
ROTATION, _ = np.linalg.qr(GENERATOR.standard_normal((4, 4)))


def test_by_loops():
    codes = CODES + 0.7 * LABELS[:, None]
    centre = codes.mean(axis=0)
    total = sum(np.sum((z - centre) ** 2) for z in codes)
    within = sum(
        np.sum((z - codes[label == LABELS].mean(axis=0)) ** 2) for z, label in zip(codes, LABELS, strict=True)
    )
    assert prototypization(codes, LABELS) == pytest.approx(1 - within / total)
    assert prototypization(3 * codes @ ROTATION + 5, LABELS) == pytest.approx(prototypization(codes, LABELS))


def test_by_chance():
    drawn = [prototypization(CODES, np.random.default_rng(seed).permutation(LABELS)) for seed in range(400)]
    assert np.mean(drawn) == pytest.approx(1 / 119, rel=0.25)


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="codes must be different for at least two items"):
        prototypization(np.ones((3, 2)), np.array([0, 1, 1]))

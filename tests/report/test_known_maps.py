"""Maps that are laid out once are those that are laid out each time."""

from __future__ import annotations

import numpy as np

from ratewarp.geometry import embed
from ratewarp.report import known_maps


def test_a_map_is_laid_out_once_and_turned_as_often_as_asked(monkeypatch):
    rng, laid_out = np.random.default_rng(0), []
    monkeypatch.setattr(known_maps, "_known", type(known_maps._known)())
    monkeypatch.setattr(known_maps, "lay_out", lambda codes: laid_out.append(1) or embed(codes))
    codes, other = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    for align_to in (None, rng.normal(size=(40, 2)), 1e6 * rng.normal(size=(40, 2))):
        for one in (codes, other):
            expected, found = embed(one, align_to=align_to), known_maps.embed(one, align_to=align_to)
            np.testing.assert_allclose(found.points, expected.points, rtol=0, atol=1e-12)
            assert found.stress == expected.stress
    assert len(laid_out) == 2


def test_old_maps_are_forgotten(monkeypatch):
    monkeypatch.setattr(known_maps, "_known", type(known_maps._known)())
    monkeypatch.setattr(known_maps, "_MOST", 3)
    for number in range(5):
        known_maps.embed(np.eye(4) * (number + 1))
    assert len(known_maps._known) == 3

"""The measures on the publication's own codes, where those are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oracles import ALGEBRA, PUBLISHED, class_distortion
from ratewarp.geometry import (
    class_distortion_matrix,
    orthogonalization,
    participation_ratio,
    prototypization,
    resolution_ratio,
)
from ratewarp.results.paper import published_class_distortion

FILE = Path(__file__).parents[3] / "shared" / "paper" / "latents.npz"
pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the publication's codes are not part of this repository"
)

MATRICES = {
    ("E1M1", "frequency", 10): [[0.127, -0.094], [-0.094, 0.069]],
    ("E1M1", "frequency", 0.3): [[0.053, -0.343], [-0.343, 0.536]],
    ("E2M1", "E2M1", 10): [[-0.179, 0.185], [0.185, -0.189]],
    ("E2M1", "E2M1", 0.3): [[-0.703, 0.719], [0.719, -0.724]],
}
LEVELS = {10: "high", 0.3: "low"}
RULES = {
    "frequency": lambda upper, lower: lower <= 6,
    "E2M1": lambda upper, lower: upper <= lower,
    "E2M2": lambda upper, lower: (upper < 6) | (lower >= 6),
    "E2M3": lambda upper, lower: upper == lower,
}


def _codes(name):
    with np.load(FILE, allow_pickle=False) as data:
        return data[name].astype(float)


def _classes(task):
    return RULES[task](*_codes("factors").T).astype(int)


def _shipped():
    """The shipped matrices, whole, by model, task and capacity."""
    found = {}
    for row in published_class_distortion().to_dict("records"):
        matrix = found.setdefault((row["model"], row["task"], row["capacity_nats"]), np.full((2, 2), np.nan))
        matrix[row["class"], row["other"]] = matrix[row["other"], row["class"]] = row["value"]
    return found


@pytest.mark.parametrize(("model", "task", "capacity"), _shipped())
def test_shipped_class_distortion_matrices(model, task, capacity):
    """Computed anew from the publication's codes."""
    codes, reference = (_codes(f"{name}_{LEVELS[capacity]}") for name in (model, "baseline"))
    values = class_distortion_matrix(codes, reference, _classes(task)).values
    np.testing.assert_allclose(_shipped()[model, task, capacity], values, atol=PUBLISHED)
    if (model, task, capacity) in MATRICES:
        np.testing.assert_allclose(values, MATRICES[model, task, capacity], atol=PUBLISHED)


def test_which_matrices_are_shipped():
    tasks = [("E2M5", task) for task in ("E2M1", "E2M2", "E2M3")]
    assert set(_shipped()) == {
        *MATRICES,
        *((model, task, capacity) for model, task in tasks for capacity in LEVELS),
    }


def test_the_three_distortions_of_the_published_codes():
    rows = {
        "prototypization of E2M1": (prototypization, "E2M1", [0.32, 0.49, 0.27, 0.96]),
        "orthogonalization of E2M1": (orthogonalization, "E2M1", [0.71, 1.00, 0.72, 1.00]),
    }
    for measure, task, expected in rows.values():
        names = [f"{name}_{capacity}" for capacity in ("high", "low") for name in ("baseline", task)]
        np.testing.assert_allclose(
            [measure(_codes(name), _classes(task)) for name in names], expected, atol=0.006
        )
    factors = _codes("factors").astype(int)
    grid = np.stack(np.divmod(np.arange(169), 13), axis=1).astype(float)
    frequent = grid[:, 1] <= 6
    ratios = []
    for name in ("baseline_high", "E1M1_high", "baseline_low", "E1M1_low"):
        ratios.append(
            resolution_ratio(_codes(name), factors @ [13, 1], grid, np.where(frequent, 2000.0, 260.0))
        )
    np.testing.assert_allclose(ratios, [1.05, 1.05, 1.10, 1.46], atol=0.006)


def test_slow_loop_on_some_of_them():
    codes, reference, classes = _codes("E2M1_low")[:200], _codes("baseline_low")[:200], _classes("E2M1")[:200]
    expected = class_distortion(codes, reference, classes)
    np.testing.assert_allclose(
        class_distortion_matrix(codes, reference, classes).values, expected, atol=ALGEBRA
    )


def test_participation_ratio():
    np.testing.assert_allclose(
        [participation_ratio(_codes(n)) for n in ("baseline_high", "E1M1_high")], [2.02, 3.84], atol=0.006
    )

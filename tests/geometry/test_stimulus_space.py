"""Which stimuli are neighbours: on grids, around circles, within categories, off grids, among points."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ratewarp.geometry import FactorKind, Space, specialization
from ratewarp.geometry.stimulus_space import neighbours

RNG = np.random.default_rng(4)
GRID = np.indices((5, 4)).reshape(2, -1).T.astype(float)
CIRCLE, CATEGORY, ORDERED = FactorKind("circular", 360), FactorKind("categorical"), FactorKind()


def pairs_of(space: Space) -> set[tuple[int, int]]:
    found = neighbours(space)
    return {(int(a), int(b)) for a, b in zip(found.first, found.second, strict=True)}


def slow_grid(space: Space) -> set[tuple[int, int]]:
    """By a loop over all pairs of stimuli and all factors."""

    def apart(column: np.ndarray, one: FactorKind, a: int, b: int) -> float:
        values = sorted(set(column))
        steps = abs(values.index(column[a]) - values.index(column[b]))
        if one.kind == "categorical":
            return 0 if steps == 0 else np.inf
        return min(steps, len(values) - steps) if one.kind == "circular" else steps

    rows = range(len(space.factors))
    columns = list(zip(space.factors.T, space.kinds, strict=True))
    return {(a, b) for a, b in combinations(rows, 2) if sum(apart(*c, a, b) for c in columns) == 1}


def test_neighbours_on_grids_of_any_step_and_off_grids():
    steps = neighbours(Space(GRID * [10, 0.5]))
    expected = {(s, t) for s in range(20) for t in range(s + 1, 20) if np.abs(GRID[s] - GRID[t]).sum() == 1}
    assert {(int(a), int(b)) for a, b in zip(steps.first, steps.second, strict=True)} == expected
    assert (steps.steps == 1).all()
    scattered = RNG.uniform(size=(50, 2))
    found = neighbours(Space(scattered))
    assert set(range(50)) <= {*found.first.tolist(), *found.second.tolist()}
    scaled = scattered / scattered.std(axis=0)
    np.testing.assert_allclose(
        found.steps * np.median(np.linalg.norm(scaled[found.first] - scaled[found.second], axis=1)),
        np.linalg.norm(scaled[found.first] - scaled[found.second], axis=1),
    )


def crossed(*values: list[float]) -> np.ndarray:
    return np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, len(values)).astype(float)


SPACES = {
    "a circle": (crossed([0, 90, 180, 270]), (CIRCLE,)),
    "a circle of three": (crossed([0, 120, 240]), (CIRCLE,)),
    "a circle and a line": (crossed([0, 60, 120, 180, 240, 300], [1, 2, 7]), (CIRCLE, ORDERED)),
    "a torus": (crossed([0, 90, 180, 270], [0, 72, 144, 216, 288]), (CIRCLE, CIRCLE)),
    "a category": (crossed([3, 1, 2], [0, 5, 6]), (CATEGORY, ORDERED)),
    "all kinds": (crossed([0, 1, 2], [0, 120, 240], [4, 9]), (CATEGORY, CIRCLE, ORDERED)),
}


@pytest.mark.parametrize("name", SPACES)
def test_neighbours_are_those_of_a_loop_over_all_pairs(name):
    space = Space(*SPACES[name])
    rng = np.random.default_rng(0)
    order = rng.permutation(len(space.factors))
    assert pairs_of(space) == slow_grid(space)
    shuffled = Space(space.factors[order], space.kinds)
    assert pairs_of(shuffled) == slow_grid(shuffled)


def test_stimuli_that_stand_at_one_place_are_all_neighbours_of_those_at_the_next():
    twice = Space(np.repeat(SPACES["a category"][0], 2, axis=0), SPACES["a category"][1])
    assert pairs_of(twice) == slow_grid(twice)


def test_an_arc_is_not_closed():
    arc = Space(np.arange(0.0, 180, 30)[:, None], (CIRCLE,))
    assert (0, 5) not in pairs_of(arc)
    assert pairs_of(arc) == {(i, i + 1) for i in range(5)}


def test_off_a_grid_a_circle_is_a_circle_and_categories_keep_apart():
    rng = np.random.default_rng(1)
    angle = np.sort(rng.uniform(0, 360, 24))
    other = rng.uniform(0, 1, 24)
    found = pairs_of(Space(np.stack([angle, other * 1e-6 + angle / 1e9], axis=1), (CIRCLE, ORDERED)))
    assert any(abs(angle[a] - angle[b]) > 300 for a, b in found)
    factors = np.stack([rng.normal(size=40), rng.normal(size=40), rng.integers(0, 2, 40) * 7.0], axis=1)
    found = pairs_of(Space(factors, (ORDERED, ORDERED, CATEGORY)))
    same = np.mean([factors[a, 2] == factors[b, 2] for a, b in found])
    assert same > 0.7  # by chance half


def test_the_nearest_places_are_those_of_a_loop():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(30, 5))
    points[7] = points[3]  # at one place
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    expected = set()
    for a in range(30):
        others = sorted({round(float(distance[a, b]), 9) for b in range(30) if distance[a, b] > 0})[:4]
        expected |= {tuple(sorted((a, b))) for b in range(30) if round(float(distance[a, b]), 9) in others}
    found = neighbours(Space(np.zeros((30, 0)), points=points))
    assert {(int(a), int(b)) for a, b in zip(found.first, found.second, strict=True)} == expected
    apart = np.linalg.norm(points[found.first] - points[found.second], axis=1)
    np.testing.assert_allclose(found.steps / found.steps[0], apart / apart[0])


def test_without_ordered_factors_there_are_no_neighbours():
    assert not Space(np.zeros((4, 0))).has_neighbours
    assert not Space(np.zeros((4, 1)), (CATEGORY,)).has_neighbours
    assert Space(np.zeros((4, 1)), (CATEGORY,), np.zeros((4, 2))).has_neighbours


def test_specialization_around_a_circle_has_no_edge():
    """Places of a ring, evenly coded: nothing is told apart better, whatever is frequent."""
    angle = np.arange(0, 360, 30.0)
    codes = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=1)
    frequency = np.where(angle < 120, 5.0, 1.0)
    known = (codes, np.arange(12), angle[:, None], frequency)
    assert abs(specialization(*known, kinds=(CIRCLE,))) < 1e-12

"""Panels that must stay readable: labels on maps, and matrices of many classes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from ratewarp.geometry import ClassDistortion
from ratewarp.report.classes import class_ticks, sparse_ticks
from ratewarp.report.panels import draw_map, draw_matrix, map_extent
from ratewarp.report.views import ConditionView
from ratewarp.sources import Corridors, task
from ratewarp.studies import Condition

GRID = Corridors().stimuli


@pytest.fixture
def place():
    figure, axes = plt.subplots(figsize=(2.3, 2.3))
    yield axes
    plt.close(figure)


def _view(points):
    content = {
        "stimulus": ("item", np.arange(len(GRID))),
        "factor_value": (("stimulus_index", "factor"), GRID),
        "factor": ["x", "y"],
    }
    record = xr.Dataset({**content, "code": (("item", "latent"), points)})
    order, rates = np.arange(2), np.zeros(2)
    condition = Condition(model="baseline", capacity_nats=1, seed=0)
    return ConditionView(condition, 0, "1 nats", record, points, 0.0, np.zeros((len(GRID), 2)), order, rates)


@pytest.mark.parametrize("spread", [[3.0, 3.0], [3.0, 0.2], [0.05, 0.05]])
def test_labels_on_a_map_do_not_overlap(place, spread):
    view = _view((GRID / 12 - 0.5) * spread)
    draw_map(place, view, np.array(["#000000"] * len(GRID)), extent=map_extent([view]))
    place.figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in place.texts}
    assert sum("," in name for name in boxes) >= 1
    names = list(boxes)
    assert not [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if boxes[a].overlaps(boxes[b])]


def test_a_spread_map_has_all_labels(place):
    place.figure.set_size_inches(4, 4)
    view = _view((GRID / 12 - 0.5) * 3.0)
    draw_map(place, view, np.array(["#000000"] * len(GRID)), extent=map_extent([view]) * 1.3)
    assert sum("," in text.get_text() for text in place.texts) == 16


def test_ticks_of_the_published_25_classes():
    ticks = class_ticks(task("E2M4", Corridors()).labels, GRID, ["x_UC", "x_LC"])
    assert list(ticks.names) == ["0–1", "2–4", "5–7", "8–10", "11–12"]
    assert list(ticks.places) == [2, 7, 12, 17, 22]
    assert ticks.title == "class, by x_UC then x_LC (numbers: x_UC)"


@pytest.mark.parametrize("rule", ["(x_UC + x_LC) // 3", "12 - x_UC", "abs(x_UC - x_LC)"])
def test_classes_in_another_order_are_numbered(rule):
    labels = task("mine", Corridors(), expression=rule).labels
    ticks = class_ticks(labels, GRID, ["x_UC", "x_LC"])
    assert list(ticks.names) == [str(place) for place in ticks.places]
    assert ticks.title == "class"


def test_many_classes_have_few_ticks_and_few_have_numbers(place):
    many = ClassDistortion(np.zeros((25, 25)), np.arange(25), np.full(25, 4))
    draw_matrix(place, many, limit=1, names=[f"cell {one}" for one in range(25)])
    assert [text.get_text() for text in place.get_xticklabels()] == [f"cell {one}" for one in range(0, 25, 5)]
    assert not place.texts
    place.clear()
    few = ClassDistortion(np.array([[0.3, -0.001], [-0.001, 0.2]]), np.arange(2), np.full(2, 4))
    draw_matrix(place, few, limit=1, names=["no", "yes"])
    assert [text.get_text() for text in place.texts] == ["+0.30", "+0.00", "+0.00", "+0.20"]
    assert len(sparse_ticks(list("abcdefg")).names) == 4

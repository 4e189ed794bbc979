"""The figure of the three warps, from tables alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib import pyplot as plt
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.text import Text

from ratewarp.report.views import RunView
from ratewarp.report.warps import warps_figure
from ratewarp.runs.directory import open_run
from ratewarp.studies import Study

MODELS = {
    "baseline": {},
    "E1M1": {"frequency": "E1M1"},
    "E2M1": {"tasks": ["E2M1"]},
    "E2M5": {"tasks": ["E2M5"]},
}
TASKS = {"E1M1": ["frequency"], "E2M1": ["E2M1"], "E2M5": ["E2M1", "E2M2", "E2M3", "E2M4"]}


@pytest.fixture
def draw(tmp_path):
    """Draws rows of a geometry table; every figure is closed at the end."""

    def drawn(rows, seeds=(0, 1)):
        (tmp_path / "tables").mkdir()
        study = {"models": MODELS, "capacities_nats": [0.3, 10], "seeds": list(seeds)}
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
        ids = {(c.model, c.capacity_nats, c.seed): c.id for c in Study(**study).conditions}
        known = [{**row, "condition": ids[row["model"], row["capacity_nats"], row["seed"]]} for row in rows]
        pd.DataFrame(known).to_csv(tmp_path / "tables/geometry.csv", index=False)
        return warps_figure(RunView(open_run(tmp_path)))

    yield drawn
    plt.close("all")


def _rows(reach=0.05, **other):
    """A value for every model, labelling, capacity and seed, with intervals of `reach`, or of another for a
    model.
    """
    return [
        {
            "model": model,
            "task": task,
            "capacity_nats": capacity,
            "seed": seed,
            "measure": "prototypization_change",
            "value": (value := 0.1 * place + 0.02 * seed + 0.01 * capacity),
            "low": value - other.get(model, reach),
            "high": value + other.get(model, reach),
        }
        for place, (model, task) in enumerate(
            (model, task) for model, tasks in TASKS.items() for task in tasks
        )
        for capacity in (0.3, 10)
        for seed in (0, 1)
    ]


def _marks(place, marker):
    return [line for line in place.get_lines() if line.get_marker() == marker]


def test_axes_hold_every_value_and_interval(draw):
    rows = _rows()
    figure = draw(rows)
    low, high = figure.axes[0].get_ylim()
    assert low < min(row["low"] for row in rows)
    assert high > max(row["high"] for row in rows)
    assert not any(_marks(place, marker) for place in figure.axes for marker in (CARETUP, CARETDOWN))


@pytest.mark.parametrize("reach", [50, np.inf])
def test_an_interval_that_goes_on_is_marked(draw, reach):
    figure = draw(_rows(E2M1=reach))
    place = figure.axes[0]
    low, high = place.get_ylim()
    assert high - low < 3
    for marker, end in ((CARETDOWN, low), (CARETUP, high)):
        # of one model at two capacities
        assert [line.get_ydata()[0] for line in _marks(place, marker)] == [end] * 2
    assert any("arrow" in text.get_text() for text in figure.findobj(Text))


def test_several_tasks_of_one_model_are_told_apart(draw):
    figure = draw(_rows())
    shared, own, legend = figure.axes[:3]
    assert "E2M5" in own.get_title()
    assert own.get_ylim() == shared.get_ylim()
    names = [text.get_text() for text in legend.get_legend().get_texts()]
    assert names == ["baseline", "E1M1", "E2M1", "E2M5", *(f"E2M5, {task}" for task in TASKS["E2M5"])]
    lines = [line for line in own.get_lines() if line.get_markersize() == 4]
    assert len({(line.get_marker(), str(line._dash_pattern)) for line in lines}) == 4


def test_every_seed_is_a_point(draw):
    rows = _rows()
    figure = draw(rows)
    points = [
        y
        for place in figure.axes
        for line in place.get_lines()
        if line.get_markersize() == 2
        for y in line.get_ydata()
    ]
    assert sorted(points) == pytest.approx(sorted(row["value"] for row in rows))


def test_without_a_reference_there_is_no_figure(draw):
    assert draw([{**row, "measure": "prototypization"} for row in _rows()]) is None

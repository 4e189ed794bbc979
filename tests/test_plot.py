"""Panels of what was measured: one function each, into axes of the user's or new ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ratewarp import RequestError, measure, plot
from ratewarp.geometry import planted_codes

P = planted_codes(prototypization=0.4, side=4, items=3)


@pytest.fixture(scope="module")
def found():
    labels = {"half": np.array(["low", "high"])[P.classes], "row": P.stimuli // 4, "many": P.stimuli % 8}
    return measure(
        P.codes,
        labels,
        factors=P.factors[P.stimuli],
        reference=P.reference,
        permutations=0,
        frequency=P.frequency[P.stimuli],
    )


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    "draw",
    [
        lambda found, ax: plot.codes(found, ax=ax),
        lambda found, ax: plot.codes(found, "row", ax=ax),
        lambda found, ax: plot.indices(found, ax=ax),
        lambda found, ax: plot.class_distance(found, "many", ax=ax),
    ],
)
def test_axes_of_the_user_or_new_ones(found, draw):
    own, (first, second) = plt.subplots(1, 2)
    figure, axes = draw(found, second)
    assert (figure, axes) == (own, second)
    assert not first.has_data()
    new, alone = draw(found, None)
    assert new is not own
    assert alone.figure is new
    new.canvas.draw()


def test_style_of_the_user_stays_as_it_was(found):
    before = dict(plt.rcParams)
    found.plot()
    assert dict(plt.rcParams) == before


def test_indices_stand_where_the_table_says(found):
    """Filled without trial noise, hollow with it; interval as a line."""
    _, axes = plot.indices(found)
    names = [label.get_text() for label in axes.get_yticklabels()]
    place = names.index("prototypization (half)")
    dots = [
        line for line in axes.get_lines() if list(line.get_ydata()) == [place] and line.get_marker() == "o"
    ]
    (dot,) = dots
    assert dot.get_xdata()[0] == found.value("prototypization", "half", trial_noise="removed")
    hollow = [line.get_xdata()[0] for line in axes.get_lines() if line.get_mfc() == "white"]
    assert found.value("prototypization", "half", trial_noise="included") in hollow
    assert found.value("orthogonalization", "half") in hollow
    assert "hollow: with trial noise; filled: without" in axes.get_xlabel()
    assert names[place + 1] == "its change"


def test_the_whole_figure_has_every_task(found):
    _, axes = found.plot()
    assert set(axes) == {"indices"} | {
        f"{panel} {task}" for panel in ("codes", "class_distance") for task in found.classes
    }
    legend = axes["codes half"].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["high", "low"]
    assert len(axes["class_distance half"].texts) == 4  # numbers of a small matrix


def test_too_many_tasks_are_said():
    codes = np.random.default_rng(0).normal(size=(20, 3))
    found = measure(codes, {f"t{k}": np.arange(20) % (k + 2) for k in range(8)}, permutations=0)
    figure, axes = found.plot()
    assert sum(name.startswith("codes") for name in axes) == 6
    assert figure.get_supxlabel() == "maps of the first 6 of 8 tasks"


def test_what_is_not_there_is_said(found):
    with pytest.raises(RequestError, match=r"task: no task is named 'raw'\. Did you mean 'row'"):
        plot.codes(found, "raw")
    plain = measure(P.codes)
    with pytest.raises(RequestError, match="no index was measured"):
        plot.indices(plain)
    assert list(plain.plot()[1]) == ["codes"]
    with pytest.raises(RequestError, match="one class"):
        plot.class_distance(measure(P.codes, np.zeros(len(P.codes))), "labels")


def test_names_that_begin_with_an_underscore_are_in_the_legend():
    codes = np.random.default_rng(0).normal(size=(20, 3))
    _, axes = plot.codes(measure(codes, ["_a", ""] * 10, permutations=0))
    assert [text.get_text().strip() for text in axes.get_legend().get_texts()] == ["", "_a"]

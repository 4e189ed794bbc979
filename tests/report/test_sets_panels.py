"""Panels of several sets: what is drawn where, against the tables."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from ratewarp import RequestError, measure_several, plot
from ratewarp.report.sets_figure import save_several_figure

RNG = np.random.default_rng(0)
KIND = np.arange(24) % 2
NAMES = np.array(["$x^", "\x1b[31m"])
TIMES = [0.4, 0.0, 0.2, 0.6]  # in no order
PLANTED = np.array([3.0, 0.0, 0.0, 3.0]) * KIND[:, None, None]
SETS = {f"s{n}": RNG.normal(size=(24, 3, 4)) + PLANTED for n in range(8)}
FLAT = {name: codes[:, :, 0] for name, codes in SETS.items()}
REFERENCE = RNG.normal(size=(24, 3))


@pytest.fixture(scope="module")
def flat():
    return measure_several(FLAT, KIND, reference=REFERENCE, workers=1)


@pytest.fixture(scope="module")
def over_time():
    return measure_several(SETS, KIND, reference=REFERENCE, places=TIMES, workers=1)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def _rows(found, measure="prototypization"):
    return found.group[found.group["measure"] == measure]


def test_dots_mean_and_interval_are_those_of_the_table(flat):
    _, axes = plot.over_sets(flat, "prototypization", "labels")
    dots, interval, mean = axes.get_lines()[:3]
    (row,) = _rows(flat).to_dict("records")
    np.testing.assert_array_equal(dots.get_ydata(), flat.values("prototypization", "labels").iloc[:, 0])
    np.testing.assert_array_equal(interval.get_ydata(), [row["low"], row["high"]])
    np.testing.assert_array_equal(mean.get_ydata(), [row["mean"]])
    assert axes.get_xlabel() == f"mean ≠ 0: p = {row['p']:.3f}"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8 sets", "mean"]


def test_lines_run_along_the_third_axis(over_time):
    _, axes = plot.over_sets(over_time, "prototypization", "labels")
    *singles, mean, marks, zero = axes.get_lines()
    rows, order = _rows(over_time).set_index("time"), sorted(TIMES)
    values = over_time.values("prototypization", "labels")[order].to_numpy()
    np.testing.assert_array_equal([line.get_ydata() for line in singles], values)
    np.testing.assert_array_equal(mean.get_xdata(), order)
    np.testing.assert_array_equal(mean.get_ydata(), rows.loc[order, "mean"])
    (band,) = axes.collections
    ends = band.get_paths()[0].get_extents()
    assert (ends.y0, ends.y1) == (rows["low"].min(), rows["high"].max())
    found = rows.index[rows["p_adjusted"] < 0.05]
    assert set(found) == {0.4, 0.6}
    np.testing.assert_array_equal(marks.get_xdata(), sorted(found))
    assert list(zero.get_ydata()) == [0, 0]


def test_names_of_places_stand_side_by_side():
    names = ["V1 of the left side", "V2", "V4", "IT $x^"]
    found = measure_several(SETS, NAMES[KIND], third="area", places=names, workers=1)
    figure, axes = plot.over_sets(found, "prototypization", "labels")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["V1 of the lef…", "V2", "V4", "IT $x^"]
    assert axes.get_xlabel() == "area"
    figure.canvas.draw()


def test_a_single_place_has_an_interval():
    sets = {name: codes[:, :, :1] for name, codes in SETS.items()}
    found = measure_several(sets, KIND, workers=1)
    _, axes = plot.over_sets(found, "prototypization", "labels")
    (row,) = _rows(found).to_dict("records")
    (segment,) = axes.collections[1].get_segments()
    np.testing.assert_array_equal(segment[:, 1], [row["low"], row["high"]])


@pytest.mark.parametrize("name", ["flat", "over_time"])
def test_the_whole_figure_has_every_index_and_change(name, request):
    found = request.getfixturevalue(name)
    figure, axes = found.plot()
    assert list(axes) == [
        "linear_cka",
        *(
            f"{index}{change} labels"
            for index in ("prototypization", "orthogonalization", "free_orthogonalization")
            for change in ("", "_change")
        ),
    ]
    assert axes["prototypization_change labels"].get_ylabel() == "change from reference"
    assert "8 sets, 95% interval" in figure.get_supxlabel()
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= 7
    assert figure.get_size_inches()[0] == pytest.approx(6.6)


def test_without_indices_all_numbers_are_drawn():
    _, axes = measure_several(FLAT, workers=1).plot()
    assert "participation_ratio" in axes


def test_forms_of_trial_noise_are_said():
    stimuli = np.arange(24) % 12
    found = measure_several(FLAT, stimuli % 2, stimuli=stimuli, workers=1)
    _, axes = plot.over_sets(found, "prototypization", "labels")
    assert axes.get_ylabel() == "value, without trial noise"
    _, axes = plot.over_sets(found, "prototypization", "labels", trial_noise="included")
    assert axes.get_ylabel() == "value, with trial noise"
    wide = found.values("prototypization", "labels", trial_noise="included")
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), wide.iloc[:, 0])


def test_axes_of_the_user_keep_their_figure(over_time):
    own, (first, second) = plt.subplots(1, 2)
    assert plot.over_sets(over_time, "prototypization", "labels", ax=second) == (own, second)
    assert not first.has_data()
    assert own.get_supxlabel() == ""


def test_what_is_not_there_is_said(flat):
    with pytest.raises(RequestError, match="Did you mean 'prototypization'"):
        plot.over_sets(flat, "prototypisation", "labels")
    with pytest.raises(RequestError, match="no set has 'effective_prototypes'; the column note"):
        plot.over_sets(flat, "effective_prototypes")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_it_is_drawn_into_a_file(tmp_path, kind):
    found = measure_several(SETS, {"$bad^" * 40: NAMES[KIND]}, third="$t^\x07", workers=1)
    save_several_figure(found, tmp_path / f"own.{kind}")
    assert (tmp_path / f"own.{kind}").stat().st_size > 1000

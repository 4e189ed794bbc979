"""Panels of a run: one function each, into axes of the user's or new ones, at the widths of a journal."""

from __future__ import annotations

import doctest
import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables
from ratewarp import RequestError, open_run, plot
from ratewarp.geometry.embedding import Map
from ratewarp.plot import curves_of_runs, models_of_runs
from ratewarp.report import views
from ratewarp.report.figures import drawings
from ratewarp.report.style import figure_style
from ratewarp.report.views import RunView
from ratewarp.studies import Study

SINGLE, DOUBLE = 89 / 25.4, 183 / 25.4  # mm in inches
MODELS = {"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}}
PANELS = {
    "rates": lambda run, **keys: plot.rates(run, **keys),
    "rate_distortion": lambda run, **keys: plot.rate_distortion(run, **keys),
    "bound": lambda run, **keys: plot.bound(run, **keys),
    "distortion": lambda run, **keys: plot.distortion(run, **keys),
    "f1": lambda run, **keys: plot.f1(run, "joint", **keys),
    "measure": lambda run, **keys: plot.measure(run, "prototypization", **keys),
    "dimensions": lambda run, **keys: plot.measure(run, "participation_ratio", **keys),
    "normative": lambda run, **keys: plot.normative(run, "prototypization", **keys),
    "map": lambda run, **keys: plot.codes_map(run, "E2M1", 0.3, **keys),
    "map by factor": lambda run, **keys: plot.codes_map(run, "E1M1", 2, "x_LC", **keys),
    "tuning": lambda run, **keys: plot.tuning(run, "baseline", 2, **keys),
    "class distances": lambda run, **keys: plot.class_distances(run, "E2M1", **keys),
    "capacity distances": lambda run, **keys: plot.capacity_distances(run, "E1M1", **keys),
    "images": lambda run, **keys: plot.images(run, **keys),
    "reconstructions": lambda run, **keys: plot.reconstructions(run, "baseline", **keys),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    study = Study(
        models=MODELS,
        capacities_nats=[0.3, 2],
        network=TINY_NETWORK,
        validation_each=3,
        codes_each=2,
        bound_points=3,
    )
    folder = tmp_path_factory.mktemp("runs") / "demo"
    fabricated_tables(fabricated_run(study, folder), study)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
        yield open_run(folder)


@pytest.fixture(scope="module")
def phase_run(tmp_path_factory):
    study = Study(
        models={"baseline": {}, "warped": {"frequency": "ratio if x_LC <= 6 else 1"}},
        capacities_nats=[0.5, 3],
        axes={"ratio": [2, 8]},
        seeds=[0, 1],
        network=TINY_NETWORK,
        validation_each=3,
        codes_each=2,
        bound_points=0,
    )
    folder = tmp_path_factory.mktemp("runs") / "phases"
    run = fabricated_tables(fabricated_run(study, folder), study)
    rows = run.table("geometry").assign(p=0.001, p_adjusted=0.01, n=10)
    ids = {condition.id: cell for cell, condition in study.cells.items()}
    places = [ids[one].place for one in rows["condition"]]
    rows["ratio"] = [None if place[1] is None else [2, 8][place[1]] for place in places]
    run.write_table("geometry", rows)
    return open_run(folder)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def _sizes(figure) -> list[float]:
    return [float(text.get_fontsize()) for text in figure.findobj(Text) if text.get_text().strip()]


@pytest.mark.parametrize("name", PANELS)
def test_a_new_figure_is_a_column_wide_and_its_type_is_legible(run, name):
    for width, inches in (("single", SINGLE), ("double", DOUBLE)):
        figure, ax = PANELS[name](run, width=width)
        figure.canvas.draw()
        assert ax.figure is figure
        assert figure.get_figwidth() == pytest.approx(inches)
        assert figure.get_figheight() < 11
        assert min(_sizes(figure)) >= 7


@pytest.mark.parametrize("name", PANELS)
def test_panels_are_drawn_into_axes_of_the_user(run, name):
    own, (first, second) = plt.subplots(1, 2)
    assert PANELS[name](run, ax=second) == (own, second)
    assert not first.has_data()
    assert not first.get_title()
    assert second.has_data() or second.images or second.artists or second.collections
    own.canvas.draw()


def test_every_public_panel_is_tried():
    tried = {name for one in PANELS.values() for name in one.__code__.co_names} | {"phases"}
    panels = {
        name
        for module in (curves_of_runs, models_of_runs)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert panels == tried & panels
    assert panels < set(plot.__all__)


@pytest.mark.parametrize("module", [curves_of_runs, models_of_runs], ids=lambda one: one.__name__)
def test_examples_of_the_documentation(run, module, monkeypatch):
    """As they stand there, of a run in place of the demo."""
    names = {**vars(module), "open_run": lambda folder: run}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    tried = 0
    for name, function in inspect.getmembers(module, inspect.isfunction):
        text = inspect.getdoc(function) or ""
        if function.__module__ == module.__name__ and ">>>" in text and name != "phases":
            shown = text.replace("  # doctest: +SKIP", "")
            shown = shown.replace('"baseline", 3)', '"baseline", 2)').replace(
                "baseline, 3 nats", "baseline, 2 nats"
            )
            example = doctest.DocTestParser().get_doctest(shown, dict(names), name, name, 0)
            assert runner.run(example).failed == 0, name
            tried += 1
    assert tried >= 6


def test_settings_that_the_user_changed_win_and_stay(run):
    before = dict(plt.rcParams)
    plain, _ = plot.rates(run)
    assert dict(plt.rcParams) == before
    with plt.rc_context({"font.size": 14, "axes.labelcolor": "#ff0000"}):
        large, ax = plot.rates(run)
    assert ax.xaxis.label.get_color() == "#ff0000"
    assert min(_sizes(large)) > 1.5 * min(_sizes(plain))
    # ticks that are made later keep the size of the panel
    large.canvas.draw()
    assert min(_sizes(large)) > 1.5 * min(_sizes(plain))


def test_figures_of_a_run_are_of_the_packages_style_whatever_the_user_set(run):
    view = RunView(run)
    with plt.rc_context({"font.size": 30}), figure_style():
        figure = drawings(view)["rate_distortion"](view)
    assert figure is not None
    assert max(_sizes(figure)) < 12


def test_a_saved_figure_has_its_fonts_embedded(run, tmp_path):
    figure, _ = plot.rates(run)
    plot.save(figure, tmp_path / "rates.pdf")
    content = (tmp_path / "rates.pdf").read_bytes()
    assert b"/CIDFontType2" in content  # Type 42
    assert b"/Type3" not in content
    plot.save(figure, tmp_path / "rates.png")
    assert plt.imread(tmp_path / "rates.png").shape[1] == pytest.approx(300 * SINGLE, abs=1)


def test_what_is_asked_for_is_what_is_drawn(run):
    table = run.table("models").query("model == 'E1M1'")
    _, ax = plot.rate_distortion(run)
    (line,) = [line for line in ax.get_lines() if line.get_label() == "E1M1"]
    np.testing.assert_allclose(np.sort(np.asarray(line.get_xdata(), float)), np.sort(table["rate_nats"]))
    assert plot.codes_map(run, "E2M1", 2)[1].get_title() == "E2M1, 2 nats"
    assert plot.codes_map(run, "E2M1")[1].get_title() == "E2M1, 0.3 nats"  # the lowest
    assert "joint" in plot.f1(run)[1].get_title().lower()


def test_what_is_not_there_is_named(run, tmp_path):
    wrong = {
        "model: no model is named 'E1M2'. Did you mean 'E": lambda: plot.tuning(run, "E1M2"),
        "capacity must be one of the study's (0.3, 2": lambda: plot.codes_map(run, "E1M1", 2.5),
        "the nearest is 2": lambda: plot.codes_map(run, "E1M1", 2.5),
        "colour: no labelling or factor is named 'x_LD'": lambda: plot.codes_map(run, "E1M1", 2, "x_LD"),
        "model: baseline has no labelling": lambda: plot.class_distances(run, "baseline"),
        "task: no labelling of this model is named 'E2M2'": lambda: plot.class_distances(
            run, "E2M1", 2, "E2M2"
        ),
        "name: no measure on this figure is named 'prototypes'": lambda: plot.measure(run, "prototypes"),
        "regime: no regime with heads is named 'transfer'": lambda: plot.f1(run, "transfer"),
        "width: no column is named 'triple'": lambda: plot.rates(run, width="triple"),  # type: ignore[arg-type]
        "does not cross capacity": lambda: plot.phases(run),
        "run must be what ratewarp.open_run returns; got": lambda: plot.rates(tmp_path),
        "has no bound of the image": lambda: plot.bound(run, image=True),
    }
    for told, ask in wrong.items():
        with pytest.raises(RequestError) as error:
            ask()
        assert told in str(error.value)
    assert plt.get_fignums() == []


def test_phases_are_of_one_capacity(phase_run):
    for name in (None, "specialization"):
        figure, ax = plot.phases(phase_run, 3.0, name)
        figure.canvas.draw()
        assert ax.get_title() == "3 nats"
        drawn = ax.images[0].get_array()
        assert drawn is not None
        assert drawn.shape == (1, 2)
        assert min(_sizes(figure)) >= 7
        assert figure.get_figwidth() == pytest.approx(SINGLE)
    with pytest.raises(RequestError, match=r"capacity: no capacity is named '1'"):
        plot.phases(phase_run, 1)
    with pytest.raises(RequestError, match="name: no warp is named 'prototypes'"):
        plot.phases(phase_run, 3.0, "prototypes")

"""The page and figures of a study of many models, and of names that are hard to show."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends import backend_mixed

from fabricated import fabricated_record, fabricated_run, put_record
from ratewarp.geometry.embedding import Map
from ratewarp.report import views, write_report
from ratewarp.report.figure_files import Picture
from ratewarp.report.overview import overview_figure
from ratewarp.report.page import page_file
from ratewarp.report.pictures import Pictures
from ratewarp.report.plane import floor_of_noise, plane_figure
from ratewarp.report.style import figure_style
from ratewarp.report.views import RunView
from ratewarp.results.tables import COLUMNS
from ratewarp.runs.directory import RunDirectory
from ratewarp.sources import Corridors
from ratewarp.studies import Study

LONG = "w" * 5000
MODELS = 14


@pytest.fixture(scope="module", autouse=True)
def flat():
    """Two latents are their own map."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
        yield
    plt.close("all")


def _with_tables(run: RunDirectory, study: Study, rows: int) -> RunDirectory:
    """Tables of numbers that are made up, with so many rows of geometry a condition."""
    models = [
        {
            "condition": c.id,
            "model": c.model,
            "capacity_nats": c.capacity_nats,
            "seed": 0,
            "rate_nats": 1.0,
            "distortion": 0.1,
            "status": "ok",
        }
        for c in study.conditions
    ]
    geometry = [
        {**row, "measure": "prototypization", "value": 0.5, "p": 0.01} for row in models for _ in range(rows)
    ]
    tables = {"models": models, "geometry": geometry}
    for name, columns in COLUMNS.items():
        run.write_table(name, pd.DataFrame(tables.get(name, []), columns=columns))
    run.write_manifest({"ratewarp": "0"})
    return run


@pytest.fixture(scope="module")
def study() -> Study:
    models = {f"m{place}": {} for place in range(MODELS)}
    return Study(
        description=LONG, models=models, capacities_nats=[1], codes_each=1, validation_each=3, bound_points=0
    )


@pytest.fixture(scope="module")
def run(study, tmp_path_factory) -> RunDirectory:
    return _with_tables(fabricated_run(study, tmp_path_factory.mktemp("runs") / "many"), study, rows=3)


@pytest.fixture(scope="module")
def html(run) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_file, "_MOST_ROWS", 38)
        drawn = {"warps": Picture("data:,", 3.5)}
        patch.setattr(
            Pictures,
            "draw",
            lambda self, view, progress, prepare, when_shown, helpers: (prepare(), when_shown(drawn)),
        )
        return write_report(run).read_text()


def test_the_page_says_which_models_its_figures_show(html):
    text = " ".join(html.split())
    assert (
        f"The figures show 12 of {MODELS} models: m0, and others evenly spread over the study (m0, m1,"
        in text
    )


def test_a_long_table_says_which_rows_it_shows(html):
    assert f"Shown are 36 of {3 * MODELS} rows, of 12 models; the file has all." in html


def test_the_page_says_what_is_corrected(html):
    assert "p, corrected" in html
    assert "not corrected" not in html
    text = " ".join(html.split())
    assert f"Holm's correction for all {3 * MODELS} tests of the file" in text
    assert "With so many tests, and p of no less than 0.01, none could stay below 0.05." in text


def test_long_words_are_broken(html):
    assert LONG in html
    rule = re.search(r"([^{}]*)\{ overflow-wrap: anywhere; \}", html)
    assert rule is not None
    assert {"h1", "h2", "p", "dd"} <= {selector.strip() for selector in rule.group(1).split(",")}


def test_the_overview_says_what_it_shows_and_makes_no_large_raster(run, monkeypatch):
    def refuse(self):
        raise AssertionError("a raster as large as the figure")

    monkeypatch.setattr(backend_mixed.MixedModeRenderer, "start_rasterizing", refuse)
    with figure_style():
        figure = overview_figure(RunView(run))
        figure.set_dpi(20)
        figure.savefig(run.path / "overview.pdf", dpi=20)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 12
    (note,) = figure.texts
    told = f"12 of {MODELS} models: m0, and others evenly spread over the study · seed 0"
    assert note.get_text().replace("\n", " ") == told


def test_models_that_are_not_drawn_in_colour_are_grey(run):
    with figure_style():
        figure = plane_figure(RunView(run))
    legend = figure.axes[0].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == 13
    assert names[-1] == "2 other models"


def test_noise_floor_is_the_variance_of_corridors_and_none_where_pixels_depend_on_each_other(
    run, monkeypatch
):
    view = RunView(run)
    means = Corridors().mean_images()
    assert floor_of_noise(view) == pytest.approx(np.mean([np.mean(mean * (1 - mean)) for mean in means]))
    monkeypatch.setattr(Corridors, "independent_pixels", False)
    assert floor_of_noise(view) is None
    with figure_style():
        figure = plane_figure(view)
        assert not any("noise" in text.get_text() for text in figure.axes[1].texts)


def test_a_dollar_in_a_name_is_a_dollar(tmp_path):
    study = Study(models={"a": {}}, capacities_nats=[1], codes_each=1, validation_each=3, bound_points=0)
    run = _with_tables(fabricated_run(study, tmp_path / "dollars"), study, rows=1)
    condition = study.conditions[0]
    record = fabricated_record(condition).assign_coords(factor=np.array(["$x_{", "c$ost$"], dtype="U"))
    put_record(run, condition, record)
    with figure_style():
        figure = overview_figure(RunView(run))
        figure.savefig(tmp_path / "overview.svg", dpi=20)
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert "colour: $x_{, low (dark) to high (bright)" in [text.replace("\n", " ") for text in texts]


def test_a_study_without_tasks_has_no_table_of_tasks(html):
    assert "F1 and accuracy" not in html

"""Runs whose conditions are not crossed over capacity alone: tables, references, bounds and the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conftest import TINY_NETWORK, only_png
from ratewarp import Study, run
from ratewarp.geometry.measuring import Settings, measure_codes
from ratewarp.report.figures import drawings
from ratewarp.report.views import RunView
from ratewarp.results.bounds import semantic_curve
from ratewarp.results.condition_rows import _representation

SMALL = {"network": TINY_NETWORK, "training_images": 500, "validation_each": 3, "codes_each": 2}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Two prices of a nat, no target rate."""
    study = Study(
        **SMALL,
        name="prices",
        recipe={"name": "plain", "steps": 60, "learning_rate": 0.01},
        models={"baseline": {}, "E1M1": {"frequency": "E1M1"}},
        axes={"recipe.beta": [1e-5, 0.3]},
        bound_points=3,
    )
    # those that show models by their rate
    drawn = ("overview", "rate_distortion", "distortion", "warps", "capacity")
    with only_png(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ratewarp.report.pictures.drawings", lambda view: {name: drawings(view)[name] for name in drawn}
        )
        return run(study, tmp_path_factory.mktemp("runs") / "prices")


@pytest.fixture(scope="module")
def skewed(tmp_path_factory):
    """A reference that knows of no ratio, and a model that does, at two capacities."""
    study = Study(
        **SMALL,
        name="skewed",
        recipe={"steps": 5},
        models={"even": {}, "skewed": {"frequency": "ratio if x_LC <= 6 else 1"}},
        capacities_nats=[0.3, 3],
        axes={"ratio": [2, 20]},
        bound_points=3,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratewarp.report.pictures.drawings", lambda _: {})
        return run(study, tmp_path_factory.mktemp("runs") / "skewed")


def test_a_study_without_target_rates_has_tables(plain):
    models = plain.table("models")
    assert list(models["recipe.beta"]) == [1e-5, 0.3] * 2
    assert models["capacity_nats"].isna().all()
    assert models["rate_gap"].isna().all()
    np.testing.assert_allclose(models["multiplier"], models["recipe.beta"], rtol=1e-6)
    assert set(models["status"]) == {"ok"}
    for _, own in models.groupby("model"):
        assert own["rate_nats"].iloc[0] > own["rate_nats"].iloc[1]
    changes = plain.table("geometry").query("measure == 'specialization_change'")
    assert set(changes["model"]) == {"E1M1"}
    assert set(changes["recipe.beta"]) == {1e-5, 0.3}
    assert len(plain.table("bound").query("model == 'E1M1'")) == 3  # a price of training changes no bound


def test_its_page_shows_the_rate_reached(plain):
    view = RunView(plain)
    assert view.abscissa_title == "rate reached, nats"
    assert [view.label(level) for level in view.levels] == ["beta 1e-05", "beta 0.3"]  # from high to low rate
    np.testing.assert_allclose(view.models["abscissa"], view.models["rate_nats"])
    page = (plain.path / "report.html").read_text()
    assert "recipe.beta" in page
    assert "nan nats" not in page
    assert "None" not in page.split("<body>")[1].split("<script")[0]
    assert (plain.path / "figures" / "overview.png").exists()


def test_a_parameter_is_a_column_and_its_reference_is_at_the_same_capacity(skewed):
    study = Study(**skewed.study)
    models = skewed.table("models")
    assert models["ratio"].isna().tolist() == [True] * 2 + [False] * 4
    rows = (
        skewed.table("geometry")
        .query("model == 'skewed' and measure == 'prototypization_change'")
        .set_index(["capacity_nats", "ratio"])
    )
    for cell, condition in study.cells.items():
        if cell.model != "skewed":
            continue
        reference = study.cells[study.reference_of(cell)]
        assert (reference.model, reference.capacity_nats) == ("even", condition.capacity_nats)
        own, theirs = (_representation(skewed.record(one.id)) for one in (condition, reference))
        found = measure_codes(
            own,
            {"frequency": condition.setting.class_schemes()["frequency"][own.units]},
            theirs,
            Settings(remove_noise=False),
        )
        (expected,) = [one.value for one in found if one.measure == "prototypization_change"]
        value = rows.loc[(condition.capacity_nats, study.values_at(cell.place)["ratio"]), "value"]
        assert value == pytest.approx(expected, rel=1e-6)


def test_every_ratio_has_its_own_bound(skewed):
    study, bound = Study(**skewed.study), skewed.table("bound")
    assert len(bound.query("model == 'even'")) == 3
    assert bound.query("model == 'even'")["ratio"].isna().all()
    for cell, condition in study.cells.items():
        if cell.model == "skewed":
            own = bound[
                (bound["model"] == "skewed") & (bound["ratio"] == study.values_at(cell.place)["ratio"])
            ]
            np.testing.assert_allclose(
                own["distortion"], semantic_curve(condition.setting, 3).table["distortion"]
            )


def test_figures_show_the_first_place_of_further_axes_and_say_so(skewed):
    view = RunView(skewed)
    assert view.further_note == "ratio = 2"
    shown = pd.DataFrame(view.models)
    assert set(shown.query("model == 'skewed'")["ratio"]) == {2}
    assert len(shown) == 4
    assert set(view.drawn_curves("bound")["ratio"].dropna()) == {2}
    assert view.aims
    assert "ratio = 2" in (skewed.path / "report.html").read_text()

"""The bound, the information and the normative codes in the tables of a run."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from conftest import tiny
from ratewarp import RequestError, Study, open_run
from ratewarp.cli import app
from ratewarp.report.bound_figure import draw_curves
from ratewarp.results import bounds
from ratewarp.results.bounds import BOUND, Distance, semantic_curve
from ratewarp.results.normative import NORMATIVE
from stored import run_study

POINTS = 4
INFORMATION = [
    "stimulus_information_low",
    "stimulus_information_high",
    "image_information_low",
    "image_information_high",
    "information_se",
    "information_images",
]


@pytest.fixture(scope="module")
def study() -> Study:
    return tiny().part(models=["E1M1"]).model_copy(update={"bound_points": POINTS})


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "TOLERANCE", 0.05)
        bounds._solved.cache_clear()
        folder = tmp_path_factory.mktemp("runs") / "bound"
        run_study(study, folder)
        yield open_run(folder)
    bounds._solved.cache_clear()


def test_models_stand_on_or_above_the_bound(finished, study):
    models = finished.table("models")
    assert set(models["status"]) <= {"ok", "off target"}
    assert models[[*Distance._fields]].notna().all(axis=None)
    assert np.all(models["excess_nats"] >= -5 * models["excess_nats_se"])
    assert np.all(models["efficiency"].between(0, 1))
    assert np.all(models["excess_distortion"] > 0)
    for _, row in models.iterrows():
        record = finished.record(row["condition"])
        semantic = record["semantic_distortion"].values.astype(float)
        p = record["frequency"].values
        assert row["semantic_distortion"] == pytest.approx(
            sum(p[s] * semantic[s].mean() for s in range(169)), rel=1e-6
        )
        error = sum(p[s] ** 2 * semantic[s].var(ddof=1) / semantic.shape[1] for s in range(169)) ** 0.5
        assert row["semantic_se"] == pytest.approx(error, rel=1e-6)
        bound = float(
            semantic_curve(study.settings[row["model"]], POINTS).rate_below(row["semantic_distortion"])
        )
        assert row["bound_rate_nats"] == pytest.approx(bound, abs=1e-9)
        assert row["excess_nats"] == pytest.approx(row["rate_nats"] - bound)
        assert row["excess_nats_se"] >= row["rate_se"]
        assert row["multiplier"] == pytest.approx(float(record["history_multiplier"][-1]))


def test_information_is_bounded_from_both_sides(finished):
    models = finished.table("models")
    assert models[INFORMATION].notna().all(axis=None)
    slack = 5 * models["information_se"]
    assert np.all(models["stimulus_information_low"] <= models["stimulus_information_high"] + slack)
    assert np.all(models["image_information_low"] <= models["image_information_high"] + slack)
    assert np.all(models["stimulus_information_low"] <= models["image_information_high"] + slack)
    assert np.all(models["image_information_high"] <= models["rate_nats"] + slack + 5 * models["rate_se"])
    assert np.all(models["stimulus_information_high"] <= np.log(169) + 1e-9)
    assert set(models["information_images"]) == {2 * 169}


def test_no_code_needs_less_than_its_information_says(finished):
    """The semantic bound is on I(S;Z), which what was measured of it may not be below."""
    models = finished.table("models")
    assert np.all(
        models["stimulus_information_high"] >= models["bound_rate_nats"] - 5 * models["information_se"]
    )


def test_tables_of_the_bound_and_of_normative_codes(finished):
    bound, normative = finished.table("bound"), finished.table("normative")
    assert list(bound.columns) == BOUND
    assert list(normative.columns) == NORMATIVE
    for table in (bound, normative):
        assert list(dict.fromkeys(table["model"])) == ["baseline", "E1M1"]
    for _, rows in bound.groupby("model"):
        assert len(rows) == POINTS
        assert rows["rate_nats"].iloc[0] == 0
        assert np.all(np.diff(rows["distortion"]) < 0)
    assert np.isfinite(normative["value"]).all()
    assert (finished.path / "tables" / "bound.csv").exists()
    assert {"tables/bound.csv", "tables/normative.csv"} <= finished.manifest["sha256"].keys()


def test_raw_distortion_of_models_is_above_the_lower_curve_of_raw_pixels(finished):
    models, bound = finished.table("models"), finished.table("bound")
    for _, row in models.iterrows():
        rows = bound[bound["model"] == row["model"]]
        # above the convex curve itself, between its rates
        low = np.interp(row["rate_nats"], rows["rate_nats"], rows["raw_low"])
        assert row["distortion"] >= low - 5 * row["distortion_se"]


def test_the_command_shows_the_bound_of_a_run_and_its_models(finished, tmp_path):
    runner = CliRunner()
    answer = runner.invoke(
        app, ["bound", str(finished.path), "--json", "--figure", str(tmp_path / "bound.png")]
    )
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [model["excess_nats"] for model in found["models"]] == pytest.approx(
        list(finished.table("models")["excess_nats"])
    )
    assert {point["model"] for point in found["points"]} == {"baseline", "E1M1"}
    assert (tmp_path / "bound.png").read_bytes().startswith(b"\x89PNG")
    assert "efficiency" in runner.invoke(app, ["bound", str(finished.path)]).stdout


def test_options_of_curves_do_not_apply_to_a_run(finished):
    answer = CliRunner().invoke(app, ["bound", str(finished.path), "--rates", "0.3", "--tolerance", "1"])
    assert isinstance(answer.exception, RequestError)
    assert "--rates and --tolerance must be given with a built-in source or a file" in str(answer.exception)


def test_a_run_whose_models_all_diverged_is_drawn(finished):
    drawn = draw_curves(
        finished.table("bound"),
        finished.table("models").assign(status="diverged"),
        "png",
        "squared error per pixel",
    )
    assert drawn.startswith(b"\x89PNG")

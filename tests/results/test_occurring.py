"""Stimuli of frequency 0 do not occur: every number of every table is that of the stimuli that do, by oracles
that see no others.
"""

from __future__ import annotations

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import accuracy_score, f1_score

from fabricated import fabricated_record
from ratewarp import geometry
from ratewarp._checks import RequestError
from ratewarp.geometry.measuring import Representation
from ratewarp.report.views import RunView, distortion_of_some
from ratewarp.results import tables
from ratewarp.results.bounds import bound_rows, semantic_curve
from ratewarp.results.normative import normative_rows
from ratewarp.results.occurring import measured
from ratewarp.results.scores import f1
from ratewarp.runs.directory import RunDirectory, create_run
from ratewarp.studies import Setting, Study, resolved
from ratewarp.theory import SquaredError, posterior_codes, rate_distortion
from ratewarp.training.loop import draw_places

HALF = "(x_UC % 3) + 1 if x_LC <= 6 else 0"
MODELS = {
    "baseline": {},
    "half": {"frequency": HALF, "tasks": ["E2M1", "E2M4"]},
    "even": {"frequency": "x_UC > 6", "tasks": [{"name": "half", "label": "x_UC > 6"}]},
}


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(models=MODELS, capacities_nats=[2], codes_each=3, validation_each=3, bound_points=0)


@pytest.fixture(scope="module")
def run(study, tmp_path_factory) -> RunDirectory:
    """A run with tables; heads err at some stimuli, so that scores are not whole."""
    run = create_run(tmp_path_factory.mktemp("occurring") / "run", resolved(study))
    for condition in study.conditions:
        cell = condition.model_dump(include={"model", "capacity_nats", "seed"})
        record = fabricated_record(condition).assign_attrs({"condition": condition.id, **cell})
        said = record["prediction"].values
        said[::5] = (said[::5] + 1) % 25 if said.shape[1] > 1 else 1 - said[::5]
        said[:, :1] %= 2
        params = {"weight": np.zeros(2, np.float32)}
        run.write_condition(condition.id, json.loads(condition.model_dump_json()), record, params)
    with pytest.MonkeyPatch.context() as quick:
        as_usual = tables._test_settings
        quick.setattr(
            tables, "_test_settings", lambda conditions: replace(as_usual(conditions), permutations=0)
        )
        for name, table in tables.build_tables(run, study).items():
            run.write_table(name, table)
    return run


def _record(run: RunDirectory, study: Study, model: str) -> xr.Dataset:
    return run.record(next(c.id for c in study.conditions if c.model == model))


def _codes(record: xr.Dataset, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the stimuli kept, and their stimuli, numbered anew: an item at a time."""
    numbers = {stimulus: number for number, stimulus in enumerate(np.flatnonzero(kept))}
    every = zip(record["code"].values.astype(float), record["stimulus"].values, strict=True)
    items = [(code, numbers[s]) for code, s in every if s in numbers]
    return np.array([code for code, _ in items]), np.array([number for _, number in items])


def _row(table: pd.DataFrame, **wanted: object) -> pd.Series:
    found = table.loc[np.all([table[name] == value for name, value in wanted.items()], axis=0)]
    assert len(found) == 1, (wanted, len(found))
    return found.iloc[0]


@pytest.mark.parametrize("model", ["half", "even"])
def test_means_are_over_what_occurs(run, study, model):
    record, row = _record(run, study, model), _row(run.table("models"), model=model)
    p = record["frequency"].values
    assert 0 < (p == 0).sum() < 169
    for name, column in (
        ("rate", "rate_nats"),
        ("distortion", "distortion"),
        ("semantic_distortion", "semantic_distortion"),
    ):
        expected = sum(p[s] * record[name].values[s].astype(float).mean() for s in range(169) if p[s] > 0)
        assert row[column] == pytest.approx(expected, rel=1e-6)
    codes, _ = _codes(record, p > 0)
    assert row["active_units"] == geometry.active_units(codes)
    assert np.isfinite(row[["stimulus_information_low", "image_information_high"]].astype(float)).all()
    assert row["information_images"] == 3 * (p > 0).sum()


def test_scores_are_over_what_occurs(run, study):
    record = _record(run, study, "half")
    p = record["frequency"].values
    for place, task in enumerate(record["task"].values):
        labels, predictions = record["label"].values[place], record["prediction"].values[:, place]
        items = [(labels[s], said, p[s]) for s in np.flatnonzero(p) for said in predictions[s]]
        truth, said, weight = map(np.array, zip(*items, strict=True))
        row = _row(run.table("tasks"), representation="half", task=task)
        kind = "binary" if task == "E2M1" else "macro"
        assert row["f1"] == pytest.approx(f1_score(truth, said, average=kind, sample_weight=weight), rel=1e-6)
        assert row["accuracy"] == pytest.approx(accuracy_score(truth, said, sample_weight=weight), rel=1e-6)


def test_geometry_is_of_what_occurs(run, study):
    table = run.table("geometry").fillna({"task": ""})
    for model in ("half", "even"):
        setting, record, before = (
            study.settings[model],
            _record(run, study, model),
            _record(run, study, "baseline"),
        )
        p = record["frequency"].values
        codes, stimuli = _codes(record, p > 0)
        reference, _ = _codes(before, p > 0)
        factors, frequency = setting.source.stimuli[p > 0].astype(float), p[p > 0]

        def value(measure: str, task: str = "", model: str = model, **place: int) -> float:
            return float(_row(table, model=model, measure=measure, task=task, **place)["value"])

        assert value("participation_ratio") == pytest.approx(geometry.participation_ratio(codes), rel=1e-6)
        assert value("linear_cka") == pytest.approx(geometry.linear_cka(codes, reference), rel=1e-6)
        assert value("procrustes_distance") == pytest.approx(
            geometry.procrustes_distance(codes, reference), rel=1e-6
        )
        noise = np.full(codes.shape, np.float32(0.1), dtype=float)
        prototypes = geometry.effective_prototypes(codes, stimuli, frequency=frequency, noise=noise)
        assert value("effective_prototypes") == pytest.approx(prototypes, rel=1e-6)
        assert value("latent_rate", latent=1) == pytest.approx(
            geometry.latent_rates(codes, noise)[1], rel=1e-6
        )
        if model == "half":
            slopes = [geometry.specialization(one, stimuli, factors, frequency) for one in (codes, reference)]
            assert value("specialization", "frequency") == pytest.approx(slopes[0], rel=1e-6)
            assert value("specialization_change", "frequency") == pytest.approx(
                slopes[0] - slopes[1], rel=1e-5
            )
        for task, labels in setting.class_schemes().items():
            own = labels[p > 0][stimuli]
            if len(set(own)) == 1:  # of an even frequency, and of its task, one class is left
                assert not ((table["model"] == model) & (table["task"] == task)).any()
                continue
            _, compact = np.unique(own, return_inverse=True)
            assert value("prototypization", task) == pytest.approx(
                geometry.prototypization(codes, compact, stimuli=stimuli), rel=1e-6
            )
            matrix = geometry.class_distortion_matrix(codes, reference, compact).values
            for (a, first), (b, second) in (
                (x, y) for x in enumerate(np.unique(own)) for y in enumerate(np.unique(own)) if x <= y
            ):
                assert value("class_distortion", task, **{"class": first, "other": second}) == pytest.approx(
                    matrix[a, b], abs=1e-6
                )


def test_an_even_frequency_of_some_stimuli_has_no_scheme(study):
    assert set(study.settings["even"].class_schemes()) == {"half"}
    rare = study.settings["half"].class_schemes()["frequency"]
    p = study.settings["half"].probabilities()
    np.testing.assert_array_equal(rare, p > p[p > 0].mean())


FEW = Setting(frequency="x_UC + 1 if x_UC <= 2 and x_LC <= 2 else 0")


def test_the_bound_is_that_of_what_occurs():
    kept, p = FEW.occurring(), FEW.probabilities()
    assert kept.sum() == 9
    curve = semantic_curve(FEW, 3)
    alone = rate_distortion(
        p[kept], SquaredError(FEW.source.mean_images()[kept]), rates=[0.5, 1, 1.5], tolerance=1e-3
    )
    entropy = -np.sum(p[kept] * np.log(p[kept]))
    assert curve.maximum_rate == pytest.approx(entropy, abs=1e-6)
    for rate in (0.0, 0.5, 1.0, entropy):
        assert float(curve.distortion_below(rate)) <= float(alone.distortion(rate)) + 1e-9
        assert float(alone.distortion_below(rate)) <= float(curve.distortion(rate)) + 1e-9
    rows = list(bound_rows(FEW, 3, 2.0))
    assert np.isfinite([[row["distortion"], row["raw_low"], row["raw_high"]] for row in rows]).all()


def test_normative_codes_are_of_what_occurs():
    kept, p = FEW.occurring(), FEW.probabilities()
    rows = pd.DataFrame(normative_rows(FEW, Setting(frequency="1 if x_UC <= 2 else 0"), 3))
    assert np.isfinite(rows["value"]).all()
    codes = posterior_codes(semantic_curve(FEW, 3).channel(1.0))[kept]
    slope = geometry.specialization(codes, np.arange(9), FEW.source.stimuli[kept].astype(float), p[kept])
    classes = FEW.class_schemes()["frequency"][kept]
    expected = {
        ("participation_ratio", ""): geometry.participation_ratio(codes),
        ("prototypization", "frequency"): geometry.prototypization(codes, classes),
        ("specialization", "frequency"): slope,
    }
    for (measure, task), value in expected.items():
        row = _row(rows, rate_nats=1.0, measure=measure, task=task)
        assert row["value"] == pytest.approx(value, rel=1e-6)
        assert len(rows.query(f"measure == '{measure}_change' and task == '{task}'"))


def test_every_table_is_finite(run):
    for name, columns in {
        "models": ["rate_nats"],
        "tasks": ["f1", "f1_batches"],
        "geometry": ["value"],
    }.items():
        table = run.table(name)
        assert len(table)
        assert np.isfinite(table[columns].to_numpy(dtype=float)).all()


def test_maps_and_matrices_show_what_occurs(run):
    view = RunView(run)
    shown = view.shown("half", view.levels[0])  # 2 nats
    p = shown.record["frequency"].values
    np.testing.assert_array_equal(np.isfinite(shown.points).all(axis=1), p[shown.stimuli] > 0)
    np.testing.assert_array_equal(np.isfinite(shown.tuning).all(axis=1), p > 0)
    matrix = view.distortion_matrix(shown, "E2M4")
    assert matrix is not None
    assert len(matrix.values) == 25
    left = np.unique(shown.condition.setting.class_schemes()["E2M4"][p > 0])
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(np.diag(matrix.values))), left)
    table = run.table("geometry").query(
        "model == 'half' and task == 'E2M4' and measure == 'class_distortion'"
    )
    assert table.set_index(["class", "other"])["value"][left[0], left[1]] == pytest.approx(
        matrix.values[left[0], left[1]], abs=1e-5
    )


def test_a_matrix_of_all_classes_is_left_as_it_is():
    rng = np.random.default_rng(0)
    codes, other, labels = rng.standard_normal((30, 2)), rng.standard_normal((30, 2)), np.arange(30) % 3
    whole = distortion_of_some(codes, other, labels, np.ones(30, bool), 3)
    np.testing.assert_array_equal(whole.values, geometry.class_distortion_matrix(codes, other, labels).values)


def _representation(frequency: np.ndarray) -> Representation:
    units = np.repeat(np.arange(len(frequency)), 2)
    codes = np.arange(2.0 * len(units)).reshape(-1, 2)
    return Representation(
        codes,
        units,
        np.arange(float(len(frequency)))[:, None],
        frequency / frequency.sum(),
        np.ones(codes.shape),
    )


def test_a_comparison_is_over_what_occurs_for_both():
    own, other = _representation(np.array([1.0, 0, 1, 2])), _representation(np.array([0.0, 1, 1, 1]))
    found = measured(own, other, {"t": np.array([0, 1, 2, 0])})
    np.testing.assert_array_equal(found.own.codes, own.codes[4:])
    assert found.reference is not None
    np.testing.assert_array_equal(found.reference.codes, other.codes[4:])
    np.testing.assert_allclose(found.own.frequency, [1 / 3, 2 / 3])
    np.testing.assert_array_equal(found.labels["t"], [1, 1, 0, 0])
    np.testing.assert_array_equal(found.classes["t"], [0, 2])
    alone = measured(own, _representation(np.array([0.0, 1, 0, 1])), {"t": np.array([0, 1, 2, 0])})
    assert alone.reference is None
    # what needs no reference is measured all the same
    np.testing.assert_array_equal(alone.labels["t"], [0, 0, 1, 1, 0, 0])
    assert alone.own.number == 3
    whole = measured(other, None, {})
    assert measured(_representation(np.ones(4)), other, {}).own.number == 3
    assert whole.reference is None


def test_what_does_not_occur_is_never_drawn():
    counts = Setting(frequency=HALF).image_counts()
    stimuli, places = draw_places(jnp.asarray(np.cumsum(counts), jnp.int32), 20_000, key=jax.random.key(0))
    assert (counts[np.asarray(stimuli)] > np.asarray(places)).all()


def test_where_all_occur_nothing_is_changed():
    own = _representation(np.ones(4))
    assert measured(own, own, {}).own is own


def test_classes_that_only_weightless_items_have_do_not_count():
    truth, said, weight = np.array([0, 1, 2, 2]), np.array([0, 1, 1, 0]), np.array([1.0, 1, 0, 0])
    assert f1(truth, said, weight) == 1


@pytest.mark.parametrize("rule", ["x_UC == 6 and x_LC == 6", "1 if x_UC == 0 and x_LC == 12 else 0"])
def test_one_stimulus_alone_is_refused_before_training(rule):
    with pytest.raises(
        RequestError, match=r"models.model: frequency must be positive at 2 stimuli at least.*got '1 of them'"
    ):
        Study(capacities_nats=[1], frequency=rule, training_images=100)
    assert Study(capacities_nats=[1], frequency="x_UC == 6 and x_LC <= 1", training_images=100)

"""Codes of the best possible channels, measured like those of models."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from ratewarp import RequestError, Study
from ratewarp.geometry import free_orthogonalization, participation_ratio, prototypization, specialization
from ratewarp.results import bounds
from ratewarp.results.bounds import semantic_curve, task_curve
from ratewarp.results.normative import NORMATIVE, RATES, _codes, _measured, normative_rows
from ratewarp.theory import posterior_codes

POINTS = 6
MODELS = {
    "baseline": {},
    "E1M1": {"frequency": "E1M1"},
    "E2M1": {"tasks": ["E2M1"]},
    "both": {"tasks": ["E2M1"], "frequency": "E1M1"},
}


@pytest.fixture(scope="module", autouse=True)
def coarse():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "TOLERANCE", 0.03)
        bounds._solved.cache_clear()
        yield
    bounds._solved.cache_clear()


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(models=MODELS, capacities_nats=[1], bound_points=POINTS)


@pytest.fixture(scope="module")
def rows(study) -> pd.DataFrame:
    settings = study.settings
    reference = settings["baseline"]
    found = {
        model: normative_rows(setting, reference if model != "baseline" else None, POINTS)
        for model, setting in settings.items()
    }
    return pd.DataFrame({"model": model, **row} for model, rows in found.items() for row in rows)


def value(rows: pd.DataFrame, model: str, rate: float, measure: str, task: str = "") -> float:
    chosen = (
        (rows["model"] == model)
        & np.isclose(rows["rate_nats"], rate)
        & (rows["measure"] == measure)
        & (rows["task"] == task)
    )
    return rows.loc[chosen, "value"].item()


def test_rows_are_of_every_model_and_rate_and_are_numbers(rows):
    assert list(rows.columns) == NORMATIVE
    assert not rows.duplicated(["model", "rate_nats", "measure", "task"]).any()
    assert np.all(np.isfinite(rows["value"]))
    highest = rows.groupby("model")["rate_nats"].max()
    assert highest["baseline"] == highest["E2M1"] == pytest.approx(np.log(169))
    assert highest["E1M1"] < np.log(169)
    for model in MODELS:
        found = rows.loc[(rows["model"] == model) & (rows["measure"] == "participation_ratio"), "rate_nats"]
        assert found.tolist() == [*RATES, highest[model]]
    assert set(rows.loc[rows["model"] == "baseline", "measure"]) == {"participation_ratio"}
    assert set(rows.loc[rows["model"] == "E1M1", "task"]) == {"", "frequency"}


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_at_low_rate_a_task_makes_two_prototypes(study, rows, rate):
    assert value(rows, "E2M1", rate, "participation_ratio") == pytest.approx(1, abs=1e-4)
    assert value(rows, "E2M1", rate, "prototypization", "E2M1") == pytest.approx(1, abs=1e-4)
    codes = posterior_codes(task_curve(study.settings["E2M1"], POINTS).channel(rate))
    labels = study.settings["E2M1"].labellings()[0].labels
    assert pdist(codes[labels == 1]).max() < 1e-2
    assert pdist(codes[labels == 0]).max() < 1e-2
    assert np.linalg.norm(codes[labels == 0][0] - codes[labels == 1][0]) > 0.1


def test_without_the_task_it_does_not(study, rows):
    reference = value(rows, "E2M1", 0.3, "prototypization", "E2M1") - value(
        rows, "E2M1", 0.3, "prototypization_change", "E2M1"
    )
    codes = posterior_codes(semantic_curve(study.settings["baseline"], POINTS).channel(0.3))
    assert reference == pytest.approx(
        prototypization(codes, study.settings["E2M1"].labellings()[0].labels), abs=1e-9
    )
    assert reference < 0.5


def test_a_measure_that_is_not_defined_takes_no_other_with_it(study):
    """Codes of two points have no scatter within the task's classes, but a share of variance between any
    others.
    """
    setting = study.settings["both"]
    labels = setting.labellings()[0].labels
    found = dict(_measured(np.stack([labels, -2.0 * labels], axis=1), setting))
    assert found["prototypization", "E2M1"] == pytest.approx(1)
    assert ("free_orthogonalization", "E2M1") not in found
    assert 0 < found["prototypization", "frequency"] < 0.5
    # all varies along one line
    assert found["free_orthogonalization", "frequency"] == pytest.approx(0, abs=1e-9)
    assert ("specialization", "frequency") not in found  # most neighbours are one point
    assert list(_measured(np.ones((169, 2)), setting)) == []


@pytest.mark.parametrize("model", ["E1M1", "E2M1"])
@pytest.mark.parametrize("rate", [0.75, 3.0])
def test_turned_codes_measure_the_same(study, rows, model, rate):
    setting = study.settings[model]
    curve = task_curve(setting, POINTS)
    plain, turned = posterior_codes(curve.channel(rate)), _codes(curve, rate)
    assert turned.shape[1] <= 169
    assert pdist(turned) == pytest.approx(pdist(plain), abs=1e-7)
    assert value(rows, model, rate, "participation_ratio") == pytest.approx(participation_ratio(plain))
    for task, labels in setting.class_schemes().items():
        assert value(rows, model, rate, "prototypization", task) == pytest.approx(
            prototypization(plain, labels)
        )
        assert value(rows, model, rate, "free_orthogonalization", task) == pytest.approx(
            free_orthogonalization(plain, labels)
        )
    if model == "E1M1":
        factors = setting.source.stimuli.astype(float)
        found = specialization(plain, np.arange(169), factors, setting.probabilities())
        assert value(rows, model, rate, "specialization", "frequency") == pytest.approx(found)


@pytest.mark.parametrize("model", list(MODELS))
def test_at_the_highest_rate_all_stimuli_are_equally_far(study, rows, model):
    curve = task_curve(study.settings[model], POINTS)
    assert pdist(_codes(curve, curve.maximum_rate)) == pytest.approx(np.full(169 * 84, np.sqrt(2)), abs=1e-5)
    assert value(rows, model, curve.maximum_rate, "participation_ratio") == pytest.approx(168, rel=1e-4)
    for task in study.settings[model].class_schemes():
        assert value(rows, model, curve.maximum_rate, "prototypization", task) == pytest.approx(0, abs=1e-5)
    if model == "E1M1":
        assert value(rows, model, curve.maximum_rate, "specialization", "frequency") == pytest.approx(
            0, abs=1e-4
        )


def test_changes_are_differences_from_the_reference_at_equal_rate(study, rows):
    reference = semantic_curve(study.settings["baseline"], POINTS)
    changes = rows[rows["measure"].str.endswith("_change")]
    assert set(changes["model"]) == {"E1M1", "E2M1", "both"}
    for rate in (0.75, 2.0, 4.5):
        codes = posterior_codes(reference.channel(rate))
        for model, setting in study.settings.items():
            if model == "baseline":
                continue
            before = {("participation_ratio", ""): participation_ratio(codes)}
            for task, labels in setting.class_schemes().items():
                before["prototypization", task] = prototypization(codes, labels)
                before["free_orthogonalization", task] = free_orthogonalization(codes, labels)
            for (measure, task), theirs in before.items():
                change = value(rows, model, rate, f"{measure}_change", task)
                assert change == pytest.approx(value(rows, model, rate, measure, task) - theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (1, "^bound_points must be 0, for no bound, or at least 2; got 1$"),
        (-1, "bound_points"),
        (2000, "bound_points"),
        (2.5, "bound_points"),
    ],
)
def test_points_that_are_refused(points, message):
    with pytest.raises(RequestError, match=message):
        Study(capacities_nats=[1], bound_points=points)

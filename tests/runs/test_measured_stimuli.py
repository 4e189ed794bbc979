"""Worlds of very many stimuli: models are trained on all, and measured on the same few."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from ratewarp import Study, run
from ratewarp.sources import draw_images

WORLD = {"kind": "sprites", "size": 16, "orientations": 12, "positions": 6, "scales": 2, "most_stimuli": 2000}


def study_of(**changes: object) -> Study:
    known = {
        "source": WORLD,
        "network": {"kind": "mlp", "latents": 2, "widths": [8]},
        "capacities_nats": [1],
        "recipe": {"steps": 30},
        "models": {"even": {}, "told": {"tasks": ["which"]}, "left": {"frequency": "mostly_left"}},
        "readouts": {"even": ["which"]},
        "training_images": 4000,
        "measured_stimuli": 40,
        "validation_each": 3,
        "codes_each": 2,
        "bound_points": 3,
    }
    return Study(**{**known, **changes})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run(study_of(), tmp_path_factory.mktemp("many"), report=False)


def test_a_record_holds_the_measured_stimuli_and_their_images(done):
    study = study_of()
    settings = study.settings
    measured = settings["even"].measured()
    assert len(measured) == 40
    assert (np.diff(measured) > 0).all()
    key = jax.random.fold_in(jax.random.key(study.data_seed), 101)  # held-out images
    first = draw_images(study.source, measured, np.zeros(40, int), key=key)
    for condition in study.conditions:
        record, setting = done.record(condition.id), condition.setting
        np.testing.assert_array_equal(setting.measured(), measured)
        np.testing.assert_array_equal(record["image"].values, first[..., 0])
        np.testing.assert_allclose(record["frequency"].sum(), 1)
        assert record["rate"].shape == (40, 3)
        x = study.source.factors[[f.name for f in study.source.factors].index("x")]
        column = study.source.stimuli[measured][:, study.source.factors.index(x)]
        ratio = np.where(x.table[column] < 0.5, 5, 1) if condition.model == "left" else np.ones(40)
        np.testing.assert_allclose(record["frequency"].values, ratio / ratio.sum())
        for name, labels in zip(record["task"].values, record["label"].values, strict=True):
            assert name == "which"
            np.testing.assert_array_equal(labels, study.source.stimuli[measured][:, 0])


def test_models_are_trained_on_all_stimuli(done):
    counts = study_of().settings["even"].image_counts()
    assert (counts == 2).all()
    assert len(counts) == 2000


def test_tables_are_of_the_measured_stimuli(done):
    assert set(done.table("geometry")["n"]) <= {0, 40}
    bound = done.table("bound").query("model == 'even'")
    assert bound["rate_nats"].max() == pytest.approx(np.log(40), rel=1e-6)
    assert (bound["sample_se"] >= 0).all()
    models = done.table("models")
    assert (models["distortion_se"] > 0).all()
    assert {"joint", "disjoint"} == set(done.table("tasks")["regime"])


def test_standard_errors_count_the_choice_of_stimuli(done):
    """Against a loop over stimuli: the standard error of a mean over independent stimuli."""
    study = study_of()
    condition = study.conditions[0]
    means = [float(np.mean(row)) for row in done.record(condition.id)["rate"].values.astype(float)]
    spread = sum((one - np.mean(means)) ** 2 for one in means) / 39
    row = done.table("models").query("condition == @condition.id").iloc[0]
    assert row["rate_se"] == pytest.approx((spread / 40) ** 0.5, rel=1e-6)


def test_what_is_measured_changes_no_model(done, tmp_path):
    study = study_of(measured_stimuli=25, models={"even": {}}, readouts={}, bound_points=0)
    other = run(study, tmp_path, report=False)
    (ours,), (theirs,) = (list(r.path.glob("conditions/even*/params.safetensors")) for r in (done, other))
    assert ours.read_bytes() == theirs.read_bytes()

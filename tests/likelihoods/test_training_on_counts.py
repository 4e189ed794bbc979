"""A small model of a tuned population, trained under the Poisson likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp import Study, run
from ratewarp.results.bounds import semantic_curve
from ratewarp.theory import poisson_entropy


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    study = Study(
        name="counts",
        source={"kind": "population", "neurons": 12, "values": 8},
        likelihood="poisson",
        network={"kind": "mlp", "latents": 2, "widths": [16]},
        recipe={"learning_rate": 0.01},
        training_images=2000,
        validation_each=16,
        codes_each=2,
        capacities_nats=[1.5],
        axes={"recipe.steps": [5, 600]},
        bound_points=0,
    )
    return study, run(study, tmp_path_factory.mktemp("runs") / "counts", report=False).table("models")


def test_distortion_falls_towards_the_bound(trained):
    study, models = trained
    early, late = models["semantic_distortion"]
    assert np.isfinite([early, late]).all()
    assert late < early / 3
    setting = study.conditions[0].setting
    curve = semantic_curve(setting, 4)
    rate = models["rate_nats"].iloc[1] + 5 * models["rate_se"].iloc[1]
    assert late > curve.distortion_below(rate)
    assert late < curve.distortion(0.0)  # it tells stimuli apart


def test_distortion_of_counts_is_that_of_means_plus_their_entropy(trained):
    study, models = trained
    means = study.conditions[0].setting.source.mean_images()
    floor = poisson_entropy(means).mean()
    np.testing.assert_allclose(
        models["distortion"] - models["semantic_distortion"], floor, atol=5 * models["distortion_se"].max()
    )

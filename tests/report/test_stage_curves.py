"""What the stage knows beyond codes: optimal codes at every place, published numbers, phases, alerts, grids."""

from __future__ import annotations

from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from conftest import TINY_NETWORK
from fabricated import fabricated_run, fabricated_tables
from ratewarp import Study, load_study
from ratewarp.report.page.alerts import condition_alerts
from ratewarp.report.page.curves_of import normative_curves
from ratewarp.report.page.decoder_of import GRID_LETTERS, decoder_of
from ratewarp.report.page.further_curves import further_curves
from ratewarp.report.page.phases_of import phases_data
from ratewarp.report.phase_view import PhaseView
from ratewarp.report.views import RunView
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.results.paper import published_distortion, published_f1
from ratewarp.results.phases import WARPS
from stored import run_study

SMALL = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 2, "bound_points": 3}
RATIOS, WEIGHTS = (1, 4), (0.0, 0.5, 2.0)


def _view(study: Study, folder) -> RunView:
    return RunView(fabricated_tables(fabricated_run(study, folder / "run"), study))


@pytest.fixture(scope="module")
def crossed(tmp_path_factory) -> RunView:
    study = Study(
        **SMALL,
        models={"baseline": {"recipe": {"task_weight": 0}}, "warped": {"tasks": ["E2M1"]}},
        capacities_nats=[1, 3],
        axes={"frequency_ratio": RATIOS, "recipe.task_weight": WEIGHTS},
        parameters={"frequency_ratio": 1},
        frequency="frequency_ratio if x_LC <= 6 else 1",
    )
    return _view(study, tmp_path_factory.mktemp("crossed"))


def test_optimal_codes_stand_at_the_places_of_their_rows(crossed):
    rows = pd.DataFrame(
        [
            {
                "model": "warped",
                "measure": "prototypization_change",
                "task": "E2M1",
                "frequency_ratio": ratio,
                "recipe.task_weight": weight,
                "rate_nats": rate,
                "value": 100 * ratio + 10 * weight + rate,
            }
            for ratio, weight, rate in product(RATIOS, WEIGHTS, (1.0, 2.0))
        ]
    )
    rows.loc[len(rows)] = ["warped", "participation_ratio", None, np.nan, np.nan, 1.0, 7.0]
    crossed.run.write_table("normative", rows)
    curves = normative_curves(crossed)
    assert len(curves) == len(RATIOS) * len(WEIGHTS) + 1
    for curve in curves[:-1]:
        capacity, ratio, weight = curve["place"]
        assert capacity is None
        assert curve["rate"] == [1.0, 2.0]
        assert curve["value"] == [100 * RATIOS[ratio] + 10 * WEIGHTS[weight] + rate for rate in (1, 2)]
    assert curves[-1]["place"] == [None, None, None]
    assert curves[-1]["task"] == ""


def test_published_numbers_stand_beside_what_was_trained_alike(tmp_path):
    paper = load_study("paper")
    models = {name: paper.models[name] for name in ("baseline", "E1M1", "E2M1")}
    # another number of steps: not the publication's any more
    models["E1M1"] = {**models["E1M1"], "recipe": {**models["E1M1"]["recipe"], "steps": 10}}
    changes = {"capacities_nats": (0.3, 3.0), "seeds": (5,), "readouts": {}, "bound_points": 0}
    study = paper.model_copy(update={"models": models, "validation_each": 3, "codes_each": 2, **changes})
    curves = {(one["measure"], one["task"]): one for one in further_curves(_view(study, tmp_path))}
    theirs = published_distortion().set_index(["model", "capacity_nats"])["distortion"]
    wanted = [[name, at, theirs[name, at]] for name in ("baseline", "E2M1") for at in (0.3, 3.0)]
    assert sorted(curves["distortion", ""]["published"]) == sorted(wanted)
    assert len(curves["distortion", ""]["rows"]) == len(study.conditions)
    heads = published_f1().query("regime == 'joint' and representation == 'E2M1'").set_index("capacity_nats")
    found = curves["f1_trained", "E2M1"]["published"]
    assert found == [["E2M1", at, heads.loc[at, "f1"]] for at in (0.3, 3.0)]


def test_nothing_is_published_of_other_recipes(crossed):
    assert all(one["published"] == [] for one in further_curves(crossed))


def test_a_phase_is_a_sum_of_the_warps_that_stand_out(crossed, monkeypatch):
    shape = (2, len(WEIGHTS), len(RATIOS))
    signs = {name: np.random.default_rng(place).integers(-1, 2, shape) for place, name in enumerate(WARPS)}
    model = PhaseView(crossed, "warped", ("frequency_ratio", [*RATIOS]), ("recipe.task_weight", [*WEIGHTS]))
    monkeypatch.setattr(PhaseView, "stands_out", lambda _, warp: signs[warp])
    monkeypatch.setattr(PhaseView, "optimal_stands_out", lambda _, warp: -signs[warp])
    monkeypatch.setattr("ratewarp.report.page.phases_of.phase_view", lambda _: model)
    data = phases_data(crossed)
    assert data is not None
    for place in np.ndindex(shape):
        for side, sign in (("trained", 1), ("optimal", -1)):
            there = [word for name, word in WARPS.items() if sign * signs[name][place] > 0]
            name = data["names"][data[side][place]]
            assert name == ("all three" if len(there) == 3 else " + ".join(there) or "none")


def test_a_study_of_one_axis_has_no_phases(tmp_path):
    assert phases_data(_view(Study(**SMALL, models={"baseline": {}}, capacities_nats=[1]), tmp_path)) is None


def test_alerts_are_told_of_single_conditions(tmp_path):
    study = Study(**SMALL, models={"baseline": {}}, capacities_nats=[1], seeds=range(4))
    view = _view(study, tmp_path)
    table = view.run.table("models")
    table["status"] = ["ok", "off target", "diverged", "ok"]
    table["diverged_at"] = [None, None, 70, None]
    view.run.write_table("models", table.iloc[:3])
    sound, off, diverged, missing = (one.id for one in study.conditions)
    found = condition_alerts(RunView(view.run))
    assert set(found) == {off, diverged, missing}
    assert sound not in found
    assert found[off].startswith("off target. Its rate ended at 1 nats")
    assert found[diverged].startswith("diverged at step 70.")
    assert found[missing].startswith("missing.")


class Net(eqx.Module):
    """A network of a user's own: the page does not know its layers."""

    latents = 2
    inwards: eqx.nn.Linear
    outwards: eqx.nn.Linear
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, image_shape: tuple[int, ...], *, key: Any):
        self.shape = image_shape
        self.inwards = eqx.nn.Linear(int(np.prod(image_shape)), 4, key=key)
        self.outwards = eqx.nn.Linear(2, int(np.prod(image_shape)), key=key)

    def encode(self, images):
        return tuple(jnp.split(jax.vmap(self.inwards)(images.reshape(len(images), -1)), 2, axis=1))

    def decode(self, codes):
        return jax.vmap(self.outwards)(codes).reshape(len(codes), *self.shape)


def test_a_network_given_from_python_is_decoded_while_it_is_there(tmp_path):
    study = Study(
        network=Net,
        recipe={"steps": 3},
        training_images=200,
        validation_each=2,
        codes_each=1,
        capacities_nats=[2],
        bound_points=0,
    )
    run = run_study(study, tmp_path / "run")
    codes, rates = np.random.default_rng(0).normal(size=(50, 2)), np.array([0.5, 1.0])

    def found(view: RunView, room: int = 10**6) -> dict[str, Any] | None:
        return decoder_of(run, view.study.conditions[0], codes, rates, room)

    grid = found(RunView(run, WhatIsThere(run, study)))
    assert grid is not None
    assert grid["kind"] == "grid"
    assert grid["along"]["of"] == [1, 0]
    assert found(RunView(run, WhatIsThere(run, study)), 1000) is None
    assert found(RunView(run)) is None  # its code is not kept
    assert GRID_LETTERS < 10**6

"""Axes: which conditions a study crosses to, which of them share a reference, and what is refused."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import yaml

from ratewarp import RequestError, Study
from ratewarp.studies import resolved
from ratewarp.studies.axes import read_axis

SKEWED = "ratio if x_LC <= 6 else 1"


def values_of(study: Study) -> list[tuple]:
    return [(cell.model, *study.values_at(cell.place).values(), cell.seed) for cell in study.cells]


def test_every_model_is_crossed_with_every_value():
    study = Study(
        capacities_nats=[1, 2], seeds=[0, 1], axes={"recipe.steps": [7, 9], "network.latents": [2, 3, 4]}
    )
    assert values_of(study) == list(product(["model"], [1, 2], [7, 9], [2, 3, 4], [0, 1]))
    for cell, condition in study.cells.items():
        capacity, steps, latents = study.values_at(cell.place).values()
        assert (condition.capacity_nats, condition.seed) == (capacity, cell.seed)
        assert (condition.setting.recipe.steps, condition.setting.network.latents) == (steps, latents)
    assert len({condition.id for condition in study.conditions}) == 24


def test_capacity_and_seed_may_stand_among_the_axes():
    short = Study(capacities_nats=[1, 10], seeds=[0, 3])
    long = Study(axes={"seed": [0, 3], "capacity_nats": {"log": [1, 10, 2]}})
    assert long == short
    assert [c.id for c in long.conditions] == [c.id for c in short.conditions]


def test_keys_with_a_comma_between_them_move_together():
    study = Study(axes={"capacity_nats, recipe.steps": [[1, 7], [2, 9]]})
    assert values_of(study) == [("model", 1, 7, 0), ("model", 2, 9, 0)]
    assert [(c.capacity_nats, c.setting.recipe.steps) for c in study.conditions] == [(1, 7), (2, 9)]


def test_a_model_does_not_vary_along_a_key_that_it_sets():
    models = {"base": {"recipe": {"task_weight": 0}}, "asked": {"tasks": ["E2M1"]}}
    study = Study(models=models, capacities_nats=[1], axes={"recipe.task_weight": [0.1, 1]})
    assert [(c.model, c.setting.recipe.task_weight) for c in study.conditions] == [
        ("base", 0),
        ("asked", 0.1),
        ("asked", 1),
    ]
    assert [study.cells[study.reference_of(cell)].model for cell in study.cells] == ["base"] * 3


def test_parameters_of_expressions():
    models = {
        "even": {},
        "skewed": {"frequency": SKEWED},
        "known": {"frequency": SKEWED, "parameters": {"ratio": 2}},
    }
    study = Study(models=models, capacities_nats=[1], axes={"ratio": [3, 8]}, parameters={"ratio": 5})
    found = {}
    for cell, condition in study.cells.items():
        p = condition.setting.probabilities()
        found[cell.model, study.values_at(cell.place).get("ratio")] = round(float(p.max() / p.min()), 9)
    assert found == {("even", None): 1, ("skewed", 3): 3, ("skewed", 8): 8, ("known", None): 2}
    labelled = Study(
        models={"m": {"tasks": [{"name": "right", "label": "x_UC > edge"}]}},
        capacities_nats=[1],
        axes={"edge": [3, 9]},
    )
    assert [c.setting.labellings()[0].labels.sum() for c in labelled.conditions] == [9 * 13, 3 * 13]


def test_the_reference_is_in_the_same_place_on_the_axes_it_shares():
    models = {"base": {}, "asked": {"tasks": ["E2M1"]}, "fixed": {"recipe": {"steps": 5}}}
    study = Study(models=models, capacities_nats=[1, 2], seeds=[0, 1], axes={"recipe.steps": [7, 9]})
    for cell, condition in study.cells.items():
        beside = study.reference_of(cell)
        if cell.model == "fixed":
            assert beside is None  # the reference varies along the steps, this model does not
            continue
        assert beside is not None
        reference = study.cells[beside]
        assert (reference.model, reference.seed, reference.capacity_nats) == (
            "base",
            condition.seed,
            condition.capacity_nats,
        )
        assert reference.setting.recipe.steps == condition.setting.recipe.steps


def test_computed_values_are_the_same_everywhere():
    assert [v for (v,) in read_axis("a", {"range": [0, 1, 4]}).values] == [0, 0.333333, 0.666667, 1]
    assert [v for (v,) in read_axis("a", {"log": [0.001, 10, 5]}).values] == [0.001, 0.01, 0.1, 1, 10]
    drawn = [
        v
        for (v,) in read_axis(
            "a", {"random": {"between": [1, 100], "count": 400, "seed": 3, "log": True}}
        ).values
    ]
    assert drawn[:2] == [float(f"{v:.6g}") for v in 100 ** np.random.default_rng(3).random(400)[:2]]
    assert abs(np.mean(np.log10(drawn)) - 1) < 4 * 2 / np.sqrt(12 * 400)  # uniform in the logarithm


def test_ends_may_be_whole_numbers_of_any_size():
    ((low,), (high,)) = read_axis("a", {"log": [1, 10**30, 2]}).values
    assert (low, high) == (1, 1e30)
    assert len(read_axis("a", {"range": [0, 2**64, 3]}).values) == 3
    assert len(read_axis("a", {"random": {"between": [1, 10**30], "count": 4, "log": True}}).values) == 4


def test_a_written_study_reads_as_it_was():
    study = Study(
        models={"a": {"frequency": SKEWED}, "b": {"recipe": "swift"}},
        parameters={"ratio": 2},
        axes={
            "capacity_nats, recipe.steps": [[1, 7], [3, 8]],
            "ratio": {"random": {"between": [1, 9], "count": 3}},
        },
    )
    again = Study(**yaml.safe_load(yaml.safe_dump(resolved(study), sort_keys=False)))
    assert again == study
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    assert [c.id for c in study.part(models=["b"]).conditions] == [c.id for c in study.conditions]


def test_what_an_axis_does_not_change_keeps_its_id():
    alone = Study(capacities_nats=[1], recipe={"task_weight": 0.5})
    crossed = Study(capacities_nats=[1], axes={"recipe.task_weight": [0.5, 1]})
    assert crossed.conditions[0].id == alone.conditions[0].id


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"axes": {"recipe.task_wieght": [1, 2]}}, r"axes, at recipe.task_wieght = 1: unknown key 'models.model.recipe.*'task_weight'"),
        ({"axes": {"ratoi": [1, 2]}, "frequency": SKEWED, "parameters": {"ratio": 1}}, "no key, nor parameter.* 'ratoi'.*'ratio'"),
        ({"axes": {"recipe.steps": []}}, r"axes.recipe.steps must be not empty"),
        ({"axes": {"recipe.steps": [5, 5]}}, "axes.recipe.steps: values must differ"),
        ({"axes": {"recipe.steps": 5}}, "axes.recipe.steps must be a list of values, or a table with one of the keys range, log, random"),
        ({"axes": {"recipe.steps": {"rnage": [1, 2, 3]}}}, "'rnage'.*range"),
        ({"axes": {"recipe.steps": {"range": [1, 2]}}}, r"axes.recipe.steps.range must be \[first, last, count\]"),
        ({"axes": {"recipe.steps": {"range": [1, 10**400, 3]}}}, "from one number to another; got 1000"),
        ({"axes": {"recipe.steps": {"range": [1, float("nan"), 3]}}}, "from one number to another; got nan"),
        ({"axes": {"recipe.steps": {"range": [1, 2, 1]}}}, "must be a count of 2 to"),
        ({"axes": {"recipe.steps": {"log": [0, 2, 3]}}}, "from one positive number to another"),
        ({"axes": {"recipe.steps": {"random": {"between": [1, 2], "cuont": 3}}}}, "keys between, count"),
        ({"axes": {"recipe.steps": [2.5]}}, "axes, at recipe.steps = 2.5: .*recipe.steps must be a whole number"),
        ({"axes": {"recipe.task_weight": [-1]}}, "task_weight must be greater than or equal to 0; got -1"),
        ({"axes": {"recipe.steps, recipe.batch_size": [[1, 2], [3]]}}, "a list of 2 values at every place"),
        ({"axes": {"recipe.steps": [1], "recipe.steps, data_seed": [[1, 2]]}}, "recipe.steps is on two axes"),
        ({"axes": {"capacity_nats, recipe.steps": [[1, 3], [-1, 4]]}, "capacities_nats": []}, "a capacity of 0.001 to 100 nats.* got -1"),
        ({"axes": {"capacity_nats": [2]}}, "axes.capacity_nats: capacities_nats is the same axis"),
        ({"axes": {"seed, recipe.steps": [[1, 2]]}}, "axes.seed cannot move together"),
        ({"axes": {"frequency": ["uniform", "nonsense <"]}}, "axes, at .*frequency = 'nonsense <': models.model: frequency must be"),
        ({"axes": {"recipe": ["principled", "plain"]}}, "recipes with a target rate and without one"),
        ({"axes": {"recipe.steps": {"range": [1, 1e6, 90_000]}}, "seeds": [0, 1]}, "at most 100,000 conditions, unless max_conditions"),
        ({"axes": {"x_UC": [1, 2]}, "frequency": "x_UC"}, "parameter 'x_UC' has the name of a factor"),
        ({"parameters": {"a b": 1}}, "parameters"),
        (
            {"axes": {"recipe.steps, recipe.batch_size": [[1, 2], [3, 4]]}, "models": {"a": {"recipe": {"steps": 3}}}},
            "models.a sets recipe.steps, which moves together with recipe.batch_size",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_trained(keys, message):
    with pytest.raises(RequestError, match=message):
        Study(**{"capacities_nats": [1], **keys})


def test_the_limit_can_be_raised():
    assert len(Study(capacities_nats=[1, 2], seeds=[0, 1], max_conditions=4).conditions) == 4
    with pytest.raises(RequestError, match="is raised; got 4: 1 models × 2 of capacity_nats × 2 seeds"):
        Study(capacities_nats=[1, 2], seeds=[0, 1], max_conditions=3)


def test_a_model_without_a_target_rate_needs_no_capacity():
    models = {"aimed": {}, "free": {"recipe": {"name": "plain"}}}
    study = Study(models=models, capacities_nats=[1, 2])
    assert [(c.model, c.capacity_nats) for c in study.conditions] == [
        ("aimed", 1),
        ("aimed", 2),
        ("free", None),
    ]
    assert study.reference_of(list(study.cells)[2]) is None
    alone = Study(recipe="plain", axes={"recipe.beta": {"log": [0.001, 0.1, 3]}})
    assert [c.setting.recipe.beta for c in alone.conditions] == [0.001, 0.01, 0.1]
    assert alone.conditions[0].id.startswith("model_s0_")
    with pytest.raises(
        RequestError,
        match=r"capacities_nats must be given: models.aimed is trained to a target rate \(principled\)",
    ):
        Study(models=models)

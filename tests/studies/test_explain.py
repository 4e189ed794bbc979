"""Messages name keys as they stand in a study file, for every variant that a key can take."""

from __future__ import annotations

from typing import get_args

import pytest

from ratewarp._checks import RequestError
from ratewarp.sources import Corridors
from ratewarp.studies import Study
from ratewarp.studies.condition import TaskRule
from ratewarp.training.recipes import AnyRecipe, Principled

RECIPES = get_args(get_args(AnyRecipe)[0])
SOURCES = [Corridors]
NAMES = [recipe.model_fields["name"].default for recipe in RECIPES]


def _message(**keys: object) -> str:
    with pytest.raises(RequestError) as caught:
        Study(**{"capacities_nats": [1], **keys})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_recipes_are_tried():
    assert Principled in RECIPES
    assert {"principled", "published", "swift"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["", "a"])
def test_keys_of_every_recipe(name, model):
    def of(recipe: dict[str, object]) -> str:
        wrong = {"recipe": {"name": name, **recipe}}
        return _message(models={model: wrong}) if model else _message(**wrong)

    place = f"models.{model}.recipe" if model else "recipe"
    assert of({"steps": "x"}) == f"{place}.steps must be a whole number; got 'x'"
    assert of({"stepz": 1}).startswith(f"unknown key '{place}.stepz'. Did you mean 'steps'? Known keys: ")
    assert of({"task_weight": -1}).startswith(f"{place}.task_weight must be greater than or equal to 0")
    assert of({"precision": "float23"}).startswith(
        f"{place}.precision: unknown name 'float23'. Did you mean 'float32'?"
    )
    pair = next(
        key
        for key in ("task_ramp", "task_ramp_steps")
        if any(key in r.model_fields for r in RECIPES if r().name == name)
    )
    assert of({pair: ["x", 1]}).startswith(f"{place}.{pair}.0 must be a")
    assert of({pair: [3, 1] if pair == "task_ramp_steps" else [0.3, 0.1]}).startswith(
        f"{place}.{pair}: a ramp must start before it ends"
    )


@pytest.mark.parametrize("recipe", RECIPES)
def test_known_keys_are_those_of_the_recipe_named(recipe):
    known = (
        _message(recipe={"name": recipe.model_fields["name"].default, "x_": 1})
        .split("Known keys: ")[1]
        .split(", ")
    )
    assert known == list(recipe.model_fields)


@pytest.mark.parametrize("source", SOURCES)
def test_keys_of_every_source(source):
    assert _message(source={"kind": source().kind, "x": 1}).startswith(
        "unknown key 'source.x'. Known keys: kind"
    )


@pytest.mark.parametrize("name", [*NAMES, "str", "TaskRule", "corridors", "tuple"])
def test_models_may_be_called_as_a_variant_is(name):
    assert _message(models={name: 3}) == f"models.{name} must be a mapping of keys to values; got 3"
    assert _message(models={name: {}}, readouts={name: 5}) == f"readouts.{name} must be a list; got 5"
    assert _message(models={name: {"recipe": {"name": "swift", "stepz": 1}}}).startswith(
        f"unknown key 'models.{name}.recipe.stepz'"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tasks": [{"name": "t"}]}, "tasks.0.label is required"),
        ({"tasks": [3]}, "tasks.0 must be text; got 3"),
        ({"tasks": [{"name": "9", "label": "x_UC > 1"}]}, "tasks.0.name must be a letter followed by"),
        ({"readouts": {"model": [{"name": "t", "lable": "x"}]}}, "unknown key 'readouts.model.0.lable'. Did you mean 'label'?"),
        ({"recipe": 3}, "recipe must be a name, or a mapping of keys to values; got 3"),
        ({"recipe": {"name": "published", "pressure": -1}}, "recipe.pressure must be greater than 0; got -1"),
        ({"recipe": {"name": "published", "pressure": {"low": 1}}}, "recipe.pressure must be a number, or a table such as"),
        ({"recipe": {"name": "published", "processes": 3}}, "recipe: processes must divide batch_size (128); got 3"),
        ({"frequency": ["a"]}, "frequency.0 must be a number; got 'a'"),
        ({"network": {"convolutions": [{"filterz": 3}]}}, "unknown key 'network.convolutions.0.filterz'"),
        ({"models": {"a b": {}}}, "models: a name must be a letter followed by at most 39 letters, digits and _ - .; got 'a b'"),
        ({"readouts": {"a b": ["E2M1"]}}, "readouts: a name must be a letter"),
        ({"title": "half \ud83d"}, "title must be text of whole characters; got 'half \\ud83d'"),
        ({"description": "\ude00\ud83d"}, "description must be text of whole characters"),
        ({"frequency": "\ud83d"}, "frequency must be an expression"),
        ({"recipe": "\x1b[31m"}, "recipe: unknown name '\\x1b[31m'"),
        ({"\x1b[31m": 1}, "unknown key '\\x1b[31m'"),
    ],
)  # fmt: skip
def test_places_of_other_unions(keys, message):
    assert message in _message(**keys)


def test_a_study_has_a_sane_number_of_conditions():
    assert (
        "at most 100,000 conditions, unless max_conditions is raised; got 200,000: 1 models × 200 of"
        " capacity_nats" in _message(seeds=range(1000), capacities_nats=[1 + n / 10 for n in range(200)])
    )


def test_a_title_may_be_long():
    assert len(Study(capacities_nats=[1], title="x" * 100_000).title) == 100_000


def test_rules_of_a_user_are_tasks():
    assert (
        TaskRule(name="t", label="x_UC > 1")
        in Study(capacities_nats=[1], tasks=[{"name": "t", "label": "x_UC > 1"}]).tasks
    )

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from ratewarp import Study, load_study
from ratewarp._checks import RequestError
from ratewarp.runs.waves import groups
from ratewarp.studies import Condition, Setting, builtin_names, resolved
from ratewarp.training.recipes import Principled, Published, Swift


@pytest.mark.parametrize("name", builtin_names())
def test_builtin_studies_load_and_survive_a_round_trip(name):
    study = load_study(name)
    assert study.name == name
    again = Study(**yaml.safe_load(yaml.safe_dump(resolved(study), sort_keys=False)))
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]


def test_conditions_cross_models_capacities_and_seeds(tiny_study):
    cells = [(c.model, c.capacity_nats, c.seed) for c in tiny_study.conditions]
    assert cells == [(m, c, 0) for m in ("baseline", "E1M1", "E2M1") for c in (0.3, 2.0)]
    assert len({c.id for c in tiny_study.conditions}) == 6


def test_ids_follow_the_content():
    first = Condition(model="a", capacity_nats=1, seed=0)
    assert first.id == Condition(model="a", capacity_nats=1.0, seed=0, setting=Setting()).id
    others = [{"capacity_nats": 2}, {"seed": 1}, {"model": "b"}, {"setting": Setting(recipe={"steps": 7})}]
    assert len({first.id, *(Condition(**{**first.model_dump(), **o}).id for o in others)}) == 5
    with pytest.raises(ValidationError, match="frozen"):
        first.seed = 3


def test_differences_are_laid_over_the_base():
    study = Study(
        recipe={"steps": 11, "learning_rate": 0.1},
        models={
            "a": {},
            "b": {"recipe": {"steps": 12}},
            "c": {"recipe": "published"},
            "d": {"tasks": ["E2M5"]},
            "e": {"recipe": "swift"},
        },
        capacities_nats=[1],
    )
    recipes = [s.recipe for s in study.settings.values()]
    assert recipes == [
        Principled(steps=11, learning_rate=0.1),
        Principled(steps=12, learning_rate=0.1),
        Published(),
        Principled(steps=11, learning_rate=0.1),
        Swift(),
    ]
    assert [t.name for t in study.settings["d"].labellings()] == ["E2M1", "E2M2", "E2M3", "E2M4"]


def test_reference_is_the_first_model_unless_named():
    assert Study(models={"x": {}, "y": {}}, capacities_nats=[1]).reference == "x"
    study = Study(models={"x": {}, "y": {}}, capacities_nats=[1, 2], seeds=[0, 1], reference="y")
    cell = next(cell for cell, c in study.cells.items() if (c.model, c.capacity_nats, c.seed) == ("x", 2, 1))
    assert study.cells[study.reference_of(cell)].id.startswith("y_C2_s1")


def test_conditions_are_grouped_by_compiled_shape():
    study = Study(
        models={
            "a": {},
            "b": {"frequency": "E1M1"},
            "c": {"tasks": ["E2M1"]},
            "d": {"tasks": ["E2M3"], "recipe": {"task_weight": 3, "learning_rate": 1e-4}},
            "e": {"recipe": {"steps": 7}},
            "f": {"recipe": {"batch_size": 7}},
        },
        capacities_nats=[1, 2],
        seeds=[0, 1],
    )
    assert [sorted({c.model for c in group}) for group in groups(study.conditions)] == [
        ["a", "b", "e"],
        ["c", "d"],
        ["f"],
    ]


def test_a_part_of_a_study_has_its_reference_and_its_own_readouts():
    paper = load_study("paper")
    part = paper.part(models=["E2M2", "E2M5"], capacities=[10, 0.3])
    assert list(part.models) == ["baseline", "E2M2", "E2M5"]
    assert part.capacities_nats == (0.3, 10)
    assert list(part.readouts) == ["baseline", "E2M2"]
    whole = {c.id for c in paper.conditions}
    assert len(part.conditions) == 6
    assert {c.id for c in part.conditions} <= whole  # what a part has trained is what the whole would train
    assert paper.part() == paper
    with pytest.raises(RequestError, match="no model is named 'E2M6'"):
        paper.part(models=["E2M6"])
    with pytest.raises(
        RequestError, match=r"capacities must be among the study's \(0.3, 1, 3, 6, 10 nats\); got 2"
    ):
        paper.part(capacities=[2])


def test_pressure_may_be_a_table_over_capacities():
    study = Study(recipe={"name": "published", "pressure": {10: 300, 0.3: 10_000}}, capacities_nats=[0.3, 10])
    assert [c.setting.recipe.pressure for c in study.conditions] == [10_000, 300]
    again = Study(**yaml.safe_load(yaml.safe_dump(resolved(study))))
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    assert len(groups(study.conditions)) == 1


def test_a_recipe_may_differ_at_single_capacities():
    study = Study(
        models={"a": {}, "b": {"recipe": {"steps": 7}, "at": {10: {"recipe": {"task_weight": 2}}}}},
        capacities_nats=[1, 10],
    )
    found = {
        (c.model, c.capacity_nats): (c.setting.recipe.steps, c.setting.recipe.task_weight)
        for c in study.conditions
    }
    default = Study(capacities_nats=[1]).recipe
    assert found["b", 1] == (7, default.task_weight)
    assert found["b", 10] == (7, 2)
    assert found["a", 10] == (default.steps, default.task_weight)
    again = Study(**yaml.safe_load(yaml.safe_dump(resolved(study))))
    assert [c.id for c in again.conditions] == [c.id for c in study.conditions]
    assert [c.id for c in study.part(capacities=[1]).conditions] == [
        c.id for c in study.conditions if c.capacity_nats == 1
    ]
    turned = Study(**{**study.model_dump(), "reference": "b"})
    assert turned.cells[turned.reference_of(list(turned.cells)[1])].setting.recipe.task_weight == 2


@pytest.mark.parametrize(
    ("at", "match"),
    [
        ({3: {"recipe": {}}}, r"models.b.at must be a table from capacities of the study \(1, 10 nats\)"),
        ({"x": {"recipe": {}}}, "from capacities of the study"),
        ({10: {"tasks": ["E2M1"]}}, "models.b.at.10 must be {recipe: …}"),
        ({10: {"recipe": {"stps": 3}}}, r"models.b.at.10.*stps.*steps"),
        ([3], "models.b.at must be a table"),
        (
            {10: {"recipe": {}}, "10": {"recipe": {}}},
            "models.b.at must be a table in which every capacity stands once",
        ),
        ({10**400: {"recipe": {}}}, "from capacities of the study"),
    ],
)
def test_wrong_changes_at_single_capacities_are_named(at, match):
    with pytest.raises(RequestError, match=match):
        Study(models={"a": {}, "b": {"at": at}}, capacities_nats=[1, 10])


def test_heads_on_frozen_codes_are_of_the_tasks_named():
    study = Study(
        models={"a": {}, "b": {"tasks": ["E2M3"]}},
        capacities_nats=[1],
        readouts={"a": ["E2M5"], "b": [{"name": "right", "label": "x_UC > 6"}]},
    )
    assert [t.name for t in study.readout_tasks("a")] == ["E2M1", "E2M2", "E2M3", "E2M4"]
    (own,) = study.readout_tasks("b")
    assert own.labels.sum() == 6 * 13


def test_class_schemes():
    study = Study(models={"a": {}, "b": {"frequency": "E1M2", "tasks": ["E2M3"]}}, capacities_nats=[1])
    assert study.settings["a"].class_schemes() == {}
    schemes = study.settings["b"].class_schemes()
    assert list(schemes) == ["E2M3", "frequency"]
    # the diagonal is what E1M2 makes frequent
    np.testing.assert_array_equal(schemes["E2M3"], schemes["frequency"])


def test_a_stimulus_as_frequent_as_the_mean_is_not_frequent_however_sums_are_rounded():
    rising = np.repeat([1.0, 2.0, 3.0], [56, 57, 56]) * (1 + np.linspace(-1e-15, 1e-15, 169))
    schemes = (
        Study(models={"a": {"frequency": rising.tolist()}}, capacities_nats=[1]).settings["a"].class_schemes()
    )
    np.testing.assert_array_equal(schemes["frequency"], np.repeat([0, 0, 1], [56, 57, 56]))


def test_own_tasks_and_frequencies(tmp_path):
    rows = "\n".join(f"{u},{l},{1 + (u == l)}" for l in range(13) for u in range(13))
    (tmp_path / "table.csv").write_text(f"x_UC,x_LC,frequency\n{rows}\n")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ncapacities_nats: [1]\nmodels:\n"
        "  table: {frequency: {file: table.csv}}\n  rule: {frequency: '2 if x_UC == x_LC else 1'}\n"
        "  task: {tasks: [{name: right, label: x_UC > 9}, E2M1]}\n"
    )
    study = load_study(tmp_path / "mine.yaml")
    np.testing.assert_allclose(
        study.settings["table"].probabilities(), study.settings["rule"].probabilities()
    )
    assert [t.name for t in study.settings["task"].labellings()] == ["right", "E2M1"]


WRONG = [
    ("sede=[1]", "unknown key 'sede'. Did you mean 'seeds'"),
    ("recipe.step=5", "unknown key 'recipe.step'. Did you mean 'steps'"),
    ("recipe.steps=-5", "recipe.steps must be greater than or equal to 1; got -5"),
    ("recipe.steps=many", "recipe.steps must be a whole number; got 'many'"),
    ("recipe=publishd", "recipe: unknown name 'publishd'. Did you mean 'published'"),
    ("source=corridor", "unknown name 'corridor'. Did you mean 'corridors'"),
    ("capacities_nats=[0.3,-1]", "capacities_nats.1 must be greater than or equal to 0.001; got -1"),
    ("capacities_nats=[.nan]", "capacities_nats.0 must be a finite number"),
    ("capacities_nats=3", "capacities_nats must be a list; got 3"),
    (
        "capacities_nats=[]",
        "capacities_nats must be given: models.baseline is trained to a target rate (principled)",
    ),
    ("seeds=[1,1]", "seeds must differ from each other"),
    ("seeds=[1.5]", "seeds.0 must be a whole number"),
    ("models=[]", "models must be a mapping"),
    ("models.E1M1.frequency=E1M9", "models.E1M1: frequency: no frequency is named 'E1M9'. Did you mean"),
    ("models.E1M1.frequency=x_UC <= y", "no factor is named 'y'"),
    ("models.E1M1.frequency=[1, 2]", "one number for each of the 169 stimuli"),
    ("models.E1M1.frequency={file: no.csv}", "cannot read no.csv"),
    ("models.E2M1.tasks=[E2M9]", "models.E2M1: tasks: no task is named 'E2M9'. Did you mean"),
    ("models.E2M1.tasks=[{name: t, label: x_UC > 99}]", "class 1 never does"),
    (
        "models.E2M1.tasks=[{name: t, labl: x_UC > 9}]",
        "unknown key 'models.E2M1.tasks.0.labl'. Did you mean 'label'",
    ),
    ("models.E2M1.taks=[]", "unknown key 'models.E2M1.taks'. Did you mean 'tasks'"),
    ("reference=base", "Did you mean 'baseline'"),
    ("name=a b", "name must be a letter followed by"),
    ("codes_each=99", "codes_each must be at most validation_each (64); got 99"),
    (
        "network.convolutions=[{filters: 4, kernel: 19}]",
        "models.baseline: network.convolutions.0 must be small enough for its input of 13 × 13 pixels",
    ),
    ("models.E1M1.codes_each=1", "models.E1M1.codes_each must be the same for all models"),
    ("models.E1M1.data_seed=1", "models.E1M1.data_seed must be the same for all models"),
    ("recipe.learning_rate=.inf", "recipe.learning_rate must be less than or equal to 10; got inf"),
    ("recipe.task_weight=.nan", "recipe.task_weight must be"),
    ("recipe.steps=1099511627776", "recipe.steps must be less than"),
    ("recipe.task_ramp=[0.4, 0.2]", "a ramp must start before it ends"),
    ("network.latents=1000000000", "network.latents must be less than"),
    ("capacities_nats=[1.0e-50]", "capacities_nats.0 must be greater than"),
    ("models.E2M1.tasks=[{name: E2M5, label: x_UC > 9}]", "'E2M5' is taken"),
    ("models.E2M1.tasks=[{name: frequency, label: x_UC > 9}]", "'frequency' is taken"),
    ("models.E2M1.tasks=[{name: a, label: x_UC > 9}, {name: a, label: x_UC > 8}]", "'a' is taken"),
    ("models.E1M1.frequency=[[1, 2], 3]", "models.E1M1.frequency"),
    ("name=" + "[" * 3000, "not valid YAML"),
    ("name=[2020-13-45]", "not valid YAML"),
    ("training_images=0", "training_images must be greater than or equal to 1"),
    ("readouts.E2M9=[E2M1]", "readouts: no model is named 'E2M9'. Did you mean 'E2M1'"),
    ("readouts.E2M1=[E2M7]", "readouts.E2M1: tasks: no task is named 'E2M7'. Did you mean"),
    ("readouts.E2M1=[]", "readouts.E2M1 must be not empty"),
    (
        "recipe={name: published, pressure: {0.3: 100}}",
        "recipe.pressure must name every capacity; it has 0.3 nats, not 3",
    ),
    (
        "recipe={name: published, pressure: {low: 100}}",
        "must be a number, or a table such as {0.3: 10000, 10: 300}",
    ),
    ("recipe={name: published, pressure: {0.3: -1, 3: 1, 10: 1}}", "recipe.pressure"),
    (
        "recipe={name: published, pressure: {0.3: 1, '0.30': 2, 3: 1, 10: 1}}",
        "recipe.pressure must be a table in which every capacity stands once",
    ),
    ("recipe={name: published, batch_size: 63}", "processes must divide batch_size (63); got 2"),
    ("nothing", "--set must be key=value"),
    ("a..b=1", "--set must be key=value"),
    (".".join("a" * 900) + "=1", "--set must be a key of at most 20 names with dots between them"),
    ("self=1", "unknown key 'self'"),
    ("models.E1M1.self=1", "unknown key 'models.E1M1.self'"),
    ('title="\\ud83d"', "not valid YAML"),
    ('title="\\UFFFFFFFF"', "not valid YAML"),
    ("title=!!bool maybe", "'maybe' cannot be read as bool"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_wrong_is_said_in_one_line(change, message):
    with pytest.raises(RequestError) as caught:
        load_study("demo", [change])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "not valid YAML"),
        ("- 1", "a mapping"),
        ("1: 2\n", "a mapping"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("name: x\n", "capacities_nats must be given"),
        ("a: &x {b: *x}", "not valid YAML"),
        ("models: {a: {tasks: [E2M1]}, a: {}}", r"line 1\): the key 'a' is given twice, first in line 1"),
        ("capacities_nats: [1]\nself: 1\n", "unknown key 'self'"),
        ("a: " + "[" * 5000, "not valid YAML"),
        ('capacities_nats: [1]\nfrequency: {file: "a\\0b"}\n', "cannot read"),
    ],
)
def test_bad_study_files(tmp_path, content, message):
    file = tmp_path / "study.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RequestError, match=message):
        load_study(file)


def test_missing_study_file():
    with pytest.raises(RequestError, match="Did you mean 'demo'"):
        load_study("dem")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("x_UC,frequency\n1,2\n", "columns x_UC, x_LC, frequency"),
        ("x_UC,x_LC,frequency\n0,0,1\n", "one row for every stimulus"),
        ("x_UC,x_LC,frequency\n0,0,a\n", "line 2 must be numbers"),
        ("", "no rows"),
    ],
)
def test_bad_frequency_tables(tmp_path, table, message):
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "s.yaml").write_text("capacities_nats: [1]\nfrequency: {file: t.csv}\n")
    with pytest.raises(RequestError, match=message):
        load_study(tmp_path / "s.yaml")


def test_a_study_starts_no_device():
    """How many devices there are is settled when a run begins; a process with threads cannot be forked."""
    names = ", ".join(map(repr, builtin_names()))
    code = (
        "from ratewarp.studies import load_study; from jax._src import xla_bridge;"
        f"[load_study(name).conditions for name in ({names})]; print(len(xla_bridge._backends))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "0"

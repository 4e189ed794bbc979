"""Making the tables of many conditions: progress, what is kept when interrupted, what is computed how often."""

from __future__ import annotations

import json
import weakref

import pytest
from threadpoolctl import threadpool_info

from fabricated import fabricated_run, replace_record
from ratewarp.geometry.measuring import Finding
from ratewarp.results import condition_rows, objective_rows, tables
from ratewarp.results.table_parts import Parts, part_key
from ratewarp.results.tables import build_tables
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study
from ratewarp.studies import study as study_module

MODELS = {"baseline": {}, "E1M1": {"frequency": "E1M1"}, "again": {}}


@pytest.fixture
def study() -> Study:
    return Study(models=MODELS, capacities_nats=[0.3, 3], codes_each=2, validation_each=3, bound_points=0)


@pytest.fixture
def run(study, tmp_path) -> RunDirectory:
    return fabricated_run(study, tmp_path / "run")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """One number in place of all measures, which depends on the codes and on those of the reference."""

    def measure(own, labels, theirs, settings):
        value = float(own.codes.sum() - (theirs.codes.sum() if theirs is not None else 0))
        yield Finding("sum", "", value, value, value, 0.25, 0, "")

    monkeypatch.setattr(condition_rows, "measure_codes", measure)
    monkeypatch.setattr(condition_rows, "_information", lambda record, draws: {})


@pytest.fixture
def measured(monkeypatch):
    """Ids of the conditions that are measured, in order; after so many of them the user interrupts."""
    found: list[str] = []
    plain = condition_rows.ConditionPart._model
    limit = {"most": 1000}

    def row(part, *others):
        if len(found) == limit["most"]:
            raise KeyboardInterrupt
        found.append(part.condition.id)
        return plain(part, *others)

    monkeypatch.setattr(condition_rows.ConditionPart, "_model", row)
    return found, limit


def _bytes(found) -> dict[str, str]:
    return {name: table.to_csv(index=False, float_format="%.9g") for name, table in found.items()}


def test_interrupted_measuring_goes_on_to_the_same_bytes(run, study, measured):
    found, limit = measured
    whole = _bytes(build_tables(run, study))
    ids = [condition.id for condition in study.conditions]
    assert found == ids
    assert not run.measured.exists()

    found.clear()
    limit["most"] = 3
    with pytest.raises(KeyboardInterrupt):
        build_tables(run, study, keep=True)
    limit["most"] = 1000
    resumed = _bytes(build_tables(run, study, keep=True))
    assert found == ids
    assert resumed == whole


def test_what_changed_is_measured_anew(run, study, measured):
    found, _ = measured
    build_tables(run, study, keep=True)
    found.clear()
    changed = next(c for c in study.conditions if c.model == "E1M1" and c.capacity_nats == 3)
    replace_record(run, changed)
    again = _bytes(build_tables(run, study, keep=True))
    assert found == [changed.id]
    assert again == _bytes(build_tables(run, study))


def test_a_changed_reference_changes_all_that_are_measured_against_it(run, study, measured):
    found, _ = measured
    build_tables(run, study, keep=True)
    found.clear()
    reference = next(c for c in study.conditions if c.model == "baseline" and c.capacity_nats == 3)
    replace_record(run, reference)
    build_tables(run, study, keep=True)
    assert found == [c.id for c in study.conditions if c.capacity_nats == 3]


def test_a_part_that_is_damaged_is_measured_anew(run, study, measured):
    found, _ = measured
    whole = _bytes(build_tables(run, study, keep=True))
    found.clear()
    for number, file in enumerate(sorted(run.measured.iterdir())):
        text = file.read_text()
        digit = next(
            (place for place in range(len(text) - 1, 70, -1) if text[place] in "123456789"), len(text) - 1
        )
        # another number is noticed as well
        file.write_text('{"models": [' if number % 2 else f"{text[:digit]}0{text[digit + 1 :]}")
    assert _bytes(build_tables(run, study, keep=True)) == whole
    assert len(found) == len(study.conditions)


def test_progress_counts_conditions_and_objectives(run, study):
    told = []
    build_tables(run, study, progress=lambda done, total: told.append((done, total)))
    total = len(study.conditions)  # nothing is solved without bound points
    assert told == [(done, total) for done in range(total + 1)]


def test_few_records_are_held_at_once(run, study, monkeypatch):
    alive: list[weakref.ref] = []
    most, reads = [], []
    plain = RunDirectory.record

    def record(self, condition):
        found = plain(self, condition)
        reads.append(condition)
        alive.append(weakref.ref(found))
        most.append(sum(one() is not None for one in alive))
        return found

    monkeypatch.setattr(RunDirectory, "record", record)
    build_tables(run, study)
    assert max(most) <= 3
    references = len(study.capacities_nats)
    assert len(reads) <= len(study.conditions) + references


def test_settings_are_validated_once_a_model(run, study, monkeypatch):
    conditions, calls = study.conditions, []
    plain = study_module._setting
    monkeypatch.setattr(study_module, "_setting", lambda *given: calls.append(given[2]) or plain(*given))
    build_tables(run, study, conditions)
    assert len(calls) <= len(study.models)


def test_products_of_small_matrices_have_one_thread(run, study, monkeypatch):
    threads = []
    plain = condition_rows.measure_codes

    def measure(*given):
        threads.extend(library["num_threads"] for library in threadpool_info())
        return plain(*given)

    monkeypatch.setattr(condition_rows, "measure_codes", measure)
    build_tables(run, study)
    assert set(threads) == {1}


def test_curves_are_solved_once_for_models_of_one_objective(run, study, monkeypatch):
    asked = []
    monkeypatch.setattr(
        objective_rows, "bound_rows", lambda setting, *_: asked.append(setting) or [{"rate_nats": 1.0}]
    )
    monkeypatch.setattr(objective_rows, "normative_rows", lambda *_: [])
    monkeypatch.setattr(condition_rows, "_against_bound", lambda *_: {})
    found = build_tables(run, study.model_copy(update={"bound_points": 4}))["bound"]
    assert found["model"].tolist() == list(MODELS)
    uniform = [setting for setting in asked if setting.frequency == "uniform" and not setting.tasks]
    assert len(uniform) == 2  # as the reference, and beside it


def test_no_points_no_rows(run, study):
    found = build_tables(run, study)
    for name in ("bound", "normative"):
        assert found[name].empty
        assert list(found[name].columns) == tables.COLUMNS[name]


def test_rows_are_the_same_whether_kept_or_not(run):
    rows = {"models": [{"a": 0.1 + 0.2, "b": float("nan"), "c": None, "d": 3}]}
    made = Parts(run, kept=False).rows(part_key(["one"]), lambda: rows)
    first = Parts(run, kept=True).rows(part_key(["one"]), lambda: rows)
    again = Parts(run, kept=True).rows(part_key(["one"]), lambda: pytest.fail("made anew"))
    assert json.dumps(made) == json.dumps(first) == json.dumps(again)
    assert again["models"][0]["a"] == 0.1 + 0.2

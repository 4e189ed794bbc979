"""Parts of tables made by several processes: the same rows as here, also where a process is lost."""

from __future__ import annotations

import os
import signal

import pytest

from fabricated import fabricated_run
from ratewarp.results import part_processes, tables
from ratewarp.results.part_processes import made_by_processes
from ratewarp.results.tables import build_tables, parts_of
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study

STUDY = Study(
    models={"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}},
    capacities_nats=[0.3, 3],
    codes_each=2,
    validation_each=3,
    bound_points=2,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDirectory:
    return fabricated_run(STUDY, tmp_path_factory.mktemp("parts") / "run")


@pytest.fixture(scope="module")
def whole(run):
    return build_tables(run, STUDY)


def test_several_processes_make_the_same_tables(run, whole, monkeypatch):
    asked = []
    monkeypatch.setattr(tables, "FEWEST", 2)
    plain = made_by_processes
    monkeypatch.setattr(
        tables, "made_by_processes", lambda run, numbers: asked.extend(numbers) or plain(run, numbers)
    )
    told = []
    found = build_tables(run, STUDY, keep=True, progress=lambda done, total: told.append((done, total)))
    total = len(parts_of(run, STUDY))
    assert asked == list(range(total))
    assert told == sorted(told)
    assert told[-1] == (total, total)
    assert {name: table.to_csv() for name, table in found.items()} == {
        name: table.to_csv() for name, table in whole.items()
    }
    assert len(list(run.measured.iterdir())) == total
    build_tables(run, STUDY, keep=True)
    assert len(asked) == total  # what is kept is not made again
    run.remove_folder(run.measured)


def test_parts_of_a_process_that_is_killed_are_left_out(run, monkeypatch):
    children = []
    plain = part_processes._child
    monkeypatch.setattr(part_processes, "_child", lambda path: children.append(plain(path)) or children[-1])
    monkeypatch.setattr(part_processes, "cpu_cores", lambda: 1)
    found = []
    for number, _ in made_by_processes(run.path, [0, 1, 2, 3, 4, 5]):
        found.append(number)
        os.kill(children[0].pid, signal.SIGKILL)
    assert found[0] == 0
    assert len(found) < 6
    assert children[0].poll() is not None


def test_what_a_process_cannot_make_is_left_out(run, tmp_path):
    assert list(made_by_processes(tmp_path / "nothing", [0, 1])) == []
    assert [number for number, _ in made_by_processes(run.path, [1])] == [1]

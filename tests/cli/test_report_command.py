"""`ratewarp report`: what it writes, and what it leaves."""

from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from conftest import TINY_NETWORK, call
from fabricated import fabricated_run, fabricated_tables
from ratewarp.studies import Study


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run of which there is one small figure."""
    study = Study(
        models={"m": {}},
        capacities_nats=[1],
        network=TINY_NETWORK,
        validation_each=3,
        codes_each=1,
        bound_points=0,
    )
    fabricated_tables(fabricated_run(study, tmp_path / "run"), study)
    monkeypatch.setattr("ratewarp.report.pictures.drawings", lambda _: {"one": lambda view: plt.figure()})
    return tmp_path / "run"


def test_figures_alone(folder):
    answer = call("report", folder, "--figures-only", cwd=folder.parent)
    assert answer.returncode == 0
    assert answer.stdout.split() == [str(folder / "figures")]
    assert {file.name for file in (folder / "figures").iterdir()} == {"one.png", "one.pdf"}
    assert not (folder / "report.html").exists()


def test_figures_stay_when_the_page_is_written(folder):
    call("report", folder, "--figures-only", cwd=folder.parent)
    before = {file: file.stat().st_mtime_ns for file in (folder / "figures").iterdir()}
    assert call("report", folder, cwd=folder.parent).returncode == 0
    assert (folder / "report.html").exists()
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_a_page_that_is_not_written_cannot_be_opened(folder):
    answer = call("report", folder, "--figures-only", "--open", cwd=folder.parent)
    assert answer.returncode == 2
    assert "--figures-only does not write" in answer.stderr
    assert not (folder / "figures").exists()

"""`ratewarp compare`, as a user calls it."""

from __future__ import annotations

import json

import pytest

from conftest import TINY_NETWORK, call
from fabricated import fabricated_run, fabricated_tables
from ratewarp.results.run_comparison import compare_runs
from ratewarp.runs.directory import open_run
from ratewarp.studies import Study

SMALL = {"network": TINY_NETWORK, "validation_each": 3, "codes_each": 1, "bound_points": 3}


@pytest.fixture
def folder(tmp_path):
    studies = {
        "short": Study(models={"m": {}, "n": {}}, capacities_nats=[1], **SMALL),
        "long": Study(models={"m": {}, "n": {}}, capacities_nats=[1], recipe={"steps": 9000}, **SMALL),
        "other": Study(
            models={"m": {}}, capacities_nats=[1], source={"kind": "corridors", "size": 9}, **SMALL
        ),
    }
    for name, study in studies.items():
        fabricated_tables(fabricated_run(study, tmp_path / name), study)
    return tmp_path


def test_numbers_and_a_page_of_two_runs(folder):
    done = call("compare", "short", "long", "--out", "numbers.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "recipe.steps" in done.stdout
    assert "numbers: numbers.csv" in done.stderr
    assert done.stderr.endswith("page: comparison.html\n")
    expected = compare_runs([open_run(folder / name) for name in ("short", "long")])
    assert (folder / "numbers.csv").read_text() == expected.to_csv(index=False)
    again = call("compare", "short", "long", cwd=folder)
    assert again.returncode == 2
    assert "page must be a .html file that does not exist yet" in again.stderr


def test_runs_of_other_stimuli_have_numbers_and_no_page(folder):
    done = call("compare", "short", "other", "--json", cwd=folder)
    assert done.returncode == 1
    assert {row["model"] for row in json.loads(done.stdout)} == {"m"}
    assert "no page: runs: one stage needs runs of the same stimuli" in done.stderr
    assert not (folder / "comparison.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["short"], "runs must be two runs or more"),
        (["short", "short"], "runs must be each given once"),
        (["short", "nowhere"], "nowhere is not a run directory"),
        (["short", "long", "--page", "there.txt"], "page must be a .html file"),
        (["short", "long", "--out", "numbers.xls"], "out must be a csv file"),
    ],
)
def test_what_is_wrong_is_said(folder, arguments, words):
    done = call("compare", *arguments, cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr

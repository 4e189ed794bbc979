"""The examples of the documentation run, and its claims about simulations are those of the stored results."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
INDICES = ("prototypization", "specialization", "orthogonalization")


@pytest.mark.filterwarnings("ignore")  # of rsatoolbox
@pytest.mark.parametrize("name", ["measures.md", "measure-your-codes.md"])
def test_examples_run(name):
    text = re.sub("^```.*$", "", (ROOT / "docs" / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    example = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    assert len(example.examples) > 5
    assert doctest.DocTestRunner(optionflags=OPTIONS).run(example).failed == 0


def test_every_card_has_an_example():
    cards = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8").split("\n### ")[1:]
    for card in cards:
        assert ">>> " in card.split("\n## ")[0], card.splitlines()[0]
        assert "**Source**" in card, card.splitlines()[0]


def test_selectivity_is_what_the_page_says():
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8")
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "selectivity.csv")
    alone = table[table["planted"].isin(INDICES)]
    assert alone.loc[alone["planted"] != alone["index"], "ratio"].abs().max() < 0.425
    own = alone[alone["planted"] == alone["index"]]
    _, moved, detected = page.split("| setting |")
    for rows, column, least in ((moved, "ratio", 5), (detected, "detected", 0.8)):
        for line, setting in zip(rows.splitlines()[2:8], table["setting"].unique(), strict=True):
            for cell, index in zip(line.split("|")[2:5], INDICES, strict=True):
                found = own[(own["setting"] == setting) & (own["index"] == index)].set_index("strength")[
                    column
                ]
                reached = found[(found[::-1] >= least).cummin()[::-1]].index
                said = re.match(r"[0-9.]+", cell.strip())
                assert (float(said[0]) if said else None) == (reached[0] if len(reached) else None)


def test_coverage_is_what_the_page_says():
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "coverage.csv").query("test == 'coverage'")
    default, drawn = table[table["interval"] == "jackknife"], table[table["interval"] != "jackknife"]["share"]
    at_the_end = default["measure"].str.contains(" 0 degrees")
    inside, end = default[~at_the_end]["share"], default[at_the_end]["share"]
    assert (len(inside), inside.min(), inside.max()) == (72, 0.922, 0.975)
    assert (len(end), end.min()) == (6, 0.996)
    assert (len(drawn), drawn.min(), drawn.max()) == (36, 0.916, 0.967)
    assert sorted(drawn[drawn < 0.92]) == [0.916, 0.918, 0.919]
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8")
    cells = [
        cell.strip()
        for line in page.split("## Intervals and tests")[1].splitlines()
        for cell in line.split("|")
    ]
    for share in default["share"]:
        assert f"{100 * share:.1f}" in cells


WORKED = {  # page → model, labelling and measure, by the start of a row of its table
    "digits": {
        "**prototypization**, `odd`": ("odd", "odd", "prototypization_change"),
        "**prototypization**, `ten`": ("ten", "ten", "prototypization_change"),
        "**orthogonalization**, `odd`": ("odd", "odd", "orthogonalization_change"),
        "**specialization**, `skewed`": ("skewed", "frequency", "specialization_change"),
    },
    "sprites": {
        "**prototypization**, `shape`": ("shape", "which", "prototypization_change"),
        "**specialization**, `left`": ("left", "frequency", "specialization_change"),
        "**orthogonalization**, `shape`": ("shape", "which", "orthogonalization_change"),
    },
    "population": {
        "**prototypization**, `decision`": ("decision", "half", "prototypization_change"),
        "**orthogonalization**, `decision`": ("decision", "half", "orthogonalization_change"),
        "**specialization**, `skewed`": ("skewed", "frequency", "specialization_change"),
    },
}


@pytest.mark.parametrize("study", WORKED)
def test_worked_studies_say_what_their_tables_hold(study):
    """Means over seeds, and in how many the interval is off 0 on the side of the mean."""
    page = (ROOT / f"docs/{study}.md").read_text(encoding="utf-8").replace("−", "-").replace("**-", "-")
    table = pd.read_csv(ROOT / f"docs/results/{study}/geometry.csv")
    for start, (model, task, measure) in WORKED[study].items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {start}")]
        told = re.findall(r"([+-][\d.]+)\W*\((\d) of 3", row)
        own = table[(table["model"] == model) & (table["task"] == task) & (table["measure"] == measure)]
        by_capacity = [rows for _, rows in own.groupby("capacity_nats")]
        assert len(told) == len(by_capacity)
        for (value, seeds), rows in zip(told, by_capacity, strict=True):
            mean = rows["value"].mean()
            off = rows["low"] > 0 if mean > 0 else rows["high"] < 0
            assert float(value) == pytest.approx(mean, abs=0.0051)
            assert int(seeds) == off.sum()


def test_recordings_are_what_the_page_says():
    results = ROOT / "benchmarks" / "results"
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8").split("## Recordings")[1]
    every = pd.read_csv(results / "recordings-coverage.csv")
    table = every[every["stimuli"] <= 100]
    held = 100 * table["held"]
    near, nearly = held.between(93, 97).sum(), held.between(92, 98).sum()
    ends = f"({held.min():.1f} to {held.max():.1f})"
    assert f"Of all {len(table)} cells {near} lie within 93–97 %, {nearly} within 92–98 % {ends}" in page
    assert f"{100 * every.loc[every['stimuli'] > 100, 'held'].mean():.0f} % over all 90 cells" in page
    alarms = pd.read_csv(results / "recordings-alarms.csv")
    for cell, rows in alarms.groupby("cell"):
        by_number = [
            f"{100 * one.min():.0f}–{100 * one.max():.0f}" for _, one in rows.groupby("stimuli")["found"]
        ]
        assert f"| {cell} | {' | '.join(by_number)} |" in page
    for row in pd.read_csv(results / "recordings-cases.csv").to_dict("records"):
        assert f"| `{row['number']}` | {row['before']:.3g} | {row['after']:.3g} | {row['true']} |" in page

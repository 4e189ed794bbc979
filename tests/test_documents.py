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
    assert alone.loc[alone["planted"] != alone["index"], "ratio"].abs().max() < 0.335
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
    assert (len(end), end.min()) == (6, 0.986)
    assert (len(drawn), drawn.min(), drawn.max()) == (36, 0.916, 0.967)
    assert sorted(drawn[drawn < 0.92]) == [0.916, 0.917, 0.918]
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8")
    cells = [
        cell.strip()
        for line in page.split("## Intervals and tests")[1].splitlines()
        for cell in line.split("|")
    ]
    for share in default["share"]:
        assert f"{100 * share:.1f}" in cells


def test_intervals_over_sets_are_what_the_page_says():
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "intervals-over-sets.csv")
    held = table.assign(
        held=100 * table["held"], kind=table["interval"].where(table["interval"] == "t", "other")
    )
    own = held[held["population"] != "stimuli in common"].groupby("kind")["held"].agg(["min", "max"]).round(1)
    common = held.query("population == 'stimuli in common' and sets == 20 and stimuli == 20")["held"]
    page = (ROOT / "docs" / "measure-your-codes.md").read_text(encoding="utf-8")
    (t_low, t_high), (low, high) = own.loc["t"], own.loc["other"]
    assert (
        f"held the mean in {t_low} to {t_high} % of samples, hierarchical bootstraps in {low} to {high} %"
        in page
    )
    t, nested, added = common.round(1)
    assert f"held in {t} % (t) and {nested} to {added} %." in page


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
    large = 100 * every.loc[every["stimuli"] > 100, "held"]
    near, nearly = large.between(93, 97).sum(), large.between(92, 98).sum()
    ends = f"({large.min():.1f} to {large.max():.1f})"
    assert f"{near} of {len(large)} lie within 93–97 %, {nearly} within 92–98 % {ends}" in page
    alarms = pd.read_csv(results / "recordings-alarms.csv")
    for cell, rows in alarms.groupby("cell"):
        by_number = [
            f"{100 * one.min():.0f}–{100 * one.max():.0f}" for _, one in rows.groupby("stimuli")["found"]
        ]
        assert f"| {cell} | {' | '.join(by_number)} |" in page
    for row in pd.read_csv(results / "recordings-cases.csv").to_dict("records"):
        assert f"| `{row['number']}` | {row['before']:.3g} | {row['after']:.3g} | {row['true']} |" in page


def _limits(kind):
    """Rows of `limits.csv` by planted, number and form."""
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "limits.csv")
    return table[table["kind"] == kind].set_index(["planted", "number", "trial_noise"])


def test_category_and_frequency_are_kept_apart_as_the_page_says():
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8").replace("−", "-")
    section = page.split("## Where category and frequency go together")[1].split("\n## ")[0]
    table = _limits("together")
    numbers = ("prototypization_change", "category_effect", "specialization_change", "frequency_effect")
    told = {
        cells[1].strip(): [cell.strip().strip("*") for cell in cells[2:6]]
        for cells in (line.split("|") for line in section.splitlines())
        if len(cells) == 7
    }
    for planted in table.index.unique("planted"):
        rows = [table.loc[planted, number, "removed"] for number in numbers]
        assert told[planted] == [f"{row['ratio']:+.1f} ({100 * row['found']:.0f} %)" for row in rows]
    assert (table["samples"] == 100).all()
    steep = {number: table.loc["specialization 1.0", number, "removed"] for number in numbers}
    moved, joint = steep["prototypization_change"], steep["category_effect"]
    assert f"by {moved['ratio']:.1f} standard errors at specialization 1.0" in section
    assert f"found in {100 * moved['found']:.0f} % of data sets" in section
    assert f"`category_effect` is found in {100 * joint['found']:.0f} %" in section
    noisy = table.loc["specialization 1.0", "frequency_effect", "included"]
    assert f"({noisy['ratio']:+.1f} at specialization 1.0)" in section


def test_labels_that_say_nothing_are_found_as_the_page_says():
    page = (ROOT / "docs" / "selectivity.md").read_text(encoding="utf-8")
    table = 100 * _limits("labels")["found"]
    tests = {
        "p of prototypization": "removed",
        "p of prototypization, plain share": "removed",
        "p of kernel_prototypization": "included",
    }
    for planted in table.index.unique("planted"):
        cells = [f"{table[planted, number, form]:.1f}" for number, form in tests.items()]
        assert f"| {planted} | {' | '.join(cells)} |" in page


def test_cards_quote_the_rates_that_were_simulated():
    cards = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    labels, noise, separation, runs = map(_limits, ("labels", "noise", "separation", "runs"))
    assert set(labels["samples"]) == set(noise["samples"]) == set(separation["samples"]) == {1000}

    def share(table, planted, number, form="removed"):
        return f"{100 * table.loc[planted, number, form]['found']:.0f}"

    unequal = "15 and 45 stimuli, 2 and 12 trials, noise 2"
    mended = share(labels, unequal, "p of prototypization")
    plain = share(labels, unequal, "p of prototypization, plain share")
    assert f"p is at most 0.05 in {mended} % of samples; permuting the plain share gave {plain} %" in cards
    of_kernel = "p of kernel_prototypization", "included"
    noisier = share(labels, "30 and 30 stimuli, 4 trials, noise 1 and 2", *of_kernel)
    fewer = share(labels, "30 and 30 stimuli, 2 and 12 trials, noise 2", *of_kernel)
    assert f"4 trials: p at most 0.05 in {noisier} % of samples" in cards
    assert f"(2 and 12, noise 2: {fewer} %)" in cards
    forms = "removed", "included"
    alone, narrower = (
        [share(noise, f"noise 0.4 and 0.8, 6 trials{more}", "category_effect", form) for form in forms]
        for more in ("", "; 0.8 times as wide")
    )
    assert f"found in {alone[0]} % of samples without noise and in {alone[1]} % with it" in cards
    assert f"0.8 times as wide, in {narrower[0]} and {narrower[1]} %" in cards
    apart = separation.loc["5 classes of 8, separation 3 and 1", "free_orthogonalization_change", "removed"]
    assert f"{apart['mean']:+.2f}, found in {100 * apart['found']:.0f} % of samples instead of 5" in cards
    shared, off = (
        runs.loc[one, "reliability", "removed"]["mean"] for one in ("as they are", "effects of runs off")
    )
    assert f"reliability {shared:.2f} instead of 0.67" in cards
    assert f"in codes and reference ({off:.2f}; runs need" in cards

"""What the stage says of conditions, against numbers read from the tables anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import TINY_NETWORK
from ratewarp.report.page.alerts import alerts
from ratewarp.report.page.figures_in_words import ALIGNMENT, SHARE, Found, amount
from ratewarp.report.page.sentences import sentences
from ratewarp.report.views import RunView
from ratewarp.results.tables import COLUMNS
from ratewarp.runs.directory import create_run
from ratewarp.studies import Study, resolved

MODELS: dict[str, Any] = {"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}}
TASKS = {"E1M1": ("frequency",), "E2M1": ("E2M1",)}
NUMBER = r"([−+]?\d+(?:\.\d+)?)"
INTERVAL = rf"(up|down|no clear change).*?{NUMBER} to {NUMBER}"


def study_of(models: Mapping[str, Any] = MODELS, **keys: Any) -> Study:
    given = {"capacities_nats": [0.3, 3], "seeds": [0, 1], "network": TINY_NETWORK, "validation_each": 3}
    return Study(models=dict(models), **{**given, "codes_each": 2, **keys})


def model_rows(study: Study) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    rows = []
    for condition in study.conditions:
        rate, bound = (condition.capacity_nats or 2) * rng.uniform(0.99, 1.01), rng.uniform(0.05, 0.2)
        rows.append(
            {
                "condition": condition.id,
                "model": condition.model,
                "capacity_nats": condition.capacity_nats,
                "seed": condition.seed,
                "rate_nats": rate,
                "rate_bits": rate / np.log(2),
                "distortion": 0.1,
                "semantic_distortion": 0.05,
                "bound_rate_nats": bound,
                "excess_nats": rate - bound,
                "excess_nats_se": 0.001,
                "active_units": 2,
                "status": "ok",
            }
        )
    return rows


def measure_rows(study: Study, tasks: Mapping[str, tuple[str, ...]] = TASKS) -> list[dict[str, Any]]:
    """Numbers of all measures, some of whose changes are off 0 and some are not."""
    rng = np.random.default_rng(1)
    rows = []
    for condition in study.conditions:
        found = [("participation_ratio", None, 2.3)]
        for task in tasks.get(condition.model, ()):
            of_task = ("prototypization", "orthogonalization")
            names = ("specialization", "resolution_ratio", *of_task) if task == "frequency" else of_task
            found += [(name, task, rng.uniform(0.3, 0.95)) for name in names]
        for name, task, value in found:
            one = {"condition": condition.id, "model": condition.model, "measure": name, "task": task}
            rows.append({**one, "value": value, "low": value - 0.1, "high": value + 0.1})
            if condition.model != study.reference:
                change, reach = rng.uniform(-0.4, 0.4), rng.uniform(0.01, 0.4)
                ends = {"value": change, "low": change - reach, "high": change + reach}
                rows.append({**one, "measure": f"{name}_change", **ends})
    return rows


def optimal_rows(study: Study) -> list[dict[str, Any]]:
    one = {"model": "E2M1", "measure": "prototypization", "task": "E2M1"}
    return [
        {**one, "rate_nats": rate, "value": value} for rate, value in ((0.1, 0.9), (1.0, 0.6), (5.0, 0.0))
    ]


def view_of(study: Study, folder: Path, *, without: tuple[str, ...] = (), **tables: list[dict]) -> RunView:
    run = create_run(folder / "run", resolved(study))
    known = {"models": model_rows(study), "geometry": measure_rows(study), "normative": optimal_rows(study)}
    for name, columns in COLUMNS.items():
        if name in without:
            continue
        at = columns.index("capacity_nats" if "capacity_nats" in columns else "model") + 1
        wide = [*columns[:at], *study.further_keys, *columns[at:]]
        run.write_table(name, pd.DataFrame({**known, **tables}.get(name, []), columns=wide))
    run.write_manifest({"ratewarp": "0"})
    return RunView(run)


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> RunView:
    return view_of(study_of(), tmp_path_factory.mktemp("told"))


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def close(text: str, value: float) -> bool:
    """Whether a number in a text is this one, rounded as it stands there."""
    decimals = len(text.partition(".")[2])
    return abs(number(text) - value) <= 0.5 * 10**-decimals + 1e-9


def numbers_of(view: RunView, condition: str, measure: str, task: str) -> pd.Series:
    table = view.run.table("geometry")
    mine = (table["condition"] == condition) & (table["measure"] == measure) & (table["task"] == task)
    return table[mine].iloc[0]


def way(change: pd.Series) -> str:
    return "up" if change["low"] > 0 else "down" if change["high"] < 0 else "no clear change"


def check_interval(text: str, change: pd.Series, factor: float) -> None:
    found = re.search(INTERVAL, text.split("baseline", 1)[1])
    assert found is not None, text
    assert found[1] == way(change)
    low, high = sorted([abs(change["low"]), abs(change["high"])]) if found[1] != "no clear change" else (
        change["low"], change["high"]
    )  # fmt: skip
    assert close(found[2], factor * low)
    assert close(found[3], factor * high)


def check_seeds(view: RunView, text: str, condition: Any, measure: str, task: str) -> None:
    same = [
        way(numbers_of(view, one.id, f"{measure}_change", task))
        for one in view.conditions
        if (one.model, one.capacity_nats) == (condition.model, condition.capacity_nats)
    ]
    own = way(numbers_of(view, condition.id, f"{measure}_change", task))
    word = "likewise" if own == "no clear change" else f"clearly {own}"
    assert f"; {word} in {same.count(own)} of {len(same)} seeds" in text


def conditions_of(view: RunView, model: str) -> list[Any]:
    return [one for one in view.conditions if one.model == model]


def test_prototypization_is_that_of_the_table_beside_the_references_and_the_optimum(view):
    for condition in conditions_of(view, "E2M1"):
        text = sentences(view)[condition.id][0]
        own = numbers_of(view, condition.id, "prototypization", "E2M1")
        change = numbers_of(view, condition.id, "prototypization_change", "E2M1")
        found = re.match(
            rf"{NUMBER} % of the variance of the codes of E2M1 at {condition.capacity_nats:g} nats lies between"
            rf" the classes of the task E2M1, adjusted for chance, against {NUMBER} % in the baseline",
            text,
        )
        assert found is not None, text
        assert close(found[1], 100 * own["value"])
        assert close(found[2], 100 * (own["value"] - change["value"]))
        check_interval(text, change, 100)
        check_seeds(view, text, condition, "prototypization", "E2M1")
        rate = view.models.set_index("condition").loc[condition.id, "rate_nats"]
        (left, above), (right, below) = ((0.1, 0.9), (1.0, 0.6)) if rate < 1 else ((1.0, 0.6), (5.0, 0.0))
        optimum = above + (rate - left) / (right - left) * (below - above)
        assert f"at this rate it would be about {100 * optimum:.0f} %" in text


def test_alignment_and_resolution_are_those_of_the_tables(view):
    sought = {
        "E2M1": ("orthogonalization", "E2M1", 1, rf"alignment of {NUMBER} with .* against {NUMBER} in"),
        "E1M1": ("resolution_ratio", "frequency", 0, rf"lie {NUMBER} times .* against {NUMBER} times in"),
    }
    for model, (measure, task, place, pattern) in sought.items():
        for condition in conditions_of(view, model):
            text = sentences(view)[condition.id][place]
            own = numbers_of(view, condition.id, measure, task)["value"]
            change = numbers_of(view, condition.id, f"{measure}_change", task)
            found = re.search(pattern, text)
            assert found is not None, text
            assert close(found[1], own)
            assert close(found[2], own - change["value"])
            check_interval(text, change, 1)
            check_seeds(view, text, condition, measure, task)


def test_every_way_of_changing_occurs_and_is_named_after_its_warp_when_up_alone(view):
    told = [text for one in sentences(view).values() for text in one if "95 % interval" in text]
    ways = {"up": [], "down": [], "no clear change": []}
    for text in told:
        found = re.search(INTERVAL, text.split("baseline", 1)[1])
        assert found is not None
        ways[found[1]].append(text)
    assert all(ways.values())
    for name, own in ways.items():
        for text in own:
            words = re.search("prototypization|orthogonalization|specialization", text)
            assert (words is not None) == (name == "up"), text


def test_where_the_slope_goes_another_way_than_the_ratio_it_is_said(view):
    told = []
    for condition in conditions_of(view, "E1M1"):
        ratio, slope = (
            way(numbers_of(view, condition.id, f"{name}_change", "frequency"))
            for name in ("resolution_ratio", "specialization")
        )
        text = sentences(view)[condition.id][0]
        assert ("But the slope" in text) == (ratio != slope)
        told.append(ratio != slope)
    assert any(told)


def test_rates_and_bounds_are_those_of_the_table(view):
    for row in view.run.table("models").to_dict("records"):
        text = next(one for one in sentences(view)[row["condition"]] if " uses " in one)
        found = re.search(
            rf"uses {NUMBER} nats \({NUMBER} bits\), {NUMBER} nats more than the least .* \({NUMBER} nats;",
            text,
        )
        assert found is not None, text
        names = ("rate_nats", "rate_bits", "excess_nats", "bound_rate_nats")
        for told, name in zip(found.groups(), names, strict=True):
            assert number(told) == pytest.approx(row[name], rel=5e-3)
        assert ("the task left aside" in text) == (row["model"] == "E2M1")
        assert text.startswith(
            f"baseline at {row['capacity_nats']:g} nats" if row["model"] == "baseline" else "It"
        )


def test_the_reference_has_its_dimensions_and_no_warps(view):
    for condition in conditions_of(view, "baseline"):
        rate, dimensions = sentences(view)[condition.id]
        assert "uses" in rate
        assert dimensions == (
            "2 of 2 latents are in use, and the codes spread over about 2.3 dimensions (participation ratio)."
        )


def test_an_excess_within_its_error_is_no_excess(tmp_path):
    study = study_of()
    rows = [{**row, "excess_nats": 0.0019, "excess_nats_se": 0.001} for row in model_rows(study)]
    for told in sentences(view_of(study, tmp_path, models=rows)).values():
        assert "within measurement error of the least" in " ".join(told)


def test_a_model_at_another_rate_than_its_reference_says_so(tmp_path):
    study = study_of(capacities_nats=[3])
    rows = model_rows(study)
    for row in rows:
        row["rate_nats"] = 3.4 if row["model"] == "baseline" else 3.0
    for condition, told in sentences(view_of(study, tmp_path, models=rows)).items():
        text = " ".join(told)
        assert ("and the baseline 3.40, which may be" in text) == (not condition.startswith("baseline"))


def test_one_seed_is_said_to_be_one(tmp_path):
    found = sentences(view_of(study_of(seeds=[0]), tmp_path))
    for condition, told in found.items():
        assert ("another seed may differ" in told[-1]) == (not condition.startswith("baseline"))
        assert not any("of 1 seeds" in text for text in told)


def test_a_diverged_model_has_one_sentence_and_what_is_left_of_others_is_told(tmp_path):
    study = study_of(seeds=[0], capacities_nats=[3])
    rows, measures = model_rows(study), measure_rows(study)
    gone = next(row for row in rows if row["model"] == "baseline")
    gone |= {"status": "diverged", "diverged_at": 1234, "rate_nats": np.nan}
    measures = [
        row for row in measures if not row["measure"].endswith("_change") and row["model"] != "baseline"
    ]
    view = view_of(study, tmp_path, models=rows, geometry=measures)
    found = sentences(view)
    assert found[gone["condition"]] == [
        "It diverged at step 1,234. Its numbers are not to be used. The geometry of other models against it is"
        " left out."
    ]
    (other,) = conditions_of(view, "E2M1")
    assert "with nothing to compare it with in the baseline." in found[other.id][0]
    assert "another seed" not in " ".join(found[other.id])
    assert alerts(view) == [
        "baseline at 3 nats, seed 0: diverged at step 1,234. Its numbers are not to be used. The geometry of"
        " other models against it is left out."
    ]


def test_a_model_off_its_target_says_so_first_and_a_missing_one_alone(tmp_path):
    study = study_of(seeds=[0], capacities_nats=[3])
    rows = model_rows(study)
    rows[1] |= {"status": "off target", "rate_nats": 2.0}
    view = view_of(study, tmp_path, models=rows[:2])
    found = sentences(view)
    assert found[rows[1]["condition"]][0].startswith("It is off target. Its rate ended at 2 nats")
    assert found[rows[2]["condition"]] == ["There are no numbers of it: it is not in the tables."]
    missing, off = alerts(view)
    assert rows[2]["condition"] in missing
    assert "off target" in off


def test_several_tasks_have_a_sentence_each_and_only_three(tmp_path):
    names = ("E2M1", "E2M2", "E2M3", "E2M4", "E2M5")
    study = study_of({"baseline": {}, "all": {"tasks": list(names)}}, seeds=[0], capacities_nats=[3])
    view = view_of(study, tmp_path, geometry=measure_rows(study, {"all": names}))
    (condition,) = conditions_of(view, "all")
    told = sentences(view)[condition.id]
    assert [text.partition(":")[0] for text in told[:3]] == [f"Task {name}" for name in names[:3]]
    assert told[3] == "And 2 more tasks: see the tables."
    for name, text in zip(names, told[:3], strict=False):
        found = re.search(
            rf"{NUMBER} % of the variance .* \(the baseline: {NUMBER} %, (.*?)\), alignment with single latents"
            rf" {NUMBER} \(the baseline: {NUMBER}, (.*?)\)",
            text,
        )
        assert found is not None, text
        for measure, factor, groups in (
            ("prototypization", 100, (1, 2, 3)),
            ("orthogonalization", 1, (4, 5, 6)),
        ):
            own = numbers_of(view, condition.id, measure, name)["value"]
            change = numbers_of(view, condition.id, f"{measure}_change", name)
            mine, theirs, word = (found[group] for group in groups)
            assert close(mine, factor * own)
            assert close(theirs, factor * (own - change["value"]))
            assert word == way(change)


def test_without_tasks_frequency_capacity_bound_and_tables_the_rest_is_told(tmp_path):
    network = {"recipe": {"name": "plain"}}
    study = study_of({"plain": network, "wide": network}, seeds=[0], capacities_nats=[])
    rows = [
        {name: one for name, one in row.items() if not name.startswith(("bound", "excess"))}
        for row in model_rows(study)
    ]
    view = view_of(study, tmp_path, without=("normative", "bound"), models=rows)
    plain, wide = sentences(view).values()
    assert re.fullmatch(r"plain uses \S+ nats \(\S+ bits\)\.", plain[0])
    assert re.fullmatch(r"wide uses \S+ nats \(\S+ bits\)\.", wide[0])
    assert re.search(
        r"about 2\.3 dimensions \(participation ratio\), against \S+ in the reference plain\.", wide[1]
    )


def test_one_latent_in_use_is_no_merit(tmp_path):
    study = study_of()
    rows = measure_rows(study)
    for row in rows:
        if row["measure"] == "orthogonalization":
            row |= {"value": 1.0, "low": 1.0, "high": 1.0}
        if row["measure"] == "orthogonalization_change":
            row |= {"value": 0.25, "low": 0.2, "high": 0.3}
    view = view_of(study, tmp_path, geometry=rows)
    text = sentences(view)[conditions_of(view, "E2M1")[0].id][1]
    assert text == (
        "A single latent is in use in its codes, so that it alone tells the classes of E2M1 apart: alignment"
        " is then 1 whatever the code does, and says nothing of a warp."
    )


def test_the_very_same_codes_are_said_to_be_as_in_the_reference(tmp_path):
    study = study_of(seeds=[0], capacities_nats=[3])
    rows = measure_rows(study)
    for row in rows:
        if row["measure"].endswith("_change"):
            row |= {"value": 0.0, "low": 0.0, "high": 0.0}
    view = view_of(study, tmp_path, geometry=rows)
    for told in (sentences(view)[one.id] for one in view.conditions if one.model != "baseline"):
        assert (
            told[0].partition(".")[0].endswith(", as in the baseline") or ", as in the baseline." in told[0]
        )
        assert "interval" not in " ".join(told).lower()


def test_what_most_seeds_do_not_show_is_not_said_of_the_model(tmp_path):
    study = study_of(seeds=[0, 1, 2], capacities_nats=[3])
    rows, seen = measure_rows(study), 0
    for row in rows:
        if row["measure"] == "prototypization_change":
            row |= {"value": 0.1, "low": 0.05 - 0.1 * (seen > 0), "high": 0.2}
            seen += row["model"] == "E2M1"
    view = view_of(study, tmp_path, geometry=rows)
    first, second, _ = (sentences(view)[one.id][0] for one in conditions_of(view, "E2M1"))
    assert (
        "clearly up in 1 of 3 seeds). Codes gather by class: prototypization, but not clearly in most"
        in first
    )
    assert (
        "no clear change (−5 to +20 points, 95 % interval over stimuli; likewise in 2 of 3 seeds)" in second
    )


def test_a_task_without_weight_is_said_not_to_be_trained(tmp_path):
    models = {"baseline": {}, "E2M1": {"tasks": ["E2M1"], "recipe": {"task_weight": 0}}}
    view = view_of(study_of(models), tmp_path)
    for condition in conditions_of(view, "E2M1"):
        told = sentences(view)[condition.id]
        assert "for which it is not trained here (weight 0)" in told[0]
        assert not any("task left aside" in text for text in told)


def test_numbers_do_not_round_to_what_is_not_said():
    change = Found(0.004, 0.0004, 0.008, "")
    assert SHARE.interval(change, SHARE.decimals_for(change)) == "up by 0.04 to 0.80 points"
    assert SHARE.told(0.9996, 0) == "99.96 %"
    assert ALIGNMENT.interval(Found(0, -1e-4, 2e-3, ""), 3) == "0.000 to +0.002"
    assert [amount(one) for one in (2.9965, 0.0004, 0.0, 123.4)] == ["3.00", "less than 0.001", "0", "123"]

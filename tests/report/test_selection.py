"""Which models of a large study are drawn, and under which names."""

from __future__ import annotations

from itertools import pairwise

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ratewarp.report.figures import drawings, model_names
from ratewarp.report.selection import MOST_FIGURES, MOST_MODELS, some_models, thinned
from ratewarp.report.style import model_colours, model_markers
from ratewarp.report.views import RunView
from ratewarp.runs.directory import open_run


def _view(folder, **study) -> RunView:
    (folder / "study.yaml").write_text(
        yaml.safe_dump({"capacities_nats": [1], "bound_points": 0, **study}, sort_keys=False)
    )
    return RunView(open_run(folder))


@given(st.integers(1, 60), st.integers(2, 20))
def test_some_things_are_spread_over_all(number, most):
    chosen = thinned(range(number), most)
    assert len(chosen) == min(number, most)
    assert chosen[0] == 0
    assert chosen[-1] == number - 1
    gaps = {after - before for before, after in pairwise(chosen)}
    assert len(gaps) <= 2
    assert len(set(chosen)) == len(chosen)


@given(st.integers(1, 60), st.integers(0, 59), st.integers(1, 20))
def test_the_reference_is_always_drawn_and_never_more_than_asked(number, reference, most):
    names = [f"m{place}" for place in range(number)]
    chosen = some_models(names, names[reference % number], most)
    assert names[reference % number] in chosen.names
    assert len(chosen.names) == min(number, most)
    assert chosen.names == sorted(chosen.names, key=names.index)
    assert bool(chosen.note) == (number > most)
    assert not chosen.note or chosen.note.startswith(f"{most} of {number} models")


def test_a_large_study_draws_some_of_its_models(tmp_path):
    tasks = {"tasks": ["E2M1"]}
    models = {"baseline": {}, **{f"m{place}": tasks for place in range(199)}}
    view = _view(tmp_path, models=models)
    assert len(view.drawn.names) == MOST_MODELS
    assert "baseline" in view.drawn.names
    assert len(drawings(view)) == 14 + MOST_MODELS - 1 <= 14 + MOST_FIGURES


def test_a_study_of_many_tasks_draws_some_of_its_labellings(tmp_path):
    own = [{"name": f"t{place}", "label": f"x_UC > {place % 12}"} for place in range(30)]
    view = _view(tmp_path, models={"baseline": {}, "a": {"tasks": own}, "b": {"tasks": own}})
    assert len(model_names(view)) == MOST_FIGURES
    assert view.figures_note == f"{MOST_FIGURES} of 60 labellings of these models, evenly spread"


def test_a_small_study_draws_everything_under_the_names_it_had(tmp_path):
    view = _view(
        tmp_path, models={"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}}
    )
    assert view.drawn == (["baseline", "E1M1", "E2M1"], "")
    assert view.figures_note == ""
    assert list(model_names(view).values()) == ["model_E1M1_frequency", "model_E2M1_E2M1"]


def test_no_two_figures_have_one_name(tmp_path):
    rule = {"name": "T", "label": "x_UC > 5"}
    other = {"name": "b_T", "label": "x_UC > 5"}
    models = {"a_T": {}, "a": {"tasks": [rule, other]}, "a_b": {"tasks": [rule]}, "A": {"tasks": [rule]}}
    view = _view(tmp_path, models=models)
    names = ["model_a_T", *model_names(view).values()]
    assert len({name.lower() for name in names}) == len(names) == 5
    assert names == ["model_a_T", "model_a_T-2", "model_a_b_T", "model_a_b_T-2", "model_A_T-3"]


def test_no_two_drawn_models_look_alike():
    names = [f"m{place}" for place in range(64)]
    colours, markers = model_colours(names), model_markers(names)
    assert len({(colours[name], markers[name]) for name in names}) == 64

"""Which places of a study have codes on its page where there is no room for all."""

from __future__ import annotations

from itertools import product
from math import dist

import numpy as np
import pytest

from conftest import tiny
from ratewarp.report.page.codes_of import Details
from ratewarp.report.page.spread_places import spread_places
from ratewarp.report.views import RunView
from stored import run_study


@pytest.mark.parametrize("seed", range(5))
def test_every_place_is_as_far_as_can_be_from_those_before_it(seed):
    rng = np.random.default_rng(seed)
    every = list(product(range(6), range(4)))
    places = [every[one] for one in rng.permutation(len(every))[:15]]
    spans = [max(one) - min(one) for one in zip(*places, (5, 3), strict=True)]
    order = spread_places(places, (5, 3))
    assert sorted(order) == sorted(places)

    def scaled(place):
        return [at / span for at, span in zip(place, spans, strict=True)]

    def room(place, before):
        return min(dist(scaled(place), scaled(one)) for one in before)

    assert dist(scaled(order[0]), scaled((5, 3))) == min(dist(scaled(one), scaled((5, 3))) for one in places)
    for number in range(1, len(order)):
        most = max(room(one, order[:number]) for one in places)
        assert room(order[number], order[:number]) == pytest.approx(most)


def test_places_on_no_axis_and_axes_that_do_not_matter():
    assert spread_places([], ()) == []
    assert spread_places([()], ()) == [()]
    assert spread_places([(None, 2), (None, 0)], (3, 0)) == [(None, 0), (None, 2)]


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> RunView:
    study = tiny().model_copy(update={"capacities_nats": (0.5, 1), "bound_points": 0})
    return RunView(run_study(study, tmp_path_factory.mktemp("stage") / "run"))


def test_models_come_in_the_order_of_the_study_each_from_high_capacity_to_low(view):
    order = Details(view, 1).order
    others = [model for model in view.study.models if model != view.study.reference]
    models = [view.study.reference, *others]
    assert [(cell.model, cell.place) for cell in order] == [(one, (at,)) for one in models for at in (1, 0)]


def test_what_the_guide_leads_to_comes_before_others_with_what_stands_beside_it(view, monkeypatch):
    (last,) = [cell for cell in view.study.cells if cell == Details(view, 1).order[-1]]
    told = [{"condition": view.study.cells[last].id}, {"condition": None}]
    monkeypatch.setattr("ratewarp.report.page.codes_of.guide", lambda _: told)
    order = Details(view, 1).order
    references = [cell for cell in order if cell.model == view.study.reference]
    assert order[: len(references) + 1] == [*references, last]
    assert sorted(map(str, order)) == sorted(map(str, view.study.cells))


def test_pictures_are_left_to_decoders_that_run_in_the_page(view, monkeypatch):
    details = Details(view, 10**7)
    live = details.of(details.order[0])
    assert live is not None
    assert live["decoder"]["kind"] == "layers"
    assert live["reconstructions"] is None
    monkeypatch.setattr("ratewarp.report.page.codes_of.decoder_of", lambda *_: None)
    stored = Details(view, 10**7).of(details.order[0])
    assert stored is not None
    assert stored["reconstructions"]["shape"][0] > 1


def test_conditions_without_room_are_counted(view):
    details = Details(view, 1)
    found = [details.of(cell) for cell in details.order]
    assert found[0] is not None
    assert found[1:] == [None] * (len(found) - 1)
    assert details.left_out == len(found) - 1

"""Every entry of `MEASURES` keeps what it promises: bounds, invariances, what it needs, and a place in the
documentation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from ratewarp import measure
from ratewarp._checks import RequestError
from ratewarp.geometry import MEASURES, Measure, Optimal, Space, measuring, planted_codes
from ratewarp.geometry.measuring import Finding, Representation, Settings, measure_codes

BY_NAME = {measure.name: measure for measure in MEASURES}
PLANTED = planted_codes(prototypization=0.3, specialization=0.4, side=6, items=4, seed=3)
ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((PLANTED.codes.shape[1],) * 2))[0]
MOVES = {
    "shift": lambda codes: codes + 3,
    "scale": lambda codes: 2 * codes,
    "rotation": lambda codes: codes @ ROTATION,
    "order": lambda codes: codes[:, ::-1],
}


def _found(
    name, codes=PLANTED.codes, *, reference=True, labels=True, frequency=True, factors=True, noise=True
):
    known = (
        PLANTED.stimuli,
        PLANTED.factors if factors else None,
        PLANTED.frequency if frequency else None,
        np.full(PLANTED.codes.shape, 0.1) if noise else None,
    )
    own, other = Representation(codes, *known), Representation(PLANTED.reference, *known)
    settings = Settings(permutations=0, measures=(name,), remove_noise=name == "reliability")
    found = measure_codes(
        own, {"class": PLANTED.classes} if labels else {}, other if reference else None, settings
    )
    return [one for one in found if one.note != "needs factors"]


@pytest.mark.parametrize("name", BY_NAME)
def test_numbers_lie_within_the_bounds_and_their_intervals(name):
    measure, found = BY_NAME[name], _found(name)
    assert found
    for one in found:
        low, high = measure.bounds if one.measure != f"{name}_change" else (-np.inf, np.inf)
        assert low - 1e-9 <= one.value <= high + 1e-9
        assert np.isnan(one.low) == np.isnan(one.high)
        assert np.isnan(one.low) or one.low <= one.value <= one.high
    assert any(one.measure == f"{name}_change" for one in found) == measure.change
    assert (measure.of == "task") == any(one.task == "class" for one in found)


@pytest.mark.parametrize(
    ("name", "move"), [(name, move) for name, measure in BY_NAME.items() for move in sorted(measure.keeps)]
)
def test_what_keeps_a_measure_changes_no_number(name, move):
    if move == "rotation" and name == "effective_prototypes":
        pytest.skip("with noise of one size, which a rotation keeps, it is tested without")
    plain, moved = (_found(name, codes, noise=False) for codes in (PLANTED.codes, MOVES[move](PLANTED.codes)))
    assert [one.measure for one in moved] == [one.measure for one in plain]
    tolerance = 0.05 if name == "dci" else 1e-6  # trees cut between the same items, at other places
    np.testing.assert_allclose(
        [one.value for one in moved], [one.value for one in plain], rtol=tolerance, atol=1e-8
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_a_measure_that_lacks_what_it_needs_is_left_out(name):
    measure = BY_NAME[name]
    lacking = {
        "task": {"labels": False},
        "frequency": {"frequency": False},
        "factors": {"factors": False},
        "codes": {},
    }[measure.of]
    assert bool(_found(name, reference=False)) == (not measure.needs_reference)
    assert not any(one.measure.endswith("_change") for one in _found(name, reference=False))
    if lacking:
        assert not _found(name, **lacking)


@pytest.mark.parametrize("name", [name for name, measure in BY_NAME.items() if measure.optimum])
def test_the_number_of_an_optimal_code_is_that_of_the_same_codes(name):
    codes = np.array(
        [PLANTED.codes[PLANTED.stimuli == one].mean(axis=0) for one in range(len(PLANTED.factors))]
    )
    labels = np.array([PLANTED.classes[PLANTED.stimuli == one][0] for one in range(len(codes))])
    own = Representation(codes, np.arange(len(codes)), PLANTED.factors, PLANTED.frequency)
    (found,) = measure_codes(own, {"class": labels}, None, Settings(permutations=0, measures=(name,)))
    optimal = Optimal(codes, labels, Space(PLANTED.factors), PLANTED.frequency)
    assert BY_NAME[name].optimum(optimal) == pytest.approx(found.value, rel=1e-9)


def test_the_documentation_has_a_card_for_every_measure():
    text = (Path(__file__).parents[2] / "docs" / "measures.md").read_text()
    assert [name for name in BY_NAME if f"`{name}" not in text] == []


def test_a_measure_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(
        RequestError, match=r"no measure is named 'prototypisation'. Did you mean 'prototypization'\?"
    ):
        _found("prototypisation")


def _find_silhouette(bench, scheme):
    value = float(silhouette_score(bench.own.codes, scheme.classes))
    yield Finding("silhouette", scheme.task, value, np.nan, np.nan, np.nan, 0, "no interval")


def test_a_measure_of_one_s_own_comes_in_by_one_entry(monkeypatch):
    own = Measure("silhouette", "silhouette", "task", _find_silhouette, bounds=(-1, 1))
    monkeypatch.setattr(measuring, "MEASURES", (*MEASURES, own))
    (found,) = _found("silhouette")
    assert found.value == pytest.approx(silhouette_score(PLANTED.codes, PLANTED.classes))
    everything = measure(PLANTED.codes, PLANTED.classes, permutations=0).table
    assert list(everything.loc[everything["measure"] == "silhouette", "value"]) == [
        pytest.approx(found.value)
    ]

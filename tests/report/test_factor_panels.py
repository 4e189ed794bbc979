"""Numbers and words behind panels by factor, against slow loops."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import poisson

from fabricated import fabricated_record, fabricated_run, fabricated_tables
from ratewarp.geometry.embedding import Map
from ratewarp.report import views
from ratewarp.report.bound_words import bound_of
from ratewarp.report.classes import class_ticks
from ratewarp.report.factor_grid import MOST_FACTORS, factor_grid
from ratewarp.report.image_sheet import strips_of
from ratewarp.report.marginals import marginal, readings, wrapped
from ratewarp.report.pictured import are_responses, are_seen, image_of
from ratewarp.report.plane import floor_of_noise
from ratewarp.report.style import category_colours, cyclic_colours
from ratewarp.report.thumbnails import spread_out
from ratewarp.report.views import ConditionView, RunView, class_names, on_map, scheme_title
from ratewarp.sources import Corridors, Digits, Factor, GivenSource, Gratings, Population, Sprites
from ratewarp.studies import Condition, Setting, Study
from worlds import bars, images_of

ALGEBRA = 1e-12


def _view(source, **keys) -> ConditionView:
    setting = {"source": source, "likelihood": "gaussian", "codes_each": 2, **keys}
    condition = Condition.model_validate({"model": "m", "capacity_nats": 1, "seed": 0, "setting": setting})
    record = fabricated_record(condition)
    rng = np.random.default_rng(0)
    tuning = rng.uniform(size=(record.sizes["stimulus_index"], 2))
    points = rng.normal(size=(record.sizes["item"], 2))
    return ConditionView(condition, 0, "1 nats", record, points, 0.1, tuning, np.arange(2), np.ones(2))


def test_marginals_are_means_and_deviations_over_the_stimuli_of_a_value():
    rng = np.random.default_rng(1)
    tuning, groups = rng.uniform(size=(40, 3)), rng.integers(0, 6, 40)
    tuning[[3, 7]] = np.nan  # do not occur
    tuning[groups == 4] = np.nan
    found = marginal(tuning, groups)
    for group in range(6):
        for latent in range(3):
            own = [t[latent] for t, g in zip(tuning, groups, strict=True) if g == group and t[0] == t[0]]
            if not own:
                assert np.isnan([found.mean[group, latent], found.spread[group, latent]]).all()
                continue
            mean = sum(own) / len(own)
            deviation = (sum((one - mean) ** 2 for one in own) / len(own)) ** 0.5
            assert found.mean[group, latent] == pytest.approx(mean, abs=ALGEBRA)
            assert found.spread[group, latent] == pytest.approx(deviation, abs=ALGEBRA)


def test_a_circle_is_closed_and_a_line_is_not():
    places, curve = np.array([10.0, 60.0, 170.0]), np.array([1.0, 2.0, 3.0])
    around = wrapped(places, 180.0, curve, 2 * curve)
    assert [one.tolist() for one in around] == [[10, 60, 170, 190], [1, 2, 3, 1], [2, 4, 6, 2]]
    assert all(a is b for a, b in zip(wrapped(places, None, curve), (places, curve), strict=True))


def test_rows_of_tuning_curves_are_of_the_factors_in_their_kinds():
    shape, orientation, x = readings(_view(Sprites(scales=1, positions=(0.3, 0.7), size=16)))[:3]
    assert shape.title == "shape: square, ellipse, heart"
    assert list(shape.colours) == category_colours(3)
    assert orientation.period == 1.0
    assert orientation.title == "orientation: 0 to 1, around"
    np.testing.assert_allclose(orientation.places, np.arange(6) / 6, atol=1e-6)
    assert (x.title, x.period, x.places.tolist()) == ("x: 0.3 to 0.7", None, [0.3, 0.7])


def test_many_values_of_one_of_several_factors_are_taken_together():
    view = _view(Gratings(orientations=60, phases=2, spatial_frequencies=(2.0,), contrasts=(1.0,), size=16))
    row = readings(view)[0]
    degrees = view.grid.values[:, 0]
    assert len(row.places) == 20
    for group, place in enumerate(row.places):
        own = sorted(set(degrees[row.groups == group].tolist()))
        assert len(own) == 3
        assert place == pytest.approx(np.mean(own))


def test_without_factors_stimuli_are_in_order_of_the_map_or_in_classes():
    images = np.full((30, 3, 2, 1), 0.5)
    given = GivenSource(
        bars(
            factors=(),
            stimuli=np.zeros((30, 0), int),
            mean_images=lambda self: images,
            sample=images_of(0.5),
        )
    )
    view = _view(given, frequency=tuple(np.repeat([1.0, 3.0], 15)))
    (row,) = readings(view)
    across = [view.points[view.stimuli == stimulus, 0].mean() for stimulus in range(30)]
    for one in range(30):
        for other in range(30):
            assert (row.groups[one] <= row.groups[other]) or across[one] > across[other]
    assert set(np.bincount(row.groups)) <= {1, 2}
    (row,) = readings(view, "frequency")
    assert row.title == "frequency: rare, frequent"
    assert row.groups.tolist() == [0] * 15 + [1] * 15


@pytest.mark.parametrize(
    ("stimuli", "each", "shown"), [(169, 9, 1521), (2000, 9, 1600), (500, 4, 1500), (300, 60, 1500)]
)
def test_of_very_many_codes_some_are_on_the_map(stimuli, each, shown):
    of_code = np.repeat(np.arange(stimuli), each)
    kept = on_map(of_code)
    assert kept.sum() == shown
    counts = np.bincount(of_code[kept], minlength=stimuli)
    if stimuli <= 1600:
        assert set(counts) == {shown // stimuli}
        assert all(kept[each * s : each * s + counts[s]].all() for s in range(stimuli))  # the first ones
    else:
        assert set(counts) == {0, 1}
        assert np.ptp(np.diff(np.flatnonzero(counts))) <= 1


def test_stimuli_off_the_map_are_nowhere_on_it(monkeypatch, tmp_path):
    monkeypatch.setattr(views, "embed", lambda codes, align_to=None: Map(codes[:, :2], 0.0))
    monkeypatch.setattr(views, "MOST_MAPPED", 100)
    study = Study(models={"m": {}}, capacities_nats=[1], codes_each=1, validation_each=3, bound_points=0)
    view = RunView(fabricated_tables(fabricated_run(study, tmp_path / "run"), study))
    shown = view.shown("m", 0)
    assert shown.mapped.sum() == 100
    np.testing.assert_array_equal(shown.points[shown.mapped], shown.codes[shown.mapped])
    assert view.mapped_note == "maps of 100 of 169 codes, evenly spread"
    assert np.isfinite(shown.tuning).all()  # these are of all


def test_a_plane_may_have_holes_and_no_doubles():
    view = _view(Corridors())
    whole = view.grid
    numbers = np.random.default_rng(0).uniform(size=169)
    np.testing.assert_array_equal(whole.laid_out(numbers), numbers.reshape(13, 13))
    some = view.record.isel(stimulus_index=np.delete(np.arange(169), [0, 20]))
    holed = factor_grid(some, Corridors())
    assert holed.is_plane
    found = holed.laid_out(np.delete(numbers, [0, 20]))
    assert np.isnan(found[[0, 1], [0, 7]]).all()
    assert np.isfinite(found).sum() == 167
    assert not factor_grid(view.record.isel(stimulus_index=np.arange(0, 169, 2)), Corridors()).is_plane
    assert not factor_grid(view.record.isel(stimulus_index=[*range(169), 0]), Corridors()).is_plane


def test_factors_beyond_those_with_room_are_named():
    number = MOST_FACTORS + 2
    factors = tuple(Factor(f"f{one}", (0, 1)) for one in range(number))
    table = np.random.default_rng(0).integers(0, 2, (20, number))
    record = xr.Dataset(
        {"factor_value": (("stimulus_index", "factor"), table)},
        {"factor": [factor.name for factor in factors]},
    )
    grid = factor_grid(record, bars(factors=factors, stimuli=table))
    assert len(grid.shown) == MOST_FACTORS
    assert grid.note == f"not shown by factor: f{MOST_FACTORS}, f{MOST_FACTORS + 1}"
    assert grid.title(0, 5).count("\n") == 2
    assert grid.title(0, 5).endswith("and 6 more")


def test_colours_around_a_circle_meet_and_are_far_apart_across_it():
    turns = np.linspace(0, 1, 9)
    colours = cyclic_colours(turns)
    assert colours[0] == colours[-1]
    assert len(set(colours)) == 8
    numbers = np.array([[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in colours[:-1]])
    for one in range(8):
        across, beside = numbers[(one + 4) % 8] - numbers[one], numbers[(one + 1) % 8] - numbers[one]
        assert np.abs(across).sum() > np.abs(beside).sum()


def test_classes_of_a_label_have_the_names_of_its_values():
    digits = Setting(source=Digits(), tasks=("ten", "odd"), likelihood="gaussian")
    assert class_names("ten", 10, digits) == [str(one) for one in range(10)]
    assert class_names("odd", 2, digits) == ["no", "yes"]
    sprites = Setting(source=Sprites(), tasks=("which",), likelihood="gaussian")
    assert class_names("which", 3, sprites) == ["square", "ellipse", "heart"]
    assert scheme_title("which", sprites) == "which: shape"
    corridors = Setting(tasks=({"name": "three", "label": "x_LC // 5"},))
    assert class_names("three", 3, corridors) == []


def test_classes_that_are_not_measured_leave_ticks_in_place():
    labels, values = np.array([0, 2, 2, 3]), np.array([[0.0, 1.5], [1.0, 2.0], [1.0, 3.0], [2.0, 1.0]])
    ticks = class_ticks(labels, values, ["a", "b"])
    assert list(ticks.names) == ["0", "1", "2", "3"]
    assert list(class_ticks(labels, np.zeros((4, 0)), []).names) == ["0", "1", "2", "3"]


def test_thumbnails_do_not_cover_each_other_and_leave_no_room():
    places = np.random.default_rng(0).normal(size=(200, 2))
    places[5] = np.nan
    chosen = spread_out(places, 0.4)
    apart = np.abs(places[chosen][:, None] - places[chosen][None]).max(axis=2)
    assert (apart[~np.eye(len(chosen), dtype=bool)] >= 0.4).all()
    for item in set(range(200)) - set(chosen.tolist()) - {5}:
        assert (np.abs(places[chosen] - places[item]).max(axis=1) < 0.4).any()


def test_the_sheet_along_a_factor_keeps_the_others_as_near_as_can_be():
    view = _view(Sprites(scales=3, positions=(0.3, 0.5, 0.7), size=16))
    grid = view.grid
    strips = strips_of(grid, np.arange(len(grid.ranks)))
    assert [strip.name for strip in strips] == list(grid.names)
    for factor, strip in enumerate(strips):
        places = [cell.place for cell in strip.cells if cell is not None]
        assert [cell.title for cell in strip.cells if cell is not None] == list(grid.words[factor])
        others = np.delete(grid.ranks[places], factor, axis=1)
        assert (others == others[0]).all()  # all combinations have an image


def test_the_sheet_of_one_label_has_images_of_every_value():
    view = _view(Digits(held_out=0.05), codes_each=1)
    strips = strips_of(view.grid, np.arange(len(view.grid.ranks)))
    assert [strip.name for strip in strips] == [f"digit\n{one}" for one in range(10)]
    for digit, strip in enumerate(strips):
        assert strip.cells
        assert all(cell is not None and view.grid.values[cell.place, 0] == digit for cell in strip.cells)


def test_images_are_drawn_as_the_numbers_that_reconstructions_are_in():
    view = _view(Digits(held_out=0.05), codes_each=1)
    stored = view.record["image"].values[3]
    np.testing.assert_allclose(image_of(view.record, 3, Digits()), stored / 255)
    assert are_seen(Digits())
    assert are_responses(Population())
    assert not are_seen(Population())
    assert not are_seen(Corridors())


def test_what_a_bound_is_of():
    assert bound_of(Setting()) == ""
    some = Setting(source=Sprites(), measured_stimuli=50, likelihood="gaussian")
    total = len(Sprites().stimuli)
    assert bound_of(some) == f"Bound of the 50 measured stimuli, a sample of {total}."
    words = bound_of(Setting(source=Digits(), likelihood="gaussian"))
    assert "these 359 held-out images" in words
    assert "ln 359 = 5.88 nats" in words
    assert "up to about 1.5 nats" in words


@pytest.mark.parametrize("likelihood", ["poisson", "gaussian"])
def test_noise_floor_of_counts_is_their_entropy_under_log_loss(likelihood, tmp_path):
    source = Population(neurons=5, values=4, gain=3.0)
    keys = {"models": {"m": {}}, "capacities_nats": [1], "network": {"kind": "mlp"}, "validation_each": 3}
    study = Study(source=source, likelihood=likelihood, codes_each=1, bound_points=0, **keys)
    floor = floor_of_noise(RunView(fabricated_run(study, tmp_path / "run")))
    entropies = [poisson(mean).entropy() for mean in source.mean_images().ravel()]
    assert floor == (pytest.approx(np.mean(entropies), rel=1e-6) if likelihood == "poisson" else None)

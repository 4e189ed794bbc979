"""What a record keeps of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp.runs import kept_pictures, records
from ratewarp.runs.kept_pictures import pictured
from ratewarp.runs.records import make_record
from ratewarp.studies import Condition
from ratewarp.training.evaluation import Evaluation
from ratewarp.training.loop import Trace

STIMULI, EACH, LATENTS, STEPS = 169, 2, 3, 4


@pytest.fixture
def condition() -> Condition:
    setting = {"validation_each": EACH, "codes_each": EACH}
    return Condition.model_validate({"model": "m", "capacity_nats": 1, "seed": 0, "setting": setting})


def _record(condition, seed=0):
    rng = np.random.default_rng(seed)
    scores = {name: rng.uniform(size=(STIMULI, EACH)) for name in Evaluation._fields[2:5]}
    evaluation = Evaluation(
        codes=rng.normal(size=(STIMULI, EACH, LATENTS)),
        variances=np.ones((STIMULI, EACH, LATENTS)),
        predictions=np.zeros((STIMULI, 0, EACH), int),
        reconstructions=rng.uniform(size=(STIMULI, 7, 7, 1)),
        **scores,
    )
    traces = {name: np.ones(STEPS) for name in Trace._fields} | {"tasks": np.ones((STEPS, 0))}
    images = rng.integers(0, 2, (STIMULI, 7, 7, 1))
    return make_record(condition, evaluation, Trace(**traces), images), evaluation, images


def _half(values):
    return values.astype(np.float32).astype(np.float16).astype(np.float32)


def test_a_record_of_few_pixels_has_a_picture_of_every_stimulus(condition):
    record, evaluation, images = _record(condition)
    assert record["image"].dims == record["reconstruction"].dims == ("stimulus_index", "row", "column")
    assert "pictured" not in record.variables
    np.testing.assert_array_equal(record["image"], images[..., 0])
    np.testing.assert_array_equal(record["reconstruction"], _half(evaluation.reconstructions[..., 0]))


def test_of_very_many_pixels_some_stimuli_have_pictures(condition, monkeypatch):
    monkeypatch.setattr(kept_pictures, "MOST_PIXELS", 10 * 49)
    record, evaluation, images = _record(condition)
    chosen = record["pictured"].values
    assert record["image"].dims == record["reconstruction"].dims == ("pictured", "row", "column")
    assert len(chosen) == 10
    assert (chosen[0], chosen[-1]) == (0, STIMULI - 1)
    assert np.ptp(np.diff(chosen)) <= 1  # evenly spread
    for place, stimulus in enumerate(chosen):
        np.testing.assert_array_equal(record["image"][place], images[stimulus, :, :, 0])
        reconstruction = _half(evaluation.reconstructions[stimulus, :, :, 0])
        np.testing.assert_array_equal(record["reconstruction"][place], reconstruction)
    assert record.sizes["stimulus_index"] == STIMULI


@pytest.mark.parametrize(("stimuli", "pixels"), [(20_000, 64 * 64 * 3), (3, 10**7), (2000, 2001)])
def test_pictures_never_take_more_than_there_is_room_for_two(stimuli, pixels):
    chosen = pictured(stimuli, pixels)
    assert chosen is not None
    assert len(chosen) == len(set(chosen.tolist())) == max(2, kept_pictures.MOST_PIXELS // pixels)
    assert chosen.min() == 0
    assert chosen.max() == stimuli - 1


def test_numbers_are_rounded_as_half_floats_are_in_a_wider_range():
    rng = np.random.default_rng(0)
    values = (rng.normal(size=10_000) * 10.0 ** rng.uniform(-4, 4, 10_000)).astype(np.float32)
    within = (np.abs(values) > 2.0**-14) & (np.abs(values) < 65504)
    ours = records.rounded(values)
    np.testing.assert_array_equal(ours[within], values[within].astype(np.float16).astype(np.float32))
    extremes = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo(np.float32).max], np.float32)
    np.testing.assert_array_equal(records.rounded(extremes), extremes)
    assert records.rounded(np.zeros((3, 0), np.float32)).shape == (3, 0)

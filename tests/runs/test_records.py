"""What a record keeps of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp.runs import records
from ratewarp.runs.records import make_record, pictured
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


def test_a_record_of_few_pixels_has_a_picture_of_every_stimulus(condition):
    record, evaluation, images = _record(condition)
    assert record["image"].dims == record["reconstruction"].dims == ("stimulus_index", "row", "column")
    assert "pictured" not in record.variables
    np.testing.assert_array_equal(record["image"], images[..., 0])
    np.testing.assert_array_equal(record["reconstruction"], evaluation.reconstructions[..., 0])


def test_of_very_many_pixels_some_stimuli_have_pictures(condition, monkeypatch):
    monkeypatch.setattr(records, "MOST_PIXELS", 10 * 49)
    record, evaluation, images = _record(condition)
    chosen = record["pictured"].values
    assert record["image"].dims == record["reconstruction"].dims == ("pictured", "row", "column")
    assert len(chosen) == 10
    assert (chosen[0], chosen[-1]) == (0, STIMULI - 1)
    assert np.ptp(np.diff(chosen)) <= 1  # evenly spread
    for place, stimulus in enumerate(chosen):
        np.testing.assert_array_equal(record["image"][place], images[stimulus, :, :, 0])
        np.testing.assert_array_equal(
            record["reconstruction"][place], evaluation.reconstructions[stimulus, :, :, 0]
        )
    assert record.sizes["stimulus_index"] == STIMULI


@pytest.mark.parametrize(("stimuli", "pixels"), [(20_000, 64 * 64 * 3), (3, 10**7), (2000, 2001)])
def test_pictures_never_take_more_than_there_is_room_for_two(stimuli, pixels):
    chosen = pictured(stimuli, pixels)
    assert chosen is not None
    assert len(chosen) == len(set(chosen.tolist())) == max(2, records.MOST_PIXELS // pixels)
    assert chosen.min() == 0
    assert chosen.max() == stimuli - 1

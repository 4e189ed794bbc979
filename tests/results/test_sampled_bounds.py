"""The bound of a sample of stimuli, against that of all of them."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp.results import bounds
from ratewarp.results.bounds import bound_rows, sample_se, semantic_curve, solvable
from ratewarp.studies import Setting

RATES = np.array([0.3, 1.0, 2.0])
POINTS = 6


def sampled(seed: int) -> Setting:
    return Setting(measured_stimuli=50, data_seed=seed)


@pytest.fixture(scope="module")
def tangents():
    """Rate and slope of the curve of all 169 stimuli, and min R + βD of 16 samples with its standard error."""
    whole = semantic_curve(Setting(), 24)
    betas = -1 / whole.slope(RATES)
    costs, errors = [], []
    for seed in range(16):
        curve = semantic_curve(sampled(seed), POINTS)
        costs.append(curve.lagrangian(betas))
        errors.append(sample_se(sampled(seed), curve, RATES))
    return whole.lagrangian(betas), np.array(costs), np.array(errors)


def test_a_sample_is_below_all_on_average(tangents):
    whole, costs, _ = tangents
    spread = costs.std(axis=0, ddof=1) / np.sqrt(len(costs))
    assert (costs.mean(axis=0) < whole + 4 * spread).all()
    assert costs.mean(axis=0)[-1] < whole[-1]  # and clearly where rates come near ln 50


def test_its_standard_error_is_how_samples_differ(tangents):
    """Over samples of 50 of 169, which differ by less than samples of an endless population: 1 − 50/169."""
    _, costs, errors = tangents
    spread = costs.std(axis=0, ddof=1) / np.sqrt(1 - 50 / 169)
    ratio = np.median(errors, axis=0) / spread
    assert ((ratio > 0.5) & (ratio < 2)).all()


def test_only_samples_have_a_standard_error():
    rows = list(bound_rows(sampled(0), POINTS, 1.0))
    assert all(row["sample_se"] >= 0 for row in rows)
    assert any(row["sample_se"] > 0 for row in rows)
    assert all(np.isnan(row["sample_se"]) for row in bound_rows(Setting(), POINTS, 1.0))


def test_more_stimuli_than_can_be_solved_are_sampled(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_STIMULI", 40)
    many = Setting(measured_stimuli=100)
    assert len(many.measured()) == 100
    assert len(solvable(many).measured()) == 40
    assert solvable(many).probabilities().sum() == pytest.approx(1)
    assert solvable(Setting(measured_stimuli=30)).measured_stimuli == 30

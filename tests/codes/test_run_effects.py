"""Runs that add something to all of their items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ratewarp
from ratewarp import RatewarpError
from ratewarp.codes.run_effects import without_run_effects


def _uneven(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """70 items of 20 stimuli in 5 runs, which hold different stimuli."""
    rng = np.random.default_rng(seed)
    stimuli = np.concatenate([np.arange(20), rng.integers(0, 20, 50)])
    runs = np.concatenate([np.arange(5), rng.integers(0, 5, 65)])
    return rng.normal(size=(70, 3)), stimuli, runs


def test_effects_are_those_of_the_additive_model() -> None:
    codes, stimuli, runs = _uneven()
    design = np.zeros((70, 25))
    design[np.arange(70), stimuli] = design[np.arange(70), 20 + runs] = 1
    fitted, *_ = np.linalg.lstsq(design, codes)
    left = codes - design @ fitted
    found = without_run_effects(codes, stimuli, runs)
    means = np.array([found[stimuli == one].mean(axis=0) for one in range(20)])
    np.testing.assert_allclose(found - means[stimuli], left * np.sqrt(50 / 46), atol=1e-12)
    np.testing.assert_allclose(np.ptp(means - fitted[:20], axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), codes.mean(axis=0), atol=1e-12)


def test_nothing_is_left_of_what_a_run_adds() -> None:
    codes, stimuli, runs = _uneven()
    added = 100 * np.random.default_rng(1).normal(size=(5, 3))
    found = without_run_effects(codes + added[runs], stimuli, runs)
    gone = found - without_run_effects(codes, stimuli, runs)
    np.testing.assert_allclose(gone - gone[0], 0, atol=1e-10)


def test_noise_about_a_stimulus_keeps_its_variance() -> None:
    found = []
    for seed in range(400):
        codes, stimuli, runs = _uneven(seed)
        cleaned = without_run_effects(codes, stimuli, runs)
        means = np.array([cleaned[stimuli == one].mean(axis=0) for one in range(20)])
        found.append(((cleaned - means[stimuli]) ** 2).sum() / (50 * 3))
    error = np.std(found) / 20
    assert abs(np.mean(found) - 1) < 3 * error < 0.03


def _recorded(seed: int) -> dict[str, np.ndarray]:
    """40 stimuli once in each of 3 runs, which differ as much as trials do; the reference is the same."""
    means = np.random.default_rng(5).normal(size=(40, 6))
    rng = np.random.default_rng([seed, 7])
    stimuli, runs = np.tile(np.arange(40), 3), np.repeat(np.arange(3), 40)
    codes, reference = (
        means[stimuli] + size * rng.normal(size=(3, 6))[runs] + rng.normal(size=(120, 6)) for size in (1, 0)
    )
    return {"codes": codes, "reference": reference, "stimuli": stimuli, "runs": runs}


def test_reliability_and_dimensions_are_those_without_runs() -> None:
    """Signal variance over that of means of three trials, of the 40 stimuli that there are."""
    means = np.random.default_rng(5).normal(size=(40, 6))
    signal = means.var(axis=0, ddof=1).sum()
    true = signal / (signal + 6 / 3)
    found, plain = [], []
    for seed in range(60):
        given = _recorded(seed)
        found.append(ratewarp.measure(**given, permutations=0))
        plain.append(ratewarp.measure(**{**given, "runs": None}, permutations=0))
    of_runs, without = (np.array([one.value("reliability") for one in many]) for many in (found, plain))
    assert abs(of_runs.mean() - true) < 3 * of_runs.std() / np.sqrt(60) + 0.01
    assert without.mean() < true - 0.1  # what the argument is for
    change = np.array([one.value("participation_ratio_change", trial_noise="removed") for one in found])
    assert abs(np.nanmean(change)) < 3 * np.nanstd(change) / np.sqrt(60)


def test_names_of_runs_do() -> None:
    given = _recorded(0)
    named = {**given, "runs": np.array(["b", "c", "a"])[given["runs"]]}
    pd.testing.assert_frame_equal(
        ratewarp.measure(**named, permutations=0).table, ratewarp.measure(**given, permutations=0).table
    )


@pytest.mark.parametrize(
    ("stimuli", "runs", "message"),
    [
        ([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], r"^runs must be connected by stimuli .* '2 groups of runs"),
        ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 3], r"^runs must be of at least .* '6 items of 3 stimuli in 4"),
        ([0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 0, 0], r"^runs must be of at least .* '6 items of 6 stimuli in 1"),
        ([0, 0, 1, 1, 2, 2], [0, 1, 0], r"^runs must be one for each of the 6 items"),
        ([0, 0, 1, 1, 2, 2], [0, 1, np.nan] * 2, r"^runs must be numbers or names without NaN"),
    ],
)
def test_runs_that_cannot_be_told_are_refused(stimuli: list, runs: list, message: str) -> None:
    codes = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.raises(RatewarpError, match=message):
        ratewarp.measure(codes, stimuli=stimuli, runs=runs)

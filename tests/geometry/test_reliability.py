"""Where there is too little signal to divide by."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp.geometry.measuring import Representation, Settings, measure_codes

OF_VARIANCE = ("prototypization", "class_distance")
UNITS = np.repeat(np.arange(60), 4)


def _found(signal: float, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    means, classes = rng.normal(size=(60, 3)), np.arange(60) % 2
    codes = signal * means[UNITS] + rng.normal(size=(240, 3))
    every = measure_codes(
        Representation(codes, UNITS),
        {"class": classes[UNITS]},
        None,
        Settings(permutations=0, measures=("reliability", *OF_VARIANCE)),
    )
    return {(one.measure, one.trial_noise): one for one in every}


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_nothing_are_not_given(seed):
    """Codes without signal: what is left without noise may be near 0, and shares of it anything."""
    found = _found(0.0, seed)
    lost = found["reliability", "removed"].value < 0.1
    for name in OF_VARIANCE:
        one = found[name, "removed"]
        assert np.isnan(one.value) == lost
        assert ("differ too little beside their trial noise: reliability" in one.note) == lost
        assert np.isfinite(found[name, "included"].value)


def test_nothing_is_lost_of_codes_that_have_signal():
    reliabilities = []
    for seed in range(20):
        found = _found(0.5, seed)
        reliabilities.append(found["reliability", "removed"].value)
        assert all(np.isfinite(found[name, "removed"].value) for name in OF_VARIANCE)
    assert np.mean(reliabilities) == pytest.approx(0.5, abs=0.05)  # ¼ of signal beside ¼ of noise

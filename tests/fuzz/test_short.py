"""A short round of the hostile cases; the long ones are run by hand, see `fuzz.harness`."""

from __future__ import annotations

import sys

import pytest

from fuzz.harness import run_cases


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched as Linux allows it")
@pytest.mark.parametrize(
    ("target", "cases"),
    [
        ("fuzz.fuzz_code_files", 20),
        ("fuzz.fuzz_bound_files", 15),
        ("fuzz.fuzz_study_files", 25),
        ("fuzz.fuzz_image_files", 30),
    ],
)
def test_hostile_cases(target, cases):
    tally = run_cases(target, cases=cases, seed=0, limit=30)
    assert not tally.failures, str(tally)
    assert tally.cases == cases
    assert {0, 2} <= set(tally.codes)  # some are measured, some refused

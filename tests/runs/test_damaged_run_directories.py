"""A short turn of `fuzz.fuzz_run_directories`; longer ones are started by hand."""

from __future__ import annotations

import os

import pytest

from fuzz.harness import run_cases


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="cases are watched on Linux only")
def test_no_damaged_run_directory_breaks_a_command_or_changes_what_it_says(monkeypatch):
    monkeypatch.setenv("RATEWARP_FUZZED_RUN_SHARE", "0")
    tally = run_cases("fuzz.fuzz_run_directories", cases=20, seed=1, limit=120)
    assert tally.cases == 20
    # of a damaged record whose sum was forged, too, the HDF5 library may complain on stderr beside the
    # message
    failures = [failure for failure in tally.failures if "forged record.nc" not in failure.label]
    assert not failures, str(tally)

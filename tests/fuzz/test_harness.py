"""The harness notices what it is there to notice."""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest

from fuzz.harness import run_cases
from fuzz.known_faults import FAULTS


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched as Linux allows it")
def test_every_kind_of_fault_is_noticed():
    # of this seed, seven cases are the six faults and none
    tally = run_cases("fuzz.known_faults", cases=7, seed=73, limit=0.25, memory=10**8, workers=2)
    found = defaultdict(set)
    for failure in tally.failures:
        found[failure.label].add(failure.kind)
    assert tally.cases == 7
    assert found == {fault: {fault} for fault in FAULTS if fault != "none"}
    assert "hang" in str(tally)

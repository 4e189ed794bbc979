from __future__ import annotations

from pathlib import Path

import pytest

from ratewarp.runs.manifests import check_manifest
from ratewarp.runs.run_files import DamagedError

FILE = Path("manifest.json")


def test_parts_may_be_missing():
    for manifest in (
        {},
        {"sessions": [], "mine": 3},
        {"sessions": [{"seconds": 1}], "sha256": {"tables/models.csv": "ab"}, "device": {}},
    ):
        assert check_manifest(manifest, FILE) is manifest


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"sessions": "x"}, "its entry 'sessions' is no list"),
        ({"sessions": [3]}, "its entry 'sessions' has no times"),
        ({"sessions": [{"seconds": "long"}]}, "its entry 'sessions' has no times"),
        ({"sessions": [{}]}, "its entry 'sessions' has no times"),
        ({"seconds_tables": "long"}, "its entry 'seconds_tables' is no time"),
        ({"sha256": []}, "its entry 'sha256' is no table"),
        ({"sha256": {"tables/models.csv": 3}}, "its entry 'sha256' holds no sums"),
        ({"packages": None}, "its entry 'packages' is no table"),
        ({"device": "cpu"}, "its entry 'device' is no table"),
    ],
)
def test_what_is_wrong_is_said(manifest, reason):
    with pytest.raises(DamagedError, match=f"manifest.json is damaged: {reason}"):
        check_manifest(manifest, FILE)

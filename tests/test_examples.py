"""The examples of the documentation run, and are measured at first try."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
RATEWARP = str(Path(sys.executable).with_name("ratewarp"))


@pytest.mark.parametrize(
    ("name", "measure", "task"),
    [("digits", "prototypization_change", "labels"), ("track", "specialization_change", "frequency")],
)
def test_examples(tmp_path, name, measure, task):
    subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], cwd=tmp_path, check=True, capture_output=True
    )
    answer = subprocess.run(
        [RATEWARP, "measure", f"{name}.npz", "--json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    found = {(row["measure"], row["task"]): row for row in json.loads(answer.stdout)["measures"]}
    assert found[measure, task]["low"] > 0  # the warp that is in the data

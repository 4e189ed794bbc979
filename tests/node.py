"""The front end in node, for tests of what needs no page: skipped where node is missing, or failing there with
`RATEWARP_NODE=required`.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None and os.environ.get("RATEWARP_NODE") != "required", reason="node is not installed"
)
_CALLS = Path(__file__).parent / "front" / "calls.mjs"


def front_modules(folder: Path) -> None:
    """Puts the modules beside scripts in a folder, which import them as the page does: `ratewarp/NAME`."""
    package = folder / "node_modules" / "ratewarp"
    package.mkdir(parents=True)
    front = Path(str(files("ratewarp.report.page") / "front"))
    for file in front.glob("*.js"):
        shutil.copy(file, package)
    shutil.copy(front / "vendored" / "d3.min.js", package / "d3.cjs")
    (package / "package.json").write_text(
        '{"type": "module", "exports": {"./d3": "./d3.cjs", "./*": "./*.js"}}'
    )


def run_tests(folder: Path, script: Path) -> None:
    """Runs a script with node's own tests in a folder that has the modules; fails with what it prints."""
    assert NODE is not None, "needs node"
    copy = shutil.copy(script, folder)
    ran = subprocess.run([NODE, "--test", copy], capture_output=True, text=True, timeout=300, cwd=folder)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


def called(folder: Path, *calls: tuple[str, str, list[Any]]) -> list[Any]:
    """What functions of the modules return.

    Arguments:
        folder: has the modules.
        calls: of each the module, the function, and its arguments: data for JSON, and arrays, which arrive as
            typed arrays of the same numbers.

    Returns:
        Data as of JSON, with typed arrays and maps as lists, and numbers that may be NaN or infinite.
    """
    assert NODE is not None, "needs node"
    script = shutil.copy(_CALLS, folder)
    given, found = folder / "calls.json", folder / "results.json"
    given.write_text(json.dumps([[module, name, _told(args)] for module, name, args in calls]))
    subprocess.run([NODE, script, given, found], check=True, timeout=300)
    return json.loads(found.read_text())


def _told(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"$array": value.dtype.str[1:], "values": _told(value.ravel().tolist())}
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"}
    return value

"""The front end in node, for tests of what needs no page."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def front_modules(folder: Path) -> None:
    """Puts the modules beside scripts in a folder, which import them as the page does: `ratewarp/NAME`."""
    package = folder / "node_modules" / "ratewarp"
    package.mkdir(parents=True)
    front = Path(str(files("ratewarp.report.page") / "front"))
    for file in front.glob("*.js"):
        shutil.copy(file, package)
    (package / "package.json").write_text('{"type": "module", "exports": {"./*": "./*.js"}}')

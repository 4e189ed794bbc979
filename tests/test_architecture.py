"""The levels of the package: a module imports from its own level's folder or from lower levels, never upwards or sideways."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "ratewarp"

# What each place may import, itself always included.
ALLOWED: dict[str, set[str]] = {
    "_checks": set(),
    "_files": {"_checks"},
    "sources": {"_checks"},
    "models": {"_checks"},
    "geometry": {"_checks"},
    "theory": {"_checks"},
    "ids": {"_checks"},
    "measurement": {"_checks", "geometry", "ids"},
    "rsa": {"_checks", "geometry"},
    "formats": {"_checks", "_files"},
    "codes_files": {"_checks", "formats"},
    "codes_request": {"_checks", "_files", "codes_files", "formats", "ids"},
    "store": {"_checks", "_files"},
    "checkpoints": {"_checks", "_files"},
    "devices": set(),
    "schedules": set(),
    "scores": {"_checks"},
    "recipe": {"_checks"},
    "objective": {"_checks", "models", "recipe", "schedules"},
    "training": {"_checks", "devices", "sources", "models", "recipe", "schedules", "objective"},
    "evaluation": {"_checks", "devices", "sources", "models", "objective", "training"},
    "readout": {"_checks", "devices", "sources", "models", "recipe", "objective", "training"},
    "studies": {"_checks", "_files", "sources", "models", "recipe"},
    "records": {"_checks", "sources", "evaluation", "studies", "training"},
    "bounds": {"recipe", "studies", "theory"},
    "normative": {"_checks", "bounds", "geometry", "studies", "theory"},
    "tables": {"_checks", "bounds", "geometry", "normative", "recipe", "scores", "store", "studies", "theory"},
    "published": set(),
    "statements": set(),
    "comparison": {"_checks", "published", "statements", "store", "studies", "tables"},
    "trained": {"_checks", "models", "store", "studies"},
    "readout_runner": {"models", "objective", "readout", "sources", "store", "studies", "trained", "training"},
    "waves": {"models", "objective", "studies", "training"},
    "runner": {
        "_checks",
        "checkpoints",
        "devices",
        "evaluation",
        "models",
        "readout_runner",
        "records",
        "sources",
        "store",
        "studies",
        "tables",
        "training",
        "waves",
    },
    "report": {"_checks", "_files", "geometry", "measurement", "published", "store", "studies"},
    "measure_command": {"_checks", "_files", "codes_request", "measurement", "report"},
    "bound_request": {"_checks", "_files", "bounds", "codes_files", "studies", "theory"},
    "bound_command": {"_checks", "_files", "bound_request", "report", "store", "studies", "theory"},
    "api": {"_checks", "report", "runner", "store", "studies"},
    "bench": {"_checks", "devices", "models", "objective", "recipe", "sources", "training"},
    "cli": {
        "_checks",
        "_files",
        "api",
        "bench",
        "bound_command",
        "checkpoints",
        "comparison",
        "measure_command",
        "report",
        "runner",
        "store",
        "studies",
        "waves",
    },
    "__init__": {"_checks", "api", "comparison", "geometry", "measurement", "sources", "store", "studies", "theory", "trained"},
}


def _place(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "ratewarp" else [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("ratewarp.")}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    place = _place(path)
    assert place in ALLOWED, f"{place} has no level yet; add it to this table and to the documentation"
    assert _imports(path) - {place} <= ALLOWED[place]


def test_levels_have_no_cycle():
    ranks: dict[str, int] = {}
    while len(ranks) < len(ALLOWED):
        ready = [place for place, below in ALLOWED.items() if place not in ranks and below <= ranks.keys()]
        assert ready, f"cycle among {sorted(ALLOWED.keys() - ranks.keys())}"
        ranks |= dict.fromkeys(ready, len(ranks))


@pytest.mark.parametrize("module", ["ratewarp", "ratewarp.cli", "ratewarp.geometry", "ratewarp.theory"])
def test_import_needs_no_jax(module):
    code = f"import {module}, sys; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The levels of the package: a module imports from its own level's folder or from lower levels, never upwards or sideways."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "ratewarp"

PRIVATE = {"_checks", "_cores", "_files", "_interrupt", "_yaml"}  # every place may import these

# What each place may import besides, itself always included.
ALLOWED: dict[str, set[str]] = {
    "_checks": set(),
    "_cores": set(),
    "_interrupt": set(),
    "_yaml": set(),
    "_files": set(),
    "sources": set(),
    "networks": set(),
    "likelihoods": {"theory"},
    "coder": {"likelihoods", "networks", "sources"},
    "geometry": set(),
    "theory": set(),
    "ids": set(),
    "measurement": {"geometry", "ids"},
    "rsa": {"geometry"},
    "formats": set(),
    "codes_files": {"formats"},
    "codes_request": {"codes_files", "formats", "ids"},
    "store": {"manifests", "record_checks", "run_files", "run_lock", "table_checks"},
    "checkpoints": {"run_files"},
    "devices": set(),
    "scores": set(),
    "recipes": set(),
    "training": {"coder", "devices", "networks", "recipes", "sources"},
    "evaluation": {"coder", "devices", "networks", "training"},
    "readout": {"coder", "devices", "networks", "recipes", "sources", "training"},
    "studies": {"likelihoods", "networks", "recipes", "sources"},
    "records": {"evaluation", "sources", "studies", "training"},
    "bounds": {"studies", "theory"},
    "normative": {"bounds", "geometry", "sources", "studies", "theory"},
    "parts": {"run_files", "store"},
    "occurring": {"geometry"},
    "tables": {"bounds", "geometry", "normative", "occurring", "parts", "scores", "store", "studies", "theory"},
    "published": set(),
    "statements": set(),
    "comparison": {"published", "statements", "store", "studies", "tables"},
    "trained": {"coder", "networks", "store", "studies", "waves"},
    "readout_runner": {"networks", "readout", "records", "sources", "store", "studies", "trained", "training", "waves"},
    "waves": {"coder", "networks", "sources", "studies", "training"},
    "runner": {
        "checkpoints",
        "devices",
        "evaluation",
        "mending",
        "networks",
        "readout_runner",
        "records",
        "sources",
        "store",
        "studies",
        "tables",
        "training",
        "waves",
    },
    "report": {"geometry", "measurement", "published", "run_files", "store", "studies", "theory"},
    "measure_command": {"codes_request", "measurement", "report"},
    "bound_request": {"bounds", "codes_files", "sources", "studies", "theory"},
    "bound_command": {"bound_request", "report", "store", "studies", "theory"},
    "api": {"report", "runner", "store", "studies"},
    "bench": {"coder", "devices", "likelihoods", "networks", "recipes", "sources", "training"},
    "cli": {
        "api",
        "bench",
        "bound_command",
        "comparison",
        "measure_command",
        "report",
        "run_lock",
        "runner",
        "status",
        "store",
        "studies",
        "waves",
    },
    "__init__": {
        "api",
        "comparison",
        "geometry",
        "measurement",
        "networks",
        "rsa",
        "sources",
        "status",
        "store",
        "studies",
        "theory",
        "trained",
    },
    "__main__": {"cli"},
    "run_lock": set(),
    "run_files": set(),
    "manifests": {"run_files"},
    "record_checks": {"run_files"},
    "table_checks": {"run_files"},
    "mending": {"run_files", "store", "studies"},
    "status": {"checkpoints", "mending", "run_files", "run_lock", "store", "studies"},
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
    assert _imports(path) - {place} <= ALLOWED[place] | PRIVATE


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


# Kinds of one contract, by the folder that may ask which of them a thing is; all others ask the contract.
KINDS = {
    "recipes": {"Recipe", "Constrained", "Principled", "Swift", "Published", "Plain"},
    "sources": {"Source", "Corridors", "GivenSource"},
    "networks": {"Network", "Networks", "Convolutional", "MLP", "GivenNetwork", "AutoEncoder"},
    "likelihoods": {"Likelihood", "BernoulliMean", "Gaussian", "Bernoulli"},
}


def _kinds_asked(tree: ast.AST) -> set[str]:
    """Names of classes that code asks for by `isinstance`, or in a `case`."""
    asked = [node.args[1] for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"]
    asked += [node.cls for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    return {part.id for one in asked for part in ast.walk(one) if isinstance(part, ast.Name)}


@pytest.mark.parametrize("folder", KINDS)
def test_nothing_outside_a_folder_asks_which_kind_a_thing_is(folder):
    found = {}
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] != folder and (asked := _kinds_asked(ast.parse(path.read_text())) & KINDS[folder]):
            found[str(path.relative_to(ROOT))] = asked
    assert not found


def test_a_question_of_kind_is_noticed():
    assert _kinds_asked(ast.parse("isinstance(x, A | B)\nisinstance(x, (C,))\nmatch x:\n    case D(): pass")) == {"A", "B", "C", "D"}

"""The arrows between folders: a module imports from its own folder or from those below it, never upwards or
sideways.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "ratewarp"
PUBLIC = {"__init__", "__main__", "api", "cli", "plot"}  # which may import all

# What each folder may import besides itself and files whose names begin with an underscore.
ARROWS: dict[str, set[str]] = {
    "formats": set(),
    "sources": {"formats"},
    "networks": set(),
    "theory": set(),
    "geometry": set(),
    "likelihoods": {"theory"},
    "codes": {"formats", "geometry", "theory"},
    "training": {"likelihoods", "networks", "sources"},
    "studies": {"likelihoods", "networks", "sources", "training"},
    "runs": {"networks", "sources", "studies", "training"},
    "results": {"codes", "geometry", "runs", "sources", "studies", "theory"},
    "report": {"codes", "geometry", "networks", "results", "runs", "sources", "studies", "theory"},
    "bench": {"likelihoods", "networks", "sources", "training"},
}
# files of `runs` that read a run directory; what shows results needs no more
READING = {"directory", "run_files"}
CONFIGURATION = {"recipes"}  # of `training`, what studies are made of


def _place(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[tuple[str, str]]:
    """Folder and file of every module of the package that a file imports."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        parts = [[*name.split("."), "", ""] for name in names if name.startswith("ratewarp.")]
        found |= {(folder, file) for _, folder, file, *_ in parts}
    return found


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    place = _place(path)
    if place in PUBLIC or place.startswith("_"):
        assert place in PUBLIC or not {folder for folder, _ in _imports(path) if not folder.startswith("_")}
        return
    assert place in ARROWS, f"{place} has no place yet; add it to this table and to the documentation"
    assert {folder for folder, _ in _imports(path) if not folder.startswith("_")} - {place} <= ARROWS[place]


def test_folders_have_no_cycle():
    ranks: dict[str, int] = {}
    while len(ranks) < len(ARROWS):
        ready = [place for place, below in ARROWS.items() if place not in ranks and below <= ranks.keys()]
        assert ready, f"cycle among {sorted(ARROWS.keys() - ranks.keys())}"
        ranks |= dict.fromkeys(ready, len(ranks))


@pytest.mark.parametrize(
    ("folder", "below", "allowed"),
    [
        ("results", "runs", READING | {"RunDirectory", "open_run"}),
        ("report", "runs", READING | {"RunDirectory", "open_run"}),
        ("studies", "training", CONFIGURATION),
    ],
)
def test_who_reads_needs_nothing_that_trains(folder, below, allowed):
    asked = {
        file for path in (ROOT / folder).rglob("*.py") for place, file in _imports(path) if place == below
    }
    assert asked <= allowed


def test_a_file_is_called_like_no_other():
    stems = Counter(path.stem for path in FILES if path.stem != "__init__")
    assert [stem for stem, number in stems.items() if number > 1] == []


def test_every_folder_says_what_it_is():
    for folder in ARROWS:
        text = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text()))
        assert text
        first = text.replace("\n", " ")
        assert first in (ROOT.parents[1] / "CONTRIBUTING.md").read_text().replace("\n", " "), (
            f"{folder}: {first}"
        )


@pytest.mark.parametrize("module", ["ratewarp", "ratewarp.cli", "ratewarp.geometry", "ratewarp.theory"])
def test_import_needs_no_jax(module):
    code = f"import {module}, sys; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Kinds of one contract, by the folder that may ask which of them a thing is; all others ask the contract.
KINDS = {
    "recipes": {"Recipe", "Constrained", "Principled", "Swift", "Published", "Plain"},
    "sources": {"Source", "World", "Corridors", "Sprites", "Gratings", "Population", "Digits", "GivenSource"},
    "networks": {"Network", "Networks", "Convolutional", "MLP", "GivenNetwork", "AutoEncoder"},
    "likelihoods": {"Likelihood", "BernoulliMean", "Gaussian", "Bernoulli", "Poisson"},
}


def _kinds_asked(tree: ast.AST) -> set[str]:
    """Names of classes that code asks for by `isinstance`, or in a `case`."""
    asked = [
        node.args[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"
    ]
    asked += [node.cls for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    return {part.id for one in asked for part in ast.walk(one) if isinstance(part, ast.Name)}


@pytest.mark.parametrize("folder", KINDS)
def test_nothing_outside_a_folder_asks_which_kind_a_thing_is(folder):
    found = {}
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] != folder and (
            asked := _kinds_asked(ast.parse(path.read_text())) & KINDS[folder]
        ):
            found[str(path.relative_to(ROOT))] = asked
    assert not found


def test_a_question_of_kind_is_noticed():
    assert _kinds_asked(
        ast.parse("isinstance(x, A | B)\nisinstance(x, (C,))\nmatch x:\n    case D(): pass")
    ) == {"A", "B", "C", "D"}

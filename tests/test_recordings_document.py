"""`docs/recordings.md`: its commands are ones, and what they print is what it says, where its files are at hand
(a folder named by RATEWARP_RECORDINGS).
"""

from __future__ import annotations

import doctest
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import typer

import ratewarp
from ratewarp.cli.app import app

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recordings.md").read_text(encoding="utf-8")
IMAGES, OBJECTS = PAGE.split("\n## Seven objects")
SUMS = {name: total for total, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", PAGE, re.MULTILINE)}
FILES = Path(os.environ.get("RATEWARP_RECORDINGS", ROOT.parent / "shared" / "recordings"))
at_hand = pytest.mark.skipif(
    not all((FILES / name).exists() for name in SUMS),
    reason="the page's recordings are not part of this repository: RATEWARP_RECORDINGS names their folder",
)
reads_r = pytest.mark.skipif(find_spec("pyreadr") is None, reason="pyreadr is not installed")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _commands(text):
    """Every command of ratewarp, and the lines that it is said to print."""
    blocks = re.findall(r"^\$ (ratewarp .*)\n((?:(?!\$ |```).*\n)*)", text, re.MULTILINE)
    return [
        (shlex.split(command)[1:], [one for one in lines.splitlines() if one != "…"])
        for command, lines in blocks
    ]


def test_commands_are_such():
    measuring = typer.main.get_group(app).commands["measure"]
    assert len(_commands(PAGE)) == 5
    for (name, *arguments), printed in _commands(PAGE):
        assert name == "measure"
        assert measuring.make_context("measure", arguments).params["labels"]
        assert printed


def test_files_are_named_with_sums_and_commits():
    fetched = re.findall(r"^curl -LO \S+/[0-9a-f]{40}/\S+/(\S+)$", PAGE, re.MULTILINE)
    assert sorted(fetched) == sorted(SUMS)
    assert all(f"| `{name}` |" in PAGE for name in SUMS)
    for image in re.findall(r"\]\((images/\S+)\)", PAGE):
        assert (ROOT / "docs" / image).exists()


@at_hand
@pytest.mark.parametrize("name", SUMS)
def test_files_are_those(name):
    assert hashlib.sha256((FILES / name).read_bytes()).hexdigest() == SUMS[name]


@at_hand
@pytest.mark.filterwarnings("ignore")  # of the readers
@pytest.mark.parametrize(
    "text", [pytest.param(IMAGES, id="images"), pytest.param(OBJECTS, marks=reads_r, id="objects")]
)
def test_page_says_what_is_printed(text, tmp_path, monkeypatch):
    for name in SUMS:
        shutil.copy(FILES / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    examples = re.sub("^```.*$", "", text, flags=re.MULTILINE)
    example = doctest.DocTestParser().get_doctest(examples, {"np": np, "ratewarp": ratewarp}, "page", None, 0)
    assert doctest.DocTestRunner(optionflags=OPTIONS).run(example).failed == 0
    for arguments, said in _commands(text):
        answer = subprocess.run(
            [sys.executable, "-m", "ratewarp", *arguments], capture_output=True, text=True, check=True
        )
        printed = [line.split() for line in (answer.stdout + answer.stderr).splitlines()]
        for line in said:
            words = line.removesuffix("…").split()
            assert any(one[: len(words)] == words for one in printed), line
        if "--figure" in arguments:
            assert Path(arguments[arguments.index("--figure") + 1]).stat().st_size > 10_000

"""Modules of the page that need no page: their tests of node, and what Python reads of what they write."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from node import front_modules, needs_node, run_tests
from ratewarp.report.page.packed_arrays import packed
from ratewarp.report.page.stage import to_json

pytestmark = needs_node

HERE = Path(__file__).parent
_NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@pytest.fixture
def folder(tmp_path) -> Path:
    front_modules(tmp_path)
    (tmp_path / "chance.mjs").write_bytes((HERE / "chance.mjs").read_bytes())
    (tmp_path / "run.json").write_text(to_json(a_run()))
    return tmp_path


def a_run() -> dict[str, Any]:
    """A run of three models, two capacities and two seeds, and what a page should find in it."""
    codes = np.array([[0, 0], [4, 2], [2, 4]])
    names = ["m", '","seed":0],"\\', "fixed"]
    conditions = [
        {"id": f"{model}{place}{seed}", "model": model, "place": [place], "seed": seed, "detail": None}
        for model in names
        for place in ([None] if model == "fixed" else [0, 1])
        for seed in (0, 1)
    ]
    conditions[0]["detail"] = {
        "points": packed(np.array([[0, 4], [np.nan, np.nan], [2, 0]])),
        "codes": packed(codes),
        "reconstructions": packed(np.arange(4).reshape(2, 2), "u1"),
        "frequency": packed(np.array([1, 1, 1])),
        "stress": 0.1,
        "latent_rates": [1, 2],
        "spread": [1, 1],
    }
    conditions.sort(key=lambda one: (one["seed"], names.index(one["model"])))
    factors = [
        {"name": "size", "kind": "ordered", "values": [0.1, 1 / 3], "ranks": packed(np.array([0, 0, 1]))},
        {"name": "kind", "kind": "categorical", "values": ["a", "<b>"], "ranks": packed(np.array([0, 1, 1]))},
    ]
    world = {
        "shape": [1, 2, 1],
        "stimuli": 3,
        "stimulus": packed(np.array([0, 2, 2])),
        "images": packed(np.array([[0, 1], [4, 5]]), "u1"),
        "pictured": packed(np.array([0, 2])),
        "factors": factors,
    }
    data = {"conditions": conditions, "world": world, "schemes": [], "reference": names[1]}
    data["models"] = [{"name": name} for name in names[:2]] + [{"name": "fixed", "reference": "m"}]
    return {"data": data, "expected": {"codes": codes.ravel(), "means": [0, 0, None, None, 3, 3]}}


@pytest.mark.parametrize(
    "module", ["colours", "map_dots", "moving_points", "stage_run", "stage_state", "unit_bar"]
)
def test_module(module, folder):
    run_tests(folder, HERE / f"{module}.test.mjs")


def test_hard_texts_are_read_as_they_were(folder):
    run_tests(folder, HERE / "texts.test.mjs")
    tables = json.loads((folder / "tables.json").read_text())
    assert len(tables) == 300
    for table in tables:
        read = list(csv.reader(io.StringIO(table["csv"], newline="")))
        assert read == [[_guarded(one) for one in row] for row in (table["columns"], *table["rows"])]


def test_hard_texts_are_drawn_as_they_are(folder):
    run_tests(folder, HERE / "texts.test.mjs")
    drawings = json.loads((folder / "drawings.json").read_text())
    assert len(drawings) == 300
    for drawing in drawings:
        root = ET.fromstring(drawing["svg"])
        assert [one.tag.rpartition("}")[2] for one in root.iter()] == ["svg", "g", "text"]
        assert _lines(root[0][0].text or "") == _lines(_NOT_IN_XML.sub("", drawing["text"]))
        assert set(root[0].attrib) <= {"fill"}


def _guarded(text: str) -> str:
    """What a spreadsheet would compute begins with an apostrophe."""
    return f"'{text}" if text[:1] and text[0] in "=+-@\t\r\n" else text


def _lines(text: str) -> str:
    """XML reads every end of a line as one kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

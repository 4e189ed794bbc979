"""What is taken along from panels of the page, by the tests of node, and what other programs read of it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from node import NODE, front_modules, needs_node

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the tests of node have run, with the files that they wrote."""
    assert NODE is not None
    folder = tmp_path_factory.mktemp("node")
    front_modules(folder)
    Image.new("RGB", (7, 5), "red").save(folder / "plain.png")
    tests = shutil.copy(Path(__file__).with_name("downloads.test.mjs"), folder)
    ran = subprocess.run([NODE, "--test", tests], capture_output=True, text=True, timeout=120, cwd=folder)
    assert ran.returncode == 0, ran.stdout[-6000:]
    return folder


def test_a_csv_of_hostile_text_is_read_as_it_was(folder):
    with (folder / "hostile.csv").open(newline="", encoding="utf-8") as file:
        header, row = csv.reader(file)
    guarded = [
        f"'{one}" if one[0] in "=+-@\t\r\n" else one
        for one in json.loads((folder / "hostile.json").read_text())
    ]
    assert header == row == guarded


def test_an_svg_of_hostile_text_is_one_drawing(folder):
    root = ET.parse(folder / "hostile.svg").getroot()
    assert [one.tag.rpartition("}")[2] for one in root.iter()] == ["svg", "text", "title"]
    assert "<script>alert(1)</script>" in (root[0].text or "")


def test_a_png_keeps_its_picture_and_says_its_density(folder):
    with Image.open(folder / "dense.png") as image:
        image.load()
        assert image.getpixel((3, 3)) == (255, 0, 0)
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.01)

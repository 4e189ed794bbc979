"""`ratewarp inspect`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from conftest import call

DRAW = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    """Pictures of two people, four poses each, seen three times."""
    rows = ["file,pose"]
    for who in ("ann", "bob"):
        (tmp_path / "faces" / who).mkdir(parents=True)
        for number in range(12):
            image = DRAW.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / "faces" / who / f"{number:02}.png")
            rows.append(f"{who}/{number:02}.png,{number % 4 * 30}")
    (tmp_path / "poses.csv").write_text("\n".join(rows))
    return tmp_path


def _call(folder, *arguments):
    return call("inspect", *arguments, cwd=folder)


def test_what_is_printed(folder):
    done = _call(folder, "faces", "--table", "poses.csv")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "faces: 24 images of 16 × 16 pixels, 3 channels, uint8"
    assert lines[1] == "numbers: 0 to 255; scaling: 8 bits: divided by 255"
    assert lines[3:] == [
        "label label: 2 values of text: ann (12), bob (12)",
        "factor pose: 4 values of numbers, 0 to 90: 0 (6), 30 (6), 60 (6), 90 (6)",
        "combinations of label, pose: 8 of 8 occur (a complete grid), with 3 images each",
    ]
    assert "looking at image files" in done.stderr


def test_json_sheet_and_study(folder):
    (folder / "studies").mkdir()
    done = _call(
        folder, "faces", "--table", "poses.csv", "--json", "--sheet", "a.png", "--study", "studies/my.yaml"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["images"], found["shape"], found["crossing"]["occurring"]) == (24, [16, 16, 3], 8)
    assert found["columns"][1]["frequencies"] == [[0, 6], [30, 6], [60, 6], [90, 6]]
    with Image.open(folder / "a.png") as page:
        assert page.size[0] > page.size[1] > 300
    study = yaml.safe_load((folder / "studies" / "my.yaml").read_text(encoding="utf-8"))
    assert study["source"] == {
        "images": "../faces",
        "table": "../poses.csv",
        "labels": ["label"],
        "factors": ["pose"],
    }
    assert "sheet: a.png\nstudy: studies/my.yaml\n" in done.stderr


def test_a_path_from_the_root_stays_one(folder):
    assert _call(folder, folder / "faces", "--study", "my.yaml").returncode == 0
    study = yaml.safe_load((folder / "my.yaml").read_text(encoding="utf-8"))
    assert study["source"]["images"] == (folder / "faces").as_posix()


def test_nothing_is_overwritten(folder):
    (folder / "a.png").write_text("mine")
    (folder / "a.yaml").write_text("mine")
    for option, name in (
        ("--sheet", "a.png"),
        ("--study", "a.yaml"),
        ("--sheet", "a.txt"),
        ("--study", "x/a.yaml"),
    ):
        done = _call(folder, "faces", option, name)
        assert done.returncode == 2
        assert "file that does not exist yet, in a folder that does" in done.stderr
    assert (folder / "a.png").read_text() == (folder / "a.yaml").read_text() == "mine"


def test_what_is_wrong(folder):
    (folder / "faces" / "ann" / "bad\x1b[1m.png").write_text("no picture")
    image = DRAW.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for name, one in (("a", image), ("b", image), ("c", image * 0 + 7)):
        Image.fromarray(one).save(folder / "faces" / "bob" / f"{name}.png")
    done = _call(folder, "faces")
    assert done.returncode == 2
    assert r"1 of 28 images cannot be used: ann/bad\x1b[1m.png is no PNG" in done.stderr
    done = _call(folder, "faces", "--skip-bad", "--study", "my.yaml")
    assert done.returncode == 0, done.stderr
    assert "equal to an earlier image: 1: bob/b.png = bob/a.png" in done.stdout
    assert "near-constant: 1: bob/c.png" in done.stdout
    assert r"left out: 1: ann/bad\x1b[1m.png is no PNG, JPEG or TIFF image" in done.stdout
    assert "skip_bad: true" in (folder / "my.yaml").read_text(encoding="utf-8")


def test_arrays(folder):
    np.savez(folder / "own.npz", a=DRAW.normal(0, 2, (30, 50)), b=np.zeros((30, 60)), trial=np.arange(30))
    done = _call(folder, "own.npz")
    assert done.returncode == 2
    assert "say it with --images NAME" in done.stderr
    done = _call(folder, "own.npz", "--images", "a", "--sample", "10", "--study", "my.yaml")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "own.npz: 30 images of 50 responses, float64"
    assert lines[1].startswith("of numbers and equal images, 10 images drawn at random")
    assert "a study says by `range` which become 0 and 1" in lines[2]
    assert lines[-2:] == ["name trial: 30 values of numbers, 0 to 29", "not used: b (30, 60)"]
    study = yaml.safe_load((folder / "my.yaml").read_text(encoding="utf-8"))
    assert study["source"]["array"] == "a"
    assert study["source"]["range"][0] < 0

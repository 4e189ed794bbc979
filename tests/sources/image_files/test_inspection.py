"""What is found of images, beside a plain computation on all of them at once."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.sources.image_files import open_images
from ratewarp.sources.image_files.column_findings import column_found, crossing
from ratewarp.sources.image_files.inspection import PERCENTILES, inspect_images
from ratewarp.sources.image_files.scaling import scaling

DRAW = np.random.default_rng(0)


def _open(path, images, **columns):
    np.savez(path / "own.npz", images=images, **columns)
    return open_images(path / "own.npz")


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_numbers(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr("ratewarp.sources.image_files.inspection._BLOCK", 5000)
    images = (DRAW.gamma(2, 30, (200, 8, 9, 1)).clip(0, 255)).astype(dtype)
    told = []
    found = inspect_images(_open(tmp_path, images), progress=told.append)
    assert (found.lowest, found.highest) == (images.min(), images.max())
    expected = np.percentile(images, PERCENTILES, method="inverted_cdf" if "u" in dtype else "linear")
    np.testing.assert_allclose([found.percentiles[one] for one in PERCENTILES], expected, rtol=1e-6)
    assert (found.count, found.looked_at, found.dtype) == (200, 200, str(np.dtype(dtype)))
    assert (told[-1].done, told[-1].total) == (200, 200)


def test_percentiles_of_many_real_numbers_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("ratewarp.sources.image_files.inspection._SAMPLED", 20_000)
    images = DRAW.random((2000, 8, 8))
    found = inspect_images(_open(tmp_path, images))
    # four standard errors of a percentile p of 20,000 uniform numbers
    for percent, number in found.percentiles.items():
        p = percent / 100
        assert abs(number - p) < 4 * np.sqrt(p * (1 - p) / 20_000)


def test_equal_images(tmp_path):
    images = DRAW.integers(0, 256, (30, 8, 8), dtype=np.uint8)
    images[7] = images[20] = images[3]
    images[29] = images[28]
    found = inspect_images(_open(tmp_path, images, shape=np.arange(30) // 10, x=np.arange(30) % 2))
    assert found.duplicates.images == 3
    assert found.duplicates.pairs == (("row 3", "row 7"), ("row 3", "row 20"), ("row 28", "row 29"))
    assert found.duplicates.disagreeing == 2  # 20 is of another shape, 29 has another x


def test_near_constant_images(tmp_path):
    images = DRAW.integers(0, 256, (30, 8, 8), dtype=np.uint8)
    images[4], images[6] = 9, 9
    images[6, 0, 0] = 11
    images[8, :] = 9
    images[8, 0, 0] = 13
    images[0, 0, :2] = 0, 255
    found = inspect_images(_open(tmp_path, images))
    assert (found.near_constant, found.near_constant_names) == (2, ("row 4", "row 6"))


def test_a_sample(tmp_path):
    images = DRAW.integers(0, 256, (300, 8, 8), dtype=np.uint8)
    opened = _open(tmp_path, images, x=np.arange(300) % 3)
    found = inspect_images(opened, sample=20)
    assert (found.count, found.looked_at) == (300, 20)
    assert found.columns[0].frequencies == {0: 100, 1: 100, 2: 100}
    assert inspect_images(opened, sample=20) == found
    assert inspect_images(opened, sample=1000).looked_at == 300
    with pytest.raises(RequestError, match="sample must be a number of images, 1 or more; got 0"):
        inspect_images(opened, sample=0)


@pytest.mark.parametrize(
    ("name", "values", "role", "distinct", "missing"),
    [
        ("shape", ["a", "b", "a", ""], "label", 2, 1),
        ("shape", ["a", "b", "c", "a"], "name", 3, 0),
        ("shape", ["a", "a", "a", "a"], "constant", 1, 0),
        ("angle", [0.0, 90.0, np.nan, 0.0], "factor", 2, 1),
        ("Label", [0, 3, 3, 0], "label", 2, 0),
        ("label", [0.5, 3, 3, 0], "factor", 3, 0),
        ("row", [5, 6, 7, 8], "name", 4, 0),
        ("row", [5, 6, 8, 7], "factor", 4, 0),
        ("depth", np.random.default_rng(0).random(2000), "numbers", 2000, 0),
        ("missing", [np.nan, np.nan], "constant", 0, 2),
    ],
)
def test_roles(name, values, role, distinct, missing):
    found = column_found(name, np.array(values))
    assert (found.role, found.distinct, found.missing) == (role, distinct, missing)


def test_frequencies_are_of_the_most_frequent_values():
    values = np.concatenate([np.arange(100), np.repeat(np.arange(0, 100, 2), 3)])
    found = column_found("x", values)
    assert found.frequencies == dict.fromkeys(range(0, 100, 2), 4)
    assert (found.lowest, found.highest) == (0, 99)


@pytest.mark.parametrize("seed", range(5))
def test_crossing_is_counted(seed):
    draw = np.random.default_rng(seed)
    columns = {
        "a": draw.integers(0, 3, 60),
        "b": np.array(["u", "v", ""])[draw.integers(0, 3, 60)],
        "c": np.where(draw.random(60) < 0.1, np.nan, draw.integers(0, 4, 60)),
    }
    rows = [row for row in zip(*columns.values(), strict=True) if row[1] != "" and row[2] == row[2]]
    counts = {row: rows.count(row) for row in rows}
    possible = np.prod([len({row[place] for row in rows}) for place in range(3)])
    found = crossing(columns)
    assert found == (
        ("a", "b", "c"),
        possible,
        len(counts),
        min(counts.values()),
        max(counts.values()),
        60 - len(rows),
    )


def test_nothing_to_cross():
    assert crossing({}) is None
    assert crossing({"a": np.array([np.nan])}) == (("a",), 0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "zero", "one"),
    [
        ("u1", 0, 255, 0, 255),
        ("u1", 0, 1, 0, 1),
        ("u2", 3, 900, 0, 65535),
        ("f4", 0, 1, 0, 1),
        ("f4", 0.2, 0.7, 0, 1),
        ("f8", -0.1, 1, None, None),
        ("f8", 0, 1.5, None, None),
    ],
)
def test_scaling(dtype, low, high, zero, one):
    assert scaling(np.dtype(dtype), low, high)[:2] == (zero, one)

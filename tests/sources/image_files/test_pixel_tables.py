"""Tables with a row an image."""

from __future__ import annotations

import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.sources.image_files import open_images

PIXELS = np.random.default_rng(0).integers(0, 2, (7, 169))


def _write(path, head, rows):
    path.write_text("\n".join([*head, *[",".join(map(str, row)) for row in rows]]))
    return path


def test_the_publications_table(tmp_path):
    labels = np.stack([np.arange(7), np.arange(7) % 3], axis=1)
    found = open_images(_write(tmp_path / "own.csv", [], np.hstack([PIXELS, labels])))
    assert (found.count, found.shape, found.dtype) == (7, (13, 13, 1), np.float32)
    np.testing.assert_array_equal(found.read(np.arange(7)).reshape(7, -1), PIXELS)
    assert {name: values.tolist() for name, values in found.columns.items()} == {
        "x_UC": list(range(7)),
        "x_LC": [0, 1, 2, 0, 1, 2, 0],
    }


@pytest.mark.parametrize(
    ("factor", "dtype"), [(200, "u1"), (60_000, "u2"), (-1, "f4"), (0.25, "f4"), (70_000, "f4")]
)
def test_named_columns(tmp_path, factor, dtype):
    head = ["label,who," + ",".join(f"pixel{n}" for n in range(169)) + ",note"]
    rows = [[3, "ann", *row, "b"] for row in (PIXELS * factor).tolist()]
    found = open_images(_write(tmp_path / "own.csv", head, rows))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.read(np.arange(7)).reshape(7, -1), PIXELS * factor)
    assert list(found.columns) == ["label", "who", "note"]


def test_parts_make_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("ratewarp.sources.image_files.pixel_tables._CELLS", 400)
    head = ["\t".join([*map(str, range(169)), "x"])]
    rows = ["\t".join([*map(str, row), str(number)]) for number, row in enumerate(PIXELS)]
    (tmp_path / "own.tsv").write_text("\n".join([*head, *rows]))
    found = open_images(tmp_path / "own.tsv")
    np.testing.assert_array_equal(found.read(np.arange(7)).reshape(7, -1), PIXELS)
    assert found.columns["x"].tolist() == list(range(7))


def test_pixels_that_are_none(tmp_path):
    rows = np.hstack([PIXELS * 9, np.zeros((7, 2), int)]).astype(object)
    rows[2, 5], rows[4, 7], rows[5, 8] = "", "x", "inf"
    path = _write(tmp_path / "own.csv", [], rows)
    with pytest.raises(RequestError, match="3 of 7 images cannot be used: row 2 has a pixel that is missing"):
        open_images(path)
    found = open_images(path, skip_bad=True)
    np.testing.assert_array_equal(found.read(np.arange(4)).reshape(4, -1), PIXELS[[0, 1, 3, 6]] * 9)
    assert found.dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no rows"),
        ("a,b\n1,2\n", r"no columns of pixels, .* give the folder, and the table as --table"),
        (",".join(f"p{n}" for n in range(65)) + "\n", "the pixels of a square image .* got '65 columns"),
        (",".join(f"p{n}" for n in range(49)) + "\n", "got '49 columns of pixels"),
        (",".join(f"p{n}" for n in range(64)) + "\n", "holds no rows"),
        (",".join(["p1"] * 64) + "\n", "two columns are named 'p1'"),
        (",".join(f"p{n}" for n in range(64)) + "\n" + ",".join(["1"] * 66), "more cells than the first"),
        ("\0", "is not a text file"),
        (",".join(["0"] * 20_000) + "\n", "a table of at most 17,384 columns"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, says):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(RequestError, match=says):
        open_images(tmp_path / "own.csv")

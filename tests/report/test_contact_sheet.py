"""Contact sheets: which images are shown, and that they are what is drawn."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ratewarp.report.contact_sheet import chosen, contact_sheet
from ratewarp.sources.image_files import open_images
from ratewarp.sources.image_files.inspection import inspect_images

DRAW = np.random.default_rng(0)


def _open(path, images, **columns):
    np.savez(path / "own.npz", images=images, **columns)
    opened = open_images(path / "own.npz")
    return opened, inspect_images(opened)


def test_rows_are_of_a_label(tmp_path):
    who = np.array(["ann", "bob", "cy"])[DRAW.integers(0, 3, 100)]
    opened, found = _open(tmp_path, DRAW.random((100, 8, 8)), x=np.arange(100) % 5, who=who)
    sheet = chosen(opened, found)
    assert sheet.names == ("ann", "bob", "cy")
    for rows, name in zip(sheet.rows, sheet.names, strict=True):
        assert len(set(rows)) == len(rows) == 12
        assert set(who[rows]) == {name}
    assert sheet.title == "rows: all values of who; 36 of 100 images"


def test_rows_are_of_a_factor_where_there_is_no_label(tmp_path):
    opened, found = _open(tmp_path, DRAW.random((100, 8, 8)), x=np.arange(100) // 4 / 2)
    sheet = chosen(opened, found)
    assert (len(sheet.rows), sheet.names[0], sheet.names[-1]) == (12, "0", "12")
    assert sheet.title == "rows: 12 of 25 values of x; 48 of 100 images"


def test_any_images_where_nothing_is_known(tmp_path):
    opened, found = _open(tmp_path, DRAW.random((30, 8, 8)))
    sheet = chosen(opened, found)
    assert [len(rows) for rows in sheet.rows] == [12, 12, 6]
    assert len(set(np.concatenate(sheet.rows))) == 30


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colours_are_those_of_the_images(tmp_path, channels):
    images = np.zeros((4, 64, 64, channels), np.uint8)
    images[..., 0] = 200
    page = Image.open(BytesIO(contact_sheet(*_open(tmp_path, images))))
    assert page.width < 1500
    colours = {colour[:3] for _, colour in page.getcolors(10**6)}
    expected = (200, 0, 0) if channels == 3 else (round(200 / channels),) * 3
    assert any(np.abs(np.array(colour) - expected).max() <= 1 for colour in colours)


def test_responses_and_odd_names(tmp_path):
    who = np.array(["\u4eba", "\x1b[31m", "$x^"])[np.arange(60) % 3]
    for images in (DRAW.normal(0, 3, (60, 100)), np.zeros((60, 9, 128, 2))):
        page = contact_sheet(*_open(tmp_path, images, who=who))
        assert page.startswith(b"\x89PNG")
        assert contact_sheet(*_open(tmp_path, images, who=who)) == page

"""Folders of pictures: which files are images, their labels, and all that can be wrong, said at once."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from ratewarp import RatewarpError, RequestError
from ratewarp.sources.image_files import folder_files, open_images
from ratewarp.sources.image_files.folder_files import list_folder

DRAW = np.random.default_rng(0)


@pytest.fixture
def pictures(tmp_path):
    """Six pictures in two folders, and what they are."""
    images = {}
    for label in ("cats", "dogs"):
        (tmp_path / "own" / label).mkdir(parents=True)
        for number in range(3):
            images[f"{label}/{number}.png"] = DRAW.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    for name, image in images.items():
        Image.fromarray(image).save(tmp_path / "own" / name)
    return tmp_path / "own", images


def test_pictures_are_in_the_order_of_their_names(pictures):
    folder, images = pictures
    (folder / ".hidden.png").write_text("")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "a.png").write_text("")
    (folder / "notes.txt").write_text("")
    told = []
    found = open_images(folder, progress=told.append)
    assert list(found.names) == sorted(images)
    assert (found.count, found.shape, found.dtype) == (6, (9, 8, 3), np.uint8)
    rows = np.array([5, 0, 0, 3])
    np.testing.assert_array_equal(found.read(rows), [images[found.names[row]] for row in rows])
    assert found.columns["label"].tolist() == ["cats"] * 3 + ["dogs"] * 3
    assert (told[-1].done, told[-1].total) == (6, 6)
    assert found.name_of(3) == "dogs/0.png"


def test_many_pictures_are_read_by_several_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("ratewarp.sources.image_files.folder_files._LARGE", 1)
    monkeypatch.setattr("ratewarp.sources.image_files.folder_files._TOGETHER", 4)
    images = DRAW.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number:02}.png")
    (tmp_path / "40.png").write_text("")
    with pytest.raises(RequestError, match=r"1 of 41 images cannot be used: 40\.png is no PNG"):
        open_images(tmp_path)
    rows = DRAW.integers(0, 40, 100)
    np.testing.assert_array_equal(open_images(tmp_path, skip_bad=True).read(rows)[..., 0], images[rows])


def test_all_that_is_wrong_is_said_at_once(pictures):
    folder, images = pictures
    (folder / "cats" / "text.png").write_text("no picture")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "cats" / "grey.png")
    Image.fromarray(np.full((9, 8), np.nan, np.float32)).save(folder / "dogs" / "nan.tif")
    with pytest.raises(RequestError, match=r"3 of 9 images cannot be used") as caught:
        open_images(folder)
    for says in (
        "cats/text.png is no PNG, JPEG or TIFF image",
        "cats/grey.png is 9 × 9 × 1 uint8, where most are 9 × 8 × 3 uint8; images must be of one size",
        "dogs/nan.tif holds numbers that are not finite",
        "leave out what is wrong with --skip-bad (skip_bad: true)",
    ):
        assert says in str(caught.value)
    found = open_images(folder, skip_bad=True)
    assert set(found.left_out) == {"cats/text.png", "cats/grey.png", "dogs/nan.tif"}
    np.testing.assert_array_equal(found.read(np.arange(6)), [images[name] for name in found.names])


def test_nothing_left(tmp_path):
    (tmp_path / "a.png").write_text("")
    with pytest.raises(RequestError, match=r"none of 1 image files can be used; a\.png is no PNG"):
        open_images(tmp_path, skip_bad=True)


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(RequestError, match=r"holds no image files \(\.png"):
        open_images(tmp_path)
    (tmp_path / "a.bmp").write_text("")
    with pytest.raises(RequestError, match=r"it holds a\.bmp"):
        open_images(tmp_path)


def test_folders_have_an_end(pictures, monkeypatch):
    folder, _ = pictures
    monkeypatch.setattr("ratewarp.sources.image_files.folder_files._MOST", 5)
    with pytest.raises(RequestError, match="holds more than 5 files; give the folder of the images"):
        open_images(folder)


def test_links(pictures, tmp_path):
    folder, images = pictures
    (folder / "again.png").symlink_to("cats/0.png")
    assert open_images(folder).count == 7
    assert open_images(folder).columns["label"][0] == ""
    Image.fromarray(images["cats/0.png"]).save(tmp_path / "outside.png")
    (folder / "out.png").symlink_to("../outside.png")
    (folder / "nowhere.png").symlink_to("none.png")
    (folder / "self.png").symlink_to("self.png")
    (folder / "round").symlink_to(".")
    with pytest.raises(RequestError, match="4 of 7 images cannot be used") as caught:
        open_images(folder)
    assert "out.png is a link that leads out of the folder" in str(caught.value)
    assert "round is a link to a folder" in str(caught.value)
    assert open_images(folder, skip_bad=True).count == 7


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_pipes_are_not_opened(pictures):
    folder, _ = pictures
    os.mkfifo(folder / "a.png")
    with pytest.raises(RequestError, match=r"a\.png is a pipe or a device"):
        open_images(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_files_that_may_not_be_read(pictures):
    folder, _ = pictures
    (folder / "cats" / "0.png").chmod(0)
    with pytest.raises(RequestError, match=r"cats/0\.png cannot be read: Permission denied"):
        open_images(folder)


def test_a_file_that_changes_is_noticed(pictures):
    folder, _ = pictures
    found = open_images(folder)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "cats" / "0.png")
    (folder / "cats" / "1.png").unlink()
    with pytest.raises(RatewarpError, match=r"cats/0\.png has changed"):
        found.read(np.array([0]))
    with pytest.raises(RatewarpError, match=r"cats/1\.png cannot be read"):
        found.read(np.array([1]))


def test_names_that_are_not_utf8(pictures):
    folder, images = pictures
    try:
        os.mkdir(os.fsencode(folder) + b"/\xfe")
        for name in (b"/\xff.png", b"/\xfe/a.png"):
            Image.fromarray(images["cats/0.png"]).save(os.fsencode(folder) + name, format="PNG")
    except OSError:
        pytest.skip("names of files are UTF-8 here")
    with pytest.raises(RequestError, match=r"2 of 6 .* has a name that is not UTF-8; .* has a name"):
        open_images(folder)


def _table(folder, rows, name="own.csv"):
    (folder / name).write_text("\n".join(["file,angle,who", *rows]))
    return folder / name


def test_a_table_by_file_name(pictures, tmp_path):
    folder, images = pictures
    rows = [
        f"{name},{number}.5,{'' if number == 2 else 'w' + str(number)}" for number, name in enumerate(images)
    ]
    for names in (rows, rows[::-1], ["./" + row.replace("/", "\\") for row in rows]):
        found = open_images(folder, table=_table(tmp_path, names))
        assert found.columns["angle"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
        assert found.columns["who"].tolist() == ["w0", "w1", "", "w3", "w4", "w5"]
        assert found.columns["label"].tolist() == ["cats"] * 3 + ["dogs"] * 3


def test_a_table_by_names_without_folders(pictures, tmp_path):
    folder, images = pictures
    for number, name in enumerate(images):
        (folder / name).rename(folder / name.split("/")[0] / f"unique{number}.png")
    table = _table(tmp_path, [f"unique{number}.png,{number},a" for number in range(6)])
    assert open_images(folder, table=table).columns["angle"].tolist() == list(range(6))


def test_a_table_that_does_not_fit(pictures, tmp_path):
    folder, images = pictures
    names = list(images)
    table = _table(tmp_path, [f"{name},1,a" for name in [*names[:4], names[1], "cats/9.png"]])
    with pytest.raises(RequestError, match="4 of 6 images cannot be used") as caught:
        open_images(folder, table=table)
    for says in (
        "cats/9.png has a row in own.csv, but no file",
        "cats/1.png has 2 rows in own.csv",
        "dogs/1.png has no row in own.csv",
    ):
        assert says in str(caught.value)
    found = open_images(folder, table=table, skip_bad=True)
    assert list(found.names) == ["cats/0.png", "cats/2.png", "dogs/0.png"]
    table = _table(tmp_path, [f"{name},1,a" for name in [*names, "", ""]])
    with pytest.raises(RequestError, match=r"1 of 6 .*: row 6 of own\.csv names no file"):
        open_images(folder, table=table)
    with pytest.raises(RequestError, match=r"names none of the 6 image files: its first is 'x\.png'"):
        open_images(folder, table=_table(tmp_path, ["x.png,1,a"]))


def test_a_table_without_names(pictures, tmp_path):
    folder, _ = pictures
    (tmp_path / "own.csv").write_text("stimulus,angle\n1,2\n")
    with pytest.raises(
        RequestError, match=r"must have a column .* called file, .*; its columns are stimulus, angle"
    ):
        open_images(folder, table=tmp_path / "own.csv")
    (tmp_path / "own.csv").write_text("file,angle\n")
    with pytest.raises(RequestError, match=r"own\.csv holds no rows"):
        open_images(folder, table=tmp_path / "own.csv")


def test_a_cell_that_is_no_number(pictures, tmp_path):
    folder, images = pictures
    rows = [f"{name},{'x' if number == 1 else number},a" for number, name in enumerate(images)]
    table = _table(tmp_path, rows)
    with pytest.raises(RequestError, match=r"cats/1\.png 'angle' is 'x' in a column of numbers"):
        open_images(folder, table=table)
    assert open_images(folder, table=table, skip_bad=True).columns["angle"].tolist() == [0, 2, 3, 4, 5]


def test_a_table_as_parquet(pictures, tmp_path):
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    folder, images = pictures
    frame = pd.DataFrame({"path": list(images), "x": pd.array([1, None, 3, 4, 5, 6], "Int64"), "ok": True})
    frame.to_parquet(tmp_path / "own.parquet")
    found = open_images(folder, table=tmp_path / "own.parquet")
    np.testing.assert_array_equal(found.columns["x"], [1, np.nan, 3, 4, 5, 6])
    assert found.columns["ok"].tolist() == [1] * 6


def test_a_folder_where_a_file_is_meant_is_not_looked_through(tmp_path):
    (tmp_path / "own.nc").symlink_to("/")
    with pytest.raises(
        RequestError, match=r"own\.nc must be a file, as its suffix \.nc says; got 'a folder'"
    ):
        open_images(tmp_path / "own.nc")


def test_a_file_that_vanishes_while_it_is_looked_at_is_named(tmp_path, monkeypatch):
    def gone(entry, root):
        raise FileNotFoundError(2, "No such file or directory")

    for name in ("a.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(folder_files, "_unusable", gone)
    assert list_folder(tmp_path).wrong == {"a.png": "cannot be looked at: No such file or directory"}

"""Images in files of arrays: the same rows from every format, as NumPy has them; what is wrong is refused."""

from __future__ import annotations

import struct
import threading
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest
import xarray as xr

from ratewarp import RatewarpError, RequestError
from ratewarp.sources.image_files import open_images

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (50, 9, 8, 3), dtype=np.uint8)
ANGLE = DRAW.random(50)
WORDS = np.array(["east", "west"])[np.arange(50) % 2]
ROWS = np.array([3, 4, 5, 49, 0, 0, 7, 6, 30])


def _npy(path, images):
    np.save(path / "own.npy", images)
    return path / "own.npy"


def _npz(path, images, save=np.savez):
    save(path / "own.npz", images=images, angle=ANGLE, words=WORDS, other=np.eye(3))
    return path / "own.npz"


def _compressed(path, images):
    return _npz(path, images, np.savez_compressed)


def _hdf5(path, images, **options):
    with h5py.File(path / "own.h5", "w") as file:
        file.create_dataset("set/images", data=images, **options)
        file["set/angle"] = ANGLE
        file["words"] = WORDS.astype(object)
        file["other"] = np.eye(3)
    return path / "own.h5"


def _chunked(path, images):
    return _hdf5(path, images, chunks=(7, *images.shape[1:]), compression="gzip")


def _netcdf(path, images):
    axes = ("image", "height", "width", "channel")[: images.ndim]
    data = {"images": (axes, images), "angle": ("image", ANGLE), "words": ("image", WORDS)}
    xr.Dataset({**data, "other": (("a", "b"), np.eye(3))}).to_netcdf(path / "own.nc", engine="h5netcdf")
    return path / "own.nc"


def _netcdf_3(path, images):
    xr.Dataset({"images": (("a", "b", "c", "d"), images.astype("i4"))}).to_netcdf(
        path / "own.nc", engine="scipy"
    )
    return path / "own.nc"


def _zarr(path, images):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(path / "own.zarr"), mode="w")
    group.create_array("images", shape=images.shape, chunks=(7, *images.shape[1:]), dtype=images.dtype)
    group["images"][:] = images
    group.create_array("angle", shape=(50,), dtype="f8")
    group["angle"][:] = ANGLE
    return path / "own.zarr"


WRITERS = [_npy, _npz, _compressed, _hdf5, _chunked, _netcdf, _zarr]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of zarr
@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", ">u2", ">f4"])
def test_rows_are_those_of_the_array(tmp_path, write, dtype):
    images = (IMAGES / 255).astype(dtype) if "f" in dtype else IMAGES.astype(dtype)
    found = open_images(write(tmp_path, images))
    assert (found.count, found.shape, found.names) == (50, (9, 8, 3), None)
    assert found.dtype == np.dtype(dtype.strip(">"))
    read = found.read(ROWS)
    assert read.dtype == found.dtype
    np.testing.assert_array_equal(read, images[ROWS])
    np.testing.assert_array_equal(found.read(np.arange(50)), images)
    assert found.read(np.zeros(0, int)).shape == (0, 9, 8, 3)


@pytest.mark.parametrize("write", [_npz, _compressed, _hdf5, _netcdf])
def test_arrays_with_a_row_an_image_are_columns(tmp_path, write):
    found = open_images(write(tmp_path, IMAGES))
    assert set(found.columns) == {"angle", "words"}
    np.testing.assert_array_equal(found.columns["angle"], ANGLE)
    np.testing.assert_array_equal(found.columns["words"], WORDS)
    assert found.not_used == ("other (3, 3)",)


def test_netcdf_3(tmp_path):
    found = open_images(_netcdf_3(tmp_path, IMAGES))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found.read(ROWS), IMAGES[ROWS])


def test_columns_side_by_side_are_taken_apart(tmp_path):
    factors = np.arange(100.0).reshape(50, 2)
    np.savez(tmp_path / "own.npz", x=IMAGES, labels=factors, wide=np.zeros((50, 40)), flag=ANGLE > 0.5)
    found = open_images(tmp_path / "own.npz")
    assert list(found.columns) == ["labels_0", "labels_1", "flag"]
    np.testing.assert_array_equal(found.columns["labels_1"], factors[:, 1])
    np.testing.assert_array_equal(found.columns["flag"], (ANGLE > 0.5).astype(int))
    assert found.not_used == ("wide (50, 40)",)


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("?", "u1"), ("i1", "f4"), ("i2", "f4"), ("i8", "f8"), ("u4", "f8"), ("f2", "f4"), ("g", "f8")],
)
@pytest.mark.parametrize("write", [_npy, _hdf5, _chunked])
def test_other_numbers_are_kept_exactly(tmp_path, stored, kept, write):
    images = (IMAGES % 2 if stored == "?" else IMAGES % 100).astype(stored)
    found = open_images(write(tmp_path, images))
    assert found.dtype == np.dtype(kept)
    np.testing.assert_array_equal(found.read(ROWS), images[ROWS].astype(kept))


def test_a_truth_value_is_one_whatever_its_byte_is(tmp_path):
    np.save(tmp_path / "own.npy", np.ones((2, 8, 8), bool))
    data = bytearray((tmp_path / "own.npy").read_bytes())
    data[-1] = 7
    (tmp_path / "own.npy").write_bytes(bytes(data))
    assert open_images(tmp_path / "own.npy").read(np.array([1])).max() == 1


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((6, 8, 8), (8, 8, 1)),
        ((6, 128, 128, 4), (128, 128, 4)),
        ((6, 40), (40, 1, 1)),
        ((6, 30, 1, 1), (30, 1, 1)),
    ],
)
def test_shapes(tmp_path, shape, found):
    images = np.arange(np.prod(shape)).reshape(shape).astype(np.float32)
    np.save(tmp_path / "own.npy", images)
    opened = open_images(tmp_path / "own.npy")
    assert opened.shape == found
    np.testing.assert_array_equal(opened.read(np.array([4]))[0].ravel(), images[4].ravel())


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((6, 3, 32, 32), r"channels stand second: save np\.moveaxis\(images, 1, -1\)"),
        ((32, 32, 3, 60), r"images stand last: save np\.moveaxis\(images, -1, 0\)"),
        ((6, 7, 8), r"8 × 8 to 128 × 128 pixels .* got '7 × 8 × 1'"),
        ((6, 129, 64, 1), "got '129 × 64 × 1'"),
        ((6, 5000), "1 to 4,096 responses"),
        ((6, 8, 8, 8), "got '8 × 8 × 8'"),
        ((0, 8, 8), "one image or more"),
        ((6,), "it is not clear which array"),
        ((2, 2, 2, 8, 8), "with channels last"),
    ],
)
def test_other_shapes_are_refused(tmp_path, shape, says):
    np.save(tmp_path / "own.npy", np.zeros(shape, np.uint8))
    with pytest.raises(RequestError, match=says):
        open_images(tmp_path / "own.npy")


def test_which_array(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, pictures=IMAGES, masks=IMAGES[..., 0], rates=np.zeros((50, 30)))
    with pytest.raises(
        RequestError, match=r"it is not clear .* --images NAME .* pictures \(50, 9, 8, 3\), masks"
    ):
        open_images(path)
    with pytest.raises(RequestError, match=r"no array named 'picture'\. Did you mean 'pictures'\?"):
        open_images(path, images="picture")
    assert open_images(path, images="masks").shape == (9, 8, 1)
    np.testing.assert_array_equal(open_images(path, images="pictures").read(ROWS), IMAGES[ROWS])
    np.savez(path, rates=np.zeros((50, 30)), words=WORDS)
    assert open_images(path).shape == (30, 1, 1)


def test_objects_and_text_are_refused(tmp_path):
    np.save(tmp_path / "own.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(RequestError, match="holds Python objects, which only running code could read"):
        open_images(tmp_path / "own.npy")
    np.savez(tmp_path / "own.npz", images=IMAGES, notes=np.array([{"a": 1}], dtype=object))
    assert "notes holds Python objects" in open_images(tmp_path / "own.npz").not_used[0]
    with pytest.raises(RequestError, match="'notes' holds Python objects"):
        open_images(tmp_path / "own.npz", images="notes")
    np.save(tmp_path / "text.npy", np.full((3, 8, 8), "a"))
    with pytest.raises(RequestError, match="an array of real numbers; got 'dtype <U1'"):
        open_images(tmp_path / "text.npy")


def test_numbers_that_are_not_finite(tmp_path):
    images = (IMAGES / 255).copy()
    images[3, 0, 0, 0], images[7, 8, 7, 2], images[9] = np.nan, np.inf, 1e300
    for write in (_npy, _compressed, _chunked):
        path = write(tmp_path, images)
        with pytest.raises(
            RequestError, match=r"3 of 50 images cannot be used: row 3 holds .*; row 7 .*--skip-bad"
        ):
            open_images(path)
        found = open_images(path, skip_bad=True)
        left = np.setdiff1d(np.arange(50), [3, 7, 9])
        assert list(found.left_out) == ["row 3", "row 7", "row 9"]
        np.testing.assert_array_equal(found.read(np.arange(47)), images[left])
        assert found.name_of(3) == "row 4"
        if "angle" in found.columns:
            np.testing.assert_array_equal(found.columns["angle"], ANGLE[left])
    np.save(tmp_path / "none.npy", np.full((3, 8, 8), np.nan))
    with pytest.raises(RequestError, match="no image is left; row 0 holds numbers that are not finite"):
        open_images(tmp_path / "none.npy", skip_bad=True)


def test_a_column_that_is_infinite(tmp_path):
    np.savez(tmp_path / "own.npz", images=IMAGES, angle=np.where(np.arange(50) == 8, np.inf, ANGLE))
    with pytest.raises(RequestError, match="row 8 'angle' is infinite"):
        open_images(tmp_path / "own.npz")


def test_rows_that_do_not_exist(tmp_path):
    found = open_images(_npy(tmp_path, IMAGES))
    for row in (-1, 50):
        with pytest.raises(RequestError, match="rows must be numbers from 0 to 49"):
            found.read(np.array([row]))


@pytest.mark.parametrize("write", [_npy, _npz, _hdf5])
def test_a_truncated_file_is_refused(tmp_path, write):
    path = write(tmp_path, IMAGES)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(RequestError, match="cannot be read"):
        open_images(path)


def test_a_file_that_shrinks_is_noticed(tmp_path):
    path = _npy(tmp_path, IMAGES)
    found = open_images(path)
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 10)
    np.testing.assert_array_equal(found.read(np.array([3])), IMAGES[[3]])
    with pytest.raises(RatewarpError, match="cannot be read any more"):
        found.read(np.array([49]))


def test_a_chunk_that_is_damaged_is_left_out(tmp_path):
    path = _chunked(tmp_path, IMAGES)
    with h5py.File(path) as file:
        chunk = file["set/images"].id.get_chunk_info(2)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 10 : chunk.byte_offset + 40] = bytes(30)
    path.write_bytes(bytes(data))
    with pytest.raises(RequestError, match="7 of 50 images cannot be used: row 14 cannot be read"):
        open_images(path)
    found = open_images(path, skip_bad=True)
    np.testing.assert_array_equal(found.read(np.arange(43)), np.delete(IMAGES, np.s_[14:21], axis=0))


def test_arrays_by_column_are_read_whole(tmp_path):
    np.save(tmp_path / "own.npy", np.asfortranarray(IMAGES))
    np.testing.assert_array_equal(open_images(tmp_path / "own.npy").read(ROWS), IMAGES[ROWS])


@pytest.mark.parametrize("write", [_compressed, _npy])
def test_what_can_only_be_held_whole_has_a_limit(tmp_path, write, monkeypatch):
    monkeypatch.setattr("ratewarp.sources.image_files.array_files.MOST_HELD", 1000)
    path = write(tmp_path, np.asfortranarray(IMAGES))
    with pytest.raises(RequestError, match=r"save it uncompressed, by np\.save .* or as HDF5"):
        open_images(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "own.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as stream,
    ):
        shape = (10**6, 100, 100)
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
        stream.write(bytes(2**16))
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 4 * 10**9)
    path.write_bytes(bytes(data))
    tracemalloc.start()
    with pytest.raises(RequestError, match="holds at least a 1,100th"):
        open_images(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_chunks_that_were_never_written_are_refused(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file.create_dataset("images", (10**9, 64, 64), "u1", chunks=(100, 64, 64))
    with pytest.raises(RequestError, match="holds at least a 1,100th"):
        open_images(tmp_path / "own.h5")


def test_numbers_in_another_file_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file.create_dataset("images", (4, 8, 8), "u1", external=[("/etc/passwd", 0, 256)])
    with pytest.raises(RequestError, match="not clear"):
        open_images(tmp_path / "own.h5")
    with pytest.raises(RequestError, match="'images' lies in another file, which is not followed"):
        open_images(tmp_path / "own.h5", images="images")


def test_packed_variables_are_refused(tmp_path):
    with h5py.File(tmp_path / "own.nc", "w") as file:
        file["images"] = IMAGES
        file["images"].attrs["scale_factor"] = 0.5
    with pytest.raises(RequestError, match="'images' is packed"):
        open_images(tmp_path / "own.nc", images="images")


@pytest.mark.parametrize("write", [_npy, _npz, _hdf5])
def test_rows_are_read_alone(tmp_path, write):
    images = np.zeros((4000, 64, 64), np.uint8)
    images[:] = np.arange(4000)[:, None, None] % 251
    if write is _npz:
        np.savez(tmp_path / "own.npz", images=images)
        path = tmp_path / "own.npz"
    elif write is _npy:
        path = _npy(tmp_path, images)
    else:
        with h5py.File(tmp_path / "own.h5", "w") as file:
            file["images"] = images
        path = tmp_path / "own.h5"
    open_images(path)  # imports
    tracemalloc.start()
    read = open_images(path).read(np.arange(0, 4000, 100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(read[..., 0], images[::100])
    assert peak < 2**20


@pytest.mark.parametrize("write", [_npy, _chunked])
def test_threads_may_read_at_once(tmp_path, write):
    found = open_images(write(tmp_path, IMAGES))
    right = []

    def several(seed):
        draw = np.random.default_rng(seed)
        for _ in range(50):
            rows = draw.integers(0, 50, 20)
            right.append(bool((found.read(rows) == IMAGES[rows]).all()))

    threads = [threading.Thread(target=several, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(right) == 200
    assert all(right)


def test_a_table_beside_an_array(tmp_path):
    path = _npy(tmp_path, IMAGES)
    (tmp_path / "own.csv").write_text("x,shape\n" + "\n".join(f"{n % 5},s{n % 2}" for n in range(50)))
    found = open_images(path, table=tmp_path / "own.csv")
    np.testing.assert_array_equal(found.columns["x"], np.arange(50) % 5)
    assert found.columns["shape"][:3].tolist() == ["s0", "s1", "s0"]
    (tmp_path / "short.csv").write_text("x\n1\n2\n")
    with pytest.raises(RequestError, match="a row for each of 50 images, in their order; it has 2"):
        open_images(path, table=tmp_path / "short.csv")
    with pytest.raises(RequestError, match=r"unknown format '\.txt' of a table"):
        open_images(path, table=tmp_path / "own.txt")
    np.savez(tmp_path / "own.npz", images=IMAGES, x=ANGLE)
    with pytest.raises(RequestError, match="has a column 'x', too"):
        open_images(tmp_path / "own.npz", table=tmp_path / "own.csv")


def test_unknown_files(tmp_path):
    (tmp_path / "own.mat").write_bytes(b"")
    with pytest.raises(RequestError, match=r"unknown format '\.mat'.*folders of PNG, JPEG and TIFF"):
        open_images(tmp_path / "own.mat")
    with pytest.raises(RequestError, match="no such file or folder"):
        open_images(tmp_path / "none")
    with pytest.raises(RequestError, match="no such file"):
        open_images(tmp_path / "none.npy")
    with pytest.raises(RequestError, match="must be given for a file of several arrays"):
        open_images(tmp_path, images="x")

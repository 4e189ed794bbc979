"""HDF5 and NetCDF that lead into other files, or declare far more than they hold."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray as xr

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read


def _external_storage(file, folder):
    (folder / "secret").write_bytes(bytes(range(200)))
    file.create_dataset("codes", (20, 4), "u1", external=[(str(folder / "secret"), 0, 80)])


def _external_link(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["codes"] = np.eye(4)
    file["codes"] = h5py.ExternalLink("other.h5", "/codes")


def _virtual(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["codes"] = np.eye(4)
    layout = h5py.VirtualLayout((4, 4), "f8")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "codes", (4, 4))
    file.create_virtual_dataset("codes", layout)


@pytest.mark.parametrize("make", [_external_storage, _external_link, _virtual])
@pytest.mark.parametrize("suffix", ["h5", "nc", "mat"])
def test_other_files_are_not_followed(tmp_path, make, suffix):
    path = tmp_path / f"own.{suffix}"
    with h5py.File(path, "w", userblock_size=512) as file:
        make(file, tmp_path)
        file["labels"] = np.arange(4)
    if suffix == "mat":
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(RequestError, match="'codes' lies in another file, which is not followed"):
        read(path, open_codes(path), ["codes"])
    if suffix != "nc":
        assert read(path, open_codes(path), ["labels"])["labels"].tolist() == [0, 1, 2, 3]


def test_arrays_that_were_never_written_are_refused(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file.create_dataset("codes", (10**7, 16), "f8", chunks=(1024, 16))
        file["small"] = np.eye(3)
    content = open_codes(tmp_path / "own.h5")
    with pytest.raises(
        RequestError, match=r"codes must be an array of which the file holds at least a hundredth"
    ):
        read(tmp_path / "own.h5", content, ["codes"])
    assert read(tmp_path / "own.h5", content, ["small"])["small"].shape == (3, 3)


def test_coordinates_that_were_never_written_are_refused(tmp_path):
    """xarray reads coordinates as it opens a file."""
    xr.Dataset(coords={"item": np.arange(3)}).to_netcdf(tmp_path / "own.nc", engine="h5netcdf")
    with h5py.File(tmp_path / "own.nc", "r+") as file:
        del file["item"]
        file.create_dataset("item", (10**8,), "f8", chunks=(1024,)).make_scale()
    with pytest.raises(
        RequestError, match=r"item must be an array of which the file holds at least a hundredth"
    ):
        open_codes(tmp_path / "own.nc")


def _nested(path, levels, links=False):
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(levels):
            group = group.create_group("g")
        group["codes"] = np.eye(3)
        if links:
            group["back"] = file["/"]
            file["soft"] = h5py.SoftLink("/g")
            file["again"] = group["codes"]


@pytest.mark.parametrize("suffix", ["h5", "nc"])
def test_groups_without_end_are_refused(tmp_path, suffix):
    """To find each of 2,000 names from the top takes 2,000 steps."""
    _nested(tmp_path / f"own.{suffix}", 2000)
    with pytest.raises(RequestError, match="its groups lie more than 50 levels deep"):
        open_codes(tmp_path / f"own.{suffix}")


def test_groups_in_groups(tmp_path):
    _nested(tmp_path / "own.h5", 3, links=True)
    content = open_codes(tmp_path / "own.h5")
    assert dict(content.shapes) == {"again": (3, 3), "g/g/g/codes": (3, 3)}
    np.testing.assert_array_equal(
        read(tmp_path / "own.h5", content, ["g/g/g/codes"])["g/g/g/codes"], np.eye(3)
    )


def test_one_long_name_among_many_is_refused(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["labels"] = np.array(["x" * 10**6, *["a"] * 10**4], dtype=object)
    with pytest.raises(RequestError, match="labels must be names of similar length"):
        read(tmp_path / "own.h5", open_codes(tmp_path / "own.h5"), ["labels"])


def test_netcdf_3(tmp_path):
    path = tmp_path / "own.nc"
    xr.Dataset({"codes": (("item", "latent"), np.eye(3))}).to_netcdf(path, engine="scipy")
    np.testing.assert_array_equal(read(path, open_codes(path), ["codes"])["codes"], np.eye(3))


def test_datasets_without_a_shape_are_passed_over(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["nothing"] = h5py.Empty("f8")
        file["codes"] = np.eye(3)
    assert list(open_codes(tmp_path / "own.h5").shapes) == ["codes"]


@pytest.mark.parametrize("chunks", [None, (3,)])
def test_texts_that_say_they_are_long_are_refused_before_they_are_read(tmp_path, chunks):
    path = tmp_path / "own.h5"
    words = np.array(["west", "é", "", "south"] * 2, dtype=object)
    with h5py.File(path, "w") as file:
        words_there = file.create_dataset("words", data=words, chunks=chunks)
        place = words_there.id.get_chunk_info(0).byte_offset if chunks else words_there.id.get_offset()
    np.testing.assert_array_equal(read(path, open_codes(path), ["words"])["words"], words.astype(str))
    data = bytearray(path.read_bytes())
    assert data[place : place + 4] == (4).to_bytes(4, "little")
    data[place : place + 4] = (10**9).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(
        RequestError, match="words must be an array of which the file holds at least a hundredth"
    ):
        read(path, open_codes(path), ["words"])

"""What is opened at all: files, not pipes, devices, or what leads elsewhere."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.codes.code_files import known_suffixes, open_codes
from ratewarp.formats.limits import MAX_BYTES, check_unpacked

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")


@pytest.mark.parametrize("suffix", known_suffixes())
def test_pipes_and_devices_are_not_opened(tmp_path, suffix):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"linked{suffix}").symlink_to(f"pipe{suffix}")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    for name in ("pipe", "linked", "zero"):
        with pytest.raises(RequestError, match=r"must be a file; got 'a pipe or a device'"):
            open_codes(tmp_path / f"{name}{suffix}")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "own.npz").mkdir()
    with pytest.raises(RequestError, match=r"own\.npz must be a file; got 'a folder'"):
        open_codes(tmp_path / "own.npz")


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_zarr_folder_holds_files_only(tmp_path, kind):
    inside = tmp_path / "own.zarr" / "codes"
    inside.mkdir(parents=True)
    os.mkfifo(inside / "0") if kind == "pipe" else (inside / "0").symlink_to("/etc/passwd")
    with pytest.raises(RequestError, match=r"must be a folder of files; got 'a link, a pipe or a device, 0'"):
        open_codes(tmp_path / "own.zarr")


def test_a_link_to_a_file_is_a_file(tmp_path):
    np.savez(tmp_path / "own.npz", codes=np.eye(3))
    (tmp_path / "linked.npz").symlink_to("own.npz")
    assert open_codes(tmp_path / "linked.npz").shapes == {"codes": (3, 3)}


def test_a_file_of_holes_is_refused(tmp_path):
    with (tmp_path / "own.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (10**8, 3)}
        )
        file.truncate(file.tell() + 24 * 10**8)
    if not 0 < (tmp_path / "own.npy").stat().st_blocks < 10**5:
        pytest.skip("files here have no holes, or do not say so")
    with pytest.raises(RequestError, match="holds at least a hundredth"):
        open_codes(tmp_path / "own.npy")


def test_large_arrays_that_are_there_are_taken():
    check_unpacked("codes", 10**8, 1)  # small enough for anything
    check_unpacked("codes", MAX_BYTES, MAX_BYTES // 50)
    for size, packed in ((10**8 + 1, 10**6), (MAX_BYTES + 1, MAX_BYTES + 1)):
        with pytest.raises(RequestError):
            check_unpacked("codes", size, packed)


def test_limits_may_be_others():
    check_unpacked("images", 10**11, 10**9, most=float("inf"))
    check_unpacked("images", 10**9, 10**6, most=float("inf"), times=1100)
    with pytest.raises(RequestError, match="holds at least a 1,100th"):
        check_unpacked("images", 10**9, 10**5, most=float("inf"), times=1100)

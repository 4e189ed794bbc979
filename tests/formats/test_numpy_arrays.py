"""Arrays in npy and npz: read as NumPy reads them, once in memory, and never more than is declared."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read

ARRAYS = {
    "rows": np.arange(12.0).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big_endian": np.arange(6, dtype=">i4").reshape(2, 3),
    "words": np.array(["west", "é"]),
    "single": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "no_width": np.array(["", ""], dtype="<U0"),
    "flags": np.array([True, False]),
    "days": np.array(["2000-01-01"], dtype="M8[D]"),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_as_numpy_reads_them(tmp_path, save):
    path = tmp_path / "own.npz"
    save(path, **ARRAYS)
    found = read(path, open_codes(path), ARRAYS)
    with np.load(path) as theirs:
        for name in ARRAYS:
            np.testing.assert_array_equal(found[name], theirs[name])
            assert found[name].dtype == theirs[name].dtype
    for name, array in ARRAYS.items():
        np.save(tmp_path / f"{name}.npy", array)
        one = tmp_path / f"{name}.npy"
        np.testing.assert_array_equal(read(one, open_codes(one), ["codes"])["codes"], array)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_array_is_in_memory_once(tmp_path, suffix):
    codes = np.random.default_rng(0).standard_normal((2**18, 8))
    path = tmp_path / f"own.{suffix}"
    np.save(path, codes) if suffix == "npy" else np.savez(path, codes=codes)
    tracemalloc.start()
    read(path, open_codes(path), ["codes"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * codes.nbytes + 2 * 2**24  # pieces on their way


def _declare(path, size):
    """Says another size of the one array in the directory of an npz file."""
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", size)
    path.write_bytes(bytes(data))


def _npz_with_header(path, shape, rest=b""):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("codes.npy", "w") as stream,
    ):
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
        stream.write(rest)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    _npz_with_header(path, (125_000_000,), bytes(2**16))
    _declare(path, 10**9)
    tracemalloc.start()
    with pytest.raises(
        RequestError,
        match=r"codes must be an array of which the file holds at least a hundredth; .* '1,000 MB from",
    ):
        open_codes(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.parametrize("shape", [(125_000_000,), (2**40, 2**20), (0,), (-1, 8), (True,)])
def test_headers_that_do_not_fit_are_refused(tmp_path, shape):
    _npz_with_header(tmp_path / "own.npz", shape, bytes(64))
    with pytest.raises(RequestError, match=r"its header says"):
        open_codes(tmp_path / "own.npz")
    with zipfile.ZipFile(tmp_path / "own.npz") as archive:
        (tmp_path / "own.npy").write_bytes(archive.read("codes.npy"))
    with pytest.raises(RequestError, match=r"its header says"):
        open_codes(tmp_path / "own.npy")


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "own.npy"
    np.save(path, np.arange(100.0))
    content = open_codes(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RequestError, match="it ends before its array does"):
        read(path, content, ["codes"])


def test_records_are_refused(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, ids=np.zeros(4, [("a", "f8"), ("b", "i4")]))
    with pytest.raises(RequestError, match=r"ids must be an array of numbers or names; got .records"):
        read(path, open_codes(path), ["ids"])

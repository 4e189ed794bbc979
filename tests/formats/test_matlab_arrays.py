"""MATLAB 4 and 5: read in a process of its own, whatever that process comes to."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read
from ratewarp.formats import matlab_arrays, matlab_reader

CODES = np.random.default_rng(0).standard_normal((6, 3))


def test_a_file_that_crashes_the_reader_of_scipy_is_refused(tmp_path):
    """The type of the numbers is one that SciPy looks up beyond the end of its table: most such files end in
    signal 11.
    """
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    flags, shape, name = (
        struct.pack("<IIII", 6, 8, 6, 0),
        struct.pack("<IIii", 5, 8, 8, 1),
        struct.pack("<II8s", 1, 5, b"means"),
    )
    body = flags + shape + name + struct.pack("<II", 0x0100, 0)
    (tmp_path / "own.mat").write_bytes(head + struct.pack("<II", 14, len(body)) + body)
    with pytest.raises(RequestError, match=r"own\.mat cannot be read"):
        read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["means"])


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 11)",
        "raise SystemExit(1)",
        'import sys; sys.stdin.readline(); print(\'{"holds": [["codes", [6, 3], "double"]]}\')',
        'import sys; sys.stdin.readline(); print(\'{"name": "codes", "array": true}\'); print(\'no array\')',
    ],
)
def test_a_reader_that_ends_early_is_a_damaged_file(tmp_path, monkeypatch, program):
    (tmp_path / "reader.py").write_text(program)
    (tmp_path / "own.mat").write_bytes(b"")
    monkeypatch.setattr(matlab_reader, "__file__", str(tmp_path / "reader.py"))
    with pytest.raises(RequestError, match=r"own\.mat cannot be read"):
        read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["codes"])


def test_arrays_that_are_not_handed_over_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab_arrays, "_SMALL", 200)
    savemat(tmp_path / "own.mat", {"ids": np.arange(6), "codes": CODES})
    found = read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["codes", "ids"])
    np.testing.assert_array_equal(found["codes"], CODES)
    assert found["ids"].tolist() == list(range(6))


def test_what_is_no_array_is_named(tmp_path):
    cells = np.array(["x", 1.0], dtype=object)
    savemat(
        tmp_path / "own.mat",
        {"trial": {"a": 1.0}, "cells": cells, "codes": csc_matrix(CODES), "small": np.float32(CODES)},
        format="5",
    )
    content = open_codes(tmp_path / "own.mat")
    assert set(content.shapes) == {"codes", "small"}
    for name in ("trial", "cells"):
        with pytest.raises(
            RequestError, match=f"'{name}' is a struct, a cell array of other things than names"
        ):
            read(tmp_path / "own.mat", content, [name])
    np.testing.assert_array_equal(read(tmp_path / "own.mat", content, ["codes"])["codes"], CODES)  # sparse


def test_version_4(tmp_path):
    savemat(tmp_path / "own.mat", {"codes": CODES, "labels": np.arange(6.0)[None]}, format="4")
    found = read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["codes", "labels"])
    np.testing.assert_array_equal(found["codes"], CODES)
    assert found["labels"].shape == (6,)


def test_what_unpacks_to_far_more_is_refused(tmp_path):
    savemat(tmp_path / "own.mat", {"codes": csc_matrix((10**5, 10**3))})
    with pytest.raises(RequestError, match="holds at least a hundredth"):
        read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["codes"])

"""MATLAB 4 and 5: read in a process of its own, whatever that process comes to."""

from __future__ import annotations

import struct
from pathlib import Path

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


def _structs(matrices, **more):
    """An array of structs, as RSA toolboxes of MATLAB write dissimilarities."""
    fields = {"RDM": matrices, "name": [f"subject {number}" for number in range(len(matrices))], **more}
    structs = np.zeros((1, len(matrices)), dtype=[(name, object) for name in fields])
    for name, values in fields.items():
        for place, value in enumerate(values):
            structs[0, place][name] = value
    return structs


MATRICES = np.random.default_rng(1).random((3, 4, 4))


@pytest.mark.parametrize("small", [2**26, 100])  # handed over at once, or later
@pytest.mark.parametrize("compressed", [False, True])
def test_fields_of_an_array_of_structs_are_stacked(tmp_path, monkeypatch, compressed, small):
    monkeypatch.setattr(matlab_arrays, "_SMALL", small)
    structs = _structs(MATRICES, color=np.eye(3), weight=[1.0, 2.0, 3.0], pairs=[np.arange(6.0)[None]] * 3)
    savemat(tmp_path / "own.mat", {"RDMs": structs, "labels": np.arange(4)}, do_compression=compressed)
    content = open_codes(tmp_path / "own.mat")
    found = read(tmp_path / "own.mat", content, content.shapes)
    assert {name: array.shape for name, array in found.items()} == dict(content.shapes)
    np.testing.assert_array_equal(found["RDMs.RDM"], MATRICES)
    assert found["RDMs.name"].tolist() == ["subject 0", "subject 1", "subject 2"]
    assert found["RDMs.weight"].tolist() == [1, 2, 3]
    assert found["RDMs.pairs"].shape == (3, 6)
    assert found["RDMs.color"].shape == (3, 3)
    with pytest.raises(
        RequestError, match=r"'RDMs' is a struct; say one of its fields, RDMs\.RDM, RDMs\.name"
    ):
        read(tmp_path / "own.mat", content, ["RDMs"])


def test_elements_of_a_matrix_of_structs_are_in_the_order_of_matlab(tmp_path):
    structs = np.array([[(0.0,), (2.0,)], [(1.0,), (3.0,)]], dtype=[("place", object)])
    savemat(tmp_path / "own.mat", {"all": structs})
    assert read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["all.place"])[
        "all.place"
    ].tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_one_struct_and_structs_within(tmp_path):
    inner = {"RDM": MATRICES[0], "deep": {"deeper": {"codes": CODES}}}
    savemat(
        tmp_path / "own.mat",
        {"all": {"RDM": MATRICES[1], "note": "x", "names": np.array(["a", "bc"], object), "inner": inner}},
    )
    content = open_codes(tmp_path / "own.mat")
    assert set(content.shapes) == {"all.RDM", "all.names", "all.inner.RDM"}
    found = read(tmp_path / "own.mat", content, content.shapes)
    np.testing.assert_array_equal(found["all.RDM"], MATRICES[1])
    np.testing.assert_array_equal(found["all.inner.RDM"], MATRICES[0])
    assert found["all.names"].tolist() == ["a", "bc"]
    assert content.refused["all.note"] == "is a single value"
    assert content.refused["all.inner.deep"].startswith("lies in structs within structs")


def test_fields_that_are_no_arrays_are_said(tmp_path, monkeypatch):
    structs = _structs(
        MATRICES,
        shapes=[np.eye(2), np.eye(3), np.eye(2)],
        mixed=[1.0, "x", 2.0],
        cells=[np.array([1.0, "x"], object)] * 3,
    )
    savemat(
        tmp_path / "own.mat",
        {"RDMs": structs, "none": _structs([1.0, "x"])[["RDM"]].astype([("RDM", object)]), "codes": CODES},
    )
    content = open_codes(tmp_path / "own.mat")
    assert set(content.shapes) == {"codes", "RDMs.RDM", "RDMs.name"}
    assert content.refused["RDMs.shapes"] == "has not the same shape in all elements of the struct"
    assert "or names" in content.refused["RDMs.mixed"]
    assert "or names" in content.refused["RDMs.cells"]
    with pytest.raises(RequestError, match="'none' is a struct, a cell array of other things than names"):
        read(tmp_path / "own.mat", content, ["none"])


def test_structs_beyond_measure_are_left_out(tmp_path):
    many = np.zeros((1, 10_001), dtype=[("place", object)])
    many["place"] = 1.0
    wide = {f"f{number}": np.arange(3.0) for number in range(201)}
    savemat(tmp_path / "own.mat", {"many": many, "wide": wide, "codes": CODES})
    content = open_codes(tmp_path / "own.mat")
    assert set(content.shapes) == {"codes"}
    assert content.refused["many"] == "is of an array of more than 10,000 structs"
    assert content.refused["wide"] == "is a struct of more than 200 fields"


def test_structs_that_unpack_to_too_much_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab_arrays, "_MEMORY", 2**26)
    monkeypatch.setattr(matlab_arrays, "_SMALL", 2**20)
    bits = np.random.default_rng(0).integers(2, size=(2000, 2000)).astype(float)  # shrink, but not to nothing
    savemat(tmp_path / "own.mat", {"RDMs": _structs([bits] * 3), "codes": CODES}, do_compression=True)
    content = open_codes(tmp_path / "own.mat")
    assert set(content.shapes) == {"codes"}
    assert content.refused["RDMs"].startswith("needs more memory than a struct may take")
    np.testing.assert_array_equal(read(tmp_path / "own.mat", content, ["codes"])["codes"], CODES)


def test_a_large_field_of_a_small_file_is_refused(tmp_path):
    savemat(tmp_path / "own.mat", {"all": {"RDM": np.zeros((4000, 4000))}}, do_compression=True)
    content = open_codes(tmp_path / "own.mat")
    assert content.shapes["all.RDM"] == (4000, 4000)
    with pytest.raises(RequestError, match="holds at least a hundredth"):
        read(tmp_path / "own.mat", content, ["all.RDM"])


def test_a_struct_that_ends_the_reader_leaves_the_other_arrays(tmp_path, monkeypatch):
    """Structs are read last."""
    text = Path(matlab_reader.__file__).read_text(encoding="utf-8")
    text = text.replace("arrays: list[tuple[list[str], Any]] = []", "import os; os.kill(os.getpid(), 11)")
    (tmp_path / "reader.py").write_text(text, encoding="utf-8")
    savemat(tmp_path / "own.mat", {"RDMs": _structs(MATRICES), "codes": CODES})
    monkeypatch.setattr(matlab_reader, "__file__", str(tmp_path / "reader.py"))
    content = open_codes(tmp_path / "own.mat")
    np.testing.assert_array_equal(read(tmp_path / "own.mat", content, ["codes"])["codes"], CODES)
    assert content.refused["RDMs"].startswith("is a struct")

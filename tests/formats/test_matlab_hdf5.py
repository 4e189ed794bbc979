"""MATLAB 7.3: structs as MATLAB lays them out in HDF5."""

from __future__ import annotations

import struct

import h5py
import numpy as np
import pytest

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read

MATRICES = np.random.default_rng(0).random((3, 4, 5))


class _Written:
    """A file of MATLAB 7.3, written as MATLAB does: axes reversed, elements of structs by reference."""

    def __init__(self, path):
        self.path, self.file, self.places = path, h5py.File(path, "w", userblock_size=512), 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        with self.path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM")

    def put(self, key, value):
        """A matrix of numbers, a text, or an empty array."""
        kind = "char" if isinstance(value, str) else "double"
        array = np.array([[ord(one) for one in value]], np.uint16) if kind == "char" else np.atleast_2d(value)
        empty = not array.size
        dataset = self.file.create_dataset(key, data=np.array(array.shape, np.uint64) if empty else array.T)
        dataset.attrs["MATLAB_class"] = np.bytes_(kind)
        if empty:
            dataset.attrs["MATLAB_empty"] = np.uint8(1)
        return dataset

    def group(self, name):
        group = self.file.create_group(name)
        group.attrs["MATLAB_class"] = np.bytes_("struct")

    def refer(self, key, values):
        references = []
        for value in values:
            references.append([self.put(f"#refs#/{self.places}", value).ref])
            self.places += 1
        return self.file.create_dataset(key, data=np.array(references, h5py.ref_dtype))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.mat"


def _read(path):
    content = open_codes(path)
    found = read(path, content, content.shapes)
    assert {name: array.shape for name, array in found.items()} == dict(content.shapes)
    return found, content


def test_fields_of_an_array_of_structs_are_stacked(path):
    with _Written(path) as file:
        file.put("codes", np.ones((6, 2)))
        file.group("RDMs")
        file.refer("RDMs/RDM", MATRICES)
        file.refer("RDMs/name", ["one", "", "three"])
        file.refer("RDMs/pairs", np.arange(18.0).reshape(3, 1, 6))
        file.refer("RDMs/weight", [1.0, 2.0, 3.0])
        file.refer("RDMs/shapes", [np.eye(2), np.eye(3), np.eye(2)])
        file.refer("RDMs/gaps", [np.eye(2), np.zeros((0, 0)), np.eye(2)])
        file.refer("RDMs/mixed", [1.0, "x", 2.0])
    found, content = _read(path)
    assert set(found) == {"codes", "RDMs.RDM", "RDMs.name", "RDMs.pairs", "RDMs.weight"}
    np.testing.assert_array_equal(found["RDMs.RDM"], MATRICES)
    np.testing.assert_array_equal(found["RDMs.pairs"], np.arange(18).reshape(3, 6))
    assert found["RDMs.name"].tolist() == ["one", "", "three"]
    assert found["RDMs.weight"].tolist() == [1, 2, 3]
    assert content.refused["RDMs.shapes"] == content.refused["RDMs.gaps"]
    assert content.refused["RDMs.shapes"].startswith("has not the same shape")
    assert "or names" in content.refused["RDMs.mixed"]
    with pytest.raises(RequestError, match=r"'RDMs' is a struct; say one of its fields, RDMs\.RDM"):
        read(path, content, ["RDMs"])


def test_one_struct_and_structs_within(path):
    with _Written(path) as file:
        file.group("all")
        file.group("all/inner")
        file.put("all/RDM", MATRICES[0])
        file.put("all/note", "text")
        file.put("all/inner/RDM", MATRICES[1])
        file.refer("all/names", ["a", "bc"]).attrs["MATLAB_class"] = np.bytes_("cell")
        file.refer("all/cells", ["a", 1.0]).attrs["MATLAB_class"] = np.bytes_("cell")
    found, content = _read(path)
    np.testing.assert_array_equal(found["all.RDM"], MATRICES[0])
    np.testing.assert_array_equal(found["all.inner.RDM"], MATRICES[1])
    assert found["all.names"].tolist() == ["a", "bc"]
    assert content.refused["all.note"] == "is a single value"
    assert "or names" in content.refused["all.cells"]


def test_a_struct_without_arrays_is_said(path):
    with _Written(path) as file:
        file.put("codes", np.ones((6, 2)))
        file.group("options")
        file.put("options/note", "text")
    _, content = _read(path)
    assert set(content.shapes) == {"codes"}
    assert set(content.refused) == {"options"}
    assert content.refused["options"].startswith("is a struct, a cell array of other things than names")


def test_references_to_what_is_no_array_are_said(path):
    with _Written(path) as file:
        file.put("codes", np.ones((6, 2)))
        file.group("RDMs")
        file.refer("RDMs/null", [1.0, 2.0])[1] = [h5py.Reference()]
        file.refer("RDMs/group", [1.0, 2.0])[1] = [file.file["RDMs"].ref]
        file.refer("RDMs/own", [1.0, 2.0])[1] = [file.file["RDMs/null"].ref]
    content = open_codes(path)
    assert set(content.shapes) == {"codes"}
    assert content.refused["RDMs.null"] == "is damaged"


def test_one_matrix_named_many_times_is_no_recording(path):
    with _Written(path) as file:
        file.group("RDMs")
        large = file.put("large", np.zeros((400, 400)))
        file.file["RDMs/RDM"] = np.array([[large.ref]] * 5000, h5py.ref_dtype)
        file.file["RDMs/many"] = np.array([[large.ref]] * 10_001, h5py.ref_dtype)
    content = open_codes(path)
    assert content.shapes["RDMs.RDM"] == (5000, 400, 400)
    assert content.refused["RDMs.many"] == "is of an array of more than 10,000 structs"
    with pytest.raises(RequestError, match=r"RDMs\.RDM must be at most 4 GB"):
        read(path, content, ["RDMs.RDM"])


def test_numbers_in_another_file_are_not_followed(path):
    with h5py.File(path.with_name("other.h5"), "w") as other:
        other["matrix"] = np.eye(3)
    with _Written(path) as file:
        file.group("RDMs")
        file.file.create_dataset("#refs#/away", (3, 3), "f8", external=[(str(path.with_name("raw")), 0, 72)])
        file.file["#refs#/away"].attrs["MATLAB_class"] = np.bytes_("double")
        file.file["RDMs/RDM"] = np.array([[file.file["#refs#/away"].ref]], h5py.ref_dtype)
        file.file["RDMs/link"] = h5py.ExternalLink("other.h5", "/matrix")
    content = open_codes(path)
    assert set(content.shapes) == {"RDMs.RDM"}
    with pytest.raises(RequestError, match="lies in another file"):
        read(path, content, ["RDMs.RDM"])

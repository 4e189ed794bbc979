"""Files of codes in every format, and what is said of files that cannot be read."""

from __future__ import annotations

import pickle
import struct

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from safetensors.numpy import save_file
from scipy.io import savemat

from ratewarp import RequestError, measure
from ratewarp.codes.code_files import known_suffixes, open_codes, read
from ratewarp.codes.request import gather

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(6, 3))
LABELS = np.array(["a", "b", "a", "b", "a", "b"])


def _write_mat73(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        file["codes"] = CODES.T  # MATLAB's order of axes
    with path.open("r+b") as file:
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124)
        file.write(head + struct.pack("<H", 0x0200) + b"IM")


def _write_h5(path):
    with h5py.File(path, "w") as file:
        file["codes"] = CODES
        file["labels"] = LABELS.astype(object)


WRITERS = {
    "npz": lambda path: np.savez(path, codes=CODES, labels=LABELS),
    "npy": lambda path: np.save(path, CODES),
    "h5": _write_h5,
    "nc": lambda path: xr.Dataset({"codes": (("item", "latent"), CODES)}).to_netcdf(path, engine="h5netcdf"),
    "mat": lambda path: savemat(path, {"codes": CODES, "labels": np.arange(6)}),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_arrays_of_every_format(tmp_path, kind):
    path = tmp_path / f"file.{kind}"
    WRITERS[kind](path)
    content = open_codes(path)
    np.testing.assert_array_equal(read(path, content, ["codes"])["codes"], CODES)


def test_names_of_matlab(tmp_path):
    cells = np.array(["west", "east", "west"], dtype=object)
    savemat(tmp_path / "five.mat", {"cells": cells, "letters": np.array(["west", "no  "])})
    with h5py.File(tmp_path / "seven.mat", "w", userblock_size=512) as file:
        for place, word in enumerate(cells):
            file[f"#refs#/{place}"] = np.array([[ord(letter)] for letter in word], np.uint16)
            file[f"#refs#/{place}"].attrs["MATLAB_class"] = np.bytes_("char")
        file["cells"] = np.array([[file[f"#refs#/{place}"].ref for place in range(3)]], h5py.ref_dtype)
        file["cells"].attrs["MATLAB_class"] = np.bytes_("cell")
        file["letters"] = np.array(
            [[ord(letter) for letter in word] for word in ("west", "no  ")], np.uint16
        ).T
        file["letters"].attrs["MATLAB_class"] = np.bytes_("char")
    with (tmp_path / "seven.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM")
    for name in ("five.mat", "seven.mat"):
        found = read(tmp_path / name, open_codes(tmp_path / name), ["cells", "letters"])
        assert found["cells"].tolist() == ["west", "east", "west"]
        assert found["letters"].tolist() == ["west", "no"]


def test_names_stored_as_bytes_are_text(tmp_path):
    np.savez(
        tmp_path / "own.npz",
        labels=np.array(["é", "b"]).astype(object).astype(str),
        raw=np.array([b"a", b"b"]),
    )
    found = read(tmp_path / "own.npz", open_codes(tmp_path / "own.npz"), ["labels", "raw"])
    assert found["raw"].tolist() == ["a", "b"]
    np.savez(tmp_path / "bad.npz", raw=np.array([b"\xff"]))
    with pytest.raises(RequestError, match="raw must be text in UTF-8"):
        read(tmp_path / "bad.npz", open_codes(tmp_path / "bad.npz"), ["raw"])


def test_row_names_are_no_codes(tmp_path):
    pd.DataFrame(CODES, columns=["x", "y", "z"], index=np.arange(1, 7)).sample(frac=1, random_state=0).to_csv(
        tmp_path / "own.csv"
    )
    request = gather(tmp_path / "own.csv", {})
    assert request.arguments["codes"].shape == (6, 3)
    assert any(line.startswith("left out: Unnamed: 0, a column without a name") for line in request.told)


def test_tables_without_names_have_numbered_columns(tmp_path):
    (tmp_path / "own.csv").write_text("0.5,-0.1,2\n1,2,3\n")
    codes = gather(tmp_path / "own.csv", {}).arguments["codes"]
    np.testing.assert_array_equal(codes, [[0.5, -0.1, 2], [1, 2, 3]])


@pytest.mark.parametrize("text", ["a;b\n1,5;2\n2,5;3,25\n", "a;b\n1.5;2\n2.5;3.25\n", "1,5;2\n2,5;3,25\n"])
def test_tables_with_semicolons(tmp_path, text):
    (tmp_path / "own.csv").write_text(text)
    codes = gather(tmp_path / "own.csv", {}).arguments["codes"]
    np.testing.assert_array_equal(codes, [[1.5, 2], [2.5, 3.25]])


def test_safetensors_and_pickles(tmp_path):
    save_file({"codes": CODES.astype(np.float32)}, tmp_path / "own.safetensors")
    np.testing.assert_array_equal(
        gather(tmp_path / "own.safetensors", {}).arguments["codes"], CODES.astype(np.float32)
    )
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "own.safetensors").read_bytes()[:40])
    with pytest.raises(RequestError, match=r"cut\.safetensors cannot be read"):
        open_codes(tmp_path / "cut.safetensors")
    (tmp_path / "own.pt").write_bytes(b"")
    with pytest.raises(
        RequestError, match=r"own\.pt is a pickle, which only running code could read; save it with"
    ):
        open_codes(tmp_path / "own.pt")


def test_first_rows_of_numbers_are_no_names(tmp_path):
    for columns in (["0.5", "-0.1", "east"], ["3", "1", "x"]):
        (tmp_path / "own.csv").write_text(",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n")
        with pytest.raises(RequestError, match="first row must hold the names"):
            open_codes(tmp_path / "own.csv")
    pd.DataFrame(CODES).to_csv(tmp_path / "own.csv", index=False)  # pandas names columns 0, 1, 2
    assert gather(tmp_path / "own.csv", {}).arguments["codes"].shape == (6, 3)
    (tmp_path / "own.csv").write_text("a,b\n")
    with pytest.raises(RequestError, match="holds no rows"):
        open_codes(tmp_path / "own.csv")


def test_columns_that_are_not_asked_for_need_not_be_complete(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0], "notes": ["fine", None], "right": [True, False]}).to_csv(
        tmp_path / "own.csv", index=False
    )
    request = gather(tmp_path / "own.csv", {})
    assert request.arguments["codes"].shape == (2, 2)
    assert "not used: right (2,)" in request.told


def test_arrays_that_nothing_is_made_of_are_told(tmp_path):
    np.savez(tmp_path / "own.npz", codes=CODES, label=LABELS, refernce=CODES)
    told = gather(tmp_path / "own.npz", {}).told
    assert "not used: label (6,) Did you mean 'labels'?" in told
    assert "not used: refernce (6, 3) Did you mean 'reference'?" in told
    with pytest.raises(RequestError, match="reference_noise must be given together with a reference"):
        gather(tmp_path / "own.npz", {"reference_noise": "refernce"})
    with pytest.raises(RequestError, match="'codes' is asked for 2 times"):
        gather(tmp_path / "own.npz", {"codes": "codes,codes"})


def test_rows_of_files_that_hold_no_ids(tmp_path):
    ids, stimuli = np.array([f"i{row}" for row in range(6)]), np.repeat(["s0", "s1", "s2"], 2)
    np.savez(tmp_path / "own.npz", codes=CODES, ids=ids, stimuli=stimuli)
    np.save(tmp_path / "labels.npy", LABELS)
    pd.DataFrame({"a": [1.0, 2.0, 4.0]}).to_csv(tmp_path / "factors.csv", index=False)
    request = gather(
        tmp_path / "own.npz",
        {"labels": str(tmp_path / "labels.npy"), "factors": str(tmp_path / "factors.csv")},
    )
    assert request.arguments["labels"]["labels"].tolist() == LABELS.tolist()
    assert request.arguments["factors"]["a"].tolist() == [1.0, 2.0, 4.0]
    assert any("labels.npy: rows taken in order" in line for line in request.told)


def test_files_are_told_from_keys(tmp_path):
    folder = tmp_path / "İ export.matlab"
    folder.mkdir()
    savemat(folder / "base.mat", {"codes": CODES})
    np.save(tmp_path / "own.npy", CODES)
    (tmp_path / "labels.cvs").write_text("kind\na\n")
    assert (
        "reference" in gather(tmp_path / "own.npy", {"reference": f"{folder / 'base.mat'}:codes"}).arguments
    )
    with pytest.raises(RequestError, match=r"unknown format '\.cvs'\. Did you mean '\.csv'"):
        gather(tmp_path / "own.npy", {"labels": str(tmp_path / "labels.cvs")})


def test_matlab_7_3(tmp_path):
    path = tmp_path / "file.mat"
    _write_mat73(path)
    np.testing.assert_array_equal(read(path, open_codes(path), ["codes"])["codes"], CODES)


def test_tables(tmp_path):
    table = pd.DataFrame({"z1": CODES[:, 0], "z2": CODES[:, 1], "labels": LABELS, "ids": np.arange(6)})
    table.to_csv(tmp_path / "file.csv", index=False)
    table.to_csv(tmp_path / "file.tsv", index=False, sep="\t")
    for name in ("file.csv", "file.tsv"):
        request = gather(tmp_path / name, {})
        np.testing.assert_allclose(request.arguments["codes"], CODES[:, :2])
        assert request.arguments["labels"]["labels"].tolist() == LABELS.tolist()
        assert request.told == ["codes: z1, z2", "labels: labels", "ids: ids"]
    chosen = gather(tmp_path / "file.csv", {"codes": "z*", "labels": "labels"})
    np.testing.assert_allclose(chosen.arguments["codes"], CODES[:, :2])


def test_text_in_hdf5(tmp_path):
    _write_h5(tmp_path / "file.h5")
    assert (
        read(tmp_path / "file.h5", open_codes(tmp_path / "file.h5"), ["labels"])["labels"].tolist()
        == LABELS.tolist()
    )


def test_a_second_file_is_matched_by_id(tmp_path):
    order = RNG.permutation(6)
    np.savez(tmp_path / "own.npz", codes=CODES, ids=np.arange(6))
    np.savez(tmp_path / "base.npz", latents=2 * CODES[order], ids=np.arange(6)[order])
    pd.DataFrame({"ids": np.arange(6)[order], "kind": LABELS[order]}).to_csv(
        tmp_path / "labels.csv", index=False
    )
    request = gather(
        tmp_path / "own.npz",
        {"reference": str(tmp_path / "base.npz"), "labels": str(tmp_path / "labels.csv")},
    )
    assert request.arguments["labels"]["kind"].tolist() == LABELS.tolist()
    np.testing.assert_array_equal(request.arguments["reference_ids"], np.arange(6)[order])
    pd.DataFrame({"ids": np.arange(6) + 1, "kind": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(RequestError, match="lacks id 0; its rows are matched by id"):
        gather(tmp_path / "own.npz", {"labels": str(tmp_path / "labels.csv")})
    np.savez(tmp_path / "bare.npz", codes=CODES)
    with pytest.raises(RequestError, match="holds no 'ids', by which its rows are to be matched"):
        gather(tmp_path / "own.npz", {"reference": str(tmp_path / "bare.npz")})


def test_every_second_file_is_matched_by_id(tmp_path):
    """Codes, and noise of the reference, not only labels."""
    order, noise = RNG.permutation(6), np.arange(18.0).reshape(6, 3)
    pd.DataFrame({"ids": np.arange(6), "labels": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    np.savez(tmp_path / "turned.npz", z=CODES[order], ids=np.arange(6)[order])
    codes = gather(tmp_path / "labels.csv", {"codes": f"{tmp_path}/turned.npz:z", "ids": "ids"}).arguments
    np.testing.assert_array_equal(codes["codes"], CODES)
    assert codes["labels"]["labels"].tolist() == LABELS.tolist()
    np.savez(tmp_path / "own.npz", codes=CODES, ids=np.arange(6), spread=noise)
    np.savez(tmp_path / "noise.npz", spread=noise[::-1], ids=np.arange(6)[::-1])
    for source in ("own.npz:spread", "noise.npz:spread"):
        found = gather(
            tmp_path / "own.npz",
            {"reference": f"{tmp_path}/turned.npz:z", "reference_noise": f"{tmp_path}/{source}"},
        ).arguments
        np.testing.assert_array_equal(found["reference_noise"], noise[order])
        np.testing.assert_array_equal(found["reference_ids"], np.arange(6)[order])


def test_ids_of_a_second_file_name_the_rows_of_the_first(tmp_path):
    np.save(tmp_path / "own.npy", CODES)
    pd.DataFrame({"trial": np.arange(6), "kind": LABELS}).to_csv(tmp_path / "names.csv", index=False)
    pd.DataFrame({"trial": np.arange(6)[::-1], "side": LABELS[::-1]}).to_csv(
        tmp_path / "side.csv", index=False
    )
    found = gather(
        tmp_path / "own.npy", {"ids": f"{tmp_path}/names.csv:trial", "labels": f"{tmp_path}/side.csv:side"}
    )
    assert found.arguments["labels"]["side"].tolist() == LABELS.tolist()


def test_wrong_ids_are_refused_although_no_other_file_is_matched(tmp_path):
    np.savez(tmp_path / "twice.npz", codes=CODES, ids=[0, 1, 2, 3, 3, 5])
    np.savez(tmp_path / "missing.npz", codes=CODES, ids=[0, 1, np.nan, 3, 4, 5])
    np.savez(tmp_path / "short.npz", codes=CODES, ids=[0, 1])
    for name, match in (
        ("twice", "different for every row; got '3 2 times'"),
        ("missing", "missing values"),
        ("short", "6 items; got '2'"),
    ):
        with pytest.raises(RequestError, match=match):
            gather(tmp_path / f"{name}.npz", {})


def test_rows_that_cannot_be_matched_are_said(tmp_path):
    np.savez(tmp_path / "own.npz", codes=CODES)
    pd.DataFrame({"ids": np.arange(6), "kind": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    told = gather(tmp_path / "own.npz", {"labels": f"{tmp_path}/labels.csv:kind"}).told
    assert any("rows taken in order" in line for line in told)


def test_labels_of_a_bare_array_are_named_after_its_file(tmp_path):
    np.save(tmp_path / "own.npy", CODES)
    np.save(tmp_path / "kind.npy", LABELS)
    assert list(gather(tmp_path / "own.npy", {"labels": str(tmp_path / "kind.npy")}).arguments["labels"]) == [
        "kind"
    ]


def test_arrays_of_objects_are_not_left_out_in_silence(tmp_path):
    np.savez(tmp_path / "own.npz", codes=CODES, labels=LABELS.astype(object), kind=LABELS.astype(object))
    for wanted in ({}, {"labels": "kind"}):
        with pytest.raises(RequestError, match=r"only running code could read; save it .*\.astype\(str\)"):
            gather(tmp_path / "own.npz", wanted)
    np.savez(tmp_path / "other.npz", codes=CODES, remark=LABELS.astype(object))
    assert any(line.startswith("left out: remark") for line in gather(tmp_path / "other.npz", {}).told)
    np.savez(tmp_path / "codes.npz", codes=CODES.astype(object), other=CODES)
    with pytest.raises(RequestError, match=r"'codes' holds Python objects"):
        gather(tmp_path / "codes.npz", {})


def test_other_arrays_of_the_same_file(tmp_path):
    np.savez(tmp_path / "own.npz", high=CODES, low=CODES / 2, kind=LABELS)
    request = gather(tmp_path / "own.npz", {"codes": "low", "reference": "high", "labels": "kind"})
    np.testing.assert_array_equal(request.arguments["reference"], CODES)
    with pytest.raises(RequestError, match=r"--codes must say which array.*high \(6, 3\), low \(6, 3\)"):
        gather(tmp_path / "own.npz", {})
    with pytest.raises(RequestError, match=r"no array named 'hihg'. Did you mean 'high'\? It holds: high"):
        gather(tmp_path / "own.npz", {"codes": "hihg"})


def test_tables_are_not_taken_for_what_they_are_not(tmp_path):
    table = pd.DataFrame(
        {"pc1": CODES[:, 0], "pc2": CODES[:, 1], "ref1": CODES[:, 2], "trial": np.arange(6), "kind": LABELS}
    )
    table.to_csv(tmp_path / "own.csv")  # with pandas's row numbers
    other = pd.DataFrame(
        {"trial": np.arange(6)[::-1], "pc2": CODES[::-1, 1], "pc1": CODES[::-1, 0], "depth": np.arange(6)}
    )
    other.to_csv(tmp_path / "ref.csv", index=False)
    own = gather(tmp_path / "own.csv", {"reference": "ref1", "ids": "trial", "labels": "kind"})
    assert own.told[0] == "codes: pc1, pc2"
    both = gather(
        tmp_path / "own.csv", {"codes": "pc*", "reference": str(tmp_path / "ref.csv"), "ids": "trial"}
    )
    np.testing.assert_allclose(both.arguments["reference"], CODES[::-1, :2])
    with pytest.raises(RequestError, match="one array is needed here"):
        gather(tmp_path / "own.csv", {"stimuli": "kind,trial"})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b\n1,2\n?,3\n4,5\n", r"row 1, counted from 0, of a column of numbers is '\?'"),
        ("a,kind\n1,x\n2,\n3,y\n", "column 'kind' must be complete; row 1 is empty"),
    ],
)
def test_untidy_tables_are_refused(tmp_path, text, match):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(RequestError, match=match):
        gather(tmp_path / "own.csv", {"labels": "kind"} if "kind" in text else {})


class Trap:
    """A pickle that would leave a file behind if it were read."""

    def __reduce__(self):
        return (open, ("trapped", "w"))


def test_pickles_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", codes=np.array([Trap(), 1], dtype=object), other=CODES)
    assert "codes" not in open_codes(tmp_path / "own.npz").shapes
    np.save("own.npy", np.array([Trap(), 1], dtype=object))
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Trap()))
    savemat("own.mat", {"codes": np.array([{"a": 1}], dtype=object)})
    for name, match in (("own.npy", r"own\.npy holds Python objects"), ("bare.npy", "cannot be read")):
        with pytest.raises(RequestError, match=match):
            open_codes(tmp_path / name)
    with pytest.raises(RequestError, match="is a struct, a cell array of other things than names"):
        read(tmp_path / "own.mat", open_codes(tmp_path / "own.mat"), ["codes"])
    assert not (tmp_path / "trapped").exists()


def test_files_that_cannot_be_read(tmp_path):
    for suffix in known_suffixes():
        with pytest.raises(RequestError, match="no such file"):
            open_codes(tmp_path / f"missing{suffix}")
        if suffix not in (".csv", ".tsv", ".zarr"):
            (tmp_path / f"damaged{suffix}").write_bytes(b"nothing of the kind")
            with pytest.raises(RequestError, match=r"cannot be read|needs another package"):
                open_codes(tmp_path / f"damaged{suffix}")
    with pytest.raises(RequestError, match=r"unknown format '.nzp'. Did you mean '.npz'"):
        open_codes(tmp_path / "codes.nzp")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "huge.npy").open("wb") as file:
        file.truncate(10 * 10**9)  # sparse: takes no room on the disk
    with pytest.raises(RequestError, match=r"at most 4 GB; measure a part of the items; got '10\.0 GB'"):
        open_codes(tmp_path / "huge.npy")


@pytest.mark.parametrize("shape", [(6, 0), (0, 0), ()])
@pytest.mark.parametrize("role", ["labels", "factors", "ids", "stimuli", "frequency", "noise", "codes"])
def test_arrays_without_rows_or_columns_are_refused(tmp_path, role, shape):
    np.savez(tmp_path / "own.npz", **{"codes": CODES, role: np.zeros(shape)})
    with pytest.raises(RequestError, match=rf"{role}|arguments|shape|--codes must say"):
        measure(**gather(tmp_path / "own.npz", {}).arguments)


@pytest.mark.parametrize(
    "ids", [np.zeros((6, 2)), np.array([["a", "b"]] * 6), np.zeros((6, 1, 1)), np.array(3.0)]
)
def test_ids_of_other_shapes_are_refused(tmp_path, ids):
    np.savez(tmp_path / "own.npz", codes=CODES, ids=ids)
    with pytest.raises(
        RequestError, match=r"ids.* must be (one id for each row|an array with a row for each item)"
    ):
        gather(tmp_path / "own.npz", {})


@pytest.mark.parametrize("role", ["ids", "labels"])
def test_structs_are_no_names(tmp_path, role):
    savemat(tmp_path / "own.mat", {"codes": CODES, role: {"a": 1.0, "b": "text"}})
    with pytest.raises(RequestError, match=f"'{role}' is a struct"):
        gather(tmp_path / "own.mat", {})

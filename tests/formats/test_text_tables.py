"""Tables: names as pandas makes them, and widths at which a search for each name would take minutes."""

from __future__ import annotations

import csv
import io
import random

import numpy as np
import pandas as pd
import pytest

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read
from ratewarp.codes.request import gather
from ratewarp.formats.text_tables import _check_header

NAMES = ("a", "b", "a.1", "a.2", "", "c,d", "a.1.1", 'q"x', "li\nne", "é")


@pytest.mark.parametrize("seed", range(40))
def test_tables_are_as_pandas_reads_them(tmp_path, seed):
    rng = random.Random(seed)
    names = rng.choices(NAMES, k=rng.randrange(1, 9))
    rows = [[rng.choice(("", 1, "x", 2.5, "NA")) for _ in names] for _ in range(4)] + [[1] * len(names)]
    text = io.StringIO()
    csv.writer(text, lineterminator=rng.choice(("\n", "\r\n"))).writerows([names, *rows])
    path = tmp_path / "own.csv"
    path.write_bytes((rng.choice(("", "\ufeff")) + rng.choice(("", "\n")) + text.getvalue()).encode())
    theirs = pd.read_csv(path)
    content = open_codes(path)
    assert list(content.shapes) == [name for name in theirs.columns if not name.startswith("Unnamed:")]
    for name in content.numeric:
        if pd.api.types.is_numeric_dtype(theirs[name]):
            np.testing.assert_array_equal(read(path, content, [name])[name], theirs[name])


@pytest.mark.parametrize("column", ["numbers", "names"])
def test_wide_tables(tmp_path, column):
    width = 1500
    table = pd.DataFrame(
        {f"n{place}": [place, place + 0.5] if place % 2 else [place, 2] for place in range(width)}
    )
    if column == "names":
        table["labels"] = ["a", "b"]
    table.to_csv(tmp_path / "own.csv", index=False)
    request = gather(tmp_path / "own.csv", {})
    np.testing.assert_array_equal(request.arguments["codes"], table.iloc[:, :width].to_numpy())


class Counted(str):
    """A name that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        Counted.compared += 1
        return str.__eq__(self, other)


def test_names_are_not_searched_for_one_by_one():
    names = [Counted(f"n{place}") for place in range(1000)]
    _check_header(names)
    assert Counted.compared < 10 * len(names)


def test_missing_cells_without_end_are_refused(tmp_path):
    (tmp_path / "own.csv").write_text(
        ",".join(f"c{place}" for place in range(20_000)) + "\n" + "1\n" * 20_000
    )
    with pytest.raises(RequestError, match="holds at least a hundredth"):
        open_codes(tmp_path / "own.csv")


def test_one_long_name_among_many_is_refused(tmp_path):
    """NumPy would give each of them the room of the longest: here 40 GB."""
    (tmp_path / "own.csv").write_text("n,labels\n1," + "x" * 10**6 + "\n" + "1,a\n" * 10**4)
    with pytest.raises(
        RequestError,
        match=r"labels must be names of similar length; got 'one of 1,000,000 letters among 10,001 names'",
    ):
        read(tmp_path / "own.csv", open_codes(tmp_path / "own.csv"), ["labels"])


def test_binary_data_are_no_table(tmp_path):
    (tmp_path / "own.csv").write_bytes(b"a,b\n1,\0\n")
    with pytest.raises(RequestError, match=r"own\.csv is not a text file"):
        open_codes(tmp_path / "own.csv")


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "own.parquet"
    pd.DataFrame({"a": np.arange(5), "labels": list("xyxyx")}).to_parquet(path)
    found = read(path, open_codes(path), ["a", "labels"])
    assert found["a"].tolist() == [0, 1, 2, 3, 4]
    assert found["labels"].tolist() == list("xyxyx")

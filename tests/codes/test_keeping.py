"""Measurements in files and notebooks."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ratewarp import RatewarpError, RequestError, measure
from ratewarp.codes import keeping
from ratewarp.geometry import planted_codes

P = planted_codes(prototypization=0.4, side=4, items=3)
NAMES = np.array(["low, 1", '<b onload="x()">\x1b[31m\n"\0z'])
COLUMNS = ["measure", "task", "trial_noise", "class", "other", "latent", "value", "se", "low", "high"]
COLUMNS += ["p", "p_adjusted", "n", "note"]


@pytest.fixture(scope="module")
def found():
    labels = {"half": np.array(["low", "high"])[P.classes], "in the row": P.stimuli // 4}
    spread = np.full(P.codes.shape, 0.1)
    return measure(
        P.codes,
        labels,
        factors=P.factors[P.stimuli],
        reference=P.reference,
        noise=spread,
        reference_noise=spread,
        permutations=50,
    )


@pytest.fixture(scope="module")
def hostile():
    labels = {"<script>/\0": NAMES[P.classes], "a": P.classes}
    return measure(P.codes, labels, reference=P.reference, permutations=0)


def _text(table):
    return table.assign(
        **{name: table[name].astype(object).where(table[name].notna(), None) for name in ("class", "other")}
    )


def _assert_same(read, table):
    assert list(read) == COLUMNS
    pd.testing.assert_frame_equal(_text(read), _text(table), check_dtype=False)


def test_csv(found, tmp_path):
    found.save(tmp_path / "found.csv")
    read = pd.read_csv(tmp_path / "found.csv", dtype={"class": str, "other": str})
    _assert_same(read.fillna({"task": "", "trial_noise": "", "note": ""}), found.table)


def test_json(found, tmp_path):
    found.save(str(tmp_path / "found.JSON"))
    read = json.loads((tmp_path / "found.JSON").read_text())
    assert {name: read[name] for name in ("items", "latents", "units", "number", "level", "kept")} == {
        "items": 48,
        "latents": 5,
        "units": "stimuli",
        "number": 16,
        "level": 0.95,
        "kept": {},
    }
    assert read["classes"] == {"half": ["high", "low"], "in the row": ["0", "1", "2", "3"]}
    _assert_same(pd.DataFrame(read["measures"]), found.table)


def test_parquet(found, tmp_path):
    pytest.importorskip("pyarrow")
    found.save(tmp_path / "found.parquet")
    read = pd.read_parquet(tmp_path / "found.parquet")
    _assert_same(read, found.table)
    assert (read.attrs["level"], read.attrs["kept"]) == (0.95, {})


def test_netcdf(found, tmp_path):
    found.save(tmp_path / "found.nc")
    with xr.open_dataset(tmp_path / "found.nc", engine="h5netcdf") as read:
        read.load()
    assert (read.attrs["units"], read.attrs["number"], read.attrs["level"]) == ("stimuli", 16, 0.95)
    called = {"half": "half", "in the row": "task_2"}
    for row in found.table.to_dict("records"):
        if not pd.isna(row["class"]):
            task = called[row["task"]]
            matrix = read[f"{row['measure']}_of_{task}"]
            assert matrix.attrs["task"] == row["task"]
            axes = {f"class_of_{task}": row["class"], f"other_of_{task}": row["other"]}
            cell = matrix.sel(trial_noise=row["trial_noise"], **axes)
            turned = matrix.sel(
                trial_noise=row["trial_noise"], **dict(zip(axes, (row["other"], row["class"]), strict=True))
            )
            np.testing.assert_array_equal(cell, [row[name] for name in keeping.QUANTITIES])
            np.testing.assert_array_equal(cell, turned)
        elif not pd.isna(row["latent"]):
            cell = read[row["measure"]].sel(trial_noise=row["trial_noise"], latent=row["latent"])
            assert cell.sel(quantity="value") == row["value"]
        else:
            cell = read.sel({axis: row[axis] for axis in ("measure", "task", "trial_noise")})
            np.testing.assert_array_equal(
                [cell[name] for name in keeping.QUANTITIES], [row[name] for name in keeping.QUANTITIES]
            )
            assert (cell["n"], cell["note"]) == (row["n"], row["note"])


@pytest.mark.parametrize("suffix", ["csv", "json", "nc", "parquet"])
def test_any_name_can_be_kept(hostile, tmp_path, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    hostile.save(tmp_path / f"found.{suffix}")
    with pytest.raises(RequestError, match="path must be a file that does not exist yet"):
        hostile.save(tmp_path / f"found.{suffix}")


def test_what_cannot_be_written_is_said(found, tmp_path, monkeypatch):
    with pytest.raises(
        RequestError, match=r"path must be a file whose name ends in .csv, .json, .parquet, .nc or .html; got"
    ):
        found.save(tmp_path / "found.xlsx")
    with pytest.raises(RequestError, match="in a folder that does"):
        found.save(tmp_path / "none" / "found.csv")
    monkeypatch.setattr(keeping, "find_spec", lambda name: None)
    with pytest.raises(RatewarpError, match=r"pip install 'ratewarp\[files\]'"):
        found.save(tmp_path / "found.parquet")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "write_new", full)
    with pytest.raises(RatewarpError, match="No space left on device; nothing else was changed"):
        found.save(tmp_path / "found.csv")


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_notebooks_show_a_table_in_which_names_are_text(found, hostile):
    shown = found._repr_html_()
    assert shown.index("without trial noise") < shown.index(">with trial noise<")
    rows = found.table.to_dict("records")
    (row,) = [one for one in rows if (one["measure"], one["trial_noise"]) == ("linear_cka", "removed")]
    value, low, high = (row[name] for name in ("value", "low", "high"))
    assert f"{value:.3f}</td>" in shown
    assert f"[{low:.3f}, {high:.3f}]" in shown
    parser = _Tags()
    parser.feed(hostile._repr_html_())
    assert parser.tags == {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "sup", "br"}
    assert parser.attributes == {"style", "title"}
    assert not {"\x1b", "\0"} & set(hostile._repr_html_())


def test_long_matrices_are_cut():
    codes = np.random.default_rng(0).normal(size=(120, 3))
    shown = measure(codes, np.arange(120) % 20, permutations=0)._repr_html_()
    assert "… 200 more of class_distance labels: see .table" in shown
    assert len(shown) < 30_000


def test_repr_is_one_line(hostile):
    assert len(repr(hostile).splitlines()) == 1
    assert repr(hostile).startswith(r"<Measurement: 48 items, 5 latents; tasks: <script>/\x00 (2 classes)")

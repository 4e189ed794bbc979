"""What was measured of several sets, in files and notebooks."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ratewarp import RatewarpError, RequestError, measure_several
from ratewarp.codes import keeping

RNG = np.random.default_rng(0)
KIND = np.array(["low, 1", ""])[np.arange(24) % 2]
LABELS = {"kind": KIND, "in the row": np.arange(24) // 8}
SETS = {f"s{n}\0": RNG.normal(size=(24, 3, 3)) + (np.arange(24) % 2)[:, None, None] for n in range(4)}
NAMES = [name.replace("\0", r"\x00") for name in SETS]
FLAT = {name: codes[:, :, 0] for name, codes in SETS.items()}
OVER, OF_SET = ["mean", "se", "low", "high", "p", "p_adjusted"], ["value", "se", "low", "high"]


def _several(sets, **changes):
    spread = np.full((24, 3), 0.1)
    return measure_several(sets, LABELS, reference=FLAT["s0\0"], noise=spread, workers=1, **changes)


@pytest.fixture(scope="module")
def flat():
    return _several(FLAT)


@pytest.fixture(scope="module")
def over_time():
    return _several(SETS, places=[-0.1, 0.0, 0.1])


@pytest.fixture(scope="module")
def over_layers():
    return _several(SETS, third="layer of it", places=["V1\0", 2, "IT"])


EVERY = ["flat", "over_time", "over_layers"]


def _assert_same(read, table, numbers):
    assert list(read) == list(table)
    np.testing.assert_array_equal(read[numbers].astype(float), table[numbers])
    for name in ("measure", "task", "trial_noise"):
        assert list(read[name].fillna("")) == list(table[name])


@pytest.mark.parametrize("name", EVERY)
def test_csv_is_two_tables(name, tmp_path, request):
    found = request.getfixturevalue(name)
    found.save(tmp_path / "found.csv")
    _assert_same(pd.read_csv(tmp_path / "found.csv"), found.group, [*OVER, "sets"])
    sets = pd.read_csv(tmp_path / "found-sets.csv")
    _assert_same(sets, found.table, [*OF_SET, "n"])
    assert list(dict.fromkeys(sets["set"])) == NAMES
    if found.third is not None:
        assert list(dict.fromkeys(sets[found.third])) == (
            [-0.1, 0.0, 0.1] if name == "over_time" else [r"V1\x00", "2", "IT"]
        )


def test_parquet_is_two_tables(over_layers, tmp_path):
    pytest.importorskip("pyarrow")
    over_layers.save(tmp_path / "found.parquet")
    read = pd.read_parquet(tmp_path / "found.parquet")
    _assert_same(read, over_layers.group, [*OVER, "sets"])
    assert (read.attrs["third"], read.attrs["level"]) == ("layer of it", 0.95)
    _assert_same(pd.read_parquet(tmp_path / "found-sets.parquet"), over_layers.table, [*OF_SET, "n"])


@pytest.mark.parametrize("name", EVERY)
def test_json_has_both_tables(name, tmp_path, request):
    found = request.getfixturevalue(name)
    found.save(str(tmp_path / "found.json"))
    read = json.loads((tmp_path / "found.json").read_text())
    assert (read["third"], read["names"], read["level"]) == (found.third, NAMES, 0.95)
    _assert_same(pd.DataFrame(read["group"]), found.group, [*OVER, "sets"])
    _assert_same(pd.DataFrame(read["sets"]), found.table, [*OF_SET, "n"])


@pytest.mark.parametrize("name", EVERY)
def test_netcdf_has_both_in_groups(name, tmp_path, request):
    """Every row is found again by its names: single numbers, matrices, numbers of latents."""
    found = request.getfixturevalue(name)
    found.save(tmp_path / "found.nc")
    third = {"flat": None, "over_time": "time", "over_layers": "third"}[name]
    places = dict(
        zip(found.places, [r"V1\x00", "2", "IT"] if third == "third" else found.places, strict=True)
    )
    with xr.open_dataset(tmp_path / "found.nc", engine="h5netcdf") as root:
        assert (root.attrs["third"], root.attrs["level"]) == (found.third or "", 0.95)
    for group, table, numbers in (("group", found.group, OVER), ("sets", found.table, OF_SET)):
        with xr.open_dataset(tmp_path / "found.nc", group=group, engine="h5netcdf") as read:
            read.load()
        for row in table.to_dict("records"):
            at = {"trial_noise": row["trial_noise"]}
            at |= {third: places[row[found.third]]} if third is not None else {}
            at |= {"set": row["set"].replace("\0", r"\x00")} if group == "sets" else {}
            if row["measure"].startswith("class_distance"):
                called = {"kind": "kind", "in the row": "task_2"}[row["task"]]
                at |= {f"class_of_{called}": row["class"], f"other_of_{called}": row["other"]}
                cell = read[f"{row['measure']}_of_{called}"].sel(at)
                np.testing.assert_array_equal(cell.sel(quantity=numbers), [row[one] for one in numbers])
            elif row["measure"] == "latent_rate":
                cell = read["latent_rate"].sel(at, drop=True).sel(latent=int(row["latent"]))
                np.testing.assert_array_equal(cell.sel(quantity=numbers), [row[one] for one in numbers])
            else:
                cell = read.sel({"measure": row["measure"], "task": row["task"], **at})
                np.testing.assert_array_equal([cell[one] for one in numbers], [row[one] for one in numbers])


def test_dates_are_places(tmp_path):
    found = measure_several(SETS, KIND, third="day", places=[date(2026, 1, n) for n in (1, 2, 3)], workers=1)
    for suffix in ("csv", "json", "nc"):
        found.save(tmp_path / f"found.{suffix}")
    assert list(pd.read_csv(tmp_path / "found.csv")["day"].unique()) == [
        "2026-01-01",
        "2026-01-02",
        "2026-01-03",
    ]


def test_no_file_is_written_over(flat, tmp_path):
    (tmp_path / "found-sets.csv").write_text("mine")
    with pytest.raises(
        RequestError, match=r"path must be a file beside which there is no found-sets\.csv yet"
    ):
        flat.save(tmp_path / "found.csv")
    assert not (tmp_path / "found.csv").exists()
    flat.save(tmp_path / "found.json")
    with pytest.raises(RequestError, match="path must be a file that does not exist yet"):
        flat.save(tmp_path / "found.json")
    with pytest.raises(RequestError, match="path must be a file whose name ends in"):
        flat.save(tmp_path / "found.xls")
    assert (tmp_path / "found-sets.csv").read_text() == "mine"


def test_both_files_are_written_or_none(flat, tmp_path, monkeypatch):
    write = keeping.write_new

    def half(file, content):
        if file.stem.endswith("-sets"):
            raise OSError(28, "No space left on device")
        write(file, content)

    monkeypatch.setattr(keeping, "write_new", half)
    with pytest.raises(RatewarpError, match="No space left on device; nothing else was changed"):
        flat.save(tmp_path / "found.csv")
    assert not list(tmp_path.iterdir())


def test_notebooks_show_the_table_over_sets(flat, over_time):
    shown = flat._repr_html_()
    row = flat.group.query("measure == 'prototypization' and task == 'kind'").iloc[0]
    assert f"<td style='white-space:nowrap'>{row['mean']:.3f}</td>".replace("-", "−", 0) in shown
    assert f"[{row['low']:.3f}, {row['high']:.3f}]".replace("-", "−") in shown
    assert "<th>sets</th>" in shown
    along = over_time._repr_html_()
    assert along.index("<td style='text-align:left'>-0.1</td>") < along.index(
        "<td style='text-align:left'>0.1</td>"
    )
    assert repr(over_time).startswith("<Several: 4 sets; 3 places of time; 95% intervals over sets; ")
    assert "\0" not in shown + along


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"third": "measure"}, r"third must be another name than those of columns \(set, measure, "),
        ({"places": [0, 0, 1]}, "places must be all different"),
    ],
)
def test_axes_that_could_not_be_told_are_refused(changes, match):
    with pytest.raises(RequestError, match=match):
        measure_several(SETS, KIND, workers=1, **changes)

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray as xr

from ratewarp.runs.record_checks import read_record
from ratewarp.runs.record_files import read_labelled
from ratewarp.runs.run_files import DamagedError
from stored import make_readout, make_record


def _some_pictured(places=(0, 2), **changed):
    """A record with pictures of two of its three stimuli."""
    pictures = {
        name: (("pictured", "row", "column"), np.ones((2, 2, 2))) for name in ("image", "reconstruction")
    }
    return make_record("one", **{**pictures, "pictured": ("pictured", np.array(places)), **changed})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "record.nc"


def test_a_record_is_read_as_it_was_written(file):
    make_record("one").to_netcdf(file, engine="h5netcdf")
    xr.testing.assert_identical(read_record(file, "one"), make_record("one"))
    file.unlink()
    _some_pictured().to_netcdf(file, engine="h5netcdf")
    xr.testing.assert_identical(read_record(file, "one"), _some_pictured())
    file.unlink()
    make_readout("one").to_netcdf(file, engine="h5netcdf")
    assert set(read_record(file, "one", readout=True)) == {"prediction", "label", "frequency"}


def test_files_are_read_as_xarray_reads_them(file):
    fractions = make_record("one").assign_attrs(capacity_nats=0.3, seed=2, model="E2M1")
    for record in (fractions, _some_pictured(), make_readout("one")):
        record.to_netcdf(file, engine="h5netcdf")
        ours, theirs = read_labelled(file, 10**6), xr.load_dataset(file, engine="h5netcdf")
        xr.testing.assert_identical(ours, theirs)
        assert ours.attrs == theirs.attrs
        assert {v: ours[v].dtype for v in ours} == {v: theirs[v].dtype for v in theirs}
        file.unlink()


def test_an_array_in_another_file_is_not_followed(file):
    make_record("one", without="rate").to_netcdf(file, engine="h5netcdf")
    with h5py.File(file.with_name("other.h5"), "w") as other:
        other["rate"] = np.ones((3, 2))
    with h5py.File(file, "a") as stored:
        stored["rate"] = h5py.ExternalLink("other.h5", "rate")
    with pytest.raises(DamagedError, match="it has no rate"):
        read_record(file, "one")
    with h5py.File(file, "a") as stored:
        del stored["rate"]
        stored.create_dataset("rate", (3, 2), "f8", external=[("raw", 0, 48)])
    with pytest.raises(DamagedError, match="its rate stands in another file"):
        read_record(file, "one")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (make_record("two"), "it is of 'two', not of one"),
        (make_record("one").drop_attrs(), "it is of None, not of one"),
        (make_record("one", without="code"), "it has no code"),
        (make_record("one", without="history_rate"), "it has no history_rate"),
        (make_record("one", code=(("item", "latent"), np.full((6, 2), "text"))), "its code is of type"),
        (
            make_record("one", code=("item", np.zeros(6))),
            r"its code is over \('item',\), not over \('item', 'latent'\)",
        ),
        (make_record("one", stimulus=("item", np.zeros(6))), "its stimulus is of type float64"),
        (make_record("one", stimulus=("item", [0, 0, 1, 1, 2, 3])), "stimuli that it does not have"),
        (make_record("one", stimulus=("item", [0, 0, 1, 1, 2, -1])), "stimuli that it does not have"),
        (make_record("one").isel(stimulus_index=slice(0), item=slice(0)), "it is empty"),
        (make_record("one").isel(held_out=slice(0)), "it is empty"),
        (make_record("one").isel(item=slice(0)), "stimuli that it does not have"),
        (_some_pictured(places=(0, 3)), "its pictures are of stimuli that it does not have"),
        (_some_pictured().isel(pictured=slice(0)), "its pictures are of stimuli that it does not have"),
        (_some_pictured(places=(0.0, 2.0)), "its pictured is of type float64"),
        (_some_pictured().drop_vars("pictured"), "it has no pictured"),
        (
            _some_pictured(image=(("stimulus_index", "row", "column"), np.ones((3, 2, 2)))),
            r"its image is over .*, not over \('pictured',\)",
        ),
    ],
)
def test_what_is_no_record_is_said_in_words(file, record, reason):
    record.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(DamagedError, match=f"record.nc is damaged: .*{reason}"):
        read_record(file, "one")


def test_what_unpacks_to_more_than_memory_is_not_read(file, monkeypatch):
    make_record("one").to_netcdf(file, engine="h5netcdf")
    monkeypatch.setattr("ratewarp.runs.record_checks._MOST_UNPACKED", 100)
    with pytest.raises(DamagedError, match=r"it unpacks to \d+ bytes"):
        read_record(file, "one")

"""Zarr folders: what their metadata declare."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from ratewarp import RequestError
from ratewarp.codes.code_files import open_codes, read

SMALL = {
    "shape": [3, 2],
    "chunks": [3, 2],
    "dtype": "<f8",
    "filters": None,
    "compressor": None,
    "zarr_format": 2,
}


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"filters": [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 5}]}, "holds pickled objects"),
        ({"compressor": {"id": "Pickle"}}, "holds pickled objects"),
        ({"codecs": [{"name": "numcodecs.pickle"}]}, "holds pickled objects"),
        ({"shape": [10**8, 2]}, "holds at least a hundredth"),
        ({"chunks": [10**8, 2]}, "holds at least a hundredth"),
        (
            {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10**8]}}},
            "holds at least a hundredth",
        ),
    ],
)
@pytest.mark.parametrize("name", [".zarray", ".zmetadata", "zarr.json"])
def test_metadata_are_looked_at_first(tmp_path, declared, says, name):
    inside = tmp_path / "own.zarr" / "codes"
    inside.mkdir(parents=True)
    told = {"metadata": {"codes/.zarray": SMALL | declared}} if name == ".zmetadata" else SMALL | declared
    (inside / name).write_text(json.dumps(told))
    with pytest.raises(RequestError, match=says):
        open_codes(tmp_path / "own.zarr")


@pytest.mark.filterwarnings("ignore")  # of zarr
def test_zarr(tmp_path):
    pytest.importorskip("zarr")
    xr.Dataset({"codes": (("item", "latent"), np.eye(3))}).to_zarr(tmp_path / "own.zarr")
    np.testing.assert_array_equal(
        read(tmp_path / "own.zarr", open_codes(tmp_path / "own.zarr"), ["codes"])["codes"], np.eye(3)
    )

"""Run directories: what a study leaves on disk. Written atomically, read without pickle.

A run directory holds `study.yaml` (resolved), `manifest.json`, `conditions/<id>/` {`condition.json`, `record.nc`,
`params.safetensors`}, `readouts/<id>/` {`record.nc`, `params.safetensors`}, `tables/*.csv`, `figures/`, `report.html`, and while
it is unfinished `checkpoints/`, `measured/` (parts of the tables) and `drawn/` (pictures of the page). A condition appears
whole, by one rename, or not at all; so do the heads on its frozen codes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from safetensors.numpy import load_file, save

from ratewarp._checks import RatewarpError, RequestError, refuse_name
from ratewarp._files import (
    MAX_STUDY_BYTES,
    PARTIAL,
    disk_errors,
    exists,
    is_file,
    is_folder,
    make_folder,
    parse_mapping,
    read_text,
    sync,
    undamaged,
    write_whole,
)
from ratewarp._interrupt import unbroken
from ratewarp._yaml import write_yaml

TABLES = ("models", "tasks", "geometry", "bound", "normative")
READOUT_FILES = ("record.nc", "params.safetensors")
CONDITION_FILES = ("condition.json", *READOUT_FILES)


@dataclass(frozen=True)
class RunDirectory:
    """A run directory on disk.

    Attributes:
        path: the folder.
    """

    path: Path

    @cached_property
    def study(self) -> dict[str, Any]:
        """The resolved study, as data."""
        file = self.path / "study.yaml"
        return parse_mapping(read_text(file, MAX_STUDY_BYTES), str(file))

    @property
    def checkpoints(self) -> Path:
        """Where training that is not finished is kept."""
        return self.path / "checkpoints"

    @property
    def measured(self) -> Path:
        """Where parts of the tables are kept until all of them are finished."""
        return self.path / "measured"

    @property
    def drawn(self) -> Path:
        """Where the page's pictures are kept until the page is written."""
        return self.path / "drawn"

    @property
    def manifest(self) -> dict[str, Any]:
        """Version, packages, device, seeds and timings of the run."""
        file = self.path / "manifest.json"
        with undamaged(file):
            return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def finished(self, condition: str) -> bool:
        """Whether the condition of that id is stored."""
        return all((self._folder(condition) / name).exists() for name in CONDITION_FILES)

    @property
    def begun(self) -> bool:
        """Whether any condition is stored."""
        folder = self.path / "conditions"
        return folder.is_dir() and any(self.finished(one.name) for one in folder.iterdir())

    def condition(self, condition: str) -> dict[str, Any]:
        """The description of a stored condition."""
        file = self._existing(condition) / "condition.json"
        with undamaged(file):
            return json.loads(file.read_text(encoding="utf-8"))

    def record(self, condition: str) -> xr.Dataset:
        """Codes, posterior variances, evaluation and history of a stored condition, with labelled dimensions."""
        file = self._existing(condition) / "record.nc"
        with undamaged(file), xr.open_dataset(file, engine="h5netcdf") as record:
            return record.load()

    def params(self, condition: str) -> dict[str, np.ndarray]:
        """Trained parameters of a stored condition, by their place in the model."""
        file = self._existing(condition) / "params.safetensors"
        with undamaged(file):
            return load_file(file)

    def has_table(self, name: str) -> bool:
        """Whether that table is written."""
        return (self.path / "tables" / f"{name}.csv").exists()

    def table(self, name: str, needs: Sequence[str] = ()) -> pd.DataFrame:
        """One of `TABLES`; `needs` are columns it must have."""
        if name not in TABLES:
            refuse_name("table", "table", name, TABLES)
        file = self.path / "tables" / f"{name}.csv"
        if not self.has_table(name):
            raise RatewarpError(
                f"{self.path} has no {name} table yet; finish it with: ratewarp run {self.path / 'study.yaml'} --out {self.path}"
            )
        with undamaged(file):
            table = pd.read_csv(file, keep_default_na=False, na_values=[""])
        missing = [column for column in needs if column not in table]
        if missing:
            raise RatewarpError(
                f"{file} was written by another version of ratewarp (no column {', '.join(missing)}); write it again with:"
                f" ratewarp run {self.path / 'study.yaml'} --out {self.path}"
            )
        return table

    def read_out(self, condition: str) -> bool:
        """Whether the heads on the frozen codes of that condition are stored."""
        return all((self.path / "readouts" / condition / name).exists() for name in READOUT_FILES)

    def readout(self, condition: str) -> xr.Dataset:
        """What the heads on the frozen codes of a stored condition say of its held-out images."""
        self._existing(condition)
        if not self.read_out(condition):
            raise RatewarpError(
                f"{self.path} has no heads on the frozen codes of {condition}; if its study has `readouts` of that model, finish it with:"
                f" ratewarp run {self.path / 'study.yaml'} --out {self.path}"
            )
        file = self.path / "readouts" / condition / "record.nc"
        with undamaged(file), xr.open_dataset(file, engine="h5netcdf") as record:
            return record.load()

    def write_condition(self, condition: str, description: Mapping[str, Any], record: xr.Dataset, params: Mapping[str, np.ndarray]) -> None:
        """Stores a condition; it appears by one rename. One that is already there is left as it is."""
        if not self.finished(condition):
            text = json.dumps(description, indent=1) + "\n"
            self._write_folder("conditions", condition, {"condition.json": text.encode("utf-8"), **_arrays(record, params)})

    def write_readout(self, condition: str, record: xr.Dataset, params: Mapping[str, np.ndarray]) -> None:
        """Stores the heads on the frozen codes of a condition, by one rename. What is already there is left as it is."""
        if not self.read_out(condition):
            self._write_folder("readouts", condition, _arrays(record, params))

    @unbroken()
    def _write_folder(self, kind: str, name: str, files: Mapping[str, bytes]) -> None:
        parent = self.path / kind
        with disk_errors(parent):
            make_folder(parent)
            partial = Path(mkdtemp(prefix=PARTIAL, dir=parent))
            try:
                for file_name, content in files.items():
                    (partial / file_name).write_bytes(content)
                partial.chmod(0o755)
                for file in (*partial.iterdir(), partial):
                    sync(file)
                os.replace(partial, parent / name)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            sync(parent)

    def write_table(self, name: str, rows: pd.DataFrame) -> None:
        """Writes a table; floats with nine significant digits."""
        self.write_text(f"tables/{name}.csv", rows.to_csv(index=False, float_format="%.9g", lineterminator="\n"))

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Writes the manifest."""
        self.write_text("manifest.json", json.dumps(manifest, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file of the run directory at once."""
        self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Writes a file of the run directory at once, so that a reader sees the old or the new one whole."""
        file = self.path / name
        with disk_errors(file):
            write_whole(file, content)

    def remove_partial(self) -> None:
        """Removes what an interrupted write of this package left behind."""
        for partial in list(self.path.rglob(f"{PARTIAL}*")):
            with disk_errors(partial):
                shutil.rmtree(partial) if partial.is_dir() else partial.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Removes `measured` or `drawn`, once what it was kept for is written."""
        with disk_errors(folder):
            if folder.is_dir():
                shutil.rmtree(folder)

    def _folder(self, condition: str) -> Path:
        return self.path / "conditions" / condition

    def _existing(self, condition: str) -> Path:
        folder = self._folder(condition)
        if not folder.is_dir():
            parent = self.path / "conditions"
            known = sorted(f.name for f in parent.iterdir() if not f.name.startswith(".")) if parent.is_dir() else []
            refuse_name("condition", "condition", condition, known)
        return folder


def _arrays(record: xr.Dataset, params: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    """Files of a record and of parameters."""
    compressed = {name: {"zlib": True, "complevel": 4} for name, variable in record.data_vars.items() if variable.ndim}
    return {
        "record.nc": bytes(record.to_netcdf(None, engine="h5netcdf", encoding=compressed)),
        "params.safetensors": save({name: np.array(value, order="C") for name, value in params.items()}),
    }


def create_run(
    path: Path, study: Mapping[str, Any], read_as: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda stored: stored
) -> RunDirectory:
    """The run directory of `study` at `path`: made if the folder is new or empty, taken up again if it holds this very study.

    `read_as` brings a stored study into the form of `study`, such as with defaults that an earlier version did not know.

    Raises:
        RequestError: the folder holds another study, or other files.
        RatewarpError: the folder cannot be written.
    """
    run = RunDirectory(path)
    if exists(path / "study.yaml"):
        if read_as(open_run(path).study) != study:
            raise RequestError(f"{path} holds the run of a different study; choose another folder with --out, or remove it yourself")
        run.remove_partial()
        return run
    if exists(path) and (not is_folder(path) or any(not file.name.startswith(PARTIAL) for file in path.iterdir())):
        raise RequestError(f"{path} exists and is not a run directory; choose another folder with --out")
    text = write_yaml(dict(study))
    size = len(text.encode())
    if size > MAX_STUDY_BYTES:
        raise RequestError(f"a study must be at most {MAX_STUDY_BYTES:,} bytes, written out; got {size:,} bytes: split it into parts")
    run.write_text("study.yaml", text)
    return RunDirectory(path)


def open_run(path: str | Path) -> RunDirectory:
    """Opens a run directory to read its tables, codes and parameters.

    Arguments:
        path: folder written by `ratewarp.run` or `ratewarp run`.

    Returns:
        The run directory.

    Raises:
        RequestError: the folder is not a run directory, or its study cannot be read.
    """
    run = RunDirectory(Path(path))
    if not is_file(run.path / "study.yaml"):
        raise RequestError(f"{path} is not a run directory (it has no study.yaml)")
    _ = run.study  # read once here, so that damage shows at once
    return run

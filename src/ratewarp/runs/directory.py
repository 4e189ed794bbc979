"""Run directories: what a study leaves on disk. Written atomically, read without pickle.

A run directory holds `study.yaml` (resolved), `manifest.json`, `conditions/<id>/` {`condition.json`,
`record.nc`, `params.safetensors`, `sums.json`}, `readouts/<id>/` {`record.nc`, `params.safetensors`,
`sums.json`}, `tables/*.csv`, `figures/`, `drawn/` (pictures of the page), `report.html`, and while it is
unfinished `checkpoints/` and `measured/` (parts of the tables). A condition appears whole, by one
rename, or not at all; so do the heads on its frozen codes. One process at a time writes
(`ratewarp.runs.run_lock`); any may read what is there.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from html import escape
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
    is_file,
    make_folder,
    parse_mapping,
    read_text,
    sync,
    write_whole,
)
from ratewarp._interrupt import unbroken
from ratewarp._yaml import write_yaml
from ratewarp.runs.manifests import check_manifest
from ratewarp.runs.record_checks import read_record
from ratewarp.runs.run_files import (
    MOST_ARRAYS,
    MOST_TABLE,
    SUMS,
    DamagedError,
    check_regular,
    check_sum,
    damage,
    folder_within,
    read_json,
    read_regular,
    refuse_link,
    remove_partial,
    sums_of,
)
from ratewarp.runs.run_lock import LOCK, RunLock, lock_run
from ratewarp.runs.table_checks import check_table

TABLES = ("models", "tasks", "geometry", "bound", "normative")
READOUT_FILES = ("record.nc", "params.safetensors")
CONDITION_FILES = ("condition.json", *READOUT_FILES)
_NOTEBOOK_ROOM = 600_000  # letters of codes, maps and images of a run in a notebook
FOLDERS = ("conditions", "readouts", "checkpoints", "measured", "tables", "drawn", "figures", "comparison")


@dataclass(frozen=True)
class RunDirectory:
    """A run directory on disk.

    Attributes:
        path: the folder.
        lock: held for writing to it; None where it is only read.
    """

    path: Path
    lock: RunLock | None = field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        """A small stage of what is there; why there is none where nothing is."""
        import ratewarp  # pages stand above runs; the package's own door loads them where they are wanted

        try:
            return ratewarp.stage(self, room=_NOTEBOOK_ROOM)._repr_html_()
        except RatewarpError as error:
            return f"<p>{escape(str(error))}</p>"

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
        """Where the page's pictures are kept, with what they were drawn of."""
        return self.path / "drawn"

    @property
    def manifest(self) -> dict[str, Any]:
        """Version, packages, device, seeds and timings of the run; empty if it is not written yet."""
        file = self.path / "manifest.json"
        if not os.path.lexists(file):
            return {}
        with damage(file, self._again("it is set aside and written again")):
            return check_manifest(read_json(file), file)

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
        with damage(file, self._again()):
            check_sum(file)
            return read_json(file)

    def record(self, condition: str) -> xr.Dataset:
        """Codes, posterior variances, evaluation and history of a stored condition, with labelled
        dimensions.
        """
        file = self._existing(condition) / "record.nc"
        with damage(file, self._again()):
            check_regular(file, MOST_ARRAYS)
            check_sum(file)
            return read_record(file, condition)

    def params(self, condition: str) -> dict[str, np.ndarray]:
        """Trained parameters of a stored condition, by their place in the model."""
        file = self._existing(condition) / "params.safetensors"
        return self._arrays_in(file)

    def readout_params(self, condition: str) -> dict[str, np.ndarray]:
        """Trained parameters of the heads on the frozen codes of a stored condition."""
        file = self._existing_readout(condition) / "params.safetensors"
        return self._arrays_in(file)

    def _arrays_in(self, file: Path) -> dict[str, np.ndarray]:
        with damage(file, self._again()):
            check_regular(file, MOST_ARRAYS)
            check_sum(file)
            return load_file(file)

    def has_table(self, name: str) -> bool:
        """Whether that table is written."""
        return os.path.lexists(self.path / "tables" / f"{name}.csv")

    def table(self, name: str, needs: Sequence[str] = (), *, compare: bool = True) -> pd.DataFrame:
        """One of `TABLES`; `needs` are columns it must have. It is compared with its sum in the manifest,
        unless that cannot be read (`compare`).

        Raises:
            RatewarpError: it is not written yet, is damaged, or lacks a column.
        """
        if name not in TABLES:
            refuse_name("table", "table", name, TABLES)
        file = self.path / "tables" / f"{name}.csv"
        if not self.has_table(name):
            raise RatewarpError(f"{self.path} has no {name} table yet; finish it with: {self.command}")
        remedy = f"all tables are written again by: ratewarp tabulate {self.path}"
        with damage(file, remedy):
            content = read_regular(file, MOST_TABLE)
            sums = self.manifest.get("sha256", {}) if compare else {}
            wanted = sums.get(f"tables/{name}.csv")
            if wanted is not None and sha256(content).hexdigest() != wanted:
                raise DamagedError(
                    file, "is damaged or was changed: it does not match its SHA-256 in manifest.json"
                )
            table = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])
            missing = [column for column in needs if column not in table]
            if missing:
                lacking = f"no column {', '.join(missing)}"
                old = f"was written by another version of ratewarp, or is damaged ({lacking})"
                raise DamagedError(file, old)
            check_table(name, table, file)
        return table

    def has_heads(self, condition: str) -> bool:
        """Whether the heads on the frozen codes of that condition are stored."""
        return all((self.path / "readouts" / condition / name).exists() for name in READOUT_FILES)

    def readout(self, condition: str) -> xr.Dataset:
        """What the heads on the frozen codes of a stored condition say of its held-out images."""
        file = self._existing_readout(condition) / "record.nc"
        with damage(file, self._again()):
            check_regular(file, MOST_ARRAYS)
            check_sum(file)
            return read_record(file, condition, readout=True)

    def write_condition(
        self,
        condition: str,
        description: Mapping[str, Any],
        record: xr.Dataset,
        params: Mapping[str, np.ndarray],
    ) -> None:
        """Stores a condition; it appears by one rename. One that is already there is left as it is."""
        if not self.finished(condition):
            text = json.dumps(description, indent=1) + "\n"
            self._write_folder(
                "conditions", condition, {"condition.json": text.encode("utf-8"), **files_of(record, params)}
            )

    def write_readout(self, condition: str, record: xr.Dataset, params: Mapping[str, np.ndarray]) -> None:
        """Stores the heads on the frozen codes of a condition, by one rename. What is already there is left
        as it is.
        """
        if not self.has_heads(condition):
            self._write_folder("readouts", condition, files_of(record, params))

    def write_copy(self, kind: str, name: str, files: Mapping[str, bytes]) -> None:
        """Stores the files of a condition, or of its heads, that another run directory has, by one rename;
        `kind` is `conditions` or `readouts`. What is already there is left as it is.
        """
        if not os.path.lexists(self.path / kind / name):
            self._write_folder(kind, name, files)

    @unbroken()
    def _write_folder(self, kind: str, name: str, files: Mapping[str, bytes]) -> None:
        self.refuse_lost()
        with disk_errors(self.path / kind):
            parent = folder_within(self.path, kind)
            partial = Path(mkdtemp(prefix=PARTIAL, dir=parent))
            try:
                for file_name, content in {**files, SUMS: sums_of(name, files)}.items():
                    (partial / file_name).write_bytes(content)
                partial.chmod(0o755)
                for file in (*partial.iterdir(), partial):
                    sync(file)
                os.replace(partial, parent / name)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            sync(parent)

    def write_table(self, name: str, rows: pd.DataFrame) -> str:
        """Writes a table, floats with nine significant digits; returns its SHA-256.

        If the manifest has another sum of it, that is taken out first, so that a table is never called
        damaged for being newer.
        """
        content = rows.to_csv(index=False, float_format="%.9g", lineterminator="\n").encode("utf-8")
        file, digest = f"tables/{name}.csv", sha256(content).hexdigest()
        manifest = self.manifest
        if manifest.get("sha256", {}).get(file, digest) != digest:
            kept = {other: value for other, value in manifest["sha256"].items() if other != file}
            self.write_manifest({**manifest, "sha256": kept})
        self.write_bytes(file, content)
        return digest

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Writes the manifest."""
        self.write_text("manifest.json", json.dumps(manifest, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file of the run directory at once."""
        self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Writes a file of the run directory, or of a folder right in it, so that a reader sees the old or
        the new one whole.
        """
        self.refuse_lost()
        file = self.path / name
        with disk_errors(file):
            if file.parent != self.path:
                folder_within(self.path, file.parent.name)
            write_whole(file, content)

    def refuse_lost(self) -> None:
        """Refuses to write if the folder is not the one whose lock is held.

        Raises:
            RatewarpError: it was removed, moved or made anew.
        """
        if self.lock is not None and self.lock.lost:
            raise RatewarpError(
                f"{self.path} was removed, moved or replaced while it was in use; nothing more is written to"
                " it. To begin again, run"
                " the same command"
            )

    @property
    def command(self) -> str:
        return f"ratewarp run {self.path / 'study.yaml'} --out {self.path}"

    def _again(self, what: str = "it is set aside and made again") -> str:
        return f"{what} by: {self.command}"

    def remove_folder(self, folder: Path) -> None:
        """Removes `measured` or `drawn`, once what it was kept for is written."""
        self.refuse_lost()
        refuse_link(folder)
        with disk_errors(folder):
            if folder.is_dir():
                shutil.rmtree(folder)

    def _folder(self, condition: str) -> Path:
        return self.path / "conditions" / condition

    def _existing(self, condition: str) -> Path:
        folder = self._folder(condition)
        if not folder.is_dir():
            parent = self.path / "conditions"
            known = (
                sorted(f.name for f in parent.iterdir() if not f.name.startswith("."))
                if parent.is_dir()
                else []
            )
            refuse_name("condition", "condition", condition, known)
        return folder

    def _existing_readout(self, condition: str) -> Path:
        self._existing(condition)
        if not self.has_heads(condition):
            raise RatewarpError(
                f"{self.path} has no heads on the frozen codes of {condition}; if its study has `readouts`"
                " of that model, finish it with:"
                f" {self.command}"
            )
        return self.path / "readouts" / condition


def files_of(record: xr.Dataset, params: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    """Files of a record and of parameters."""
    compressed = {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in record.data_vars.items()
        if variable.ndim
    }
    return {
        "record.nc": bytes(record.to_netcdf(None, engine="h5netcdf", encoding=compressed)),
        "params.safetensors": save({name: np.array(value, order="C") for name, value in params.items()}),
    }


@contextmanager
def working_on(
    path: Path,
    study: Mapping[str, Any],
    read_as: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda stored: stored,
) -> Iterator[RunDirectory]:
    """The run directory of `study` at `path`, locked: made if the folder is new or empty, taken up again if
    it holds this very study.

    `read_as` brings a stored study into the form of `study`, such as with defaults that an earlier version
    did not know.

    Raises:
        RequestError: the folder holds another study, or other files.
        RatewarpError: another process works on it, a folder in it is a symbolic link, or it cannot be
            written.
    """
    _refuse_other_files(path)
    with disk_errors(path):
        make_folder(path)
    with lock_run(path) as lock:
        run = RunDirectory(path, lock)
        _refuse_other_files(path)  # again, since another process may have been quicker
        _take_up(run, study, read_as)
        try:
            yield run
        except RatewarpError:
            run.refuse_lost()  # which explains whatever could not be read or written
            raise


@contextmanager
def writing_to(run: RunDirectory, doing: str) -> Iterator[RunDirectory]:
    """The same run directory, locked to be written to for what `doing` says: "draw" or "compare".

    Raises:
        RatewarpError: another process works on it, or it cannot be written.
    """
    with lock_run(run.path, doing) as lock:
        yield RunDirectory(run.path, lock)


def create_run(
    path: Path,
    study: Mapping[str, Any],
    read_as: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda stored: stored,
) -> RunDirectory:
    """The same, not locked any longer."""
    with working_on(path, study, read_as):
        return RunDirectory(path)


def _refuse_other_files(path: Path) -> None:
    """Refuses a folder that has files, but no study."""
    if not os.path.lexists(path):
        return
    others = not path.is_dir() or any(
        not (file.name.startswith(PARTIAL) or file.name == LOCK) for file in path.iterdir()
    )
    # asked last: a process that makes a run meanwhile writes it first
    if others and not os.path.lexists(path / "study.yaml"):
        raise RequestError(f"{path} exists and is not a run directory; choose another folder with --out")


def _take_up(
    run: RunDirectory, study: Mapping[str, Any], read_as: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> None:
    """Checks what is in a locked folder, and writes the study if it is new."""
    for name in FOLDERS:
        refuse_link(run.path / name)
    if not os.path.lexists(run.path / "study.yaml"):
        remove_partial(run.path)
        run.write_text("study.yaml", _written_out(study))
    elif read_as(open_run(run.path).study) != study:
        raise RequestError(
            f"{run.path} holds the run of a different study; choose another folder with --out, or remove it"
            " yourself"
        )
    else:
        remove_partial(run.path)


def _written_out(study: Mapping[str, Any]) -> str:
    text = write_yaml(dict(study))
    size = len(text.encode())
    if size > MAX_STUDY_BYTES:
        raise RequestError(
            f"a study must be at most {MAX_STUDY_BYTES:,} bytes, written out; got {size:,} bytes: split it"
            " into parts"
        )
    return text


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

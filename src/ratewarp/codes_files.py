"""Files that hold codes: every common format as named arrays. Nothing in them is executed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from ratewarp._checks import RatewarpError, RequestError, did_you_mean, refuse

_OBJECTS = "holds Python objects, which only running code could read; save it as numbers, or names with .astype(str)"
MAX_BYTES = 4 * 10**9  # of a file that is read, and of an array in it


class Content(NamedTuple):
    """What a file holds: names with their shapes, and a way to read one of them.

    Attributes:
        shapes: shape of every array, by name.
        read: reads the array of a name.
        tabular: whether the arrays are columns of one table.
        refused: arrays that are left out because only running code could read them: what to say of each.
    """

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]
    tabular: bool
    refused: Mapping[str, str] = MappingProxyType({})


def open_codes(path: Path) -> Content:
    """What the file at `path` holds.

    Raises:
        RequestError: no such file, an unknown format, a file that is too large, damaged, or would need to run code to be read.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise RequestError(
            f"{path}: unknown format {suffix or '(no suffix)'!r}.{did_you_mean(suffix, _READERS)} Known: {', '.join(_READERS)}"
        )
    if not path.exists():
        raise RequestError(f"{path}: no such file")
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        refuse(str(path), f"at most {MAX_BYTES / 1e9:g} GB; measure a part of the items", f"{path.stat().st_size / 1e9:.1f} GB")
    with _readable(path):
        return _READERS[suffix](path)


def read(path: Path, content: Content, keys: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays by name.

    Raises:
        RequestError: no array of that name, or one that is too large.
    """
    found = {}
    for key in keys:
        if key in content.refused:
            raise RequestError(f"{path}: {key!r} {content.refused[key]}")
        if key not in content.shapes:
            known = ", ".join(describe(content)) or "nothing"
            raise RequestError(f"{path} holds no array named {key!r}.{did_you_mean(key, content.shapes)} It holds: {known}")
        with _readable(path):
            found[key] = content.read(key)
    return found


def describe(content: Content) -> list[str]:
    """Names with shapes, for messages."""
    return [f"{name} {shape}" for name, shape in list(content.shapes.items())[:20]]


def known_suffixes() -> tuple[str, ...]:
    """Endings of the names of files that can be read."""
    return tuple(_READERS)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns every failure to read into one message."""
    try:
        yield
    except RatewarpError:
        raise
    except ImportError as error:
        raise RequestError(f"{path}: this format needs another package: {error}") from None
    except MemoryError:
        raise RequestError(f"{path} is too large for this machine's memory; measure a part of the items") from None
    except Exception as error:  # readers of other packages raise whatever they like
        raise RequestError(f"{path} cannot be read ({type(error).__name__}: {error})") from None


def _no_objects(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype == object:
        refuse(name, "an array of numbers or names", "Python objects, which only running code could read")
    return array


def _too_large(name: str, size: int) -> None:
    if size > MAX_BYTES:
        refuse(name, f"at most {MAX_BYTES / 1e9:g} GB; measure a part of the items", f"{size / 1e9:.1f} GB")


def _npy(path: Path) -> Content:
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    return Content({"codes": array.shape}, lambda _: np.array(array), tabular=False)


def _npz(path: Path) -> Content:
    shapes: dict[str, tuple[int, ...]] = {}
    refused: dict[str, str] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            _too_large(f"{path}: {entry.filename}", entry.file_size)
            with archive.open(entry) as stream:
                version = np.lib.format.read_magic(stream)
                header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = header(stream)
            name = entry.filename.removesuffix(".npy")
            if dtype.hasobject:
                refused[name] = _OBJECTS
            else:
                shapes[name] = shape

    def one(key: str) -> np.ndarray:
        with np.load(path, allow_pickle=False) as archive:
            return archive[key]

    return Content(shapes, one, tabular=False, refused=refused)


def _frame(table: pd.DataFrame) -> Content:
    columns = {str(name): table[name] for name in table.columns if not _is_index(str(name), table[name])}
    if columns and all(_is_number(name) for name in columns):
        raise RequestError(f"the first row must hold the names of the columns; got {', '.join(list(columns)[:4])}")
    return Content({name: (len(table),) for name in columns}, lambda key: _plain_column(cast(Any, columns[key])), tabular=True)


def _is_index(name: str, column: Any) -> bool:
    """Whether a column is the row numbers that pandas writes beside a table."""
    return name.startswith("Unnamed:") and np.array_equal(column, np.arange(len(column)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _plain_column(column: pd.Series) -> np.ndarray:
    """Numbers or names; a column of numbers with something else in it is an error, not names."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy()
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise RequestError(f"column {column.name!r} must be complete; row {missing[0] + 1} is empty")
    texts = column.astype(str)
    numbers = texts.map(_is_number).to_numpy()
    if 0.5 < numbers.mean() < 1:
        row = int(np.argmin(numbers))
        raise RequestError(
            f"column {column.name!r} must hold numbers or names; row {row + 1} of a column of numbers is {texts.iloc[row]!r}"
        )
    return texts.to_numpy(dtype=np.str_)


def _csv(path: Path) -> Content:
    return _frame(pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ","))


def _parquet(path: Path) -> Content:
    return _frame(pd.read_parquet(path))


def _hdf5(path: Path) -> Content:
    import h5py

    found: dict[str, tuple[int, ...]] = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, thing: found.__setitem__(name, thing.shape) if isinstance(thing, h5py.Dataset) else None)

    def one(key: str) -> np.ndarray:
        with h5py.File(path, "r") as file:
            dataset = cast(Any, file[key])
            _too_large(f"{path}: {key}", dataset.nbytes)
            return _text(dataset[()])

    return Content(found, one, tabular=False)


def _text(values: Any) -> np.ndarray:
    """Strings of HDF5, which come as bytes, as text."""
    array = np.asarray(values)
    if array.dtype == object and all(isinstance(one, bytes | str) for one in array.ravel()):
        return np.array([one.decode() if isinstance(one, bytes) else one for one in array.ravel()]).reshape(array.shape)
    return _no_objects("array", array)


def _netcdf(path: Path) -> Content:
    import xarray as xr

    return _dataset(lambda: xr.open_dataset(path))


def _zarr(path: Path) -> Content:
    import xarray as xr

    return _dataset(lambda: xr.open_zarr(path))


def _dataset(opened: Callable[[], Any]) -> Content:
    with opened() as data:
        shapes = {str(name): tuple(data[name].shape) for name in data.variables}

    def one(key: str) -> np.ndarray:
        with opened() as data:
            _too_large(key, data[key].nbytes)
            return _text(data[key].values)

    return Content(shapes, one, tabular=False)


def _mat(path: Path) -> Content:
    from scipy.io import loadmat, whosmat

    try:
        shapes = {name: tuple(shape) for name, shape, _ in whosmat(str(path))}
    except NotImplementedError:  # MATLAB 7.3 is HDF5, with axes reversed
        content = _hdf5(path)
        turned = {name: shape[::-1] for name, shape in content.shapes.items() if not name.startswith("#")}
        return Content({name: _line(shape) for name, shape in turned.items()}, lambda key: _flat(content.read(key).T), tabular=False)
    return Content(
        {name: _line(shape) for name, shape in shapes.items()},
        lambda key: _no_objects(key, _flat(loadmat(str(path), variable_names=[key])[key])),
        tabular=False,
    )


def _line(shape: tuple[int, ...]) -> tuple[int, ...]:
    """MATLAB's vectors are matrices of one column or row."""
    return (max(shape),) if len(shape) == 2 and min(shape) == 1 and max(shape) > 1 else shape


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(_line(array.shape))


_READERS: dict[str, Callable[[Path], Content]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".nc": _netcdf,
    ".zarr": _zarr,
    ".mat": _mat,
}

"""Files that hold codes: every common format as named arrays. Nothing in them is executed."""

from __future__ import annotations

import re
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
_NAMELESS = "a column without a name, such as row names"
_MOSTLY = 0.5  # share of numbers above which a column is one of numbers, with something wrong in it
MAX_BYTES = 4 * 10**9  # of a file that is read, and of an array in it


class Content(NamedTuple):
    """What a file holds: names with their shapes, and a way to read one of them.

    Attributes:
        shapes: shape of every array, by name.
        read: reads the array of a name.
        tabular: whether the arrays are columns of one table.
        refused: arrays that are left out: what to say of each.
        numeric: columns of a table that hold numbers, or hold them but for a cell that is wrong.
    """

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]
    tabular: bool
    refused: Mapping[str, str] = MappingProxyType({})
    numeric: frozenset[str] = frozenset()


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
            found[key] = _decoded(f"{path}: {key}", content.read(key))
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
        why = next(iter(str(error).splitlines()), "")
        raise RequestError(f"{path} cannot be read ({type(error).__name__}: {why})") from None


def _decoded(name: str, array: np.ndarray) -> np.ndarray:
    """Names as text, also where a file holds them as bytes."""
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        refuse(name, "text in UTF-8", "other bytes")


def _no_objects(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype == object:
        refuse(name, "an array of numbers or names", "Python objects, which only running code could read")
    return array


def _too_large(name: str, size: int) -> None:
    if size > MAX_BYTES:
        refuse(name, f"at most {MAX_BYTES / 1e9:g} GB; measure a part of the items", f"{size / 1e9:.1f} GB")


def _npy(path: Path) -> Content:
    with path.open("rb") as stream:
        if _header(stream)[2].hasobject:
            raise RequestError(f"{path} {_OBJECTS}")
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    return Content({"codes": array.shape}, lambda _: np.array(array), tabular=False)


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an array in NumPy's format."""
    version = np.lib.format.read_magic(stream)
    return np.lib.format.read_array_header_1_0(stream) if version == (1, 0) else np.lib.format.read_array_header_2_0(stream)


def _npz(path: Path) -> Content:
    shapes: dict[str, tuple[int, ...]] = {}
    refused: dict[str, str] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            _too_large(f"{path}: {entry.filename}", entry.file_size)
            with archive.open(entry) as stream:
                shape, _, dtype = _header(stream)
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
    if len(table) == 0:
        raise RequestError("it holds no rows")
    names = [str(name) for name in table.columns]
    nameless = {name: _NAMELESS for name in names if name.startswith("Unnamed:")}  # as pandas calls them
    columns: dict[str, Any] = {name: table[column] for name, column in zip(names, table.columns, strict=True) if name not in nameless}
    _check_header(list(columns))
    numeric = frozenset(name for name, column in columns.items() if _are_numbers(column))
    shapes = {name: (len(table),) for name in columns}
    return Content(shapes, lambda key: _plain_column(columns[key]), tabular=True, refused=nameless, numeric=numeric)


def _check_header(names: list[str]) -> None:
    """Refuses a first row that holds numbers rather than names; whole numbers that rise from column to column may be names."""
    plain = [re.sub(r"\.\d+$", "", name) if re.sub(r"\.\d+$", "", name) in names else name for name in names]  # repeated ones are numbered
    numbers = [float(name) for name in plain if _is_number(name)]
    if any(not number.is_integer() for number in numbers) or (np.diff(numbers) <= 0).any():
        raise RequestError(f"the first row must hold the names of the columns; got {', '.join(plain[:4])}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _are_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, or mostly numbers."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return not pd.api.types.is_bool_dtype(column.dtype)
    known = column.dropna().astype(str)
    return len(known) > 0 and float(known.map(_is_number).mean()) > _MOSTLY


def _plain_column(column: pd.Series) -> np.ndarray:
    """Numbers or names; a column of numbers with something else in it is an error, not names."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy()
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise RequestError(f"column {column.name!r} must be complete; row {missing[0]} is empty, counted from 0")
    texts = column.astype(str)
    numbers = texts.map(_is_number).to_numpy()
    if _MOSTLY < numbers.mean() < 1:
        row = int(np.argmin(numbers))
        raise RequestError(
            f"column {column.name!r} must hold numbers or names; row {row}, counted from 0, of a column of numbers is {texts.iloc[row]!r}"
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
            return _text(key, dataset[()])

    return Content(found, one, tabular=False)


def _text(name: str, values: Any) -> np.ndarray:
    """Strings of HDF5, which come as bytes, as text."""
    array = np.asarray(values)
    if array.dtype == object and all(isinstance(one, bytes | str) for one in array.ravel()):
        return np.array([one.decode() if isinstance(one, bytes) else one for one in array.ravel()]).reshape(array.shape)
    return _no_objects(name, array)


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
            return _text(key, data[key].values)

    return Content(shapes, one, tabular=False)


def _mat(path: Path) -> Content:
    from scipy.io import loadmat, whosmat

    try:
        shapes = {name: tuple(shape) for name, shape, _ in whosmat(str(path))}
    except NotImplementedError:  # MATLAB 7.3 is HDF5
        return _mat73(path)
    return Content(
        {name: _line(shape) for name, shape in shapes.items()},
        lambda key: _no_objects(f"{path}: {key}", _flat(_strings(loadmat(str(path), variable_names=[key])[key]))),
        tabular=False,
    )


def _strings(array: np.ndarray) -> np.ndarray:
    """Names of a cell array or of the rows of a matrix of characters, without the blanks that fill rows up."""
    if array.dtype == object and all(isinstance(one, np.ndarray) and one.dtype.kind == "U" and one.size == 1 for one in array.ravel()):
        array = np.array([str(one.item()) for one in array.ravel()]).reshape(array.shape)
    return np.char.rstrip(array) if array.dtype.kind == "U" else array


def _mat73(path: Path) -> Content:
    """HDF5 with axes reversed, letters as numbers, and cells as references to them."""
    import h5py

    content = _hdf5(path)
    shapes = {name: _line(shape[::-1]) for name, shape in content.shapes.items() if not name.startswith("#")}

    def one(key: str) -> np.ndarray:
        with h5py.File(path, "r") as file:
            dataset = cast(Any, file[key])
            kind = dataset.attrs.get("MATLAB_class", b"")
            if kind == b"char":
                return np.array(_rows_of_letters(dataset))
            if kind == b"cell":
                cells = [cast(Any, file[reference]) for reference in dataset[()].T.ravel()]
                if all(cell.attrs.get("MATLAB_class", b"") == b"char" for cell in cells):
                    return np.array(["".join(_rows_of_letters(cell)) for cell in cells])
        return _flat(content.read(key).T)

    return Content(shapes, one, tabular=False)


def _rows_of_letters(dataset: Any) -> list[str]:
    """Rows of a matrix of characters; an empty one holds its shape instead."""
    letters = np.atleast_2d(dataset[()].T)
    return [] if dataset.attrs.get("MATLAB_empty", 0) else ["".join(map(chr, row)).rstrip() for row in letters]


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

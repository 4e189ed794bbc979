"""HDF5 and NetCDF; arrays whose numbers stand in another file are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from ratewarp._checks import RequestError
from ratewarp.formats.content import Content, UnreadableError, as_names, no_objects
from ratewarp.formats.limits import check_unpacked

_DEEPEST = 50  # groups within groups
_LENGTH = 4  # bytes of the length of a text, before the address and the number of where it is
ELSEWHERE = "lies in another file, which is not followed; open that file, or copy the array into this one"


def read_hdf5(path: Path) -> Content:
    """The datasets of an HDF5 file, by path."""
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}
    refused: dict[str, str] = {}
    with h5py.File(path, "r") as file:
        for name, dataset in datasets(file):
            if dataset is None or is_elsewhere(dataset):
                refused[name] = ELSEWHERE
            elif dataset.shape is not None:  # an empty one has no shape
                shapes[name] = dataset.shape

    def one(key: str) -> np.ndarray:
        with h5py.File(path, "r") as file:
            return as_text(key, read_dataset(path, key, file[key]))

    return Content(shapes, one, tabular=False, refused=refused)


def read_dataset(path: Path, name: str, dataset: Any) -> Any:
    """Numbers of a dataset that stands in the file itself and is as large as it says.

    Raises:
        RequestError: it stands elsewhere, or is much larger than what the file holds.
    """
    import h5py

    if is_elsewhere(dataset):
        raise RequestError(f"{path}: {name!r} {ELSEWHERE}")
    _check_size(path, name, dataset)
    if dataset.dtype.hasobject and cast(Any, h5py).check_ref_dtype(dataset.dtype) is None:
        _check_lengths(path, name, dataset)
    return dataset[()]


def _check_lengths(path: Path, name: str, dataset: Any) -> None:
    """Texts are stored as references, each with the length of its text first: HDF5 takes that much memory for
    it, true or not. Not known where references are compressed.
    """
    start, chunked = dataset.id.get_offset(), dataset.chunks is not None
    if chunked and dataset.id.get_create_plist().get_nfilters() == 0:
        chunks = [dataset.id.get_chunk_info(number) for number in range(dataset.id.get_num_chunks())]
        places = [(chunk.byte_offset, chunk.size) for chunk in chunks]
    else:
        places = [] if start is None else [(start, dataset.id.get_storage_size())]
    size, total = path.stat().st_size, 0
    each = _LENGTH + dataset.file.id.get_create_plist().get_sizes()[0] + _LENGTH
    with path.open("rb") as stream:
        for place, length in places:
            stream.seek(place)
            held = stream.read(min(length, size))
            references = np.frombuffer(held[: len(held) // each * each], np.uint8).reshape(-1, each)
            total += int(references[:, :_LENGTH].copy().view("<u4").sum(dtype=np.int64))
    check_unpacked(f"{path}: {name}", total, size)


def _check_size(path: Path, name: str, dataset: Any) -> None:
    packed = min(dataset.id.get_storage_size(), path.stat().st_size)
    check_unpacked(f"{path}: {name}", dataset.nbytes, packed)


def as_text(name: str, values: Any) -> np.ndarray:
    """Strings of HDF5, which come as bytes, as text."""
    array = np.asarray(values)
    if array.dtype == object and all(isinstance(one, bytes | str) for one in array.ravel()):
        texts = [one.decode() if isinstance(one, bytes) else one for one in array.ravel()]
        return as_names(name, texts).reshape(array.shape)
    return no_objects(name, array)


def is_elsewhere(dataset: Any) -> bool:
    if dataset.external:
        return True
    return dataset.is_virtual and any(source.file_name != "." for source in dataset.virtual_sources())


def datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """Every dataset by path; None for a link that leads into another file. Links within the file name nothing
    new.

    Raises:
        UnreadableError: groups lie so deep in each other that looking for their names alone would take
            minutes.
    """
    import h5py

    waiting: list[tuple[tuple[str, ...], Any]] = [((), file)]
    place_of: Callable[[Any], int] = lambda thing: cast(Any, h5py).h5o.get_info(thing.id).addr  # noqa: E731
    met = {place_of(file)}  # hard links may lead back
    while waiting:
        above, group = waiting.pop()
        if len(above) > _DEEPEST:
            raise UnreadableError(f"cannot be read: its groups lie more than {_DEEPEST} levels deep")
        for name in group:
            link, path = group.get(name, getlink=True), (*above, name)
            if isinstance(link, h5py.ExternalLink):
                yield "/".join(path), None
            if not isinstance(link, h5py.HardLink):
                continue
            thing = group[name]
            if isinstance(thing, h5py.Dataset):
                yield "/".join(path), thing
            elif isinstance(thing, h5py.Group) and place_of(thing) not in met:
                met.add(place_of(thing))
                waiting.append((path, thing))


def read_netcdf(path: Path) -> Content:
    """The variables of a NetCDF file."""
    import h5py
    import xarray as xr

    if not h5py.is_hdf5(path):
        return variables(path, lambda: xr.open_dataset(path, engine="scipy"))
    _check_all(path)
    return variables(path, lambda: xr.open_dataset(path, engine="h5netcdf"))


def _check_all(path: Path) -> None:
    """Refuses what xarray would follow or read on opening: links out of the file, coordinates without end."""
    import h5py

    if out := list(read_hdf5(path).refused):
        raise UnreadableError(f"cannot be read: its variable {out[0]!r} {ELSEWHERE}")
    with h5py.File(path, "r") as file:
        for name, dataset in datasets(file):
            if dataset.shape is not None:
                _check_size(path, name, dataset)


def variables(path: Path, opened: Callable[[], Any]) -> Content:
    """The variables of what xarray opens."""
    with opened() as data:
        shapes = {str(name): tuple(data[name].shape) for name in data.variables}

    def one(key: str) -> np.ndarray:
        with opened() as data:
            check_unpacked(f"{path}: {key}", data[key].nbytes, _bytes_in(path))
            return as_text(key, data[key].values)

    return Content(shapes, one, tabular=False)


def _bytes_in(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())

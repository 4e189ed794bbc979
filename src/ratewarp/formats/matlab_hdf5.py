"""MATLAB 7.3 is HDF5: axes reversed, letters as numbers, cells and arrays of structs as references."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from ratewarp.formats.content import Content, as_names
from ratewarp.formats.hdf5_arrays import as_text, read_dataset, read_hdf5
from ratewarp.formats.limits import check_unpacked
from ratewarp.formats.matlab_fields import MOST_ELEMENTS, MOST_FIELDS, line, refused_fields

_NUMBERS = (
    *(b"double", b"single", b"logical"),
    *(f"{sign}int{bits}".encode() for sign in ("", "u") for bits in (8, 16, 32, 64)),
)
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OSError, RuntimeError)  # of h5py


def read_matlab_73(path: Path) -> Content:
    """The variables of the file, and fields of structs as `struct.field`."""
    import h5py

    content = read_hdf5(path)
    refused = {name: why for name, why in content.refused.items() if not name.startswith("#")}
    fields: dict[str, _Field] = {}
    with h5py.File(path, "r") as file:
        inside = _by_struct(file, [key for key in content.shapes if not key.startswith("#")])
        for struct, keys in inside.items():
            found, left = _fields_of(path, file, keys)
            fields |= found
            refused = {**refused, **refused_fields(struct, found, left)}
    of_structs = {key for keys in inside.values() for key in keys}
    shapes = {
        name: line(shape[::-1])
        for name, shape in content.shapes.items()
        if not name.startswith("#") and name not in of_structs
    }
    shapes |= {name: field.shape for name, field in fields.items() if name not in shapes}

    def one(name: str) -> np.ndarray:
        field = fields.get(name)
        with h5py.File(path, "r") as file:
            if field is not None and field.elements:
                return _joined(path, name, cast(Any, file[field.key]))
            return _variable(path, field.key if field else name, file)

    return Content(shapes, one, tabular=False, refused=refused)


class _Field(NamedTuple):
    """A field of a struct that is an array.

    Attributes:
        key: where it is in the file.
        shape: of the array; of an array of structs, the first axis is theirs.
        elements: whether it is of an array of structs, each with its own dataset.
    """

    key: str
    shape: tuple[int, ...]
    elements: bool


def _variable(path: Path, key: str, file: Any) -> np.ndarray:
    """One array; a cell array of names is one, too."""
    dataset = file[key]
    kind = _class_of(dataset)
    if kind == b"char":
        return as_names(key, _rows_of_letters(path, key, dataset))
    if kind == b"cell":
        references = read_dataset(path, key, dataset).T.ravel()
        cells = [cast(Any, file[reference]) for reference in references]
        if all(_class_of(cell) == b"char" for cell in cells):
            return as_names(key, ["".join(_rows_of_letters(path, key, cell)) for cell in cells])
    return flat(as_text(key, read_dataset(path, key, dataset)).T)


def _by_struct(file: Any, keys: list[str]) -> dict[str, list[str]]:
    """Keys of the datasets in every struct of the file."""
    inside: dict[str, list[str]] = {}
    for key in keys:
        struct, _, field = key.partition("/")
        if field and (struct in inside or _class_of(file[struct]) == b"struct"):
            inside.setdefault(struct, []).append(key)
    return inside


def _fields_of(path: Path, file: Any, keys: list[str]) -> tuple[dict[str, _Field], dict[str, str]]:
    """Fields of a struct that are arrays, and why others are none."""
    found: dict[str, _Field] = {}
    left: dict[str, str] = {}
    if len(keys) > MOST_FIELDS:
        return {}, {keys[0].partition("/")[0]: "fields"}
    for key in keys:
        name = key.replace("/", ".")
        try:
            shape, elements = _shape_of(path, key, file[key])
        except _LeftOutError as error:
            left[name] = str(error)
        except _DAMAGE:
            left[name] = "damaged"
        else:
            found[name] = _Field(key, shape, elements)
    return found, left


class _LeftOutError(Exception):
    """A field is no array; the message is a key of `LEFT_OUT`."""


def _shape_of(path: Path, key: str, dataset: Any) -> tuple[tuple[int, ...], bool]:
    """Shape of the array that a field is, and whether it is one of several structs."""
    if _is_of_structs(dataset):
        kinds, shapes = zip(*(_element(one) for one in _elements(path, key, dataset)), strict=True)
        if len(set(kinds)) > 1:
            raise _LeftOutError("other")
        if len(set(shapes)) > 1:
            raise _LeftOutError("shapes")
        return (len(shapes), *shapes[0]), True
    if _class_of(dataset) == b"cell":
        cells = [_element(one) for one in _elements(path, key, dataset)]
        if any(cell != ("names", ()) for cell in cells):
            raise _LeftOutError("other")
        return (len(cells),), False
    _, shape = _element(dataset)
    if 0 in shape:
        raise _LeftOutError("empty")
    if not shape:
        raise _LeftOutError("single")
    return shape, False


def _is_of_structs(dataset: Any) -> bool:
    """Whether a field is of an array of structs: references to what it is in each."""
    import h5py

    references = cast(Any, h5py).check_ref_dtype(dataset.dtype) is cast(Any, h5py).Reference
    return references and not _class_of(dataset)


def _elements(path: Path, key: str, dataset: Any) -> list[Any]:
    """What a dataset of references names, in MATLAB's order."""
    if dataset.size > MOST_ELEMENTS:
        raise _LeftOutError("elements")
    if not dataset.size or _is_empty(dataset):
        raise _LeftOutError("empty")
    file = dataset.file
    return [file[reference] for reference in read_dataset(path, key, dataset).ravel()]


def _element(thing: Any) -> tuple[str, tuple[int, ...]]:
    """Whether a dataset holds numbers or names, and the shape of the array that it is."""
    kind = _class_of(thing)
    if kind == b"char":
        rows = 1 if _is_empty(thing) or thing.ndim < 2 else thing.shape[-1]
        return "names", () if rows == 1 else (rows,)
    if kind not in _NUMBERS or thing.dtype.kind not in "biuf":
        raise _LeftOutError("other")
    shape = (0,) if _is_empty(thing) else line(thing.shape[::-1])
    return "numbers", () if set(shape) == {1} else shape


def _joined(path: Path, name: str, dataset: Any) -> np.ndarray:
    """A field of an array of structs, first axis theirs."""
    things = _elements(path, name, dataset)
    kind, shape = _element(things[0])
    # one dataset may be named many times: what they are together counts
    check_unpacked(f"{path}: {name}", sum(one.nbytes for one in things), path.stat().st_size)
    if kind == "names":
        rows = [_rows_of_letters(path, name, one) or [""] for one in things]
        return as_names(name, [row for element in rows for row in element]).reshape((len(things), *shape))
    return np.stack([read_dataset(path, name, one).T.reshape(shape) for one in things])


def _class_of(dataset: Any) -> bytes:
    attributes: Mapping[str, Any] = dataset.attrs
    kind = attributes.get("MATLAB_class", b"")
    return kind if isinstance(kind, bytes) else b""


def _is_empty(dataset: Any) -> bool:
    """Whether a dataset stands for an empty array, and holds its shape instead."""
    return bool(dataset.attrs.get("MATLAB_empty", 0))


def _rows_of_letters(path: Path, name: str, dataset: Any) -> list[str]:
    """Rows of a matrix of characters."""
    if _is_empty(dataset):
        return []
    letters = np.atleast_2d(read_dataset(path, name, dataset).T)
    return ["".join(map(chr, row)).rstrip() for row in letters]


def flat(array: np.ndarray) -> np.ndarray:
    """A vector of MATLAB as one of NumPy."""
    return array.reshape(line(array.shape))

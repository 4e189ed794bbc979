"""Arrays of files, as KEY, FILE or FILE:KEY name them, and what stands there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean, escaped, refuse
from ratewarp._files import is_file
from ratewarp.codes.code_files import describe, known_suffixes, open_codes, read
from ratewarp.codes.dissimilarities import stimuli_of
from ratewarp.formats import Content

ROLES = ("labels", "factors", "stimuli", "runs", "noise", "frequency", "ids", "images")
_SHOWN = 8  # arrays that are left out, named
CODES_NAMES = ("codes", "code", "latents", "latent", "z", "embedding", "embeddings", "activations", "rates")
_PAIRS = ("rdm", "rdms", "dissimilarities", "dissimilarity", "distances")  # names of dissimilarities


def nameless(file: Path) -> bool:
    """Whether arrays of the file have no names."""
    return file.suffix.lower() == ".npy"


class FileArrays(NamedTuple):
    """Arrays of a file."""

    file: Path
    content: Content
    keys: tuple[str, ...]


def without_key(place: FileArrays, key: str | None) -> FileArrays:
    """The arrays but one, unless it is the only one."""
    kept = tuple(one for one in place.keys if one != key)
    return place._replace(keys=kept or place.keys)


def place_of(file: Path, content: Content, role: str, text: str) -> FileArrays:
    """What KEY, KEY,KEY, FILE or FILE:KEY stands for."""
    other, keys = split_place(text)
    if other is None:
        return FileArrays(file, content, expanded_keys(file, content, keys))
    theirs = open_codes(other)
    if keys:
        return FileArrays(other, theirs, expanded_keys(other, theirs, keys))
    return FileArrays(
        other,
        theirs,
        codes_keys(other, theirs, {"ids"}) if role in ("reference", "codes") else _only(other, theirs, role),
    )


def split_place(text: str) -> tuple[Path | None, str]:
    """File and keys in `text`."""
    known = "|".join(re.escape(suffix) for suffix in known_suffixes())
    if found := re.search(rf"({known})(?=:|$)", text, re.IGNORECASE):
        return Path(text[: found.end()]), text[found.end() + 1 :]
    name, _, keys = text.partition(":")
    # of a format that is not known: opening it says so
    return (Path(name), keys) if is_file(Path(name)) else (None, text)


def expanded_keys(file: Path, content: Content, text: str) -> tuple[str, ...]:
    """Names of arrays; one with `*` stands for all that fit."""
    keys: list[str] = []
    for part in text.split(","):
        name = part.strip()
        fitting = [key for key in content.shapes if fnmatchcase(key, name)] if "*" in name else [name]
        if name in content.refused:
            raise RequestError(f"{file}: {name!r} {content.refused[name]}")
        if not fitting or fitting[0] not in content.shapes:
            known = ", ".join(describe(content)) or "nothing"
            raise RequestError(
                f"{file} holds no array named {name!r}.{did_you_mean(name, content.shapes)} It holds: {known}"
            )
        keys += fitting
    for key, times in Counter(keys).items():
        if times > 1:
            raise RequestError(f"{file}: {key!r} is asked for {times} times; once is what can be used")
    return tuple(keys)


def codes_keys(file: Path, content: Content, taken: set[str], *, pairs: bool = False) -> tuple[str, ...]:
    """What is meant by codes, or by dissimilarities, where no key is given."""
    taken = {*taken, *ROLES, "reference"}
    if content.tabular:
        numbers = [key for key in content.shapes if key not in taken and key in content.numeric]
        if numbers:
            return tuple(numbers)
    elif found := (pairs and _found(content, taken, pairs=True)) or _found(content, taken, pairs=False):
        return (found,)
    left = [f"{escaped(name)} {why}" for name, why in content.refused.items()]
    raise RequestError(
        f"--codes must say which array of {file} to measure. It holds:"
        f" {', '.join(describe(content)) or 'nothing'}"
        f"{'; left out: ' if left else ''}{'; '.join(left[:_SHOWN])}"
    )


def _found(content: Content, taken: set[str], *, pairs: bool) -> str | None:
    """The array that is meant by its name, or the only one of such a shape."""
    every = [key for key in content.shapes if key.rpartition(".")[2].lower() in _PAIRS]
    named = [key for key in every if key not in taken]
    if pairs and len(named) == 1:
        return named[0]
    if known := [key for key in CODES_NAMES if key in content.shapes]:
        return known[0]
    structs = {key.rpartition(".")[0] for key in every} - {""}
    beside = {key for key in content.shapes if key.rpartition(".")[0] in structs} - {*every}
    fitting = [
        key
        for key, shape in content.shapes.items()
        if key not in taken
        and key not in beside  # such as colours, of as many rows as there are subjects
        and (_can_be_pairs(shape) if pairs else len(shape) == 2 or (key in named and "." in key))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _can_be_pairs(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape can be dissimilarities of three stimuli or more, of any subjects."""
    pairs = any(side > 1 and stimuli_of(side) for side in shape)
    return (len(shape) in (1, 2) and pairs) or (
        len(shape) in (2, 3) and any(one == other > 2 for one, other in pairwise(shape))
    )


def _only(file: Path, content: Content, role: str) -> tuple[str, ...]:
    """The array of a second file that is meant where no key is given: the one named as its role, all columns
    but ids, or the only one.
    """
    if role in content.shapes:
        return (role,)
    keys = tuple(key for key in content.shapes if key != "ids")
    if content.tabular or len(keys) == 1:
        return keys
    raise RequestError(
        f"--{role} must say which array of {file} to take, as {file}:KEY. It holds:"
        f" {', '.join(describe(content))}"
    )


def written_as(place: FileArrays, file: Path) -> str:
    keys = ", ".join(place.keys[:6]) + (f", … ({len(place.keys)} in all)" if len(place.keys) > 6 else "")
    if nameless(place.file) and place.file != file:
        return str(place.file)
    return keys if place.file == file else f"{keys} of {place.file}"


def matrix_at(place: FileArrays) -> np.ndarray:
    """One two-dimensional array, or columns side by side."""
    arrays = list(_arrays(place).values())
    if len(arrays) == 1 and arrays[0].ndim != 1:
        return arrays[0]
    _check_columns(place, arrays)
    return np.stack(arrays, axis=1)


def table_at(place: FileArrays) -> pd.DataFrame:
    """Columns by name; those of a two-dimensional array are numbered."""
    columns: dict[str, np.ndarray] = {}
    for name, array in _arrays(place).items():
        key = place.file.stem if nameless(place.file) else name
        if array.ndim == 2 and array.shape[1] > 1:
            columns |= {f"{key}{number}": array[:, number] for number in range(array.shape[1])}
        elif array.ndim == 2 and array.shape[1] == 0:
            refuse(f"{place.file}: {name}", "one column or several", f"shape {array.shape}")
        else:
            columns[key] = array.reshape(len(array), -1)[:, 0] if array.ndim == 2 else array
    _check_columns(place, list(columns.values()))
    return pd.DataFrame(columns)


def _arrays(place: FileArrays) -> dict[str, np.ndarray]:
    """Arrays that have rows."""
    found = read(place.file, place.content, place.keys)
    for name, array in found.items():
        if array.ndim == 0:
            refuse(f"{place.file}: {name}", "an array with a row for each item", "a single value")
    return found


def column_at(place: FileArrays) -> np.ndarray:
    key, *others = place.keys
    if others:
        raise RequestError(
            f"{place.file}: one array is needed here, not {', '.join(place.keys)}; say FILE:KEY"
        )
    array = _arrays(place)[key]
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _check_columns(place: FileArrays, arrays: Sequence[np.ndarray]) -> None:
    if any(array.ndim != 1 for array in arrays) or len({len(array) for array in arrays}) != 1:
        shapes = ", ".join(f"{key} {array.shape}" for key, array in zip(place.keys, arrays, strict=False))
        raise RequestError(f"{place.file}: columns must be one-dimensional and of one length; got {shapes}")

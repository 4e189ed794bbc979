"""Which arrays of which files are to be measured, as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean
from ratewarp.codes_files import Content, describe, known_suffixes, open_codes, read

ROLES = ("labels", "factors", "stimuli", "noise", "frequency", "ids")
_CODES = ("codes", "code", "latents", "latent", "z", "embedding", "embeddings", "activations", "rates")


class Request(NamedTuple):
    """What `ratewarp.measure` is to be called with.

    Attributes:
        arguments: of `ratewarp.measure`.
        told: what was taken from where, a line each.
    """

    arguments: dict[str, Any]
    told: list[str]


def gather(file: Path, wanted: Mapping[str, str | None]) -> Request:
    """Reads what is to be measured.

    Arguments:
        file: the file that holds the codes.
        wanted: by role (codes, labels, factors, stimuli, noise, frequency, ids, reference): KEY or KEY,KEY in `file`, or FILE, or FILE:KEY.
            KEY may hold `*`. A role that is not wanted is taken from `file` where an array has its name.

    Raises:
        RequestError: a file or key does not exist or cannot be read, or rows cannot be matched.
    """
    main = open_codes(file)
    places = {role: _place(file, main, role, text) for role in ROLES if (text := wanted.get(role) or _named(main, role))}
    id_key = places["ids"].keys[0] if "ids" in places else None
    asked, against = wanted.get("codes"), wanted.get("reference") or _named(main, "reference")
    named = {key for place in places.values() if place.file == file for key in place.keys}
    named |= {
        key for text in (against, wanted.get("reference_noise")) if text and _split(text)[0] is None for key in _expanded(file, main, text)
    }
    codes = _place(file, main, "codes", asked) if asked else _Place(file, main, _codes_keys(file, main, named))
    arguments: dict[str, Any] = {"codes": _matrix(codes)}
    told = [f"codes: {_written(codes, file)}"]
    ids = _column(places["ids"]) if "ids" in places else None
    for role, place in places.items():
        place = _without(place, id_key if role != "ids" else None)
        told.append(f"{role}: {_written(place, file)}")
        arguments[role] = _table(place) if role in ("labels", "factors") else _matrix(place) if role == "noise" else _column(place)
        if place.file != file and ids is not None and id_key is not None:
            arguments[role] = _reordered(arguments[role], ids, _other_ids(place, id_key), place.file)
    if against:
        place = _reference(file, main, against, codes, id_key)
        told.append(f"reference: {_written(place, file)}")
        arguments["reference"] = _matrix(place)
        if ids is not None and id_key is not None:
            arguments["reference_ids"] = ids if place.file == file else _other_ids(place, id_key)
        if text := wanted.get("reference_noise"):
            arguments["reference_noise"] = _matrix(_place(file, main, "reference_noise", text))
    if "reference_ids" not in arguments:  # other files are in order already
        arguments.pop("ids", None)
    return Request(arguments, told)


class _Place(NamedTuple):
    """Arrays of a file."""

    file: Path
    content: Content
    keys: tuple[str, ...]


def _reference(file: Path, main: Content, text: str, codes: _Place, id_key: str | None) -> _Place:
    """The reference; in a second table, the columns that the codes have, where it has them all."""
    other, keys = _split(text)
    if other is not None and not keys:
        theirs = open_codes(other)
        if theirs.tabular:
            same = set(codes.keys) <= set(theirs.shapes)
            return _Place(other, theirs, codes.keys if same else _codes_keys(other, theirs, {id_key} if id_key else set()))
    return _place(file, main, "reference", text)


def _without(place: _Place, key: str | None) -> _Place:
    """The arrays but one, unless it is the only one."""
    kept = tuple(one for one in place.keys if one != key)
    return place._replace(keys=kept or place.keys)


def _named(content: Content, role: str) -> str | None:
    return role if role in content.shapes else None


def _place(file: Path, content: Content, role: str, text: str) -> _Place:
    """What KEY, KEY,KEY, FILE or FILE:KEY stands for."""
    other, keys = _split(text)
    if other is None:
        return _Place(file, content, _expanded(file, content, keys))
    theirs = open_codes(other)
    if keys:
        return _Place(other, theirs, _expanded(other, theirs, keys))
    return _Place(other, theirs, _codes_keys(other, theirs, {"ids"}) if role in ("reference", "codes") else _only(other, theirs, role))


def _split(text: str) -> tuple[Path | None, str]:
    """File and keys in `text`."""
    for suffix in sorted(known_suffixes(), key=len, reverse=True):
        before, found, after = text.lower().partition(suffix)
        if found and (not after or after.startswith(":")):
            return Path(text[: len(before) + len(suffix)]), text[len(before) + len(suffix) + 1 :]
    return None, text


def _expanded(file: Path, content: Content, text: str) -> tuple[str, ...]:
    """Names of arrays; one with `*` stands for all that fit."""
    keys: list[str] = []
    for part in text.split(","):
        name = part.strip()
        fitting = [key for key in content.shapes if fnmatchcase(key, name)] if "*" in name else [name]
        if not fitting or fitting[0] not in content.shapes:
            known = ", ".join(describe(content)) or "nothing"
            raise RequestError(f"{file} holds no array named {name!r}.{did_you_mean(name, content.shapes)} It holds: {known}")
        keys += fitting
    return tuple(keys)


def _codes_keys(file: Path, content: Content, taken: set[str]) -> tuple[str, ...]:
    """What is meant by codes where no key is given."""
    taken = {*taken, *ROLES, "reference"}
    if content.tabular:
        numbers = [key for key in content.shapes if key not in taken and np.issubdtype(content.read(key).dtype, np.number)]
        if numbers:
            return tuple(numbers)
    elif named := [key for key in _CODES if key in content.shapes]:
        return (named[0],)
    elif len(flat := [key for key, shape in content.shapes.items() if len(shape) == 2 and key not in taken]) == 1:
        return (flat[0],)
    raise RequestError(f"--codes must say which array of {file} to measure. It holds: {', '.join(describe(content)) or 'nothing'}")


def _only(file: Path, content: Content, role: str) -> tuple[str, ...]:
    """The array of a second file that is meant where no key is given: the one named as its role, all columns but ids, or the only one."""
    if role in content.shapes:
        return (role,)
    keys = tuple(key for key in content.shapes if key != "ids")
    if content.tabular or len(keys) == 1:
        return keys
    raise RequestError(f"--{role} must say which array of {file} to take, as {file}:KEY. It holds: {', '.join(describe(content))}")


def _written(place: _Place, file: Path) -> str:
    keys = ", ".join(place.keys[:6]) + (f", … ({len(place.keys)} in all)" if len(place.keys) > 6 else "")
    return keys if place.file == file else f"{keys} of {place.file}"


def _matrix(place: _Place) -> np.ndarray:
    """One two-dimensional array, or columns side by side."""
    arrays = list(read(place.file, place.content, place.keys).values())
    if len(arrays) == 1 and arrays[0].ndim != 1:
        return arrays[0]
    _check_columns(place, arrays)
    return np.stack(arrays, axis=1)


def _table(place: _Place) -> pd.DataFrame:
    """Columns by name; those of a two-dimensional array are numbered."""
    columns: dict[str, np.ndarray] = {}
    for key, array in read(place.file, place.content, place.keys).items():
        if array.ndim == 2 and array.shape[1] > 1:
            columns |= {f"{key}{number}": array[:, number] for number in range(array.shape[1])}
        else:
            columns[key] = array.reshape(len(array), -1)[:, 0] if array.ndim == 2 else array
    _check_columns(place, list(columns.values()))
    return pd.DataFrame(columns)


def _column(place: _Place) -> np.ndarray:
    key, *others = place.keys
    if others:
        raise RequestError(f"{place.file}: one array is needed here, not {', '.join(place.keys)}; say FILE:KEY")
    array = read(place.file, place.content, (key,))[key]
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _check_columns(place: _Place, arrays: Sequence[np.ndarray]) -> None:
    if any(array.ndim != 1 for array in arrays) or len({len(array) for array in arrays}) != 1:
        shapes = ", ".join(f"{key} {array.shape}" for key, array in zip(place.keys, arrays, strict=False))
        raise RequestError(f"{place.file}: columns must be one-dimensional and of one length; got {shapes}")


def _other_ids(place: _Place, key: str) -> np.ndarray:
    if key not in place.content.shapes:
        raise RequestError(
            f"{place.file} holds no {key!r}, by which its rows are to be matched; it holds: {', '.join(describe(place.content))}"
        )
    return _column(_Place(place.file, place.content, (key,)))


def _reordered(values: Any, ids: np.ndarray, theirs: np.ndarray, file: Path) -> Any:
    """Rows of a second file in the order of the codes'."""
    rows = {one: row for row, one in enumerate(theirs.tolist())}
    lacking = [one for one in ids.tolist() if one not in rows]
    if len(set(ids.tolist())) < len(ids):
        raise RequestError("ids must be different for every row; some id comes twice")
    if lacking or len(rows) != len(theirs):
        what = f"lacks id {lacking[0]!r}" if lacking else "names an id twice"
        raise RequestError(f"{file} {what}; its rows are matched by id")
    order = [rows[one] for one in ids.tolist()]
    return values.iloc[order] if isinstance(values, pd.DataFrame) else values[order]

"""Which arrays of which files are to be measured, as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean, refuse
from ratewarp.codes_files import Content, describe, known_suffixes, open_codes, read
from ratewarp.ids import order_by_id, rows_by_id

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
    _check_readable(file, main, wanted)
    places = {role: _place(file, main, role, text) for role in ROLES if (text := wanted.get(role) or _named(main, role))}
    asked, against = wanted.get("codes"), wanted.get("reference") or _named(main, "reference")
    named = {key for place in places.values() if place.file == file for key in place.keys}
    named |= {
        key for text in (against, wanted.get("reference_noise")) if text and _split(text)[0] is None for key in _expanded(file, main, text)
    }
    codes = _place(file, main, "codes", asked) if asked else _Place(file, main, _codes_keys(file, main, named))
    rows = _Rows.of(file, main, places.get("ids"))
    arguments: dict[str, Any] = {"codes": rows.matched(_matrix(codes), codes)}
    told = [f"codes: {_written(codes, file)}", *(f"left out: {name}, {why}" for name, why in main.refused.items())]
    if rows.ids is not None and len(rows.ids) != len(arguments["codes"]):
        refuse("ids", f"one for each of the {len(arguments['codes'])} items", f"{len(rows.ids)}")
    for role, place in places.items():
        place = _without(place, rows.key if role != "ids" else None)
        told.append(f"{role}: {_written(place, file)}")
        values = _table(place) if role in ("labels", "factors") else _matrix(place) if role == "noise" else _column(place)
        arguments[role] = values if role == "ids" else rows.matched(values, place)
    if against:
        place = _reference(file, main, against, codes, rows.key)
        told.append(f"reference: {_written(place, file)}")
        arguments |= _of_reference(
            rows, place, _place(file, main, "reference_noise", text) if (text := wanted.get("reference_noise")) else None
        )
    if "reference_ids" not in arguments:  # other files are in order already
        arguments.pop("ids", None)
    others = {
        place.file for place in (codes, *places.values()) if place.file != file and rows.ids is None and "ids" in place.content.shapes
    }
    told += [f"{other}: rows taken in order, since {file} has no ids to match them by" for other in sorted(others)]
    return Request(arguments, told)


def _check_readable(file: Path, main: Content, wanted: Mapping[str, str | None]) -> None:
    """An array that a role would take must not be left out in silence."""
    by_name = [role for role in (*ROLES, "reference") if not wanted.get(role)] + ([] if wanted.get("codes") else list(_CODES))
    for name in by_name:
        if name in main.refused:
            raise RequestError(f"{file}: {name!r} {main.refused[name]}")


def _of_reference(rows: _Rows, place: _Place, noise: _Place | None) -> dict[str, Any]:
    """The reference, its noise in the same order, and its ids."""
    found: dict[str, Any] = {"reference": _matrix(place)}
    ids = rows.of_file(place)
    if ids is not None:
        found["reference_ids"] = ids
    if noise is not None:
        values = _matrix(noise)
        if ids is not None and noise.file != place.file:
            values = values[order_by_id(ids, cast(np.ndarray, rows.of_file(noise)), str(place.file), str(noise.file))]
        found["reference_noise"] = values
    return found


class _Place(NamedTuple):
    """Arrays of a file."""

    file: Path
    content: Content
    keys: tuple[str, ...]


class _Rows(NamedTuple):
    """Names of the items, by which rows of other files are matched.

    Attributes:
        ids: of every item; None where they have no names.
        key: name of the array that holds them, in every file.
        ordered: files whose rows are in the order of `ids`.
    """

    ids: np.ndarray | None
    key: str | None
    ordered: frozenset[Path]

    @staticmethod
    def of(file: Path, main: Content, place: _Place | None) -> _Rows:
        """Ids of a request; those of a second file are of the rows of the first, unless that has ids of its own."""
        if place is None:
            return _Rows(None, None, frozenset())
        ids, key = _column(place), place.keys[0]
        rows_by_id(ids, f"ids ({key} of {place.file})")
        return _Rows(ids, key, frozenset({place.file} if key in main.shapes else {place.file, file}))

    def of_file(self, place: _Place) -> np.ndarray | None:
        """Ids of the rows of a file."""
        return self.ids if self.ids is None or self.key is None or place.file in self.ordered else _other_ids(place, self.key)

    def matched(self, values: Any, place: _Place) -> Any:
        """Rows of a file in the order of the items."""
        if self.ids is None or place.file in self.ordered:
            return values
        theirs = cast(np.ndarray, self.of_file(place))
        if len(theirs) != len(values):
            refuse(str(place.file), f"of as many rows as it has ids, {len(theirs)}", f"{len(values)} rows")
        order = order_by_id(self.ids, theirs, "ids", str(place.file))
        return values.iloc[order] if isinstance(values, pd.DataFrame) else values[order]


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
        if name in content.refused:
            raise RequestError(f"{file}: {name!r} {content.refused[name]}")
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
    if place.file.suffix.lower() == ".npy" and place.file != file:
        return str(place.file)
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
    for name, array in read(place.file, place.content, place.keys).items():
        key = place.file.stem if place.file.suffix.lower() == ".npy" else name  # arrays of npy files have no names
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

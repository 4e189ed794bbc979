"""Which arrays of which files are to be measured, as what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean, escaped, refuse
from ratewarp._files import is_file
from ratewarp.codes.code_files import describe, known_suffixes, open_codes, read
from ratewarp.codes.dissimilarities import Subject, stacked, stimuli_of
from ratewarp.codes.ids import order_by_id, rows_by_id
from ratewarp.codes.kinds import Kind, check_kind, is_of_pairs
from ratewarp.formats import Content

ROLES = ("labels", "factors", "stimuli", "runs", "noise", "frequency", "ids")
_BY_NAME = ("labels", "factors", "stimuli", "noise", "frequency", "ids", "reference")  # unasked; not runs
_SHOWN = 8  # arrays that nothing was made of, named
_CODES = ("codes", "code", "latents", "latent", "z", "embedding", "embeddings", "activations", "rates")
_PAIRS = ("rdm", "rdms", "dissimilarities", "dissimilarity", "distances")  # names of dissimilarities
_SUBJECTS = 12  # subjects whose names are told


class Request(NamedTuple):
    """What `ratewarp.measure` is to be called with.

    Attributes:
        arguments: of `ratewarp.measure`.
        told: what was taken from where, a line each.
    """

    arguments: dict[str, Any]
    told: list[str]


def gather(
    file: Path,
    wanted: Mapping[str, str | None],
    *,
    kind: Kind | None = None,
    reference_kind: Kind | None = None,
    subject: Subject | None = None,
) -> Request:
    """Reads what is to be measured.

    Arguments:
        file: the file that holds the codes.
        wanted: by role (codes, labels, factors, stimuli, runs, noise, frequency, ids, reference): KEY or
            KEY,KEY in `file`, or FILE, or FILE:KEY. KEY may hold `*`. A role that is not wanted is taken from
            `file` where an array has its name; but for runs, which change the codes.
        kind: what the codes are, as `ratewarp.measure` takes it.
        reference_kind: what the reference is.
        subject: which of several dissimilarities, or "mean".

    Raises:
        RequestError: a file or key does not exist or cannot be read, or rows cannot be matched.
    """
    for argument, one in (("kind", kind), ("reference_kind", reference_kind)):
        check_kind(argument, one)
    main = open_codes(file)
    _check_readable(file, main, wanted)
    asked = _asked(file, main, wanted, pairs=is_of_pairs(kind))
    rows = _Rows.of(file, main, asked.places.get("ids"))
    codes, items = _codes(asked.codes, rows, kind)
    arguments: dict[str, Any] = {"codes": codes}
    said = {"kind": kind, "reference_kind": reference_kind, "subject": subject}
    arguments |= {argument: one for argument, one in said.items() if one is not None}
    if rows.ids is not None and len(rows.ids) != items:
        refuse("ids", f"one for each of the {items} items", f"{len(rows.ids)}")

    key = rows.key
    found = {role: _without(place, None if role == "ids" else key) for role, place in asked.places.items()}
    for role, place in found.items():
        arguments[role] = _values(role, place, rows, per_stimulus="stimuli" in found)
    if asked.against:
        pairs = is_of_pairs(reference_kind or kind)
        reference = _reference(file, main, asked.against, asked.codes, rows.key, pairs=pairs)
        beside = _place(file, main, "reference_noise", asked.noise) if asked.noise else None
        arguments |= _of_reference(rows, reference, beside)
        found |= {"reference": reference, **({"reference_noise": beside} if beside else {})}
    if "reference_ids" not in arguments:  # other files are in order already
        arguments.pop("ids", None)

    used = asked.named.union(*(place.keys for place in (asked.codes, *found.values()) if place.file == file))
    told = [f"codes: {_written(asked.codes, file)}", *_subjects(asked.codes, kind)]
    told += [f"left out: {name}, {why}" for name, why in main.refused.items() if not _has_fields(main, name)]
    told += [f"{role}: {_written(place, file)}" for role, place in found.items()]
    told += _in_order(file, rows, [asked.codes, *asked.places.values()])
    return Request(arguments, told + _unused(main, used, wanted))


class _Asked(NamedTuple):
    """What was asked for, as places in files.

    Attributes:
        codes: the codes.
        places: everything else that goes with them, by role.
        against: of the reference, as it was written; None without one.
        noise: of the reference's noise, likewise.
        named: keys of the main file that something was asked of.
    """

    codes: _Place
    places: dict[str, _Place]
    against: str | None
    noise: str | None
    named: set[str]


def _codes(place: _Place, rows: _Rows, kind: Kind | None) -> tuple[np.ndarray, int]:
    """Codes or dissimilarities, rows (and columns) in the order of the items, and how many these are."""
    values = _matrix(place)
    if not is_of_pairs(kind):
        values = rows.matched(values, place)
        return values, len(values)
    if rows.ids is None:  # nothing to be matched
        return values, 0
    stack = stacked(values, argument="codes")
    turned = rows.matched(stack.transpose(1, 2, 0), place)
    return rows.matched(turned.swapaxes(0, 1), place).transpose(2, 0, 1), stack.shape[-1]


def _subjects(place: _Place, kind: Kind | None) -> list[str]:
    """Names of the subjects, where the dissimilarities are a field of structs that have names, too."""
    struct, _, field = place.keys[0].rpartition(".")
    key = f"{struct}.name"
    if (
        not is_of_pairs(kind)
        or not field
        or place.content.shapes.get(key, ()) != place.content.shapes.get(place.keys[0], ())[:1]
    ):
        return []
    names = read(place.file, place.content, [key])[key].tolist()
    listed = ", ".join(f"{number} = {name}" for number, name in enumerate(names[:_SUBJECTS]))
    return [f"subjects: {listed}{', …' if len(names) > _SUBJECTS else ''}"]


def _has_fields(content: Content, name: str) -> bool:
    """Whether a struct has fields that can be used: nothing of it is lost."""
    return any(key.startswith(f"{name}.") for key in content.shapes)


def _asked(file: Path, main: Content, wanted: Mapping[str, str | None], *, pairs: bool) -> _Asked:
    texts = {role: text for role in ROLES if (text := wanted.get(role) or _named(main, role))}
    places = {role: _place(file, main, role, text) for role, text in texts.items()}
    against, noise = wanted.get("reference") or _named(main, "reference"), wanted.get("reference_noise")
    if noise and not against:
        refuse("reference_noise", "given together with a reference", "no reference")

    named = {key for place in places.values() if place.file == file for key in place.keys}
    for text in (against, noise):
        if text and _split(text)[0] is None:
            named |= set(_expanded(file, main, text))
    text = wanted.get("codes")
    keys = () if text else _codes_keys(file, main, named, pairs=pairs)
    codes = _place(file, main, "codes", text) if text else _Place(file, main, keys)
    return _Asked(codes, places, against, noise, named)


def _values(role: str, place: _Place, rows: _Rows, *, per_stimulus: bool) -> Any:
    """What stands at a place, rows in the order of the items; of stimuli where these are known."""
    if role in ("labels", "factors"):
        values = _table(place)
    elif role == "noise":
        values = _matrix(place)
    else:
        values = _column(place)
    if role == "ids":
        return values
    return rows.matched(values, place, of_stimuli=per_stimulus and role in ("factors", "frequency"))


def _in_order(file: Path, rows: _Rows, places: list[_Place]) -> list[str]:
    """What to say of files whose rows could not be matched."""
    others = {place.file: place for place in places if place.file != file}
    if rows.ids is None:
        found = [other for other, place in others.items() if "ids" in place.content.shapes]
        return [
            f"{other}: rows taken in order, since {file} has no ids to match them by"
            for other in sorted(found)
        ]
    found = [other for other in others if _nameless(other) and other not in rows.ordered]
    return [
        f"{other}: rows taken in order, since a file of this format holds no ids" for other in sorted(found)
    ]


def _unused(main: Content, used: set[str], wanted: Mapping[str, str | None]) -> list[str]:
    """What to say of arrays that nothing was made of."""
    free = [role for role in (*ROLES, "reference") if not wanted.get(role) and role not in main.shapes]
    left = [name for name in main.shapes if name not in used]
    told = [f"not used: {name} {main.shapes[name]}" + did_you_mean(name, free) for name in left[:_SHOWN]]
    return told + ([f"not used: {len(left) - _SHOWN} more"] if len(left) > _SHOWN else [])


def _nameless(file: Path) -> bool:
    """Whether arrays of the file have no names."""
    return file.suffix.lower() == ".npy"


def _check_readable(file: Path, main: Content, wanted: Mapping[str, str | None]) -> None:
    """An array that a role would take must not be left out in silence."""
    by_name = [role for role in _BY_NAME if not wanted.get(role)] + (
        [] if wanted.get("codes") else list(_CODES)
    )
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
            theirs = rows.of_file(noise)
            values = (
                values
                if theirs is None
                else values[order_by_id(ids, theirs, str(place.file), str(noise.file))]
            )
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
        """Ids of a request; those of a second file are of the rows of the first, unless that has ids of its
        own.
        """
        if place is None:
            return _Rows(None, None, frozenset())
        ids, key = _column(place), place.keys[0]
        rows_by_id(ids, f"ids ({key} of {place.file})")
        return _Rows(ids, key, frozenset({place.file} if key in main.shapes else {place.file, file}))

    def of_file(self, place: _Place) -> np.ndarray | None:
        """Ids of the rows of a file; None where there are none to match by."""
        if self.ids is None or self.key is None or place.file in self.ordered:
            return self.ids
        return None if _nameless(place.file) else _other_ids(place, self.key)

    def matched(self, values: Any, place: _Place, *, of_stimuli: bool = False) -> Any:
        """Rows of a file in the order of the items; `of_stimuli`, a file without ids may hold a row a
        stimulus.
        """
        if self.ids is None or place.file in self.ordered:
            return values
        if of_stimuli and self.key not in place.content.shapes and len(values) != len(self.ids):
            return values
        theirs = self.of_file(place)
        if theirs is None:
            return values
        if len(theirs) != len(values):
            refuse(str(place.file), f"of as many rows as it has ids, {len(theirs)}", f"{len(values)} rows")
        order = order_by_id(self.ids, theirs, "ids", str(place.file))
        return values.iloc[order] if isinstance(values, pd.DataFrame) else values[order]


def _reference(
    file: Path, main: Content, text: str, codes: _Place, id_key: str | None, *, pairs: bool
) -> _Place:
    """The reference; in a second table, the columns that the codes have, where it has them all."""
    other, keys = _split(text)
    if other is not None and not keys:
        theirs = open_codes(other)
        if theirs.tabular:
            same = set(codes.keys) <= set(theirs.shapes)
            return _Place(
                other,
                theirs,
                codes.keys if same else _codes_keys(other, theirs, {id_key} if id_key else set()),
            )
        return _Place(other, theirs, _codes_keys(other, theirs, {"ids"}, pairs=pairs))
    return _place(file, main, "reference", text)


def _without(place: _Place, key: str | None) -> _Place:
    """The arrays but one, unless it is the only one."""
    kept = tuple(one for one in place.keys if one != key)
    return place._replace(keys=kept or place.keys)


def _named(content: Content, role: str) -> str | None:
    return role if role in content.shapes and role in _BY_NAME else None


def _place(file: Path, content: Content, role: str, text: str) -> _Place:
    """What KEY, KEY,KEY, FILE or FILE:KEY stands for."""
    other, keys = _split(text)
    if other is None:
        return _Place(file, content, _expanded(file, content, keys))
    theirs = open_codes(other)
    if keys:
        return _Place(other, theirs, _expanded(other, theirs, keys))
    return _Place(
        other,
        theirs,
        _codes_keys(other, theirs, {"ids"}) if role in ("reference", "codes") else _only(other, theirs, role),
    )


def _split(text: str) -> tuple[Path | None, str]:
    """File and keys in `text`."""
    known = "|".join(re.escape(suffix) for suffix in known_suffixes())
    if found := re.search(rf"({known})(?=:|$)", text, re.IGNORECASE):
        return Path(text[: found.end()]), text[found.end() + 1 :]
    name, _, keys = text.partition(":")
    # of a format that is not known: opening it says so
    return (Path(name), keys) if is_file(Path(name)) else (None, text)


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
            raise RequestError(
                f"{file} holds no array named {name!r}.{did_you_mean(name, content.shapes)} It holds: {known}"
            )
        keys += fitting
    for key, times in Counter(keys).items():
        if times > 1:
            raise RequestError(f"{file}: {key!r} is asked for {times} times; once is what can be used")
    return tuple(keys)


def _codes_keys(file: Path, content: Content, taken: set[str], *, pairs: bool = False) -> tuple[str, ...]:
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
    named = [key for key in content.shapes if key.rpartition(".")[2].lower() in _PAIRS and key not in taken]
    if pairs and len(named) == 1:
        return named[0]
    if known := [key for key in _CODES if key in content.shapes]:
        return known[0]
    structs = {key.rpartition(".")[0] for key in named} - {""}
    beside = {key for key in content.shapes if key.rpartition(".")[0] in structs} - {*named}
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


def _written(place: _Place, file: Path) -> str:
    keys = ", ".join(place.keys[:6]) + (f", … ({len(place.keys)} in all)" if len(place.keys) > 6 else "")
    if _nameless(place.file) and place.file != file:
        return str(place.file)
    return keys if place.file == file else f"{keys} of {place.file}"


def _matrix(place: _Place) -> np.ndarray:
    """One two-dimensional array, or columns side by side."""
    arrays = list(_arrays(place).values())
    if len(arrays) == 1 and arrays[0].ndim != 1:
        return arrays[0]
    _check_columns(place, arrays)
    return np.stack(arrays, axis=1)


def _table(place: _Place) -> pd.DataFrame:
    """Columns by name; those of a two-dimensional array are numbered."""
    columns: dict[str, np.ndarray] = {}
    for name, array in _arrays(place).items():
        key = place.file.stem if _nameless(place.file) else name
        if array.ndim == 2 and array.shape[1] > 1:
            columns |= {f"{key}{number}": array[:, number] for number in range(array.shape[1])}
        elif array.ndim == 2 and array.shape[1] == 0:
            refuse(f"{place.file}: {name}", "one column or several", f"shape {array.shape}")
        else:
            columns[key] = array.reshape(len(array), -1)[:, 0] if array.ndim == 2 else array
    _check_columns(place, list(columns.values()))
    return pd.DataFrame(columns)


def _arrays(place: _Place) -> dict[str, np.ndarray]:
    """Arrays that have rows."""
    found = read(place.file, place.content, place.keys)
    for name, array in found.items():
        if array.ndim == 0:
            refuse(f"{place.file}: {name}", "an array with a row for each item", "a single value")
    return found


def _column(place: _Place) -> np.ndarray:
    key, *others = place.keys
    if others:
        raise RequestError(
            f"{place.file}: one array is needed here, not {', '.join(place.keys)}; say FILE:KEY"
        )
    array = _arrays(place)[key]
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _check_columns(place: _Place, arrays: Sequence[np.ndarray]) -> None:
    if any(array.ndim != 1 for array in arrays) or len({len(array) for array in arrays}) != 1:
        shapes = ", ".join(f"{key} {array.shape}" for key, array in zip(place.keys, arrays, strict=False))
        raise RequestError(f"{place.file}: columns must be one-dimensional and of one length; got {shapes}")


def _other_ids(place: _Place, key: str) -> np.ndarray:
    if key not in place.content.shapes:
        raise RequestError(
            f"{place.file} holds no {key!r}, by which its rows are to be matched; it holds:"
            f" {', '.join(describe(place.content))}"
        )
    return _column(_Place(place.file, place.content, (key,)))

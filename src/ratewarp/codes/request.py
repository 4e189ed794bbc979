"""Which arrays of which files are to be measured, as what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ratewarp._checks import RequestError, did_you_mean, refuse
from ratewarp.codes.code_files import describe, open_codes, read
from ratewarp.codes.dissimilarities import Subject, stacked
from ratewarp.codes.file_arrays import (
    CODES_NAMES,
    ROLES,
    FileArrays,
    codes_keys,
    column_at,
    expanded_keys,
    matrix_at,
    nameless,
    place_of,
    split_place,
    table_at,
    without_key,
    written_as,
)
from ratewarp.codes.ids import order_by_id, rows_by_id
from ratewarp.codes.kinds import Kind, check_kind, is_of_pairs
from ratewarp.formats import Content

_BY_NAME = (
    "labels",
    "factors",
    "stimuli",
    "noise",
    "frequency",
    "ids",
    "reference",
)  # unasked; not runs, nor images
_SHOWN = 8  # arrays that nothing was made of, named
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
    reference_subject: Subject | None = None,
) -> Request:
    """Reads what is to be measured.

    Arguments:
        file: the file that holds the codes.
        wanted: by role (codes, labels, factors, stimuli, runs, noise, frequency, ids, reference): KEY or
            KEY,KEY in `file`, or FILE, or FILE:KEY. KEY may hold `*`. A role that is not wanted is taken from
            `file` where an array has its name; but for runs, which change the codes, and images, which
            are not measured.
        kind: what the codes are, as `ratewarp.measure` takes it.
        reference_kind: what the reference is.
        subject: which of several dissimilarities, or "mean".
        reference_subject: likewise of the reference; the same if not given.

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
    said: dict[str, Any] = {"kind": kind, "reference_kind": reference_kind}
    said |= {"subject": subject, "reference_subject": reference_subject}
    arguments |= {argument: one for argument, one in said.items() if one is not None}
    if rows.ids is not None and len(rows.ids) != items:
        refuse("ids", f"one for each of the {items} items", f"{len(rows.ids)}")

    key = rows.key
    found = {role: without_key(place, None if role == "ids" else key) for role, place in asked.places.items()}
    for role, place in found.items():
        arguments[role] = _values(role, place, rows, per_stimulus="stimuli" in found)
    if asked.against:
        pairs = is_of_pairs(reference_kind or kind)
        reference = _reference(file, main, asked.against, asked.codes, rows.key, pairs=pairs)
        beside = place_of(file, main, "reference_noise", asked.noise) if asked.noise else None
        arguments |= _of_reference(rows, reference, beside)
        found |= {"reference": reference, **({"reference_noise": beside} if beside else {})}
    if "reference_ids" not in arguments:  # other files are in order already
        arguments.pop("ids", None)

    used = asked.named.union(*(place.keys for place in (asked.codes, *found.values()) if place.file == file))
    told = [f"codes: {written_as(asked.codes, file)}", *_subjects(asked.codes, kind)]
    told += [f"left out: {name}, {why}" for name, why in main.refused.items() if not _has_fields(main, name)]
    told += [f"{role}: {written_as(place, file)}" for role, place in found.items()]
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

    codes: FileArrays
    places: dict[str, FileArrays]
    against: str | None
    noise: str | None
    named: set[str]


def _codes(place: FileArrays, rows: _Rows, kind: Kind | None) -> tuple[np.ndarray, int]:
    """Codes or dissimilarities, rows (and columns) in the order of the items, and how many these are."""
    values = matrix_at(place)
    if not is_of_pairs(kind):
        values = rows.matched(values, place)
        return values, len(values)
    if rows.ids is None:  # nothing to be matched
        return values, 0
    stack = stacked(values, argument="codes")
    turned = rows.matched(stack.transpose(1, 2, 0), place)
    return rows.matched(turned.swapaxes(0, 1), place).transpose(2, 0, 1), stack.shape[-1]


def _subjects(place: FileArrays, kind: Kind | None) -> list[str]:
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
    places = {role: place_of(file, main, role, text) for role, text in texts.items()}
    against, noise = wanted.get("reference") or _named(main, "reference"), wanted.get("reference_noise")
    if noise and not against:
        refuse("reference_noise", "given together with a reference", "no reference")

    named = {key for place in places.values() if place.file == file for key in place.keys}
    for text in (against, noise):
        if text and split_place(text)[0] is None:
            named |= set(expanded_keys(file, main, text))
    text = wanted.get("codes")
    keys = () if text else codes_keys(file, main, named, pairs=pairs)
    codes = place_of(file, main, "codes", text) if text else FileArrays(file, main, keys)
    return _Asked(codes, places, against, noise, named)


def _values(role: str, place: FileArrays, rows: _Rows, *, per_stimulus: bool) -> Any:
    """What stands at a place, rows in the order of the items; of stimuli where these are known."""
    if role in ("labels", "factors"):
        values = table_at(place)
    elif role in ("noise", "images"):
        values = matrix_at(place)
    else:
        values = column_at(place)
    if role == "ids":
        return values
    return rows.matched(values, place, of_stimuli=per_stimulus and role in ("factors", "frequency", "images"))


def _in_order(file: Path, rows: _Rows, places: list[FileArrays]) -> list[str]:
    """What to say of files whose rows could not be matched."""
    others = {place.file: place for place in places if place.file != file}
    if rows.ids is None:
        found = [other for other, place in others.items() if "ids" in place.content.shapes]
        return [
            f"{other}: rows taken in order, since {file} has no ids to match them by"
            for other in sorted(found)
        ]
    found = [other for other in others if nameless(other) and other not in rows.ordered]
    return [
        f"{other}: rows taken in order, since a file of this format holds no ids" for other in sorted(found)
    ]


def _unused(main: Content, used: set[str], wanted: Mapping[str, str | None]) -> list[str]:
    """What to say of arrays that nothing was made of."""
    free = [role for role in (*ROLES, "reference") if not wanted.get(role) and role not in main.shapes]
    left = [name for name in main.shapes if name not in used]
    told = [f"not used: {name} {main.shapes[name]}" + did_you_mean(name, free) for name in left[:_SHOWN]]
    return told + ([f"not used: {len(left) - _SHOWN} more"] if len(left) > _SHOWN else [])


def _check_readable(file: Path, main: Content, wanted: Mapping[str, str | None]) -> None:
    """An array that a role would take must not be left out in silence."""
    by_name = [role for role in _BY_NAME if not wanted.get(role)] + (
        [] if wanted.get("codes") else list(CODES_NAMES)
    )
    for name in by_name:
        if name in main.refused:
            raise RequestError(f"{file}: {name!r} {main.refused[name]}")


def _of_reference(rows: _Rows, place: FileArrays, noise: FileArrays | None) -> dict[str, Any]:
    """The reference, its noise in the same order, and its ids."""
    found: dict[str, Any] = {"reference": matrix_at(place)}
    ids = rows.of_file(place)
    if ids is not None:
        found["reference_ids"] = ids
    if noise is not None:
        values = matrix_at(noise)
        if ids is not None and noise.file != place.file:
            theirs = rows.of_file(noise)
            values = (
                values
                if theirs is None
                else values[order_by_id(ids, theirs, str(place.file), str(noise.file))]
            )
        found["reference_noise"] = values
    return found


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
    def of(file: Path, main: Content, place: FileArrays | None) -> _Rows:
        """Ids of a request; those of a second file are of the rows of the first, unless that has ids of its
        own.
        """
        if place is None:
            return _Rows(None, None, frozenset())
        ids, key = column_at(place), place.keys[0]
        rows_by_id(ids, f"ids ({key} of {place.file})")
        return _Rows(ids, key, frozenset({place.file} if key in main.shapes else {place.file, file}))

    def of_file(self, place: FileArrays) -> np.ndarray | None:
        """Ids of the rows of a file; None where there are none to match by."""
        if self.ids is None or self.key is None or place.file in self.ordered:
            return self.ids
        return None if nameless(place.file) else _other_ids(place, self.key)

    def matched(self, values: Any, place: FileArrays, *, of_stimuli: bool = False) -> Any:
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
    file: Path, main: Content, text: str, codes: FileArrays, id_key: str | None, *, pairs: bool
) -> FileArrays:
    """The reference; in a second table, the columns that the codes have, where it has them all."""
    other, keys = split_place(text)
    if other is not None and not keys:
        theirs = open_codes(other)
        if theirs.tabular:
            same = set(codes.keys) <= set(theirs.shapes)
            return FileArrays(
                other,
                theirs,
                codes.keys if same else codes_keys(other, theirs, {id_key} if id_key else set()),
            )
        return FileArrays(other, theirs, codes_keys(other, theirs, {"ids"}, pairs=pairs))
    return place_of(file, main, "reference", text)


def _named(content: Content, role: str) -> str | None:
    return role if role in content.shapes and role in _BY_NAME else None


def _other_ids(place: FileArrays, key: str) -> np.ndarray:
    if key not in place.content.shapes:
        raise RequestError(
            f"{place.file} holds no {key!r}, by which its rows are to be matched; it holds:"
            f" {', '.join(describe(place.content))}"
        )
    return column_at(FileArrays(place.file, place.content, (key,)))

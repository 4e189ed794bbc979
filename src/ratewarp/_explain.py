"""Validation errors in plain words: which key, what is required, what came, the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ratewarp._checks import did_you_mean, escaped, shorten

_NAME = "[key]"  # ends a location that is of a key rather than of its value


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """One message for the first thing wrong, and how many more there are.

    Arguments:
        error: what pydantic raised.
        model: the class that was validated.
        prefix: where its data sits in the study, such as `models.E1M1`.
    """
    details = _one_per_place(error.errors(include_url=False))
    message = _message(details[0], model, prefix)
    rest = len(details) - 1
    return message if not rest else f"{message} (and {rest} more like it)"


def _one_per_place(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """A value that fits no member of a union is reported once, by the member it got furthest into."""
    deepest = sorted(details, key=lambda d: (-len(d["loc"]), d["type"] != "extra_forbidden"))
    places: dict[Any, ErrorDetails] = {}
    for detail in deepest:
        places.setdefault(detail["loc"][:1], detail)
    return [d for d in details if d in places.values()]


def _message(detail: ErrorDetails, model: type[BaseModel], prefix: str) -> str:
    location = detail["loc"]
    known = _fields_of(walk(model, location[:-1]).here)
    place = [str(part) for part in walk(model, location).keys]
    key = escaped(".".join([*([prefix] if prefix else []), *place]) or "study")
    context = detail.get("ctx", {})
    if location and location[-1] == _NAME:
        whole = escaped(".".join([*([prefix] if prefix else []), *place[:-2]]))
        return f"{whole}: a name must be {_requirement(detail)}; got {shorten(detail['input'])}"
    match detail["type"]:
        case "extra_forbidden":
            return (
                f"unknown key '{key}'.{did_you_mean(str(location[-1]), known)} Known keys: {', '.join(known)}"
            )
        case "missing":
            return f"{key} is required"
        case "union_tag_invalid":
            names = re.findall(r"'([^']+)'", str(context.get("expected_tags", "")))
            tag = str(context.get("tag"))
            return f"{key}: unknown name {shorten(tag)}.{did_you_mean(tag, names)} Known: {', '.join(names)}"
        case "literal_error":
            names = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            came = str(detail["input"])
            return (
                f"{key}: unknown name {shorten(came)}.{did_you_mean(came, names)} Known: {', '.join(names)}"
            )
        case "value_error":
            return _of_validator(key if location else "", str(context.get("error", detail["msg"])))
    return f"{key} must be {_requirement(detail)}; got {shorten(detail['input'])}"


def _requirement(detail: ErrorDetails) -> str:
    """What is required, in the words of a study file rather than of Python."""
    match detail["type"]:
        case "tuple_type":
            return "a list"
        case "string_type":
            return "text"
        case "model_attributes_type":
            return "a name, or a mapping of keys to values"
        case "dict_type" | "model_type":
            return "a mapping of keys to values"
        case "too_short":
            return "not empty"
        case "string_pattern_mismatch":
            return "a letter followed by at most 39 letters, digits and _ - ."
        case "int_parsing" | "int_from_float" | "int_type":
            return "a whole number"
        case "float_parsing" | "float_type":
            return "a number"
    return detail["msg"].removeprefix("Input should be ")


def _of_validator(key: str, said: str) -> str:
    """What a validator of this package said, with the key it was about.

    Checks of a whole study name their keys themselves.
    """
    if not key or said.startswith((f"{key}.", f"{key} ", f"{key}:")):
        return said
    return f"{key} {said}" if said.startswith("must ") else f"{key}: {said}"


class Place(NamedTuple):
    """Where a location of an error leads.

    Attributes:
        keys: its parts that are keys of a study; the others name a member of a union.
        here: the annotations that may hold there.
    """

    keys: tuple[str | int, ...]
    here: tuple[Any, ...]


def walk(model: type[BaseModel], location: Sequence[str | int]) -> Place:
    """Follows a location through the annotations of a model.

    Examples:
        >>> from ratewarp.studies.condition import Setting
        >>> walk(Setting, ("recipe", "swift", "steps")).keys
        ('recipe', 'steps')
    """
    keys: list[str | int] = []
    here: tuple[Any, ...] = (model,)
    for part in location:
        members = tuple(member for one in here for member in _members(one))
        if any(len(_members(one)) > 1 for one in here):
            named = tuple(member for member in members if part in _labels(member))
            here = named or tuple(member for member in members if not _is_model(member))
            continue
        keys.append(part)
        here = tuple(inner for member in members for inner in _inside(member, part))
    return Place(tuple(keys), here)


def _members(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, taken out of `Annotated`; of anything else, itself."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        return tuple(member for one in get_args(annotation) for member in _members(one))
    return (annotation,)


def _labels(member: Any) -> set[Any]:
    """What a location may call a member of a union: its class, or the value of its distinguishing field."""
    if not _is_model(member):
        return set()
    annotations = [field.annotation for field in member.model_fields.values()]
    tags = [get_args(one) for one in annotations if get_origin(one) is Literal]
    return {member.__name__, *(tag for some in tags for tag in some)}


def _inside(member: Any, part: str | int) -> tuple[Any, ...]:
    """The annotations of what `member` holds under a key or at a place of a list."""
    if _is_model(member):
        return (member.model_fields[part].annotation,) if part in member.model_fields else ()
    arguments = get_args(member)
    if isinstance(part, int):
        chosen = arguments[part : part + 1] if Ellipsis not in arguments else arguments[:1]
        return tuple(chosen)
    return tuple(arguments[1:])  # of a mapping


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields_of(here: Sequence[Any]) -> list[str]:
    """Keys of all models that may stand at a place."""
    models = [member for one in here for member in _members(one) if _is_model(member)]
    return list(dict.fromkeys(name for model in models for name in model.model_fields))

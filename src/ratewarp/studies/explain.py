"""Validation errors in plain words: which key, what is required, what came, the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ratewarp._checks import did_you_mean, shorten


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
    known = _fields_at(model, detail["loc"][:-1])
    place = [str(part) for part in detail["loc"] if not _is_variant(part)]
    key = ".".join([*([prefix] if prefix else []), *place]) or "study"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key '{key}'.{did_you_mean(str(detail['loc'][-1]), known)} Known keys: {', '.join(known)}"
        case "missing":
            return f"{key} is required"
        case "union_tag_invalid":
            names = re.findall(r"'([^']+)'", str(context.get("expected_tags", "")))
            tag = str(context.get("tag"))
            return f"{key}: unknown name '{tag}'.{did_you_mean(tag, names)} Known: {', '.join(names)}"
        case "literal_error":
            names = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            came = str(detail["input"])
            return f"{key}: unknown name {shorten(came)}.{did_you_mean(came, names)} Known: {', '.join(names)}"
        case "value_error":
            return str(context.get("error", detail["msg"]))
    return f"{key} must be {_requirement(detail)}; got {shorten(detail['input'])}"


def _requirement(detail: ErrorDetails) -> str:
    """What is required, in the words of a study file rather than of Python."""
    match detail["type"]:
        case "tuple_type":
            return "a list"
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


def _is_variant(part: str | int) -> bool:
    """Parts of a location that name a member of a union, not a key of the study."""
    return isinstance(part, str) and (
        part in {"principled", "published", "str", "TaskRule", "corridors"} or part.startswith(("tuple[", "function-"))
    )


def _fields_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Keys that are known at a location inside the data of `model`."""
    here: list[type[BaseModel]] = [model]
    for part in location:
        tagged = [m for m in here if any(part in get_args(f.annotation) for f in m.model_fields.values())]
        if tagged:
            here = tagged
            continue
        inside = [inner for m in here if part in m.model_fields for inner in _models_in(m.model_fields[str(part)].annotation)]
        here = inside or here
    return list(dict.fromkeys(name for m in here for name in m.model_fields))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model class named in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)

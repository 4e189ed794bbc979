"""Values of a study that a user gives from Python, and that files hold as a description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import core_schema

KIND = "given"  # by which a description says that it is one


def core_schema_of(take: Callable[[Any], Any], describe: Callable[[Any], Any]) -> core_schema.CoreSchema:
    """For pydantic: `take` makes the value of what was given, `describe` what is written of it to JSON."""
    as_text = core_schema.plain_serializer_function_ser_schema(describe, when_used="json")
    return core_schema.no_info_plain_validator_function(take, serialization=as_text)


def json_schema_of(word: str) -> dict[str, Any]:
    """The same for the schema of study files; `word` says what kind of thing it is."""
    return {
        "type": "object",
        "description": f"A {word} that was given from Python, as a run directory describes it.",
        "properties": {"kind": {"const": KIND}},
        "required": ["kind"],
    }

"""The wording of every error a user can cause, and the exceptions that carry it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

# Characters that steer a terminal, turn the direction of writing, or are no characters at all.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class RatewarpError(Exception):
    """The work could not be done; the message says why and what to do. Command-line exit code 1.

    Messages name what users and files called things; as text they hold nothing that a terminal would obey.
    """

    def __str__(self) -> str:
        return escaped_lines(super().__str__())


class RequestError(RatewarpError, ValueError):
    """What was asked for is wrong: a bad argument, study file or expression. Command-line exit code 2."""


def refuse(argument: str, requirement: str, came: object) -> NoReturn:
    """Raises `RequestError` saying which argument, what it must be, and what came.

    Examples:
        >>> refuse("capacity_nats", "a positive number", -1)
        Traceback (most recent call last):
        ...
        ratewarp._checks.RequestError: capacity_nats must be a positive number; got -1
    """
    raise RequestError(f"{argument} must be {requirement}; got {shorten(came)}")


def refuse_name(argument: str, kind: str, came: object, known: Iterable[str]) -> NoReturn:
    """Raises `RequestError` for an unknown name, with the nearest known one and the full list.

    Examples:
        >>> refuse_name("tasks", "task", "E2M9", ["E2M1", "E2M2"])
        Traceback (most recent call last):
        ...
        ratewarp._checks.RequestError: tasks: no task is named 'E2M9'. Did you mean 'E2M2'? Known: E2M1, E2M2
    """
    names = list(known)
    listed = ", ".join(map(escaped, names))
    raise RequestError(
        f"{argument}: no {kind} is named '{escaped(came)}'.{did_you_mean(str(came), names)} Known: {listed}"
    )


def did_you_mean(came: str, known: Iterable[str]) -> str:
    """' Did you mean …?' with the nearest known name, or an empty string when none is near."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(came.lower(), by_lower, n=1, cutoff=0.5)
    return f" Did you mean '{escaped(by_lower[near[0]])}'?" if near else ""


def escaped(text: object) -> str:
    r"""`text` on one line, without what would steer a terminal or turn the direction of writing.

    Examples:
        >>> print(escaped("\x1b[31mred, one\nline"))
        \x1b[31mred, one\nline
    """
    return _STEERING.sub(lambda found: repr(found.group())[1:-1], str(text))


def escaped_lines(text: str) -> str:
    """`text` escaped line by line, for what is meant to have several."""
    return "\n".join(map(escaped, text.split("\n")))


def shorten(value: object, limit: int = 80) -> str:
    """`repr(value)`, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

"""Reading small text files from others: never more than is asked for, never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ratewarp._checks import RatewarpError, RequestError, refuse

MAX_BYTES = 1_000_000


def read_text(path: Path) -> str:
    """Contents of a UTF-8 text file of at most a megabyte, or `RequestError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            refuse(str(path), f"at most {MAX_BYTES:,} bytes", f"{path.stat().st_size:,} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RequestError(f"{path} is not a text file in UTF-8") from None
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from None


def parse_yaml(text: str, origin: str) -> Any:
    """Plain data in YAML, or `RequestError`; no objects of Python, no value that holds itself."""
    try:
        data = yaml.safe_load(text)
        json.dumps(data, default=str)  # fails on a value that holds itself
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" (line {place.line + 1})" if place is not None else ""
        raise RequestError(f"{origin} is not valid YAML{where}: {getattr(error, 'problem', None) or type(error).__name__}") from None
    return data


def parse_mapping(text: str, origin: str) -> dict[str, Any]:
    """A YAML mapping with names as keys, or `RequestError`."""
    data = parse_yaml(text, origin)
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        refuse(origin, "a mapping of keys to values", data)
    return data


@contextmanager
def undamaged(file: Path) -> Iterator[None]:
    """Turns any failure to read a file this package wrote into one message that names it."""
    try:
        yield
    except RatewarpError:
        raise
    except Exception as error:
        raise RatewarpError(f"{file} is damaged or missing ({type(error).__name__}); remove it and run the study again") from error

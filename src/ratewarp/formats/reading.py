"""What every reader of files has in common: one message for every failure, plain arrays for what is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ratewarp._checks import RatewarpError, RequestError, refuse
from ratewarp.formats.content import UnreadableError


@contextmanager
def readable(path: Path, *, too_large: str) -> Iterator[None]:
    """Turns every failure to read a file into one message.

    Arguments:
        path: of the file.
        too_large: what to do about a file that does not fit into memory.

    Raises:
        RequestError: what is done inside fails, for whatever reason.
    """
    try:
        yield
    except RatewarpError:
        raise
    except UnreadableError as error:
        raise RequestError(f"{path} {error}") from None
    except ImportError as error:
        raise RequestError(f"{path}: this format needs another package: {error}") from None
    except MemoryError:
        raise RequestError(f"{path} is too large for this machine's memory; {too_large}") from None
    except Exception as error:  # readers of other packages raise whatever they like
        raise RequestError(f"{path} cannot be read ({why(error)})") from None


def why(error: Exception) -> str:
    """An error of another package in one line.

    Examples:
        >>> why(ValueError("wrong"))
        'ValueError: wrong'
    """
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def plain(name: str, array: np.ndarray) -> np.ndarray:
    """Numbers or names; names as text, also where a file holds them as bytes.

    Raises:
        RequestError: records, or bytes that are no text; the message begins with `name`.
    """
    if array.dtype.kind == "V":
        refuse(name, "an array of numbers or names", f"records, dtype {array.dtype}")
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        refuse(name, "text in UTF-8", "other bytes")

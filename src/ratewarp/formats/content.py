"""What a file of arrays holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ratewarp._checks import refuse
from ratewarp.formats.limits import MOST_UNPACKED, SMALL

OBJECTS = (
    "holds Python objects, which only running code could read; save it as numbers, or names with .astype(str)"
)


class Content(NamedTuple):
    """What a file holds: names with their shapes, and a way to read one of them.

    Attributes:
        shapes: shape of every array, by name.
        read: reads the array of a name.
        tabular: whether the arrays are columns of one table.
        refused: arrays that are left out: what to say of each.
        numeric: columns of a table that hold numbers, or hold them but for a cell that is wrong.
    """

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]
    tabular: bool
    refused: Mapping[str, str] = MappingProxyType({})
    numeric: frozenset[str] = frozenset()


def no_objects(name: str, array: np.ndarray) -> np.ndarray:
    """`array`, or `RequestError` if it holds objects of Python."""
    if array.dtype.hasobject:
        refuse(name, "an array of numbers or names", "Python objects, which only running code could read")
    return array


def as_names(name: str, texts: Sequence[str]) -> np.ndarray:
    """`texts` as NumPy has them, each with the room of the longest; `RequestError` where that is far more
    than they need.

    Examples:
        >>> as_names("labels", ["east", "west"])
        array(['east', 'west'], dtype='<U4')
    """
    longest = max(map(len, texts), default=0)
    size = longest * len(texts)
    if size > SMALL // 4 and size > MOST_UNPACKED * sum(map(len, texts)):
        refuse(name, "names of similar length", f"one of {longest:,} letters among {len(texts):,} names")
    return np.array(texts, dtype=np.str_)


class UnreadableError(Exception):
    """A file that does not hold what it should; the message follows the file's name: `holds no rows`."""

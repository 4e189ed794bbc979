"""MATLAB files. Versions 4 and 5 are read in a process of its own: a damaged one can crash SciPy's reader.

Checking the structure first would mean to parse everything that SciPy's compiled code parses, compressed
parts included, and to be stricter in each detail. A process costs half a second, and holds for the damage
that nobody thought of.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ratewarp._checks import RequestError
from ratewarp._interrupt import stop_if_asked
from ratewarp.formats import matlab_reader
from ratewarp.formats.content import Content, UnreadableError
from ratewarp.formats.limits import check_unpacked
from ratewarp.formats.matlab_fields import LEFT_OUT, STRUCTS, line, refused_fields
from ratewarp.formats.matlab_hdf5 import flat, read_matlab_73

_SMALL = 2**26  # bytes of arrays that are handed over at once, so that one process does for them all
_MEMORY = 2**28  # bytes that the reader may always have, beyond what the file can need
_COPIES = 4  # of an array that the reader may hold
_SECONDS = 60  # of work for the reader, and more for a large file
_BYTES_A_SECOND = 10**7
_WIDTHS = {
    8: ("double", "int64", "uint64"),
    4: ("single", "int32", "uint32"),
    2: ("int16", "uint16"),
    1: ("int8", "uint8"),
}
_KINDS = {kind: width for width, kinds in _WIDTHS.items() for kind in kinds}
_OTHER = 16  # bytes of a number of any other class


def read_mat(path: Path) -> Content:
    """The variables of a MATLAB file of any version."""
    import h5py

    if h5py.is_hdf5(path):
        return read_matlab_73(path)
    found = _overview(path)

    def one(key: str) -> np.ndarray:
        if key in found.arrays:
            return found.arrays[key]
        check_unpacked(f"{path}: {key}", found.sizes[key], path.stat().st_size)
        return _one(path, key, found.fields.get(key), found.sizes[key])

    return Content(found.shapes, one, tabular=False, refused=found.refused)


Answer = tuple[dict[str, Any], np.ndarray | None]


class _Overview(NamedTuple):
    """What a file holds.

    Attributes:
        shapes: of every array, by name.
        sizes: their bytes.
        arrays: those that were handed over at once.
        refused: what to say of what cannot be read.
        fields: names that lead to a field of a struct, by the name it has here.
    """

    shapes: dict[str, tuple[int, ...]]
    sizes: dict[str, int]
    arrays: dict[str, np.ndarray]
    refused: dict[str, str]
    fields: dict[str, list[str]]


def _overview(path: Path) -> _Overview:
    found = _Overview({}, {}, {}, {}, {})
    read = False
    with _reader(path, None, _SMALL) as answers:
        for head, body in answers:
            read = read or "holds" in head
            for name, shape, kind in head.get("holds", ()):
                _note(found, name, tuple(shape), kind)
            if "struct" in head:
                _note_fields(found, head)
            elif head.get("objects"):
                found.refused[head["name"]] = STRUCTS
            elif body is not None:
                # a variable cannot have the name of a field, unless somebody means mischief
                found.arrays.setdefault(head["name"], flat(body))
            if "error" in head and not read:
                _say(head)
            if head.get("ended") and not read:
                raise UnreadableError("cannot be read: it is damaged")
    for name in found.refused:
        found.shapes.pop(name, None)
    return found


def _note(found: _Overview, name: str, shape: tuple[int, ...], kind: str) -> None:
    """A variable: an array, until it turns out to be none; a struct is none."""
    if kind == "struct":
        found.refused[name] = STRUCTS
        return
    found.shapes[name] = line(shape)
    found.sizes[name] = math.prod(shape) * _KINDS.get(kind, _OTHER)


def _note_fields(found: _Overview, head: Mapping[str, Any]) -> None:
    """Fields of a struct that are arrays, and what to say of the others."""
    names = []
    for path, shape, size in head["fields"]:
        name = ".".join(path)
        if name not in found.shapes and name not in found.refused:
            names.append(name)
            found.shapes[name], found.sizes[name], found.fields[name] = tuple(shape), size, path
    left = {".".join(path): why for path, why in head["left"]}
    found.refused.update(refused_fields(head["struct"], names, left))


def _one(path: Path, key: str, field: list[str] | None, size: int) -> np.ndarray:
    """One array that was not handed over: it is large, or comes after one that cannot be read."""
    with _reader(path, [field or key], size) as answers:
        for head, body in answers:
            if head.get("objects"):
                raise RequestError(f"{path}: {key!r} {STRUCTS}")
            if "left" in head:
                raise RequestError(f"{path}: {key!r} {LEFT_OUT[head['left']]}")
            if body is not None:
                return flat(body)
            if "error" in head:
                _say(head)
    raise UnreadableError("cannot be read: it is damaged")


def _say(head: Mapping[str, Any]) -> None:
    if head["error"] == "MemoryError":
        raise MemoryError
    why = next(iter(head["why"].splitlines()), "")
    raise UnreadableError(f"cannot be read ({head['error']}: {why})")


@contextmanager
def _reader(path: Path, keys: list[Any] | None, size: int) -> Iterator[Iterator[Answer]]:
    """What a reader in a process of its own says of a file; it is gone when the work is done or stopped."""
    bytes_in = path.stat().st_size
    asked = {
        "paths": [os.path.abspath(place) for place in sys.path if place],
        "file": str(path.resolve()),
        "keys": keys,
        "small": _SMALL,
        "memory": _MEMORY + _COPIES * max(size, bytes_in),
        "seconds": _SECONDS + max(size, bytes_in) // _BYTES_A_SECOND,
    }
    command = [sys.executable, "-I", str(Path(matlab_reader.__file__).resolve())]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen(command, env={**os.environ, **threads}, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.close()
            yield _answers(process.stdout)
        finally:
            process.kill()


def _answers(stream: IO[bytes]) -> Iterator[Answer]:
    """Lines of JSON with the arrays behind them; `ended` where the reader stopped before it was done."""
    while text := stream.readline():
        head = json.loads(text)
        if head.get("done"):
            return
        yield head, np.lib.format.read_array(_Pipe(stream), allow_pickle=False) if head.get("array") else None
    stop_if_asked()  # Ctrl-C reaches the reader, too
    yield {"ended": True}, None


class _Pipe:
    """Gives bytes; NumPy would look for a place in what it knows to be a file, and a pipe has none."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.read = stream.read

"""Reads a MATLAB 4 or 5 file with SciPy; a program of its own, run by `matlab_arrays`.

SciPy's reader is compiled code that a damaged file can crash: here it takes only this process with it. One
line of JSON comes on stdin; out go lines of JSON, and behind one that says so an array in NumPy's format.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

_MOST_FIELDS = 200  # of one struct, and of elements and of structs within structs, as in `matlab_fields`
_MOST_ELEMENTS = 10_000
_DEEPEST = 3


def main() -> None:
    """Answers one request.

    It says `paths` to import from, `file`, `keys` to read, a field of a struct as the list of names that
    lead to it (null: what there is, and the first arrays of at most `small` bytes together), and how much
    `memory` and how many `seconds` of work it may cost.
    """
    asked = json.loads(sys.stdin.readline())
    sys.path[:] = asked["paths"]
    import scipy.io  # noqa: F401  (before memory is limited)

    _limit(asked["memory"], asked["seconds"])
    out = sys.stdout.buffer
    try:
        for head, array in _answers(asked["file"], asked["keys"], asked["small"]):
            _send(out, head, array)
        _send(out, {"done": True})
    except MemoryError:
        _send(out, {"error": "MemoryError", "why": ""})
    except Exception as error:
        _send(out, {"error": type(error).__name__, "why": str(error)})


def _answers(file: str, keys: list[Any] | None, small: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """The arrays of these names; without names, what the file holds, and its arrays while they are small."""
    from scipy.io import whosmat

    if keys is not None:
        for key in keys:
            yield _array(file, key) if isinstance(key, str) else _field(file, key)
        return
    found = [(name, [int(side) for side in shape], kind) for name, shape, kind in whosmat(file)]
    yield {"holds": found}, None
    for name in _small([one for one in found if one[2] != "struct"], small):
        yield _array(file, name)
    room = small
    for name in (name for name, _, kind in found if kind == "struct"):  # last: they may end the reader
        for head, array in _struct(file, name, room):
            room -= 0 if array is None else array.nbytes
            yield head, array


def _small(found: list[tuple[str, list[int], str]], small: int) -> list[str]:
    """The first arrays that together are small, as the file says; one number takes at most 16 bytes."""
    chosen, total = [], 0
    for name, shape, _ in found:
        size = 16
        for side in shape:
            size *= max(side, 0)
        total += size
        if total > small:
            break
        chosen.append(name)
    return chosen


def _array(file: str, key: str) -> tuple[dict[str, Any], Any]:
    import numpy as np
    from scipy.sparse import issparse

    value = _load(file, key)
    array = _strings(np.asarray(value.toarray() if issparse(value) else value))
    if array.dtype.hasobject:
        return {"name": key, "objects": True}, None
    return {"name": key, "array": True}, array


def _load(file: str, name: str) -> Any:
    from scipy.io import loadmat

    return loadmat(file, variable_names=[name])[name]


def _struct(file: str, name: str, room: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """Which fields of a struct are arrays, and why others are none; then the arrays, while there is room."""
    arrays: list[tuple[list[str], Any]] = []
    left: list[tuple[list[str], str]] = []
    try:
        for path, values in _fields((name,), _load(file, name)):
            try:
                arrays.append((path, values if isinstance(values, str) else _joined(values)))
            except MemoryError:
                arrays.append((path, "large"))
    except MemoryError:
        left.append(([name], "large"))
    left += [(path, array) for path, array in arrays if isinstance(array, str)]
    arrays = [(path, array) for path, array in arrays if not isinstance(array, str)]
    held = [(path, list(array.shape), array.nbytes) for path, array in arrays]
    yield {"struct": name, "fields": held, "left": left}, None
    for path, array in arrays:
        if array.nbytes > room:
            break
        room -= array.nbytes
        yield {"name": ".".join(path), "array": True}, array


def _field(file: str, wanted: list[str]) -> tuple[dict[str, Any], Any]:
    name = ".".join(wanted)
    for path, values in _fields((wanted[0],), _load(file, wanted[0])):
        if path != wanted:
            continue
        array = values if isinstance(values, str) else _joined(values)
        if isinstance(array, str):
            return {"name": name, "left": array}, None
        return {"name": name, "array": True}, array
    return {"name": name, "objects": True}, None


def _fields(above: tuple[str, ...], struct: Any) -> Iterator[tuple[list[str], Any]]:
    """Fields of an array of structs: what each is in every element, in MATLAB's order, or why it is none."""
    names = struct.dtype.names or ()
    if struct.size > _MOST_ELEMENTS or len(names) > _MOST_FIELDS:
        yield list(above), "elements" if struct.size > _MOST_ELEMENTS else "fields"
        return
    for name in names if struct.size else ():
        values = list(struct[name].ravel(order="F"))
        path = (*above, name)
        if len(values) > 1 or not _is_struct(values[0]):
            yield list(path), values
        elif len(path) >= _DEEPEST:
            yield list(path), "deep"
        else:
            yield from _fields(path, values[0])


def _is_struct(value: Any) -> bool:
    """Whether a value is a struct, and neither an object nor a function."""
    import numpy as np

    return type(value) is np.ndarray and value.dtype.names is not None


def _joined(values: list[Any]) -> Any:
    """One array of what a field is in every element, theirs the first axis; or why there is none."""
    import numpy as np

    arrays = [_element(value) for value in values]
    known = [array for array in arrays if array is not None]
    if len(known) < len(arrays) or len({array.dtype.kind == "U" for array in known}) > 1:
        return "other"
    if len({array.shape for array in known}) > 1:
        return "shapes"
    if len(known) > 1:
        return np.stack(known)
    if known[0].size < 2:
        return "single" if known[0].size else "empty"
    return known[0]


def _element(value: Any) -> Any:
    """A value of a field as an array of numbers or names, vectors of one axis; None if it is neither."""
    import numpy as np
    from scipy.sparse import issparse

    array = np.asarray(value.toarray() if issparse(value) else value)
    if type(value) is not np.ndarray and not issparse(value):  # an object or a function
        return None
    array = _strings(array)
    if array.dtype.kind not in "biufcU":
        return None
    if array.dtype.kind == "U" and not array.size:  # an empty text
        return np.array("")
    if array.size == 1:
        return array.reshape(())
    return array.ravel() if array.ndim == 2 and min(array.shape) == 1 else array


def _strings(array: Any) -> Any:
    """Names of a cell array or of a matrix of characters, without the blanks that fill its rows up."""
    import numpy as np

    if array.dtype == object and all(_is_word(one) for one in array.ravel()):
        array = np.array([str(one.item()) for one in array.ravel()], dtype=np.str_).reshape(array.shape)
    return np.char.rstrip(array) if array.dtype.kind == "U" else array


def _is_word(one: Any) -> bool:
    import numpy as np

    return isinstance(one, np.ndarray) and one.dtype.kind == "U" and one.size == 1


def _limit(memory: int, seconds: int) -> None:
    """At most so much more memory than now, and so many seconds of work, where the system can say so."""
    try:
        import resource
        from pathlib import Path

        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + memory, held + memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


def _send(out: BinaryIO, head: dict[str, Any], array: Any = None) -> None:
    out.write(json.dumps(head).encode() + b"\n")
    if array is not None:
        import numpy as np

        np.lib.format.write_array(_Pipe(out), array, allow_pickle=False)
    out.flush()


class _Pipe:
    """Takes bytes; NumPy would look for a place in what it knows to be a file, and a pipe has none."""

    def __init__(self, out: BinaryIO) -> None:
        self.write = out.write


if __name__ == "__main__":
    main()

"""Reads a MATLAB 4 or 5 file with SciPy; a program of its own, run by `matlab_arrays`.

SciPy's reader is compiled code that a damaged file can crash: here it takes only this process with it. One
line of JSON comes on stdin; out go lines of JSON, and behind one that says so an array in NumPy's format.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO


def main() -> None:
    """Answers one request.

    It says `paths` to import from, `file`, `keys` to read (null: what there is, and the first arrays of at
    most `small` bytes together), and how much `memory` and how many `seconds` of work it may cost.
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


def _answers(file: str, keys: list[str] | None, small: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """The arrays of these names; without names, what the file holds, and its arrays while they are small."""
    from scipy.io import whosmat

    if keys is None:
        found = [(name, [int(side) for side in shape], kind) for name, shape, kind in whosmat(file)]
        yield {"holds": found}, None
        keys = _small(found, small)
    for key in keys:
        yield _array(file, key)


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
    from scipy.io import loadmat
    from scipy.sparse import issparse

    value = loadmat(file, variable_names=[key])[key]
    array = _strings(np.asarray(value.toarray() if issparse(value) else value))
    if array.dtype.hasobject:
        return {"name": key, "objects": True}, None
    return {"name": key, "array": True}, array


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

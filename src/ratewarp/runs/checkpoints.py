"""Checkpoints: arrays of a training that is not finished, kept so that they survive a crash and that damage
is noticed.

A checkpoint is a safetensors file `checkpoints/<wave>/<step>.safetensors`. Its metadata say which wave it is
of (a hash of the conditions trained together), which conditions are in it, how many steps are done, and the
SHA-256 of the whole file with that hash itself as zeros. The first axis of every array is the conditions. It
appears by one rename; the newest two of a wave are kept.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ratewarp._checks import RatewarpError
from ratewarp._files import disk_errors, write_whole
from ratewarp.runs.run_files import MOST_ARRAYS, DamagedError, read_regular, refuse_link

FORMAT, VERSION = "ratewarp-checkpoint", "1"

_NO_HASH = "0" * 64


class Stand(NamedTuple):
    """What a checkpoint is of.

    Attributes:
        wave: hash of the conditions trained together.
        group: hash of what they share; a checkpoint serves another wave of the same group if it holds all its
            conditions.
        conditions: ids of the conditions in it, in the order of the arrays.
        step: steps done.
        processors: kinds of processor that these steps were computed on.
    """

    wave: str
    group: str
    conditions: tuple[str, ...]
    step: int
    processors: tuple[str, ...] = ()


class Found(NamedTuple):
    """What a folder of checkpoints holds.

    Attributes:
        usable: what each sound file is of.
        unusable: what is wrong with each other file, to be read after its name.
    """

    usable: dict[Path, Stand]
    unusable: dict[Path, str]


class UnusableError(RatewarpError):
    """A file that is no sound checkpoint.

    Attributes:
        reason: what is wrong, to be read after the name of the file.
    """

    def __init__(self, file: Path, reason: str):
        super().__init__(f"{file} {reason}")
        self.reason = reason


def write_checkpoint(
    folder: Path, stand: Stand, arrays: Mapping[str, np.ndarray], before: Path | None
) -> Path:
    """Writes a checkpoint, then removes the wave's others.

    Arguments:
        folder: of all checkpoints of a run.
        stand: what it is of.
        arrays: by name; first axis: conditions.
        before: the one before it, which is kept.

    Returns:
        Its file.

    Raises:
        RatewarpError: it cannot be written; the one before it is intact.
    """
    file = folder / stand.wave / f"{stand.step}.safetensors"
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "wave": stand.wave,
        "group": stand.group,
        "conditions": json.dumps(stand.conditions),
        "step": str(stand.step),
        "processors": json.dumps(stand.processors),
        "sha256": _NO_HASH,
    }
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
    signed = content.replace(_mark(_NO_HASH), _mark(sha256(content).hexdigest()), 1)
    for place in (folder, file.parent):
        refuse_link(place)
    with disk_errors(
        file,
        "the finished conditions and the checkpoint before this one are intact, and the same command resumes"
        " from there",
    ):
        write_whole(file, signed)
        for other in _files(file.parent):
            if other not in (file, before):
                other.unlink()
    return file


def read_checkpoint(file: Path) -> tuple[Stand, dict[str, np.ndarray]]:
    """What a checkpoint is of, and its arrays.

    Raises:
        UnusableError: it cannot be read, is damaged, or is not what its name says.
    """
    try:
        content = read_regular(file, MOST_ARRAYS)
    except DamagedError as error:
        raise UnusableError(file, error.reason) from None
    metadata = _checked_metadata(file, content)
    try:
        ids = tuple(map(str, json.loads(metadata["conditions"])))
        # which earlier versions did not note
        processors = tuple(map(str, json.loads(metadata.get("processors", "[]"))))
        stand = Stand(metadata["wave"], metadata["group"], ids, int(metadata["step"]), processors)
        arrays = load(content)
    except (KeyError, ValueError, TypeError, RecursionError, SafetensorError):
        raise UnusableError(file, "is damaged: its contents cannot be read") from None
    if stand.step < 0:
        raise UnusableError(file, f"is damaged: no training has {stand.step} steps")
    if not ids or len(set(ids)) < len(ids):
        raise UnusableError(file, "is damaged: a condition must stand in it once")
    if any(array.ndim == 0 or len(array) != len(ids) for array in arrays.values()):
        raise UnusableError(file, "is damaged: its arrays are not of its conditions")
    if (stand.wave, str(stand.step)) != (file.parent.name, file.stem):
        raise UnusableError(file, f"is of another wave or study: {stand.wave}, step {stand.step}")
    return stand, arrays


def _checked_metadata(file: Path, content: bytes) -> dict[str, Any]:
    """The metadata of a file whose hash is right."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise UnusableError(file, "is truncated or damaged: it ends within its header")
    head = content[: 8 + length]
    try:
        metadata = json.loads(head[8:])["__metadata__"]
        kind, version, digest = (str(metadata.get(key)) for key in ("format", "version", "sha256"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnusableError(file, "is damaged, or no checkpoint: its header cannot be read") from None
    if kind != FORMAT:
        raise UnusableError(file, "is not a checkpoint of ratewarp")
    if version != VERSION:
        raise UnusableError(file, f"is of format version {version}; this ratewarp reads version {VERSION}")
    actual = sha256(
        head.replace(_mark(digest), _mark(_NO_HASH)) if re.fullmatch("[0-9a-f]{64}", digest) else b""
    )
    actual.update(memoryview(content)[8 + length :])
    if actual.hexdigest() != digest:
        raise UnusableError(file, "is truncated or damaged: its contents do not match its hash")
    return metadata


def _mark(digest: str) -> bytes:
    """The hash as it stands in the file."""
    return f'"sha256":"{digest}"'.encode()


def find_checkpoints(folder: Path) -> Found:
    """Reads and checks every checkpoint of a run."""
    found = Found({}, {})
    for file in sorted(
        file for wave in (folder.iterdir() if folder.is_dir() else ()) for file in _files(wave)
    ):
        try:
            found.usable[file], _ = read_checkpoint(file)
        except UnusableError as error:
            if os.path.lexists(file):  # if not, a run that works meanwhile has removed it
                found.unusable[file] = error.reason
    return found


def choose(found: Found, wave: str, group: str, conditions: Sequence[str]) -> Path | None:
    """The checkpoint to resume from.

    Arguments:
        found: all there are.
        wave: hash of the wave.
        group: hash of its group.
        conditions: ids of the conditions that are to resume.

    Returns:
        The furthest that holds all the conditions, of this wave or another of its group; None if there is
        none.

    Raises:
        RatewarpError: the wave has checkpoints, and none can be used.
    """
    fitting = [
        file
        for file, stand in found.usable.items()
        if stand.group == group and set(conditions) <= set(stand.conditions)
    ]
    own = [file for file in found.unusable if file.parent.name == wave]
    if fitting:
        return max(fitting, key=lambda file: (found.usable[file].step, file.parent.name == wave))
    if own:
        wrong = "; ".join(f"{file} {found.unusable[file]}" for file in own)
        raise RatewarpError(
            f"no checkpoint of {', '.join(conditions)} can be used: {wrong}. All finished conditions are"
            " intact. To train these from"
            f" their start, remove {own[0].parent} and run the same command again"
        )
    return None


def remove_checkpoints(folder: Path) -> None:
    """Removes the checkpoints of one wave, and its folder unless something else is in it.

    Raises:
        RatewarpError: they cannot be removed.
    """
    refuse_link(folder)
    with disk_errors(folder):
        for file in _files(folder):
            file.unlink()
    with suppress(OSError):
        folder.rmdir()


def remove_all_checkpoints(folder: Path) -> None:
    """Removes the checkpoints of every wave."""
    refuse_link(folder)
    for wave in sorted(folder.iterdir()) if folder.is_dir() else ():
        remove_checkpoints(wave)
    with suppress(OSError):
        folder.rmdir()


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.safetensors") if file.stem.isdecimal()]

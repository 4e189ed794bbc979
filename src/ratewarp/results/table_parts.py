"""Parts of the tables: rows of one condition or one model, kept on disk until all tables are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ratewarp.runs.directory import RunDirectory
from ratewarp.runs.run_files import read_signed, signed, sum_or_nothing

Rows = dict[str, list[dict[str, Any]]]
"""Rows by name of their table."""

_VERSIONS = tuple(f"{name} {version(name)}" for name in ("ratewarp", "numpy", "scipy"))


@dataclass(frozen=True)
class Parts:
    """Where finished parts are kept.

    Attributes:
        run: the run directory.
        kept: whether parts are written, and those of an interrupted run taken up.
        made: parts of this run so far, by key.
    """

    run: RunDirectory
    kept: bool
    made: dict[str, Rows] = field(default_factory=dict)

    def rows(self, key: str, make: Callable[[], Rows]) -> Rows:
        """The part of this key: what is kept of it, or else what `make` gives, which is then kept.

        Rows go through JSON in either case, so that a table does not show whether its making was interrupted.
        """
        self.made[key] = self._read_or_make(key, make)
        return self.made[key]

    def known(self, key: str) -> bool:
        """Whether the part of this key is kept."""
        if key not in self.made and self.kept:
            found = _read(self._file(key))
            if found is not None:
                self.made[key] = found
        return key in self.made

    def _file(self, key: str) -> Path:
        return self.run.measured / f"{key}.json"

    def _read_or_make(self, key: str, make: Callable[[], Rows]) -> Rows:
        if self.known(key):
            return self.made[key]

        text = json.dumps(make(), default=plain)
        if self.kept:
            self.run.write_text(f"{self.run.measured.name}/{key}.json", signed(text))
        return json.loads(text)


def part_key(things: Iterable[object], files: Iterable[Path | None] = ()) -> str:
    """A name for what a part depends on: equal for equal descriptions, contents of files and versions of
    packages.

    Arguments:
        things: whose descriptions (`repr`) count.
        files: whose contents count; None for one that there is not.

    Examples:
        >>> part_key(["a", 1]) == part_key(["a", 1]), part_key(["a", 1]) == part_key(["a1"])
        (True, False)
    """
    digest = sha256(repr([*_VERSIONS, *things]).encode())
    for file in files:
        digest.update(f"{sum_or_nothing(file)};".encode())
    return digest.hexdigest()[:40]


def _read(file: Path) -> Rows | None:
    """A part that is kept; None where there is none, or one that is damaged and is to be made anew."""
    text = read_signed(file)
    return None if text is None else json.loads(text)


def plain(value: Any) -> Any:
    """A number of NumPy as Python's."""
    return value.item()

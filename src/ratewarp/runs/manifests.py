"""Whether a manifest holds what a manifest holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ratewarp.runs.run_files import DamagedError

_PARTS = {"packages": dict, "device": dict, "sha256": dict, "sessions": list, "processors": dict}


def check_manifest(manifest: dict[str, Any], file: Path) -> dict[str, Any]:
    """The manifest, if its parts are of their types; a part may be missing.

    Raises:
        DamagedError: one is of another type.
    """
    for name, kind in _PARTS.items():
        if not isinstance(manifest.get(name, kind()), kind):
            raise DamagedError(
                file, f"is damaged: its entry '{name}' is no {'list' if kind is list else 'table'}"
            )
    if not all(isinstance(digest, str) for digest in manifest.get("sha256", {}).values()):
        raise DamagedError(file, "is damaged: its entry 'sha256' holds no sums")
    if not isinstance(manifest.get("seconds_tables", 0), int | float):
        raise DamagedError(file, "is damaged: its entry 'seconds_tables' is no time")
    for session in manifest.get("sessions", []):
        if not isinstance(session, dict) or not isinstance(session.get("seconds"), int | float):
            raise DamagedError(file, "is damaged: its entry 'sessions' has no times")
    return manifest

"""Processes of this package that answer line by line, and leave when their input ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress


def start_child(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts a module of this package, on the CPU; what it says of errors is not heard.

    Arguments:
        module: its name.
        arguments: of its command line.
        env: further variables of its environment.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu", **(env or {})},
        start_new_session=True,  # Ctrl-C is heard here
    )


def close_child(child: subprocess.Popen[str]) -> None:
    """Closes its pipes, and waits for its end."""
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):  # a line that was never read
            pipe.close() if pipe is not None else None
    child.wait()

"""What a comparison ran on: processor, memory, versions. Nothing that names the machine or its user."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ratewarp._cores import cpu_cores

PACKAGES = ("ratewarp", "jax", "jaxlib", "numpy", "torch", "pythae")
# known to change timings
VARIABLES = ("XLA_FLAGS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "KMP_AFFINITY")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, operating system, and how many programs were at work in the last minute."""
    return {
        "processor": _processor(),
        "cores": cpu_cores(),
        "memory_bytes": _memory(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def describe_software() -> dict[str, Any]:
    """Versions, and the environment variables that change timings, where they are set."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """Model of the processor, as far as the operating system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        found = re.search(r"^model name\s*: (.+)$", listing.read_text(), re.MULTILINE)
        return found[1] if found else platform.machine()
    if platform.system() == "Darwin":
        answer = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    """Bytes of main memory."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not told on this system
        return None

"""ratewarp: see how a limited code warps what it represents.

Public names load on first use, so that `import ratewarp` is quick and needs no JAX.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ratewarp import geometry, networks, rsa, sources, theory
    from ratewarp._checks import RatewarpError, RequestError
    from ratewarp.api import run
    from ratewarp.comparison import compare_published
    from ratewarp.measurement import Measurement, measure
    from ratewarp.status import RunStatus, run_status
    from ratewarp.store import RunDirectory, open_run
    from ratewarp.studies import Condition, Study, load_study
    from ratewarp.theory import rate_distortion
    from ratewarp.trained import trained_networks

_PLACES = {
    "run": "ratewarp.api",
    "compare_published": "ratewarp.comparison",
    "Measurement": "ratewarp.measurement",
    "measure": "ratewarp.measurement",
    "RunStatus": "ratewarp.status",
    "run_status": "ratewarp.status",
    "open_run": "ratewarp.store",
    "RatewarpError": "ratewarp._checks",
    "RequestError": "ratewarp._checks",
    "RunDirectory": "ratewarp.store",
    "Condition": "ratewarp.studies",
    "Study": "ratewarp.studies",
    "load_study": "ratewarp.studies",
    "rate_distortion": "ratewarp.theory",
    "trained_networks": "ratewarp.trained",
}
_MODULES = ("geometry", "networks", "rsa", "sources", "theory")

__all__ = [
    "Condition",
    "Measurement",
    "RatewarpError",
    "RequestError",
    "RunDirectory",
    "RunStatus",
    "Study",
    "compare_published",
    "geometry",
    "load_study",
    "measure",
    "networks",
    "open_run",
    "rate_distortion",
    "rsa",
    "run",
    "run_status",
    "sources",
    "theory",
    "trained_networks",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # not earlier: until the command line listens, a signal ends it with Python's words

        return version("ratewarp")
    if name in _MODULES:
        return import_module(f"ratewarp.{name}")
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'ratewarp' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

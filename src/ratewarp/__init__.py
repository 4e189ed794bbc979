"""ratewarp: see how a limited code warps what it represents.

Public names load on first use, so that `import ratewarp` is quick and needs no JAX.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ratewarp import geometry, networks, plot, sources, theory
    from ratewarp._checks import RatewarpError, RequestError
    from ratewarp.api import merge, run
    from ratewarp.codes import rsa
    from ratewarp.codes.likeness import likeness
    from ratewarp.codes.measurement import Measurement, measure
    from ratewarp.codes.several import Several, measure_several
    from ratewarp.report.page.stage_page import Stage, stage
    from ratewarp.results.paper.comparison import compare_published
    from ratewarp.results.run_comparison import compare_runs
    from ratewarp.runs.directory import RunDirectory, open_run
    from ratewarp.runs.ray_executor import Ray
    from ratewarp.runs.status import RunStatus, run_status
    from ratewarp.runs.trained import trained_networks
    from ratewarp.studies import Condition, Study, load_study
    from ratewarp.theory import rate_distortion

_PLACES = {
    "merge": "ratewarp.api",
    "run": "ratewarp.api",
    "Stage": "ratewarp.report.page.stage_page",
    "stage": "ratewarp.report.page.stage_page",
    "compare_published": "ratewarp.results.paper.comparison",
    "compare_runs": "ratewarp.results.run_comparison",
    "Measurement": "ratewarp.codes.measurement",
    "measure": "ratewarp.codes.measurement",
    "Several": "ratewarp.codes.several",
    "likeness": "ratewarp.codes.likeness",
    "measure_several": "ratewarp.codes.several",
    "RunStatus": "ratewarp.runs.status",
    "run_status": "ratewarp.runs.status",
    "open_run": "ratewarp.runs.directory",
    "RatewarpError": "ratewarp._checks",
    "Ray": "ratewarp.runs.ray_executor",
    "RequestError": "ratewarp._checks",
    "RunDirectory": "ratewarp.runs.directory",
    "Condition": "ratewarp.studies",
    "Study": "ratewarp.studies",
    "load_study": "ratewarp.studies",
    "rate_distortion": "ratewarp.theory",
    "trained_networks": "ratewarp.runs.trained",
}
_MODULES = {
    "geometry": "ratewarp.geometry",
    "networks": "ratewarp.networks",
    "plot": "ratewarp.plot",
    "rsa": "ratewarp.codes.rsa",
    "sources": "ratewarp.sources",
    "theory": "ratewarp.theory",
}

__all__ = [
    "Condition",
    "Measurement",
    "RatewarpError",
    "Ray",
    "RequestError",
    "RunDirectory",
    "RunStatus",
    "Several",
    "Stage",
    "Study",
    "compare_published",
    "compare_runs",
    "geometry",
    "likeness",
    "load_study",
    "measure",
    "measure_several",
    "merge",
    "networks",
    "open_run",
    "plot",
    "rate_distortion",
    "rsa",
    "run",
    "run_status",
    "sources",
    "stage",
    "theory",
    "trained_networks",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # not earlier: until the command line listens, a signal ends it with Python's words
        from importlib.metadata import version

        return version("ratewarp")
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'ratewarp' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

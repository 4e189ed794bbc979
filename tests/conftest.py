"""Strict settings for every test: shapes and types checked, no implicit promotion of ranks."""

import os
from pathlib import Path

# Tests compile much and compute little; commands that they start inherit both settings. Every process of the suite has a folder of its
# own, since JAX does not lock one.
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(
    Path(__file__).parents[1] / ".pytest_cache" / "programs" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
)

from jaxtyping import install_import_hook

with install_import_hook("ratewarp", "typechecker.check"):
    pass

import jax
import pytest

from ratewarp.devices import use_every_core
from ratewarp.studies import Study

use_every_core()  # as the command line does
jax.config.update("jax_numpy_rank_promotion", "raise")

TINY_NETWORK = {"latents": 2, "convolutions": [{"filters": 4, "kernel": 4}, {"filters": 4}]}


def tiny() -> Study:
    """Three models of a small network, trained for a few steps: every path of the demo in seconds."""
    return Study(
        name="tiny",
        title="A tiny study",
        network=TINY_NETWORK,
        recipe={"steps": 30},
        training_images=1000,
        validation_each=3,
        codes_each=2,
        models={"baseline": {}, "E1M1": {"frequency": "E1M1"}, "E2M1": {"tasks": ["E2M1"]}},
        capacities_nats=[0.3, 2],
        bound_points=0,
    )


@pytest.fixture
def tiny_study() -> Study:
    return tiny()

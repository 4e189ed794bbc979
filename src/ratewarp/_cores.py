"""Every CPU core a device of its own, set before JAX computes anything."""

from __future__ import annotations

import os

import jax


def use_every_core() -> None:
    """Makes each CPU core a device of its own; without effect where JAX has computed something already."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        use_cores(cores)
    except RuntimeError:  # JAX is running already; it keeps the devices it has
        return


def use_cores(number: int) -> None:
    """Makes so many CPU cores a device each.

    Raises:
        RuntimeError: JAX has computed something already.
    """
    jax.config.update("jax_num_cpu_devices", number)

"""CPU cores: how many there are, and each a device of its own, set before JAX computes anything."""

from __future__ import annotations

import os


def use_every_core() -> None:
    """Makes each CPU core a device of its own; without effect where JAX has computed something already."""
    try:
        use_cores(cpu_cores())
    except RuntimeError:  # JAX is running already; it keeps the devices it has
        return


def cpu_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_cores(number: int) -> None:
    """Makes so many CPU cores a device each.

    Raises:
        RuntimeError: JAX has computed something already.
    """
    import jax  # here, since processes that only count cores need none

    jax.config.update("jax_num_cpu_devices", number)

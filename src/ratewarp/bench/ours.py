"""This package's engine as a contestant, and how long it takes to its first step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ratewarp.bench.step import BATCH_SIZE, CAPACITY, LEARNING_RATE, PRESSURE
from ratewarp.bench.worker import IMAGES, Job, Turn
from ratewarp.devices import share, use_every_core
from ratewarp.models import NetworkConfig
from ratewarp.objective import PRESSURE_UNIT, Targets
from ratewarp.recipe import Published
from ratewarp.training import Member, Plan, train

_FIRST_STEPS = 100


def start(job: Job) -> Turn:
    """Trains `job.members` members; a turn is so many steps of every member."""
    use_every_core()
    advance = engine(np.load(Path(job.folder) / IMAGES), job.members, NetworkConfig())

    def turn(steps: int) -> dict[str, Any]:
        begun = time.perf_counter()
        done = advance(steps)
        return {"steps": done, "seconds": time.perf_counter() - begun, "devices": jax.local_device_count()}

    return turn


def start_first_steps(job: Job) -> Turn:
    """One turn: seconds from the start of the process to the end of the first steps, in parts."""
    clock = [job.started, time.time()]  # this module's imports lie between the two

    use_every_core()

    def turn() -> dict[str, Any]:
        advance = engine(np.load(Path(job.folder) / IMAGES), job.members, NetworkConfig())
        clock.append(time.time())
        for _ in range(2):
            advance(_FIRST_STEPS)
            clock.append(time.time())
        imports, images, first, second = (float(seconds) for seconds in np.diff(clock))
        return {
            "import": imports,
            "prepare": images,
            "compile": first - second,  # both calls do the same work, only the first compiles
            "steps": second,
            "total": imports + images + first,
            "first_steps": _FIRST_STEPS,
        }

    return turn


def engine(images: np.ndarray, members: int, network: NetworkConfig) -> Callable[[int], int]:
    """The function returned trains every member for so many steps from its start, in waves as a run does, and returns the steps.

    The one place that knows the engine's interface.
    """
    plan = Plan(network, (images.shape[2], images.shape[3]), (), Published(batch_size=BATCH_SIZE))
    size = min(members, jax.device_count())
    pool = share(images, size)

    def advance(steps: int) -> int:
        for first in range(0, members, size):
            wave = _members([min(seed, members - 1) for seed in range(first, first + size)], steps, *images.shape[:2])
            for _, state, _ in train(plan, wave, pool):
                jax.block_until_ready(state)
        return steps

    return advance


def _members(seeds: list[int], steps: int, stimuli: int, each: int) -> Member:
    """Members that differ in their seed, without tasks, on all images."""

    def same(value: float) -> Array:
        return jnp.full(len(seeds), value, jnp.float32)

    return Member(
        key=jnp.stack([jax.random.key(seed) for seed in seeds]),
        targets=Targets(
            capacity=same(CAPACITY),
            task_weight=same(0.0),
            learning_rate=same(LEARNING_RATE),
            pressure=same(PRESSURE / PRESSURE_UNIT),
            steps=jnp.full(len(seeds), steps, jnp.int32),
        ),
        images_below=jnp.tile(each * jnp.arange(1, stimuli + 1, dtype=jnp.int32), (len(seeds), 1)),
        labels=jnp.zeros((len(seeds), 0, stimuli), jnp.int32),
    )

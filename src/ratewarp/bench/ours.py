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
from ratewarp.models import NetworkConfig
from ratewarp.objective import PRESSURE_UNIT, Targets
from ratewarp.recipe import Published
from ratewarp.training import CHUNK_STEPS, Member, Plan, train

_ENDLESS = 100_000_000  # steps; a comparison stops earlier


def start(job: Job) -> Turn:
    """Trains `job.members` members; a turn is so many steps of every member, in whole chunks of the engine."""
    advance = engine(np.load(Path(job.folder) / IMAGES), job.members, NetworkConfig())

    def turn(steps: int) -> dict[str, Any]:
        begun = time.perf_counter()
        done = advance(steps)
        return {"steps": done, "seconds": time.perf_counter() - begun, "devices": jax.local_device_count()}

    return turn


def start_first_steps(job: Job) -> Turn:
    """One turn: seconds from the start of the process to the end of the first chunk, in parts."""
    clock = [job.started, time.time()]  # this module's imports lie between the two

    def turn() -> dict[str, Any]:
        advance = engine(np.load(Path(job.folder) / IMAGES), job.members, NetworkConfig())
        clock.append(time.time())
        for _ in range(2):
            advance(CHUNK_STEPS)
            clock.append(time.time())
        imports, images, first, second = (float(seconds) for seconds in np.diff(clock))
        return {
            "import": imports,
            "prepare": images,
            "compile": first - second,  # both calls do the same work, only the first compiles
            "steps": second,
            "total": imports + images + first,
            "chunk_steps": CHUNK_STEPS,
        }

    return turn


def engine(images: np.ndarray, members: int, network: NetworkConfig) -> Callable[[int], int]:
    """Starts training; the function returned trains every member for at least so many more steps and returns how many.

    The one place that knows the engine's interface.
    """
    recipe = Published(batch_size=BATCH_SIZE, steps=_ENDLESS)
    plan = Plan(network, (images.shape[2], images.shape[3]), (), recipe)
    run = train(plan, _members(members, *images.shape[:2]), jnp.asarray(images))
    done = 0

    def advance(steps: int) -> int:
        nonlocal done
        before = done
        while done < before + steps:
            done, _, report = next(run)
            jax.block_until_ready(report)
        return done - before

    return advance


def _members(members: int, stimuli: int, each: int) -> Member:
    """Members that differ in their seed, without tasks, on all images."""

    def same(value: float) -> Array:
        return jnp.full(members, value, jnp.float32)

    return Member(
        key=jnp.stack([jax.random.key(seed) for seed in range(members)]),
        targets=Targets(same(CAPACITY), same(0.0), same(LEARNING_RATE), same(PRESSURE / PRESSURE_UNIT)),
        images_below=jnp.tile(each * jnp.arange(1, stimuli + 1, dtype=jnp.int32), (members, 1)),
        labels=jnp.zeros((members, 0, stimuli), jnp.int32),
    )

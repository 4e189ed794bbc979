"""This package's engine as a contestant, and how long it takes to its first step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ratewarp._cores import use_every_core
from ratewarp.bench.step import BATCH_SIZE, CAPACITY, LEARNING_RATE, PRESSURE
from ratewarp.bench.subject import network_of, pixels_of
from ratewarp.bench.worker import IMAGES, Job, Turn
from ratewarp.likelihoods import BernoulliMean
from ratewarp.networks import Network
from ratewarp.sources import Pool
from ratewarp.training.coder import Coder
from ratewarp.training.devices import keep_compiled_programs
from ratewarp.training.loop import Member, Plan, train
from ratewarp.training.recipes import Published
from ratewarp.training.recipes.published import PRESSURE_UNIT

RUN_STEPS = 2600  # of every member, as in a short run
_FIRST_STEPS = 100


def start(job: Job) -> Turn:
    """Trains `job.members` members; a turn goes on with their run for so many steps of each, on average."""
    use_every_core()
    advance = _engine_of(job)

    def turn(steps: int) -> dict[str, Any]:
        begun = time.perf_counter()
        done = advance(steps * job.members)
        return {
            "steps": done / job.members,
            "seconds": time.perf_counter() - begun,
            "devices": jax.local_device_count(),
        }

    return turn


def start_first_steps(job: Job) -> Turn:
    """One turn: seconds from the start of the process to the end of the first steps, in parts."""
    clock = [job.started, time.time()]  # this module's imports lie between the two

    use_every_core()
    keep_compiled_programs()

    def turn() -> dict[str, Any]:
        advance = _engine_of(job)
        clock.append(time.time())
        for _ in range(2):
            advance(_FIRST_STEPS * job.members)
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


def _engine_of(job: Job) -> Callable[[int], int]:
    images = np.load(Path(job.folder) / IMAGES)
    return engine(images, job.members, network_of(job.network), pixels=pixels_of(job.network))


def engine(
    images: np.ndarray, members: int, network: Network, run_steps: int = RUN_STEPS, pixels: str = "binary"
) -> Callable[[int], int]:
    """A run that trains all members in waves, again and again; the function returned goes on with it.

    The function takes model-steps and goes on for at least so many, in whole pieces of the engine; it returns
    how many it did. The one place that knows the engine's interface.
    """
    stimuli, each, *image_shape = images.shape
    coder = Coder(network, BernoulliMean(), (image_shape[0], image_shape[1], image_shape[2]), pixels)
    plan, size = Plan(coder, (), Published(batch_size=BATCH_SIZE)), min(members, jax.device_count())
    pool = Pool(jnp.asarray(images.reshape(-1, *image_shape)), each * jnp.arange(stimuli, dtype=jnp.int32))

    def pieces() -> Iterator[int]:
        for first in cycle(range(0, members, size)):
            seeds = range(first, min(first + size, members))
            filled = [*seeds, *[seeds[-1]] * (size - len(seeds))]
            before = 0
            for done, state, _ in train(plan, members_of(filled, run_steps, stimuli, each), pool):
                jax.block_until_ready(state)
                yield len(seeds) * (done - before)
                before = done

    run = pieces()

    def advance(model_steps: int) -> int:
        done = 0
        while done < model_steps:
            done += next(run)
        return done

    return advance


def members_of(seeds: list[int], steps: int, stimuli: int, each: int) -> Member:
    """Members that differ in their seed, without tasks, on all images."""
    recipe = Published(steps=steps, learning_rate=LEARNING_RATE, pressure=PRESSURE / PRESSURE_UNIT)
    return Member(
        key=jnp.stack([jax.random.key(seed) for seed in seeds]),
        targets=jax.tree.map(lambda one: jnp.full(len(seeds), one), recipe.targets(CAPACITY)),
        images_below=jnp.tile(each * jnp.arange(1, stimuli + 1, dtype=jnp.int32), (len(seeds), 1)),
        labels=jnp.zeros((len(seeds), 0, stimuli), jnp.int32),
    )

"""Hyperparameters that change: pure functions of the training step, counted from 0."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Step = Int[Array, ""] | Int[Array, " steps"] | int
Bound = Float[Array, ""] | Int[Array, ""] | float  # a corner of a schedule; may differ between members
Value = Float[Array, ""] | Float[Array, " steps"]


def ramp(step: Step, start: Bound, stop: Bound) -> Value:
    """0 until step `start`, then linear to 1 at step `stop`, then 1.

    Examples:
        >>> [float(ramp(step, 100, 200)) for step in (0, 100, 150, 200, 900)]
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    length = jnp.maximum(jnp.asarray(stop - start, jnp.float32), 1e-9)
    return jnp.clip((jnp.asarray(step, jnp.float32) - start) / length, 0.0, 1.0)


def warm_cosine(step: Step, steps: Bound, warmup: Bound) -> Value:
    """Factor on the learning rate: linear from 0 to 1 over `warmup` steps, then half a cosine to 0 at
    `steps`.

    Examples:
        >>> [round(float(warm_cosine(step, 1000, 100)), 3) for step in (0, 50, 100, 550, 1000)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    progress = ramp(step, warmup, steps)
    return ramp(step, 0, warmup) * 0.5 * (1 + jnp.cos(jnp.pi * progress))


def staircase(step: Step, factor: float, every: int) -> Value:
    """`factor` to the number of whole periods of `every` steps gone by.

    Examples:
        >>> [round(float(staircase(step, 0.9, 10)), 3) for step in (0, 9, 10, 25)]
        [1.0, 1.0, 0.9, 0.81]
    """
    return jnp.float32(factor) ** (jnp.asarray(step) // every).astype(jnp.float32)


def counter_with_validation(step: Step, steps_per_epoch: int, validation_batches: int) -> Int[Array, ...]:
    """The published runs' schedule counter: training steps plus the validation batches after every whole
    epoch so far.

    Examples:
        >>> [int(counter_with_validation(step, 10, 4)) for step in (0, 9, 10, 20)]
        [0, 9, 14, 28]
    """
    step = jnp.asarray(step)
    return step + (step // steps_per_epoch) * validation_batches


def quarter(step: Step, steps: int) -> Value:
    """1/4 before step `steps`, then 1.

    Examples:
        >>> [float(quarter(step, 1500)) for step in (0, 1499, 1500)]
        [0.25, 0.25, 1.0]
    """
    return jnp.where(jnp.asarray(step) < steps, 0.25, 1.0)


def published_capacity(
    step: Step, capacity: Float[Array, ""] | float, ramp_steps: int, quarter_steps: int
) -> Value:
    """Target rate of the published schedule, nats: linear to `capacity` over `ramp_steps`, a quarter of that
    before `quarter_steps`.

    Examples:
        >>> [float(published_capacity(step, 10.0, 2500, 1500)) for step in (0, 1000, 1500, 2500)]
        [0.0, 1.0, 6.0, 10.0]
    """
    return capacity * ramp(step, 0, ramp_steps) * quarter(step, quarter_steps)

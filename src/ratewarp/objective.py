"""Objectives: what training minimises, and how the pressure on the rate adapts.

An objective is three functions, made from a recipe: `init` gives the control state, `loss` combines the terms of one batch under
it, `update` moves it by the rate just seen. Everything that differs between members comes in as `Targets`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ratewarp.recipe import Constrained, Published, Recipe
from ratewarp.schedules import counter_with_validation, published_capacity, quarter, ramp, staircase, warm_cosine

PRESSURE_UNIT = 3e-4  # the published weight of |R − C| is γ times this


class Targets(NamedTuple):
    """What one member aims at: scalars that may differ between members of a batch."""

    capacity: Float[Array, ""]
    task_weight: Float[Array, ""]
    learning_rate: Float[Array, ""]
    pressure: Float[Array, ""]
    steps: Int[Array, ""]


class Terms(NamedTuple):
    """Parts of the loss on one batch: squared error per pixel, nats, nats a task.

    `rates` has one entry for each part of the batch whose rate is drawn to the target on its own (`Published.processes`).
    """

    distortion: Float[Array, ""]
    rates: Float[Array, " parts"]
    tasks: Float[Array, " tasks"]

    @property
    def rate(self) -> Float[Array, ""]:
        """Rate of the whole batch, nats."""
        return jnp.mean(self.rates)


class Control(NamedTuple):
    """State of the pressure on the rate: `multiplier` is the slope of the loss in the rate at R = C (squared error per nat)."""

    multiplier: Float[Array, ""]


class Objective(NamedTuple):
    """`init(targets)`, `loss(terms, control, targets, step)`, `update(control, terms, targets, step)`, `learning_rate(targets, step)`."""

    init: Callable[[Targets], Control]
    loss: Callable[[Terms, Control, Targets, Array], Array]
    update: Callable[[Control, Terms, Targets, Array], Control]
    learning_rate: Callable[[Targets, Array], Array]


def distortion(images: Float[Array, "batch height width"], reconstructions: Float[Array, "batch height width"]) -> Float[Array, " batch"]:
    """Squared error per pixel of each image."""
    return jnp.mean((images - reconstructions) ** 2, axis=(1, 2))


def cross_entropy(logits: Float[Array, "batch classes"], labels: Int[Array, " batch"], *, double_softmax: bool = False) -> Float[Array, ""]:
    """Mean cross-entropy, nats; `double_softmax` repeats the published quirk for more than two classes."""
    if double_softmax and logits.shape[1] > 2:
        logits = jax.nn.softmax(logits)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -jnp.mean(chosen)


def make_objective(recipe: Recipe, classes: tuple[int, ...]) -> Objective:
    """The objective of `recipe` for tasks with these numbers of classes."""
    match recipe:
        case Constrained():
            return _constrained(recipe)
        case Published():
            return _published(recipe, classes)


def _constrained(recipe: Constrained) -> Objective:
    """D + w·Σ tasks + λ·((R − C) + gain·(R − C)²/(2·C)), λ moved by the relative error of the rate."""

    def target(targets: Targets, step: Array) -> Array:
        return targets.capacity * ramp(step, 0, recipe.capacity_ramp * targets.steps.astype(jnp.float32))

    def init(targets: Targets) -> Control:
        return Control(jnp.full_like(targets.capacity, recipe.multiplier_start))

    def loss(terms: Terms, control: Control, targets: Targets, step: Array) -> Array:
        error = terms.rate - target(targets, step)
        pressure = control.multiplier * (error + recipe.multiplier_gain * error**2 / (2 * targets.capacity))
        start, stop = (share * targets.steps.astype(jnp.float32) for share in recipe.task_ramp)
        return terms.distortion + targets.task_weight * ramp(step, start, stop) * jnp.sum(terms.tasks) + pressure

    def update(control: Control, terms: Terms, targets: Targets, step: Array) -> Control:
        error = jnp.clip((terms.rate - target(targets, step)) / targets.capacity, -1, 1)
        return Control(control.multiplier * jnp.exp(recipe.multiplier_speed * error))

    def learning_rate(targets: Targets, step: Array) -> Array:
        return targets.learning_rate * warm_cosine(step, targets.steps, targets.steps // 20)

    return Objective(init, loss, update, learning_rate)


def _published(recipe: Published, classes: tuple[int, ...]) -> Objective:
    """D + γ·3e-4·|R − C(t)| + w(t)·Σ tasks."""
    weights = jnp.array([1.0 if c == 2 else recipe.many_class_weight for c in classes])

    def counter(step: Array) -> Array:
        return counter_with_validation(step, recipe.steps_per_epoch, recipe.validation_batches)

    def target(targets: Targets, step: Array) -> Array:
        return published_capacity(counter(step), targets.capacity, recipe.capacity_ramp_steps, recipe.quarter_steps)

    def init(targets: Targets) -> Control:
        return Control(targets.pressure * PRESSURE_UNIT)

    def loss(terms: Terms, control: Control, targets: Targets, step: Array) -> Array:
        rise = ramp(counter(step), *recipe.task_ramp_steps) * quarter(counter(step), recipe.quarter_steps)
        tasks = targets.task_weight * rise * jnp.sum(weights * terms.tasks)
        off = jnp.mean(jnp.abs(terms.rates - target(targets, step)))
        return terms.distortion + targets.pressure * PRESSURE_UNIT * off + tasks

    def update(control: Control, terms: Terms, targets: Targets, step: Array) -> Control:
        return Control(targets.pressure * PRESSURE_UNIT * jnp.mean(jnp.sign(terms.rates - target(targets, step))))

    def learning_rate(targets: Targets, step: Array) -> Array:
        return targets.learning_rate * staircase(step, recipe.decay, recipe.steps_per_epoch)

    return Objective(init, loss, update, learning_rate)

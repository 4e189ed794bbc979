"""Recipes that meet a target rate by dual ascent: `principled`, the default, and the faster `swift`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int
from pydantic import AfterValidator

from ratewarp.training.recipes.objective import Multiplier, Objective, Terms
from ratewarp.training.recipes.recipe import (
    BatchSize,
    Fraction,
    LearningRate,
    Positive,
    Precision,
    Recipe,
    Steps,
    Weight,
    rising,
)
from ratewarp.training.recipes.schedules import ramp, warm_cosine


class ConstrainedTargets(NamedTuple):
    """What one member aims at."""

    capacity: Float[Array, ""]
    task_weight: Float[Array, ""]
    learning_rate: Float[Array, ""]
    steps: Int[Array, ""]


class Constrained(Recipe):
    """Distortion and task losses under a constraint on the rate, met by dual ascent on its multiplier.

    Minimises D + w·Σ cross-entropy subject to R = C, with D the squared error per pixel, R the rate in nats
    and w `task_weight` (squared error per pixel, per nat). The multiplier λ of the constraint is the marginal
    value of a nat; with a Gaussian likelihood of variance λ·pixels/2 the same objective is a negative
    evidence lower bound. Precedents: GECO (Rezende & Viola 2018, arXiv 1810.00597), ControlVAE (Shao et al.
    2020, arXiv 2004.05988).

    Attributes:
        steps: training steps.
        batch_size: images per step.
        learning_rate: Adam's, at its peak; warmed up over a twentieth of the steps, then down to 0 along a
            cosine.
        task_weight: weight of every task's cross-entropy.
        capacity_ramp: share of the steps over which the target rate rises to the capacity.
        task_ramp: shares of the steps at which the task weight starts to rise and is whole.
        multiplier_start: λ at step 0, squared error per pixel and nat.
        multiplier_speed: relative change of λ per step at a relative rate error of 1.
        multiplier_gain: immediate response of the pressure, in units of λ, to a relative rate error of 1.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators
            only.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight", "steps")
    MULTIPLIER_IS_SLOPE: ClassVar[bool] = True

    steps: Steps = 5000
    batch_size: BatchSize = 64
    learning_rate: LearningRate = 1.5e-3
    task_weight: Weight = 1.0
    capacity_ramp: Fraction = 0.2
    task_ramp: Annotated[tuple[Fraction, Fraction], AfterValidator(rising)] = (0.2, 0.4)
    multiplier_start: Positive = 0.03
    multiplier_speed: Positive = 0.05
    multiplier_gain: Positive = 5.0
    precision: Precision = "float32"

    def targets(self, capacity_nats: float | None) -> ConstrainedTargets:
        reals = map(jnp.float32, (self.aim(capacity_nats), self.task_weight, self.learning_rate))
        return ConstrainedTargets(*reals, steps=jnp.int32(self.steps))

    def optimizer(self) -> optax.GradientTransformation:
        return optax.scale_by_adam(b2=0.99)

    def objective(self, classes: tuple[int, ...]) -> Objective:
        """D + w·Σ tasks + λ·((R − C) + gain·(R − C)²/(2·C)), λ moved by the relative error of the rate."""

        def target(targets: ConstrainedTargets, step: Array) -> Array:
            return targets.capacity * ramp(step, 0, self.capacity_ramp * targets.steps.astype(jnp.float32))

        def init(targets: ConstrainedTargets) -> Multiplier:
            return Multiplier(jnp.full_like(targets.capacity, self.multiplier_start))

        def loss(terms: Terms, control: Multiplier, targets: ConstrainedTargets, step: Array) -> Array:
            error = terms.rate - target(targets, step)
            pressure = control.multiplier * (error + self.multiplier_gain * error**2 / (2 * targets.capacity))
            start, stop = (share * targets.steps.astype(jnp.float32) for share in self.task_ramp)
            return (
                terms.distortion
                + targets.task_weight * ramp(step, start, stop) * jnp.sum(terms.tasks)
                + pressure
            )

        def update(control: Multiplier, terms: Terms, targets: ConstrainedTargets, step: Array) -> Multiplier:
            error = jnp.clip((terms.rate - target(targets, step)) / targets.capacity, -1, 1)
            return Multiplier(control.multiplier * jnp.exp(self.multiplier_speed * error))

        def learning_rate(targets: ConstrainedTargets, step: Array) -> Array:
            return targets.learning_rate * warm_cosine(step, targets.steps, targets.steps // 20)

        return Objective(init, loss, update, learning_rate)


class Principled(Constrained):
    """`Constrained` with gentle steps: the default."""

    name: Literal["principled"] = "principled"


class Swift(Constrained):
    """`Constrained` with larger steps and a slower rise of the target rate, for models without tasks.

    Reaches the published validation loss of the baseline in a third of the published steps (docs/recipes.md).
    """

    name: Literal["swift"] = "swift"
    steps: Steps = 2600
    learning_rate: LearningRate = 4e-3
    capacity_ramp: Fraction = 0.6

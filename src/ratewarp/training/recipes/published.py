"""The publication's recipe, its quirks as switches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ratewarp._checks import RequestError
from ratewarp.training.recipes.objective import Multiplier, Objective, Terms, cross_entropy
from ratewarp.training.recipes.recipe import (
    BatchSize,
    LearningRate,
    Positive,
    Precision,
    Recipe,
    Steps,
    StepsOrNone,
    Weight,
    pairs,
    rising,
)
from ratewarp.training.recipes.schedules import (
    counter_with_validation,
    published_capacity,
    quarter,
    ramp,
    staircase,
)

PRESSURE_UNIT = 3e-4  # the published weight of |R − C| is γ times this


def _pairs(value: Any) -> Any:
    """A mapping from capacity to pressure, as pairs in order of capacity; a number stays one."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    return pairs(value, "a number, or a table such as {0.3: 10000, 10: 300}", "capacity")


Pressure = Annotated[
    Positive | tuple[tuple[Positive, Positive], ...],
    BeforeValidator(_pairs, json_schema_input_type=Positive | dict[str, Positive]),
]


class PublishedTargets(NamedTuple):
    """What one member aims at."""

    capacity: Float[Array, ""]
    task_weight: Float[Array, ""]
    learning_rate: Float[Array, ""]
    pressure: Float[Array, ""]
    steps: Int[Array, ""]


class Published(Recipe):
    """The publication's objective: squared error + γ·3e-4·|R − C(t)| + task terms, with Adam and a staircase.

    Quirks kept, each a switch: `quarter_steps` (target and task weight are a quarter of their ramps before
    this step), `double_softmax` (cross-entropy of the many-class head applied to its softmax output),
    `validation_batches` (validation advances the schedule counter), `processes` (batches of 128 are two
    processes of 64 with averaged gradients, each with a pressure on its own rate).

    Attributes:
        steps: training steps; 6 epochs of 170,000 images in batches of 128 are 7,974.
        batch_size: images per step.
        learning_rate: Adam's, times `decay` per epoch.
        pressure: γ, or a table from capacity (nats) to γ; weak at high capacity, strong at low (the
            publication used 100 to 10,000).
        task_weight: factor on every task term.
        many_class_weight: further factor on tasks of more than two classes; 1 in the publication's model of
            that task alone, and in some of its models of all tasks.
        decay: factor on the learning rate after every epoch.
        steps_per_epoch: length of an epoch, steps.
        capacity_ramp_steps: counter at which the target rate reaches the capacity.
        quarter_steps: counter below which the target and the task weight are divided by 4; 0 turns this off.
        task_ramp_steps: counters at which the task weight leaves 0 and reaches 1; as the code was last
            committed. Most of the publication's models agree with an earlier one, 0 to 2,500.
        double_softmax: whether many-class cross-entropy treats the softmax output as logits.
        validation_batches: how far validation advances the counter after each epoch: a process sees half of
            15,000 images in batches of 32; 0 turns this off.
        processes: equal parts of a batch, each of whose rates is drawn to the target on its own; 1 turns this
            off.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators
            only.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight", "pressure", "steps")

    name: Literal["published"] = "published"
    steps: Steps = 7974
    batch_size: BatchSize = 128
    learning_rate: LearningRate = 5e-4
    pressure: Pressure = 300.0
    task_weight: Weight = 1.0
    many_class_weight: Weight = 10.0
    decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    steps_per_epoch: Steps = 1329
    capacity_ramp_steps: Steps = 2500
    quarter_steps: StepsOrNone = 1500
    task_ramp_steps: Annotated[tuple[StepsOrNone, StepsOrNone], AfterValidator(rising)] = (2500, 5000)
    double_softmax: bool = True
    validation_batches: StepsOrNone = 235
    processes: Annotated[int, Field(ge=1, le=64)] = 2
    precision: Precision = "float32"

    @model_validator(mode="after")
    def _check(self) -> Published:
        if self.batch_size % self.processes:
            raise ValueError(f"processes must divide batch_size ({self.batch_size}); got {self.processes}")
        return self

    def at(self, capacity_nats: float | None) -> Published:
        """The recipe with its pressure at that capacity.

        Raises:
            RequestError: `pressure` is a table without that capacity.

        Examples:
            >>> Published(pressure={0.3: 10_000, 10: 300}).at(10).pressure
            300.0
        """
        return self.model_copy(update={"pressure": self._pressure_at(self.aim(capacity_nats))})

    def _pressure_at(self, capacity_nats: float) -> float:
        if not isinstance(self.pressure, tuple):
            return float(self.pressure)
        table = dict(self.pressure)
        if capacity_nats not in table:
            named = ", ".join(f"{capacity:g}" for capacity in table)
            raise RequestError(
                f"recipe.pressure must name every capacity; it has {named} nats, not {capacity_nats:g}"
            )
        return table[capacity_nats]

    def targets(self, capacity_nats: float | None) -> PublishedTargets:
        aim = self.aim(capacity_nats)
        reals = map(jnp.float32, (aim, self.task_weight, self.learning_rate, self._pressure_at(aim)))
        return PublishedTargets(*reals, steps=jnp.int32(self.steps))

    def optimizer(self) -> optax.GradientTransformation:
        return optax.scale_by_adam(b2=0.999)

    def task_weights(self, classes: tuple[int, ...]) -> tuple[float, ...]:
        return tuple(self.task_weight * weight for weight in self._relative_weights(classes))

    def _relative_weights(self, classes: tuple[int, ...]) -> list[float]:
        return [1.0 if count == 2 else self.many_class_weight for count in classes]

    def objective(self, classes: tuple[int, ...]) -> Objective:
        """D + γ·3e-4·|R − C(t)| + w(t)·Σ tasks."""
        weights = jnp.array(self._relative_weights(classes))

        def counter(step: Array) -> Array:
            return counter_with_validation(step, self.steps_per_epoch, self.validation_batches)

        def target(targets: PublishedTargets, step: Array) -> Array:
            return published_capacity(
                counter(step), targets.capacity, self.capacity_ramp_steps, self.quarter_steps
            )

        def init(targets: PublishedTargets) -> Multiplier:
            return Multiplier(targets.pressure * PRESSURE_UNIT)

        def loss(terms: Terms, control: Multiplier, targets: PublishedTargets, step: Array) -> Array:
            rise = ramp(counter(step), *self.task_ramp_steps) * quarter(counter(step), self.quarter_steps)
            tasks = targets.task_weight * rise * jnp.sum(weights * terms.tasks)
            off = jnp.mean(jnp.abs(terms.rates - target(targets, step)))
            return terms.distortion + targets.pressure * PRESSURE_UNIT * off + tasks

        def update(control: Multiplier, terms: Terms, targets: PublishedTargets, step: Array) -> Multiplier:
            return Multiplier(
                targets.pressure * PRESSURE_UNIT * jnp.mean(jnp.sign(terms.rates - target(targets, step)))
            )

        def learning_rate(targets: PublishedTargets, step: Array) -> Array:
            return targets.learning_rate * staircase(step, self.decay, self.steps_per_epoch)

        task_loss = partial(cross_entropy, double_softmax=self.double_softmax)
        return Objective(init, loss, update, learning_rate, task_loss, self.processes)

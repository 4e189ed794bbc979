"""The plain β-VAE: a fixed price of a nat, and no target rate."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int
from pydantic import AfterValidator, BeforeValidator

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
    pairs,
    rising,
)
from ratewarp.training.recipes.schedules import ramp, warm_cosine


def _pairs(value: Any) -> Any:
    return pairs(value, "a table from shares of the steps to factors, such as {0: 10, 0.5: 1}", "share")


Schedule = Annotated[
    tuple[tuple[Fraction, Positive], ...], BeforeValidator(_pairs, json_schema_input_type=dict[str, Positive])
]


class PlainTargets(NamedTuple):
    """What one member brings."""

    beta: Float[Array, ""]
    task_weight: Float[Array, ""]
    learning_rate: Float[Array, ""]
    steps: Int[Array, ""]


class Plain(Recipe):
    """Distortion and task losses plus β times the rate, which settles where it will.

    Minimises D + w·Σ cross-entropy + β·R, with D the squared error per pixel, R the rate in nats and w
    `task_weight`. β is the price of a nat, squared error per pixel: where the sum of squared errors is halved
    and the rate has the weight β′, as for a Gaussian likelihood of variance 1, β′ is β·pixels/2. Source:
    Higgins et al. 2017, ICLR; rising or falling β: Burgess et al. 2018, arXiv 1804.03599, and Fu et al. 2019,
    NAACL.

    Attributes:
        steps: training steps.
        batch_size: images per step.
        learning_rate: Adam's, at its peak; warmed up over a twentieth of the steps, then down to 0 along a
            cosine.
        task_weight: weight of every task's cross-entropy.
        beta: price of a nat, squared error per pixel.
        beta_schedule: share of the steps → factor on β, linear between them and constant beyond; none for a β
            that stays.
        task_ramp: shares of the steps at which the task weight starts to rise and is whole.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators
            only.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight", "beta", "steps")
    TARGETS_RATE: ClassVar[bool] = False
    MULTIPLIER_IS_SLOPE: ClassVar[bool] = True

    name: Literal["plain"] = "plain"
    steps: Steps = 5000
    batch_size: BatchSize = 64
    learning_rate: LearningRate = 1.5e-3
    task_weight: Weight = 1.0
    beta: Positive = 0.01
    beta_schedule: Schedule = ()
    task_ramp: Annotated[tuple[Fraction, Fraction], AfterValidator(rising)] = (0.2, 0.4)
    precision: Precision = "float32"

    def targets(self, capacity_nats: float | None) -> PlainTargets:
        return PlainTargets(
            *map(jnp.float32, (self.beta, self.task_weight, self.learning_rate)), steps=jnp.int32(self.steps)
        )

    def optimizer(self) -> optax.GradientTransformation:
        return optax.scale_by_adam(b2=0.99)

    def objective(self, classes: tuple[int, ...]) -> Objective:
        """D + w·Σ tasks + β·R."""

        def beta(targets: PlainTargets, step: Array) -> Array:
            if not self.beta_schedule:
                return targets.beta
            shares, factors = zip(*self.beta_schedule, strict=True)
            return targets.beta * jnp.interp(step / targets.steps, jnp.array(shares), jnp.array(factors))

        def init(targets: PlainTargets) -> Multiplier:
            return Multiplier(beta(targets, jnp.int32(0)))

        def loss(terms: Terms, control: Multiplier, targets: PlainTargets, step: Array) -> Array:
            start, stop = (share * targets.steps.astype(jnp.float32) for share in self.task_ramp)
            tasks = targets.task_weight * ramp(step, start, stop) * jnp.sum(terms.tasks)
            return terms.distortion + tasks + beta(targets, step) * terms.rate

        def update(control: Multiplier, terms: Terms, targets: PlainTargets, step: Array) -> Multiplier:
            return Multiplier(beta(targets, step))

        def learning_rate(targets: PlainTargets, step: Array) -> Array:
            return targets.learning_rate * warm_cosine(step, targets.steps, targets.steps // 20)

        return Objective(init, loss, update, learning_rate)

"""What every recipe offers: how a model is trained, as frozen data, and the objective that is made from it.

Fields named in a recipe's `ARRAYS` may differ between members of one compiled batch; all others are part of
the compile key. What training, heads, tables and bounds need to know of a recipe they ask here; none of them
knows which recipe it is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import optax
from pydantic import BaseModel, ConfigDict, Field

from ratewarp._checks import RequestError, shorten
from ratewarp.training.recipes.objective import Objective

Fraction = Annotated[float, Field(ge=0, le=1)]
Steps = Annotated[int, Field(ge=1, le=100_000_000)]
StepsOrNone = Annotated[int, Field(ge=0, le=100_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
LearningRate = Annotated[float, Field(gt=0, le=10)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Precision = Literal["float32", "tensorfloat32", "bfloat16"]


def rising(ramp: tuple[float, float]) -> tuple[float, float]:
    if ramp[0] > ramp[1]:
        raise ValueError(f"a ramp must start before it ends; got {list(ramp)}")
    return ramp


def pairs(value: Any, required: str, key: str) -> Any:
    """A table from number to number as pairs in order; `required` and `key` say in messages what must come,
    and what stands once.
    """
    rows = list(value.items()) if isinstance(value, Mapping) else value
    try:
        read = tuple(sorted((float(number), entry) for number, entry in rows))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be {required}; got {shorten(value)}") from None
    if len({number for number, _ in read}) < len(read):
        raise ValueError(f"must be a table in which every {key} stands once; got {shorten(value)}")
    return read


class Recipe(BaseModel):
    """The contract of a recipe; its name is the key `name`.

    Attributes:
        ARRAYS: fields that may differ between members of one compiled batch.
        TARGETS_RATE: whether its models are trained to a target rate; if not, conditions have no capacity.
        MULTIPLIER_IS_SLOPE: whether the multiplier at the end of training is the marginal value of a nat, to
            stand in the tables.
        steps: training steps.
        batch_size: images per step.
        learning_rate: the optimizer's.
        task_weight: weight of every task's cross-entropy.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators
            only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ARRAYS: ClassVar[tuple[str, ...]]
    TARGETS_RATE: ClassVar[bool] = True
    MULTIPLIER_IS_SLOPE: ClassVar[bool] = False

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    task_weight: Weight
    precision: Precision

    def at(self, capacity_nats: float | None) -> Self:
        """The recipe of a model of that capacity, nats, where one differs from another; None for recipes
        without a target rate.

        Raises:
            RequestError: it has none for that capacity.
        """
        return self

    def aim(self, capacity_nats: float | None) -> float:
        """The target rate of a member of that capacity, nats.

        Raises:
            RequestError: there is none, and the recipe needs one.
        """
        if capacity_nats is None:
            raise RequestError("capacity_nats must be given: the recipe trains models to a target rate")
        return capacity_nats

    @abstractmethod
    def targets(self, capacity_nats: float | None) -> Any:
        """What a member of that capacity brings: a named tuple of scalar arrays, among them `steps`."""

    @abstractmethod
    def objective(self, classes: tuple[int, ...]) -> Objective:
        """What is minimised, for tasks with these numbers of classes."""

    @abstractmethod
    def optimizer(self) -> optax.GradientTransformation:
        """The optimizer, without the learning rate, which depends on the member and the step."""

    def task_weights(self, classes: tuple[int, ...]) -> tuple[float, ...]:
        """Weight of every task's cross-entropy beside the squared error per pixel, once all schedules are
        through; per nat.
        """
        return (self.task_weight,) * len(classes)

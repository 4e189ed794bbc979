"""Recipes: how a model is trained. `principled` is the default, `swift` larger steps, `published` the publication, quirks included.

A recipe is frozen data. Fields named in its `ARRAYS` may differ between members of one compiled batch; all others are part of
the compile key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ratewarp._checks import RequestError, shorten

Fraction = Annotated[float, Field(ge=0, le=1)]
Steps = Annotated[int, Field(ge=1, le=100_000_000)]
StepsOrNone = Annotated[int, Field(ge=0, le=100_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
LearningRate = Annotated[float, Field(gt=0, le=10)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Precision = Literal["float32", "tensorfloat32", "bfloat16"]


def _rising(ramp: tuple[float, float]) -> tuple[float, float]:
    if ramp[0] > ramp[1]:
        raise ValueError(f"a ramp must start before it ends; got {list(ramp)}")
    return ramp


def _pairs(value: Any) -> Any:
    """A mapping from capacity to pressure, as pairs in order of capacity."""
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple):
        return value
    try:
        read = tuple(sorted((float(capacity), pressure) for capacity, pressure in pairs))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be a number, or a table such as {{0.3: 10000, 10: 300}}; got {shorten(value)}") from None
    if len({capacity for capacity, _ in read}) < len(read):
        raise ValueError(f"must be a table in which every capacity stands once; got {shorten(value)}")
    return read


Pressure = Annotated[Positive | tuple[tuple[Positive, Positive], ...], BeforeValidator(_pairs)]


class Constrained(BaseModel):
    """Distortion and task losses under a constraint on the rate, met by dual ascent on its multiplier.

    Minimises D + w·Σ cross-entropy subject to R = C, with D the squared error per pixel, R the rate in nats and w `task_weight`
    (squared error per pixel, per nat). The multiplier λ of the constraint is the marginal value of a nat; with a Gaussian
    likelihood of variance λ·pixels/2 the same objective is a negative evidence lower bound. Precedents: GECO (Rezende & Viola
    2018, arXiv 1810.00597), ControlVAE (Shao et al. 2020, arXiv 2004.05988).

    Attributes:
        steps: training steps.
        batch_size: images a step.
        learning_rate: Adam's, at its peak; warmed up over a twentieth of the steps, then down to 0 along a cosine.
        task_weight: weight of every task's cross-entropy.
        capacity_ramp: share of the steps over which the target rate rises to the capacity.
        task_ramp: shares of the steps at which the task weight starts to rise and is whole.
        multiplier_start: λ at step 0, squared error per pixel and nat.
        multiplier_speed: relative change of λ per step at a relative rate error of 1.
        multiplier_gain: immediate response of the pressure, in units of λ, to a relative rate error of 1.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight", "steps")

    steps: Steps = 5000
    batch_size: BatchSize = 64
    learning_rate: LearningRate = 1.5e-3
    task_weight: Weight = 1.0
    capacity_ramp: Fraction = 0.2
    task_ramp: Annotated[tuple[Fraction, Fraction], AfterValidator(_rising)] = (0.2, 0.4)
    multiplier_start: Positive = 0.03
    multiplier_speed: Positive = 0.05
    multiplier_gain: Positive = 5.0
    precision: Precision = "float32"


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


class Published(BaseModel):
    """The publication's objective: squared error + γ·3e-4·|R − C(t)| + task terms, with Adam and a staircase.

    Quirks kept, each a switch: `quarter_steps` (target and task weight are a quarter of their ramps before this step), `double_softmax`
    (cross-entropy of the many-class head applied to its softmax output), `validation_batches` (validation advances the schedule
    counter), `processes` (batches of 128 are two processes of 64 with averaged gradients, each with a pressure on its own rate).

    Attributes:
        steps: training steps; 6 epochs of 170,000 images in batches of 128 are 7,974.
        batch_size: images a step.
        learning_rate: Adam's, times `decay` per epoch.
        pressure: γ, or a table from capacity (nats) to γ; weak at high capacity, strong at low (the publication used 100 to 10,000).
        task_weight: factor on every task term.
        many_class_weight: further factor on tasks of more than two classes; 1 in the publication's model of that task alone, and in some
            of its models of all tasks.
        decay: factor on the learning rate after every epoch.
        steps_per_epoch: length of an epoch, steps.
        capacity_ramp_steps: counter at which the target rate reaches the capacity.
        quarter_steps: counter below which the target and the task weight are divided by 4; 0 turns this off.
        task_ramp_steps: counters at which the task weight leaves 0 and reaches 1; as the code was last committed. Most of the
            publication's models agree with an earlier one, 0 to 2,500.
        double_softmax: whether many-class cross-entropy treats the softmax output as logits.
        validation_batches: how far validation advances the counter after each epoch: a process sees half of 15,000 images in
            batches of 32; 0 turns this off.
        processes: equal parts of a batch, each of whose rates is drawn to the target on its own; 1 turns this off.
        precision: of the factors of matrix products in training; narrower ones are faster on accelerators only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
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
    task_ramp_steps: Annotated[tuple[StepsOrNone, StepsOrNone], AfterValidator(_rising)] = (2500, 5000)
    double_softmax: bool = True
    validation_batches: StepsOrNone = 235
    processes: Annotated[int, Field(ge=1, le=64)] = 2
    precision: Precision = "float32"

    @model_validator(mode="after")
    def _check(self) -> Published:
        if self.batch_size % self.processes:
            raise ValueError(f"processes must divide batch_size ({self.batch_size}); got {self.processes}")
        return self

    def pressure_at(self, capacity_nats: float) -> float:
        """γ of a model of that capacity.

        Raises:
            RequestError: `pressure` is a table without that capacity.

        Examples:
            >>> Published(pressure={0.3: 10_000, 10: 300}).pressure_at(10)
            300.0
        """
        if not isinstance(self.pressure, tuple):
            return float(self.pressure)
        table = dict(self.pressure)
        if capacity_nats not in table:
            named = ", ".join(f"{capacity:g}" for capacity in table)
            raise RequestError(f"recipe.pressure must name every capacity; it has {named} nats, not {capacity_nats:g}")
        return table[capacity_nats]


Recipe = Annotated[Principled | Published | Swift, Field(discriminator="name")]

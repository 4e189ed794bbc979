"""Recipes: how a model is trained. `principled` is the default; `published` repeats the publication, quirks included.

A recipe is frozen data. Fields named in its `ARRAYS` may differ between members of one compiled batch; all others are part of
the compile key.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

Fraction = Annotated[float, Field(ge=0, le=1)]


class Principled(BaseModel):
    """Distortion and task losses in nats under a constraint on the rate, met by dual ascent on its multiplier.

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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight")

    name: Literal["principled"] = "principled"
    steps: PositiveInt = 5000
    batch_size: PositiveInt = 64
    learning_rate: PositiveFloat = 1.5e-3
    task_weight: float = Field(default=1.0, ge=0)
    capacity_ramp: Fraction = 0.2
    task_ramp: tuple[Fraction, Fraction] = (0.2, 0.4)
    multiplier_start: PositiveFloat = 0.03
    multiplier_speed: PositiveFloat = 0.05
    multiplier_gain: PositiveFloat = 5.0


class Published(BaseModel):
    """The publication's objective: squared error + γ·3e-4·|R − C(t)| + task terms, with Adam and a staircase.

    Quirks kept, each a switch: `quarter_steps` (the target is a quarter of its ramp before this step), `double_softmax`
    (cross-entropy of the many-class head applied to its softmax output), `validation_batches` (validation advances the schedule
    counter). Batches are of 128: two processes of 64 with averaged gradients.

    Attributes:
        steps: training steps; 6 epochs of 170,000 images in batches of 128 are 7,973.
        batch_size: images a step.
        learning_rate: Adam's, times `decay` per epoch.
        pressure: γ; weak at high capacity, strong at low (the publication used 100 to 10,000).
        task_weight: factor on every task term.
        many_class_weight: further factor on tasks of more than two classes.
        decay: factor on the learning rate after every epoch.
        steps_per_epoch: length of an epoch, steps.
        capacity_ramp_steps: counter at which the target rate reaches the capacity.
        quarter_steps: counter below which the target is divided by 4; 0 turns this off.
        task_ramp_steps: counters at which the task weight leaves 0 and reaches 1.
        double_softmax: whether many-class cross-entropy treats the softmax output as logits.
        validation_batches: how far validation advances the counter after each epoch; 0 turns this off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ARRAYS: ClassVar[tuple[str, ...]] = ("learning_rate", "task_weight", "pressure")

    name: Literal["published"] = "published"
    steps: PositiveInt = 7973
    batch_size: PositiveInt = 128
    learning_rate: PositiveFloat = 5e-4
    pressure: PositiveFloat = 300.0
    task_weight: float = Field(default=1.0, ge=0)
    many_class_weight: float = Field(default=10.0, ge=0)
    decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    steps_per_epoch: PositiveInt = 1329
    capacity_ramp_steps: PositiveInt = 2500
    quarter_steps: int = Field(default=1500, ge=0)
    task_ramp_steps: tuple[int, int] = (2500, 5000)
    double_softmax: bool = True
    validation_batches: int = Field(default=469, ge=0)


Recipe = Annotated[Principled | Published, Field(discriminator="name")]

"""Objectives: what training minimises, and how the pressure on the rate adapts.

An objective is a few functions, made from a recipe: `init` gives the control state, `loss` combines the terms
of one batch under it, `update` moves it by the rate just seen. Everything that differs between members comes
in as the recipe's targets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class Terms(NamedTuple):
    """Parts of the loss on one batch: distortion per pixel, nats, nats per task.

    `rates` has one entry for each part of the batch whose rate is drawn to the target on its own.
    """

    distortion: Float[Array, ""]
    rates: Float[Array, " parts"]
    tasks: Float[Array, " tasks"]

    @property
    def rate(self) -> Float[Array, ""]:
        """Rate of the whole batch, nats."""
        return jnp.mean(self.rates)


def cross_entropy(
    logits: Float[Array, "batch classes"], labels: Int[Array, " batch"], *, double_softmax: bool = False
) -> Float[Array, ""]:
    """Mean cross-entropy, nats; `double_softmax` repeats the published quirk for more than two classes."""
    if double_softmax and logits.shape[1] > 2:
        logits = jax.nn.softmax(logits)
    # optax's own function rounds otherwise, and stored runs would no longer be reproduced to the byte
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -jnp.mean(chosen)


class Multiplier(NamedTuple):
    """A control: `multiplier` is the slope of the loss in the rate at R = C, squared error per nat."""

    multiplier: Float[Array, ""]


class Objective(NamedTuple):
    """What the compiled loop asks of a recipe. Targets and control are named tuples of the recipe's own;
    `step` counts from 0.

    Attributes:
        init: `init(targets)`, the control before the first step; it has a `multiplier`, the slope of the loss
            in the rate at the target.
        loss: `loss(terms, control, targets, step)`.
        update: `update(control, terms, targets, step)`, the control of the next step.
        learning_rate: `learning_rate(targets, step)`.
        task_loss: of the logits of a batch and its labels, nats.
        parts: equal parts of a batch, each of whose rates is in `Terms.rates`.
    """

    init: Callable[[Any], Any]
    loss: Callable[[Terms, Any, Any, Array], Array]
    update: Callable[[Any, Terms, Any, Array], Any]
    learning_rate: Callable[[Any, Array], Array]
    task_loss: Callable[[Array, Array], Array] = cross_entropy
    parts: int = 1

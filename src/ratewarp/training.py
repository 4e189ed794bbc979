"""Training: many members at once, a compiled loop over steps inside a compiled map over members. No input or output.

A member's draws depend on its key and the step alone. Members are mapped one after the other, not batched into one product, so that
one member's state can stay in a core's cache, and a member's arithmetic is the same to the bit whichever members share its batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float, Int, Key, UInt8

from ratewarp.devices import compiler_options, map_members, share, spread
from ratewarp.models import AutoEncoder, Head, NetworkConfig, latent_rates, make_head
from ratewarp.recipes import Objective, Recipe, Terms

COMPILATION = compiler_options()
MOST_CHUNK_STEPS = 100  # steps between two looks at the clock
_MOST_DRAWS = 2**20  # random numbers a member draws at once

_INIT, _BATCH, _NOISE, _DROPOUT, EVALUATION_STREAM, READOUT_STREAM = range(6)  # streams drawn from a member's key


@dataclass(frozen=True)
class Plan:
    """What one compiled batch shares: the compile key."""

    network: NetworkConfig
    image_shape: tuple[int, int]
    classes: tuple[int, ...]
    recipe: Recipe

    @property
    def objective(self) -> Objective:
        return self.recipe.objective(self.classes)

    @property
    def chunk_steps(self) -> int:
        """Steps that are drawn, trained and reported together."""
        return max(1, min(MOST_CHUNK_STEPS, _MOST_DRAWS // (self.recipe.batch_size * self.network.latents)))


class Member(NamedTuple):
    """What one member brings; with a leading axis on every array, a batch of members.

    Attributes:
        key: source of all its randomness.
        targets: what the recipe lets differ between members: a named tuple, `steps` in it.
        images_below: number of images in its data set of stimuli up to and including each; the last entry is its size.
        labels: class of every stimulus in every task.
    """

    key: Key[Array, "*members"]
    targets: Any
    images_below: Int[Array, "*members stimuli"]
    labels: Int[Array, "*members tasks stimuli"]


class Model(eqx.Module):
    """Trained parameters of one member."""

    networks: AutoEncoder
    heads: tuple[Head, ...]


class State(NamedTuple):
    """What the next step needs."""

    model: Model
    optimizer: optax.OptState
    control: Any


class Report(NamedTuple):
    """What a person reads of each step."""

    distortion: Float[Array, "*members steps"]
    rate: Float[Array, "*members steps"]
    tasks: Float[Array, "*members steps tasks"]
    multiplier: Float[Array, "*members steps"]


def train(
    plan: Plan,
    members: Member,
    images: UInt8[Array, "stimuli images_each height width"],
    start: tuple[int, State] | None = None,
) -> Iterator[tuple[int, State, Report]]:
    """Trains a batch of members until the one with the most steps is done; a member that is done earlier stays as it is.

    Arguments:
        plan: what they share.
        members: what each brings, stacked.
        images: pool of training images by stimulus; a member draws from the first of each stimulus, as many as it has.
        start: steps done and the state then, to go on from; the first state of the members if not given.

    Yields:
        After every `plan.chunk_steps` steps: steps done, the state, and the report of those steps (zeros after a member's last).
    """
    members, images = spread(members), share(images, len(members.key))
    done, state = (start[0], spread(start[1])) if start else (0, _start(plan, members))
    steps = int(jnp.max(members.targets.steps))
    while done < steps:
        stop = min(done + plan.chunk_steps, steps)
        state, report = _advance(plan, state, members, images, jnp.int32(done), jnp.int32(stop))
        yield stop, state, report if stop - done == plan.chunk_steps else jax.tree.map(lambda x, n=stop - done: x[:, :n], report)
        done = stop


def state_shapes(plan: Plan, members: Member) -> State:
    """The state of a batch of members as shapes without values, to read a stored one into."""
    return _start.eval_shape(plan, members)


@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})  # runs once; compiling it is what takes time
def _start(plan: Plan, members: Member) -> State:
    """First state of every member."""

    def start(member: Member) -> State:
        network_key, *head_keys = jax.random.split(jax.random.fold_in(member.key, _INIT), len(plan.classes) + 1)
        networks = AutoEncoder(plan.network, plan.image_shape, key=network_key)
        heads = tuple(make_head(plan.network.latents, c, key=k) for c, k in zip(plan.classes, head_keys, strict=True))
        model = Model(networks, heads)
        return State(model, plan.recipe.optimizer().init(cast(Any, model)), plan.objective.init(member.targets))

    return map_members(start, members)


@partial(jax.jit, static_argnums=0, donate_argnums=1, compiler_options=COMPILATION)
def _advance(plan: Plan, state: State, members: Member, images: Array, start: Array, stop: Array) -> tuple[State, Report]:
    """Steps `start` to `stop` of every member."""

    def run(one: tuple[State, Member], images: Array, start: Array, stop: Array) -> tuple[State, Report]:
        state, member = one
        draws = jax.vmap(partial(_draw, plan, member))(start + jnp.arange(plan.chunk_steps))  # random bits come cheap in bulk

        def body(step: Array, carry: tuple[State, Report]) -> tuple[State, Report]:
            with jax.default_matmul_precision(plan.recipe.precision):
                state, report = _step(plan, carry[0], member, images, step, jax.tree.map(lambda every: every[step - start], draws))
            return state, jax.tree.map(lambda all_, one: all_.at[step - start].set(one), carry[1], report)

        zeros = jnp.zeros(plan.chunk_steps)
        empty = Report(zeros, zeros, jnp.zeros((plan.chunk_steps, len(plan.classes))), zeros)
        return lax.fori_loop(start, jnp.minimum(stop, member.targets.steps), body, (state, empty))

    return map_members(run, (state, members), images, start, stop)


class Draws(NamedTuple):
    """What one step draws at random."""

    stimuli: Int[Array, " batch"]
    places: Int[Array, " batch"]  # which image of its stimulus
    noise: Float[Array, "batch latents"]
    dropout: Key[Array, ""]


def _draw(plan: Plan, member: Member, step: Array) -> Draws:
    """Draws of one step: a function of the member's key and the step alone."""
    batch_key, noise_key, dropout_key = (jax.random.fold_in(jax.random.fold_in(member.key, s), step) for s in (_BATCH, _NOISE, _DROPOUT))
    stimuli, places = draw_images(member.images_below, plan.recipe.batch_size, key=batch_key)
    noise = jax.random.normal(noise_key, (plan.recipe.batch_size, plan.network.latents))
    return Draws(stimuli, places, noise, dropout_key)


def draw_images(
    images_below: Int[Array, " stimuli"], size: int, *, key: Key[Array, ""]
) -> tuple[Int[Array, " batch"], Int[Array, " batch"]]:
    """Stimuli, and which image of each, drawn uniformly, with replacement, from a data set."""
    place = jax.random.randint(key, (size,), 0, images_below[-1])
    stimuli = jnp.searchsorted(images_below, place, side="right")
    return stimuli, place - jnp.where(stimuli > 0, images_below[stimuli - 1], 0)


def _step(plan: Plan, state: State, member: Member, images: Array, step: Array, draws: Draws) -> tuple[State, Report]:
    """One step of one member."""
    objective = plan.objective
    pictures = jnp.moveaxis(images[draws.stimuli, draws.places], 0, -1).astype(jnp.float32)

    def loss(model: Model) -> tuple[Array, Terms]:
        terms = _terms(plan, model, pictures, member.labels[:, draws.stimuli], draws)
        return objective.loss(terms, state.control, member.targets, step), terms

    gradient, terms = jax.grad(loss, has_aux=True)(state.model)
    gradient = lax.optimization_barrier(gradient)  # else each of Adam's loops puts the gradient together anew
    direction, optimizer = plan.recipe.optimizer().update(gradient, state.optimizer)
    rate = -objective.learning_rate(member.targets, step)
    model = jax.tree.map(lambda p, d: p + rate * d, state.model, direction)
    control = objective.update(state.control, terms, member.targets, step)
    return State(model, optimizer, control), Report(terms.distortion, terms.rate, terms.tasks, control.multiplier)


def _terms(plan: Plan, model: Model, pictures: Float[Array, "height width batch"], labels: Array, draws: Draws) -> Terms:
    """Parts of the loss on one batch."""
    mean, log_variance = model.networks.encoder.by_position(pictures)
    codes = mean + jnp.exp(0.5 * log_variance) * draws.noise
    error = jnp.mean((pictures - model.networks.decoder.by_position(codes)) ** 2)
    objective = plan.objective
    rates = jnp.sum(latent_rates(mean, log_variance), axis=1).reshape(objective.parts, -1).mean(axis=1)
    keys = jax.random.split(draws.dropout, len(model.heads)) if model.heads else ()
    tasks = [objective.task_loss(head(codes, key=k), y) for head, k, y in zip(model.heads, keys, labels, strict=True)]
    return Terms(error, rates, jnp.stack(tasks) if tasks else jnp.zeros(0))

"""Training: many members at once, a compiled loop over steps inside a compiled map over members. No input or
output.

A member's draws depend on its key and the step alone. Members are mapped one after the other, not batched
into one product, so that one member's state can stay in a core's cache, and a member's arithmetic is the same
to the bit whichever members share its batch.
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
from jaxtyping import Array, Float, Int, Key, PyTree

from ratewarp.networks import Head, arrays_of, latent_rates, make_head
from ratewarp.sources import Images
from ratewarp.sources.images import Chosen, Reader
from ratewarp.training.coder import Coder
from ratewarp.training.devices import compiler_options, map_members, replicate, shard
from ratewarp.training.recipes import Objective, Recipe, Terms

COMPILATION = compiler_options()
MOST_CHUNK_STEPS = 100  # steps between two looks at the clock
_MOST_DRAWS = 2**20  # random numbers a member draws at once

# streams drawn from a member's key
_INIT, _BATCH, _NOISE, _DROPOUT, EVALUATION_STREAM, READOUT_STREAM = range(6)


@dataclass(frozen=True)
class Plan:
    """What one compiled batch shares: the compile key."""

    coder: Coder
    classes: tuple[int, ...]
    recipe: Recipe

    @property
    def objective(self) -> Objective:
        return self.recipe.objective(self.classes)

    @property
    def chunk_steps(self) -> int:
        """Steps that are drawn, trained and reported together."""
        return max(1, min(MOST_CHUNK_STEPS, _MOST_DRAWS // (self.recipe.batch_size * self.coder.latents)))


class Member(NamedTuple):
    """What one member brings; with a leading axis on every array, a batch of members.

    Attributes:
        key: source of all its randomness.
        targets: what the recipe lets differ between members: a named tuple, `steps` in it.
        images_below: number of images in its data set of stimuli up to and including each; the last entry is
            its size.
        labels: class of every stimulus in every task.
    """

    key: Key[Array, "*members"]
    targets: Any
    images_below: Int[Array, "*members stimuli"]
    labels: Int[Array, "*members tasks stimuli"]


class Model(eqx.Module):
    """Trained parameters of one member.

    Attributes:
        networks: arrays of encoder and decoder; `Coder.networks` makes them whole.
        heads: of the tasks.
    """

    networks: PyTree
    heads: tuple[Head, ...]


class State(NamedTuple):
    """What the next step needs."""

    model: Model
    optimizer: optax.OptState
    control: Any


class Trace(NamedTuple):
    """What a person reads of each step."""

    distortion: Float[Array, "*members steps"]
    rate: Float[Array, "*members steps"]
    tasks: Float[Array, "*members steps tasks"]
    multiplier: Float[Array, "*members steps"]


def train(
    plan: Plan,
    members: Member,
    images: Images,
    start: tuple[int, State] | None = None,
) -> Iterator[tuple[int, State, Trace]]:
    """Trains a batch of members until the one with the most steps is done; a member that is done earlier
    stays as it is.

    Arguments:
        plan: what they share.
        members: what each brings, stacked.
        images: training images; a member draws from the first of each stimulus, as many as it has.
        start: steps done and the state then, to go on from; the first state of the members if not given.

    Yields:
        After every piece of at most `plan.chunk_steps` steps: steps done, the state, and the report of those
        steps (zeros after a member's last).
    """
    members, count = shard(members), len(members.key)
    reader = jax.tree.map(lambda array: replicate(array, count), images.reader)
    done, state = (start[0], shard(start[1])) if start else (0, _start(plan, members))
    steps = int(jnp.max(members.targets.steps))
    piece = images.steps(plan.chunk_steps, count * plan.recipe.batch_size)
    starts = range(done, steps, piece)
    for begin, ahead in zip(
        starts, images.ahead(starts, lambda step: _chosen(plan, piece, members, jnp.int32(step))), strict=True
    ):
        end = min(begin + piece, steps)
        state, report = _advance(plan, piece, state, members, ahead, reader, jnp.int32(begin), jnp.int32(end))
        yield (
            end,
            state,
            report if end - begin == piece else jax.tree.map(lambda x, n=end - begin: x[:, :n], report),
        )


def state_shapes(plan: Plan, members: Member) -> State:
    """The state of a batch of members as shapes without values, to read a stored one into."""
    return _start.eval_shape(plan, members)


def batch_shapes(plan: Plan) -> PyTree:
    """What the way through the networks leaves of one batch for the way back, as shapes without values."""
    size = plan.recipe.batch_size

    def forward(key: Array) -> Any:
        arrays = arrays_of(plan.coder.network.build(plan.coder.image_shape, key=key))
        images = jnp.zeros((size, *plan.coder.image_shape))

        def error(arrays: PyTree) -> Array:
            networks = plan.coder.networks(arrays)
            mean, log_variance = networks.encode(images)
            return jnp.mean(
                plan.coder.likelihood.error(images, networks.decode(mean + jnp.exp(0.5 * log_variance)))
            )

        return jax.vjp(error, arrays)[1]

    return jax.eval_shape(forward, jax.random.key(0))


# runs once; compiling it is what takes time
@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def _start(plan: Plan, members: Member) -> State:
    """First state of every member."""

    def start(member: Member) -> State:
        network_key, *head_keys = jax.random.split(
            jax.random.fold_in(member.key, _INIT), len(plan.classes) + 1
        )
        networks = arrays_of(plan.coder.network.build(plan.coder.image_shape, key=network_key))
        heads = tuple(
            make_head(plan.coder.latents, c, key=k) for c, k in zip(plan.classes, head_keys, strict=True)
        )
        model = Model(networks, heads)
        return State(
            model, plan.recipe.optimizer().init(cast(Any, model)), plan.objective.init(member.targets)
        )

    return map_members(start, members)


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=2, compiler_options=COMPILATION)
def _advance(
    plan: Plan,
    piece: int,
    state: State,
    members: Member,
    ahead: PyTree,
    reader: Reader,
    start: Array,
    stop: Array,
) -> tuple[State, Trace]:
    """Steps `start` to `stop` of every member, at most `piece` of them."""

    def run(
        one: tuple[State, Member, PyTree], reader: Reader, start: Array, stop: Array
    ) -> tuple[State, Trace]:
        state, member, ahead = one
        # random bits come cheap in bulk
        draws = jax.vmap(partial(_draw, plan, member))(start + jnp.arange(piece))

        def body(step: Array, carry: tuple[State, Trace]) -> tuple[State, Trace]:
            own = jax.tree.map(lambda every: every[step - start], draws)
            images = reader.batch(ahead, step - start, own.stimuli, own.places)
            with jax.default_matmul_precision(plan.recipe.precision):
                state, report = _step(plan, carry[0], member, images, step, own)
            return state, jax.tree.map(lambda all_, one: all_.at[step - start].set(one), carry[1], report)

        zeros = jnp.zeros(piece)
        empty = Trace(zeros, zeros, jnp.zeros((piece, len(plan.classes))), zeros)
        return lax.fori_loop(start, jnp.minimum(stop, member.targets.steps), body, (state, empty))

    return map_members(run, (state, members, ahead), reader, start, stop)


@partial(jax.jit, static_argnums=(0, 1))
def _chosen(plan: Plan, piece: int, members: Member, start: Array) -> Chosen:
    """Stimuli and places of the images that the members see in a piece of training."""

    def one(member: Member) -> Chosen:
        draws = jax.vmap(partial(_draw, plan, member))(start + jnp.arange(piece))
        return draws.stimuli, draws.places

    return map_members(one, members)


class Draws(NamedTuple):
    """What one step draws at random."""

    stimuli: Int[Array, " batch"]
    places: Int[Array, " batch"]  # which image of its stimulus
    noise: Float[Array, "batch latents"]
    dropout: Key[Array, ""]


def _draw(plan: Plan, member: Member, step: Array) -> Draws:
    """Draws of one step: a function of the member's key and the step alone."""
    batch_key, noise_key, dropout_key = (
        jax.random.fold_in(jax.random.fold_in(member.key, s), step) for s in (_BATCH, _NOISE, _DROPOUT)
    )
    stimuli, places = draw_places(member.images_below, plan.recipe.batch_size, key=batch_key)
    noise = jax.random.normal(noise_key, (plan.recipe.batch_size, plan.coder.latents))
    return Draws(stimuli, places, noise, dropout_key)


def draw_places(
    images_below: Int[Array, " stimuli"], size: int, *, key: Key[Array, ""]
) -> tuple[Int[Array, " batch"], Int[Array, " batch"]]:
    """Stimuli, and which image of each, drawn uniformly, with replacement, from a data set."""
    place = jax.random.randint(key, (size,), 0, images_below[-1])
    stimuli = jnp.searchsorted(images_below, place, side="right")
    return stimuli, place - jnp.where(stimuli > 0, images_below[stimuli - 1], 0)


def _step(
    plan: Plan, state: State, member: Member, images: Array, step: Array, draws: Draws
) -> tuple[State, Trace]:
    """One step of one member, on a batch of images as they are stored."""
    objective, numbers = plan.objective, plan.coder.numbers(_batch_last(images))

    def loss(model: Model) -> tuple[Array, Terms]:
        terms = _terms(plan, model, numbers, member.labels[:, draws.stimuli], draws)
        return objective.loss(terms, state.control, member.targets, step), terms

    gradient, terms = jax.grad(loss, has_aux=True)(state.model)
    gradient = lax.optimization_barrier(gradient)  # else each of Adam's loops puts the gradient together anew
    direction, optimizer = plan.recipe.optimizer().update(gradient, state.optimizer)
    rate = -objective.learning_rate(member.targets, step)
    model = jax.tree.map(lambda p, d: p + rate * d, state.model, direction)
    control = objective.update(state.control, terms, member.targets, step)
    return State(model, optimizer, control), Trace(
        terms.distortion, terms.rate, terms.tasks, control.multiplier
    )


def _batch_last(images: Array) -> Array:
    """Images laid out pixel by pixel: loops over pixels then run over whole batches, which are whole vectors
    whatever an image's size.
    """
    return jnp.moveaxis(images, 0, 2).reshape(*images.shape[1:3], -1)


def _terms(
    plan: Plan, model: Model, images: Float[Array, "height width batch channels"], labels: Array, draws: Draws
) -> Terms:
    """Parts of the loss on one batch."""
    networks, objective = plan.coder.networks(model.networks), plan.objective
    mean, log_variance = networks.encode(
        jnp.moveaxis(images.reshape(*images.shape[:2], -1, plan.coder.image_shape[2]), 2, 0)
    )
    codes = mean + jnp.exp(0.5 * log_variance) * draws.noise
    error = jnp.mean(plan.coder.likelihood.error(images, _batch_last(networks.decode(codes))))
    rates = jnp.sum(latent_rates(mean, log_variance), axis=1).reshape(objective.parts, -1).mean(axis=1)
    keys = jax.random.split(draws.dropout, len(model.heads)) if model.heads else ()
    tasks = [
        objective.task_loss(head(codes, key=k), y)
        for head, k, y in zip(model.heads, keys, labels, strict=True)
    ]
    return Terms(error, rates, jnp.stack(tasks) if tasks else jnp.zeros(0))

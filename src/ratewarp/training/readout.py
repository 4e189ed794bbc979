"""Readout: heads trained on the frozen codes of trained models. No input or output.

Of every training image one code is drawn from its posterior, once, and heads see nothing else: neither the
images nor, through their gradients, the model. All heads of one kind are trained together, spread over the
devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Int, Key, PyTree

from ratewarp.networks import Head, make_head, sample_codes
from ratewarp.sources import Images
from ratewarp.training.coder import Coder
from ratewarp.training.devices import map_members
from ratewarp.training.loop import COMPILATION, draw_places
from ratewarp.training.recipes import Recipe

CHUNK_STEPS = 500  # steps between two reports

_BLOCK_IMAGES = 16_384  # encoded by one call

_INIT, _BATCH, _DROPOUT = range(3)  # streams drawn from a reader's key


@dataclass(frozen=True)
class ReadoutPlan:
    """What heads trained together share: the compile key."""

    latents: int
    classes: int
    recipe: Recipe


class Reader(NamedTuple):
    """What one head brings; with a leading axis on every array, a batch of heads.

    Attributes:
        key: source of all its randomness.
        model: whose codes it reads, as a place in the first axis of the codes.
        targets: as of the recipe; the learning rate and the steps count.
        images_below: number of images in its data set of stimuli up to and including each.
        labels: class of every stimulus.
    """

    key: Key[Array, "*readers"]
    model: Int[Array, "*readers"]
    targets: Any
    images_below: Int[Array, "*readers stimuli"]
    labels: Int[Array, "*readers stimuli"]


class ReaderState(NamedTuple):
    """What the next step needs."""

    head: Head
    optimizer: optax.OptState


class Codes(NamedTuple):
    """Codes of images by model, those of a stimulus one after the other from its offset on.

    Attributes:
        codes: of every image.
        offsets: where those of a stimulus begin.
        counts: how many it has, at least 1 where it occurs; heads that draw from more see them again.
    """

    codes: Float[Array, "models images latents"]
    offsets: Int[Array, " stimuli"]
    counts: Int[Array, " stimuli"]


def draw_codes(
    coder: Coder,
    arrays: PyTree,
    keys: Key[Array, " models"],
    images: Images,
    counts: Int[np.ndarray, " stimuli"],
) -> Codes:
    """One code of every image from every model's posterior.

    Arguments:
        coder: that the models share.
        arrays: trained arrays of their networks, stacked.
        keys: one per model.
        images: that they encode.
        counts: how many of each stimulus.
    """
    offsets, most = np.cumsum(counts) - counts, int(counts.max())
    codes = np.empty((len(keys), int(counts.sum()), coder.latents), np.float32)
    occurring = np.flatnonzero(counts)
    size = max(1, min(len(occurring), _BLOCK_IMAGES // most))
    for first in range(0, len(occurring), size):
        block = occurring[np.minimum(first + np.arange(size), len(occurring) - 1)]
        pictures = images.first_of(block, most)
        drawn = np.asarray(_codes_of_stimuli(coder, arrays, keys, pictures, jnp.asarray(block, jnp.int32)))
        for place, stimulus in enumerate(block):
            own = drawn[:, place, : counts[stimulus]]
            codes[:, offsets[stimulus] : offsets[stimulus] + counts[stimulus]] = own
    each = jnp.asarray(np.maximum(counts, 1), jnp.int32)
    return Codes(jnp.asarray(codes), jnp.asarray(offsets, jnp.int32), each)


@partial(jax.jit, static_argnums=0, compiler_options=COMPILATION)
def _codes_of_stimuli(
    coder: Coder, arrays: PyTree, keys: Array, images: Array, stimuli: Array
) -> Float[Array, "models stimuli each latents"]:
    def one_model(one: tuple[PyTree, Array], images: Array, stimuli: Array) -> Array:
        own, key = one

        def one_stimulus(arguments: tuple[Array, Array]) -> Array:
            batch, stimulus = arguments
            mean, log_variance = coder.networks(own).encode(coder.numbers(batch))
            return sample_codes(mean, log_variance, key=jax.random.fold_in(key, stimulus))

        return lax.map(one_stimulus, (images, stimuli))

    return map_members(one_model, (arrays, keys), images, stimuli)


def train_heads(plan: ReadoutPlan, readers: Reader, codes: Codes) -> Iterator[tuple[int, Head]]:
    """Trains heads on codes by the recipe's batches, learning rate and cross-entropy.

    Arguments:
        plan: what they share.
        readers: what each brings, stacked.
        codes: of all training images; a head draws from the first of each stimulus, as many as its data set
            has.

    Yields:
        Now and then, and at the end: steps done, and the heads, whose memory is used again when the next are
        asked for.
    """
    state = _start(plan, readers)
    steps, done = int(jnp.max(readers.targets.steps)), 0
    while done < steps:
        stop = min(done + CHUNK_STEPS, steps)
        state = _advance(plan, state, readers, codes, jnp.int32(done), jnp.int32(stop))
        yield stop, state.head
        done = stop


@partial(jax.jit, compiler_options=COMPILATION)
def predict(
    heads: Head, models: Int[Array, " readers"], codes: Float[Array, "models images latents"]
) -> Int[Array, "readers images"]:
    """The class that each head gives to every code of its model."""

    def one_head(one: tuple[Head, Array], codes: Array) -> Array:
        head, model = one
        return jnp.argmax(head(codes[model], key=None), axis=1)

    return map_members(one_head, (heads, models), codes)


@partial(jax.jit, static_argnums=0)
def _start(plan: ReadoutPlan, readers: Reader) -> ReaderState:
    def start(reader: Reader) -> ReaderState:
        head = make_head(plan.latents, plan.classes, key=jax.random.fold_in(reader.key, _INIT))
        return ReaderState(head, plan.recipe.optimizer().init(cast(Any, head)))

    return map_members(start, readers)


@partial(jax.jit, static_argnums=0, donate_argnums=1, compiler_options=COMPILATION)
def _advance(
    plan: ReadoutPlan, state: ReaderState, readers: Reader, codes: Codes, start: Array, stop: Array
) -> ReaderState:
    """Steps `start` to `stop` of every head."""
    objective, optimizer = plan.recipe.objective(()), plan.recipe.optimizer()

    def run(one: tuple[ReaderState, Reader], codes: Codes, start: Array, stop: Array) -> ReaderState:
        state, reader = one

        def draw(step: Array) -> tuple[Array, Array]:
            key = jax.random.fold_in(jax.random.fold_in(reader.key, _BATCH), step)
            stimuli, places = draw_places(reader.images_below, plan.recipe.batch_size, key=key)
            rows = codes.offsets[stimuli] + places % codes.counts[stimuli]
            return codes.codes[reader.model, rows], reader.labels[stimuli]

        drawn = jax.vmap(draw)(start + jnp.arange(CHUNK_STEPS))

        def body(step: Array, state: ReaderState) -> ReaderState:
            batch, labels = (every[step - start] for every in drawn)
            key = jax.random.fold_in(jax.random.fold_in(reader.key, _DROPOUT), step)
            gradient = jax.grad(lambda head: objective.task_loss(head(batch, key=key), labels))(state.head)
            direction, moments = optimizer.update(gradient, state.optimizer)
            head = jax.tree.map(
                lambda p, d: p - objective.learning_rate(reader.targets, step) * d, state.head, direction
            )
            return ReaderState(head, moments)

        return lax.fori_loop(start, jnp.minimum(stop, reader.targets.steps), body, state)

    return map_members(run, (state, readers), codes, start, stop)

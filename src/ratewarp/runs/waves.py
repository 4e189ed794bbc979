"""Waves: the conditions of one compiled shape, a few at a time, trained together from a start or from where
they stood. No input or output.

A group is all conditions that one compiled program can train. Every wave of a group fills the same number of
member slots, so that nothing is compiled twice; slots left over are filled with a copy of the last member,
whose results are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from ratewarp._checks import RequestError
from ratewarp.networks import from_named, skeleton, to_named
from ratewarp.runs.groups import compile_key, groups, steps_of
from ratewarp.sources import Images, Task
from ratewarp.studies import Condition, Setting
from ratewarp.studies.identity import digest
from ratewarp.training.coder import Coder
from ratewarp.training.loop import (
    READOUT_STREAM,
    Member,
    Plan,
    State,
    Trace,
    batch_shapes,
    state_shapes,
    train,
)
from ratewarp.training.readout import Reader
from ratewarp.training.recipes import Recipe

# streams drawn from a condition's key for heads on its frozen codes
TRAINING_CODES, HELD_OUT_CODES, _HEAD = range(3)

_DIGITS = 16  # of hashes that name waves
# of an accelerator's memory that members may fill; the rest is for images, codes and what XLA adds
_MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class Wave:
    """Conditions trained together.

    Attributes:
        plan: what they share.
        conditions: in order of their steps.
        slots: members in a compiled batch, at least as many as conditions.
        group: hash of what all conditions of the group share.
    """

    plan: Plan
    conditions: tuple[Condition, ...]
    slots: int
    group: str

    @property
    def digest(self) -> str:
        """Hash of the group and of the conditions: equal waves have equal digests, whatever else the study
        holds.
        """
        return digest([self.group, *(condition.id for condition in self.conditions)], _DIGITS)


class Reached(NamedTuple):
    """Where a wave stands.

    Attributes:
        step: steps done, counted for the condition with the most.
        state: of every slot.
        reports: of the steps so far, in pieces.
    """

    step: int
    state: State
    reports: tuple[Trace, ...]

    @property
    def history(self) -> Trace:
        """The report of all steps so far."""
        return jax.tree.map(lambda *pieces: np.concatenate(pieces, axis=1), *self.reports)


def members_at_once(plan: Plan, conditions: Sequence[Condition], limit: int | None) -> int:
    """How many conditions of a group to train at once.

    Arguments:
        plan: what they share.
        conditions: the group.
        limit: the most the user wants; None for as many as suit the device.

    Returns:
        The limit; without one, a condition for each CPU device, which is quickest and keeps memory flat, or
        as many of the group as fit into the memory of the accelerators.
    """
    if limit is not None:
        return min(limit, len(conditions))
    if jax.default_backend() == "cpu":
        return min(jax.device_count(), len(conditions))
    room = sum(
        _MEMORY_SHARE * ((device.memory_stats() or {}).get("bytes_limit") or inf)
        for device in jax.local_devices()
    )
    return int(max(1, min(len(conditions), room // member_bytes(plan))))


def member_bytes(plan: Plan) -> int:
    """About how much memory training one member takes: its state, the next one, gradients, and what a batch
    leaves for the way back.
    """
    one = jax.eval_shape(
        lambda: Member(
            jax.random.key(0)[None], jax.tree.map(jnp.atleast_1d, plan.recipe.targets(1.0)), *_no_data(plan)
        )
    )
    batch_and_gradients = 2 * _bytes(batch_shapes(plan))
    return 3 * _bytes(state_shapes(plan, one)) + batch_and_gradients


def _bytes(shapes: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))


def _no_data(plan: Plan) -> tuple[Array, Array]:
    return jnp.ones((1, 1), jnp.int32), jnp.zeros((1, len(plan.classes), 1), jnp.int32)


def waves(conditions: Sequence[Condition], limit: int | None = None) -> list[Wave]:
    """All conditions of a study in waves, group by group; in a group those with few steps come first, so that
    a wave's are alike.
    """
    found = []
    for group in groups(conditions):
        shared, classes = compile_key(group[0].setting)
        plan = plan_of(group[0].setting)
        size, name = members_at_once(plan, group, limit), digest([shared, classes], _DIGITS)
        ordered = sorted(group, key=steps_of)
        found += [
            Wave(plan, tuple(ordered[first : first + size]), size, name)
            for first in range(0, len(group), size)
        ]
    return found


def coder_of(setting: Setting) -> Coder:
    """What encodes and decodes in a setting."""
    source = setting.source
    return Coder(setting.network, setting.likelihood, source.image_shape, source.pixels)


def network_arrays(setting: Setting, params: Mapping[str, np.ndarray]) -> PyTree:
    """Trained arrays of the networks of a setting, from named parameters; those of heads are left out.

    Raises:
        RequestError: they are not those of such networks.
    """
    shapes = skeleton(setting.network, setting.source.image_shape)
    own = {name: array for name, array in params.items() if name.startswith("networks.")}
    return from_named({"networks": shapes}, own)["networks"]


def plan_of(setting: Setting) -> Plan:
    """What models of a setting share with all that one compiled program can train."""
    shared, classes = compile_key(setting)
    return Plan(coder_of(shared), classes, shared.recipe)


def stack_members(conditions: Sequence[Condition], slots: int) -> Member:
    """What each condition brings, stacked; the last one again and again until all slots are filled."""
    filled = [*conditions, *[conditions[-1]] * (slots - len(conditions))]
    targets = [c.setting.recipe.targets(c.capacity_nats) for c in filled]
    return Member(
        key=jnp.stack([jax.random.key(c.seed) for c in filled]),
        targets=jax.tree.map(lambda *own: jnp.stack(own), *targets),
        images_below=jnp.array([np.cumsum(c.setting.image_counts()) for c in filled], jnp.int32),
        labels=jnp.array([[t.labels for t in c.setting.labellings()] for c in filled], jnp.int32).reshape(
            slots, -1, len(filled[0].setting.source.stimuli)
        ),
    )


def train_members(
    plan: Plan, members: Member, images: Images, start: Reached | None = None
) -> Iterator[Reached]:
    """Trains the members of a wave, from `start` if given; yields where they stand now and then, and at the
    end.
    """
    reached = start
    if start is not None and start.step >= int(jnp.max(members.targets.steps)):
        yield start
    for step, state, report in train(plan, members, images, start and (start.step, start.state)):
        reached = Reached(step, state, (*(reached.reports if reached else ()), jax.device_get(report)))
        yield reached


def to_arrays(reached: Reached, conditions: int) -> dict[str, np.ndarray]:
    """Where a wave stands as named arrays, whose first axis is its conditions; the copies in further slots
    are left out.
    """
    named = to_named({"state": reached.state, "history": reached.history})
    return {name: array[:conditions] for name, array in named.items()}


def from_arrays(
    plan: Plan, members: Member, step: int, arrays: Mapping[str, np.ndarray], rows: Sequence[int]
) -> Reached:
    """Where a wave stood, from what `to_arrays` gave.

    Arguments:
        plan: what the members share.
        members: those that resume, with copies of the last in further slots.
        step: steps done.
        arrays: by name.
        rows: place of each condition that resumes in the arrays' first axis.

    Raises:
        RequestError: the arrays are not those of such members: of another name, shape or type, or not finite
            where training was sound.
    """
    slots = len(members.key)
    places = [*rows, *[rows[-1]] * (slots - len(rows))]
    shapes = {
        "state": state_shapes(plan, members),
        "history": jax.eval_shape(lambda: _blank(slots, step, len(plan.classes))),
    }
    chosen = {name: array[places] for name, array in arrays.items()}
    whole = from_named(shapes, chosen)
    history = jax.device_get(whole["history"])
    _refuse_not_finite(chosen, history)
    return Reached(step, whole["state"], (history,))


def _refuse_not_finite(arrays: Mapping[str, np.ndarray], history: Trace) -> None:
    """Refuses parameters that are not finite although their training was; a model that diverged shows it in
    its history as well.
    """
    sound = np.isfinite(history.rate + history.distortion + history.tasks.sum(axis=2)).all(axis=1)
    for name, array in arrays.items():
        if name.startswith("state.model.") and not np.isfinite(array[sound]).all():
            raise RequestError(f"parameter {name} is not finite, although its training had not diverged")


def _blank(slots: int, steps: int, tasks: int) -> Trace:
    zeros = jnp.zeros((slots, steps))
    return Trace(zeros, zeros, jnp.zeros((slots, steps, tasks)), zeros)


class Reading(NamedTuple):
    """One head to train: for `task`, on the codes of the model at `place` among those read together."""

    place: int
    condition: Condition
    task: Task


def reader_keys(conditions: Sequence[Condition], stream: int) -> Array:
    """A key for each condition: a function of its seed and the stream alone."""
    return jnp.stack(
        [
            jax.random.fold_in(jax.random.fold_in(jax.random.key(c.seed), READOUT_STREAM), stream)
            for c in conditions
        ]
    )


def stack_readers(recipe: Recipe, readings: Sequence[Reading]) -> Reader:
    """What each head brings, stacked."""
    keys = reader_keys([reading.condition for reading in readings], _HEAD)
    names = jnp.array([crc32(reading.task.name.encode()) for reading in readings], jnp.uint32)
    # of which heads heed the learning rate and the steps; they know of no capacity
    targets = recipe.targets(1.0)
    return Reader(
        key=jax.vmap(jax.random.fold_in)(keys, names),
        model=jnp.array([reading.place for reading in readings], jnp.int32),
        targets=jax.tree.map(lambda one: jnp.full(len(readings), one), targets),
        images_below=jnp.array(
            [np.cumsum(reading.condition.setting.image_counts()) for reading in readings], jnp.int32
        ),
        labels=jnp.array([reading.task.labels for reading in readings], jnp.int32),
    )

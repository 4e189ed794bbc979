"""Jobs of a run, as plain data, and what does one: a wave of models to train, or heads on the frozen codes of
trained models.

A job makes its own images and writes no files. Its events say how far it is, what a checkpoint would hold,
and what it made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Int, Num

from ratewarp._interrupt import stop_asked
from ratewarp.networks import to_named
from ratewarp.runs.groups import steps_of
from ratewarp.runs.records import make_head_record, make_record
from ratewarp.runs.waves import (
    HELD_OUT_CODES,
    TRAINING_CODES,
    Reached,
    Reading,
    coder_of,
    from_arrays,
    network_arrays,
    plan_of,
    reader_keys,
    stack_members,
    stack_readers,
    to_arrays,
    train_members,
)
from ratewarp.sources import Images, Source, Task, make_images
from ratewarp.studies import Condition, Setting
from ratewarp.training.devices import Machine, this_machine
from ratewarp.training.evaluation import Evaluation, evaluate
from ratewarp.training.loop import Member, Trace
from ratewarp.training.readout import ReadoutPlan, draw_codes, predict, train_heads
from ratewarp.training.recipes import Recipe

MAX_POOL_BYTES = 4_000_000_000  # of training images on the device; more are drawn as they are needed
MAX_HELD_BYTES = 1_000_000_000  # of stored ones; more are read as they are needed
_CODES_OF_STORED = 16  # that heads see of a stored image at most, where they see it more often

# streams drawn from the data seed, apart from those of a member's seed
_TRAINING_IMAGES, _HELD_OUT_IMAGES = 100, 101

Arrays = Mapping[str, np.ndarray]


class WaveJob(NamedTuple):
    """Models to train together.

    Attributes:
        conditions: whose models; their order is that of arrays.
        slots: members in a compiled batch, at least as many as conditions.
        counts: training images of every stimulus that are held for them, at least as many as any of them has.
        start: where they stand, or None to begin: steps done, named arrays, and the place of each condition
            in the arrays' first axis.
        checkpoint_seconds: time between two events of what a checkpoint holds.
    """

    conditions: tuple[Condition, ...]
    slots: int
    counts: Int[np.ndarray, " stimuli"]
    start: tuple[int, Arrays, tuple[int, ...]] | None
    checkpoint_seconds: float


class HeadsJob(NamedTuple):
    """Heads to train on the frozen codes of models that are drawn together.

    Attributes:
        conditions: whose models.
        params: trained parameters of the networks of each.
        tasks: of each, for which heads are trained.
        recipe: that the heads follow.
        counts: as of `WaveJob`.
    """

    conditions: tuple[Condition, ...]
    params: tuple[Arrays, ...]
    tasks: tuple[tuple[Task, ...], ...]
    recipe: Recipe
    counts: Int[np.ndarray, " stimuli"]


Job = WaveJob | HeadsJob


class Begun(NamedTuple):
    """A job begins on a machine; the first event of each."""

    machine: Machine


class Stepped(NamedTuple):
    """How far a job is: steps done of the longest training of a wave, or of all heads together."""

    step: int


class Kept(NamedTuple):
    """What a checkpoint of a wave holds: steps done, and named arrays whose first axis is its conditions."""

    step: int
    arrays: Arrays


class Trained(NamedTuple):
    """A trained model."""

    condition: Condition
    record: xr.Dataset
    params: Arrays


class Read(NamedTuple):
    """Heads that are trained on the frozen codes of a model."""

    condition: Condition
    record: xr.Dataset
    params: Arrays


class Done(NamedTuple):
    """A job has come to its end."""


Event = Begun | Stepped | Kept | Trained | Read | Done


def do(job: Job) -> Iterator[Event]:
    """Does a job; its first event is `Begun`, its last one `Done`."""
    yield Begun(this_machine())
    yield from _WORK[type(job)](job)
    yield Done()


def forget_images() -> None:
    """Frees the images that jobs of this process have shared."""
    _image_sets.cache_clear()


def _train_wave(job: WaveJob) -> Iterator[Event]:
    setting = job.conditions[0].setting
    plan, members = plan_of(setting), stack_members(job.conditions, job.slots)
    training, held_out = _images_of(job.conditions[0], job.counts)
    last = begun = None if job.start is None else from_arrays(plan, members, *job.start)
    clock = time.monotonic()
    for last in train_members(plan, members, training, begun):
        if stop_asked() or time.monotonic() - clock >= job.checkpoint_seconds:
            yield Kept(last.step, to_arrays(last, len(job.conditions)))
            clock = time.monotonic()
        yield Stepped(last.step)
    assert last is not None  # every recipe has a step
    yield from _evaluated(job, members, last, held_out)


def _evaluated(job: WaveJob, members: Member, reached: Reached, held_out: Images) -> Iterator[Event]:
    """Trained members, measured on held-out images."""
    setting = job.conditions[0].setting
    images, means = _by_stimulus(setting, held_out), setting.mean_images()
    known = (
        jnp.full(images.shape[:1] + images.shape[2:], jnp.nan)
        if means is None
        else jnp.asarray(means, jnp.float32)
    )
    coder = coder_of(setting)
    evaluation = jax.device_get(evaluate(coder, reached.state.model, members, images, known))
    models, history = jax.device_get(reached.state.model), reached.history
    for index, condition in enumerate(job.conditions):
        one = lambda leaf, i=index: leaf[i]  # noqa: E731
        own = Trace(*(series[index][: steps_of(condition)] for series in history))
        record = make_record(condition, Evaluation(*map(one, evaluation)), own, np.asarray(images[:, 0]))
        yield Trained(condition, record, to_named(jax.tree.map(one, models)))


def _by_stimulus(setting: Setting, held_out: Images) -> Num[Array, "stimuli each height width channels"]:
    """Held-out images of every measured stimulus."""
    return held_out.first_of(setting.measured(), setting.images_each())


def _train_heads(job: HeadsJob) -> Iterator[Event]:
    setting = job.conditions[0].setting
    coder, training_and_held_out = coder_of(setting), _images_of(job.conditions[0], job.counts)
    most = job.counts.max() if setting.source.stored is None else _CODES_OF_STORED
    networks = [
        network_arrays(condition.setting, params)
        for condition, params in zip(job.conditions, job.params, strict=True)
    ]
    arrays = jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)
    counts = (
        np.minimum(np.max([c.setting.image_counts() for c in job.conditions], axis=0), most),
        _held_out_counts(setting),
    )
    codes, held_out = (
        draw_codes(coder, arrays, reader_keys(job.conditions, stream), images, many)
        for stream, images, many in zip(
            (TRAINING_CODES, HELD_OUT_CODES), training_and_held_out, counts, strict=True
        )
    )
    readings = [
        Reading(place, c, task)
        for place, (c, own) in enumerate(zip(job.conditions, job.tasks, strict=True))
        for task in own
    ]
    heads: dict[tuple[int, str], Any] = {}
    predictions: dict[tuple[int, str], np.ndarray] = {}
    done = 0
    for classes in sorted({reading.task.classes for reading in readings}):
        chosen = [reading for reading in readings if reading.task.classes == classes]
        readers, trained = stack_readers(job.recipe, chosen), None
        for step, now in train_heads(ReadoutPlan(coder.latents, classes, job.recipe), readers, codes):
            trained = now
            yield Stepped(done + step * len(chosen))
        assert trained is not None  # every recipe has a step
        predicted = np.asarray(predict(trained, readers.model, held_out.codes)).reshape(
            len(chosen), len(setting.measured()), -1
        )
        for index, (place, _, task) in enumerate(chosen):
            heads[place, task.name] = jax.tree.map(lambda leaf, i=index: np.asarray(leaf[i]), trained)
            predictions[place, task.name] = predicted[index]
        done += job.recipe.steps * len(chosen)
    for place, (condition, tasks) in enumerate(zip(job.conditions, job.tasks, strict=True)):
        record = make_head_record(
            condition, tasks, np.stack([predictions[place, task.name] for task in tasks], axis=1)
        )
        yield Read(condition, record, to_named({task.name: heads[place, task.name] for task in tasks}))


def _held_out_counts(setting: Setting) -> Int[np.ndarray, " stimuli"]:
    counts = np.zeros(len(setting.source.stimuli), int)
    counts[setting.measured()] = setting.images_each()
    return counts


def _images_of(condition: Condition, counts: Int[np.ndarray, " stimuli"]) -> tuple[Images, Images]:
    """Images that models are trained on, and those on which they are measured; the last ones are held for the
    next job.
    """
    setting = condition.setting
    held_out = _held_out_counts(setting)
    return _image_sets(setting.source, setting.data_seed, counts.tobytes(), held_out.tobytes())


@lru_cache(maxsize=1)
def _image_sets(source: Source, data_seed: int, training: bytes, held_out: bytes) -> tuple[Images, Images]:
    seed = jax.random.key(data_seed)
    training_key, held_out_key = (
        jax.random.fold_in(seed, stream) for stream in (_TRAINING_IMAGES, _HELD_OUT_IMAGES)
    )
    most = MAX_POOL_BYTES if source.stored is None else MAX_HELD_BYTES
    return (
        make_images(source, np.frombuffer(training, int), key=training_key, most_bytes=most),
        make_images(source, np.frombuffer(held_out, int), key=held_out_key, most_bytes=inf),
    )


_WORK: Mapping[type, Callable[[Any], Iterator[Event]]] = {WaveJob: _train_wave, HeadsJob: _train_heads}

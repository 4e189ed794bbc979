"""Heads on the frozen codes of a run's trained models: which are still to be trained, their training, what is stored of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from ratewarp.networks import Head, to_named
from ratewarp.readout import Reader, ReadoutPlan, draw_codes, predict, train_heads
from ratewarp.records import labels_of
from ratewarp.sources import Images, Task
from ratewarp.store import RunDirectory
from ratewarp.studies import Condition, Setting, Study
from ratewarp.trained import arrays_of_condition
from ratewarp.training import READOUT_STREAM
from ratewarp.waves import coder_of

MODELS_AT_ONCE = 32  # whose codes of all training images are held in memory together

_TRAINING, _HELD_OUT, _HEAD = range(3)  # streams drawn from a condition's key


class Reading(NamedTuple):
    """One head to train: for `task`, on the codes of the model at `place` among those read together."""

    place: int
    condition: Condition
    task: Task


def pending_readouts(run: RunDirectory, study: Study) -> list[list[Condition]]:
    """Conditions on whose frozen codes heads are still to be trained, with those whose codes are drawn together with theirs.

    Which are drawn together does not depend on what is stored, so that an interrupted run ends with the same numbers.
    """
    together = []
    readers = [condition for condition in study.conditions if condition.model in study.readouts]
    for _, alike in groupby(readers, key=lambda c: c.setting.network):
        group = list(alike)
        together += [group[first : first + MODELS_AT_ONCE] for first in range(0, len(group), MODELS_AT_ONCE)]
    return [conditions for conditions in together if not all(run.read_out(c.id) for c in conditions)]


def head_steps(study: Study, pending: Sequence[Sequence[Condition]]) -> int:
    """Steps of all heads on the codes of these conditions together."""
    return sum(len(study.readout_tasks(c.model)) for conditions in pending for c in conditions) * study.recipe.steps


def run_readouts(
    run: RunDirectory, study: Study, pending: Sequence[Sequence[Condition]], images_of: Callable[[Setting], tuple[Images, Images]]
) -> Iterator[int]:
    """Trains and stores the heads on the frozen codes of these conditions.

    Arguments:
        run: holds the trained models.
        study: says which tasks, and by which recipe.
        pending: as `pending_readouts` gave.
        images_of: training and held-out images for a setting.

    Yields:
        Head-steps done so far, now and then.
    """
    done = 0
    for conditions in pending:
        for done_here in _read_together(run, study, conditions, images_of):
            yield done + done_here
        done += head_steps(study, [conditions])


def _read_together(
    run: RunDirectory, study: Study, conditions: Sequence[Condition], images_of: Callable[[Setting], tuple[Images, Images]]
) -> Iterator[int]:
    """The same of conditions whose codes are held in memory together; what is stored already is left as it is."""
    setting = conditions[0].setting
    training, held_out = images_of(setting)
    counts = np.max([c.setting.image_counts() for c in conditions], axis=0)
    held_out_counts = np.full(len(counts), setting.validation_each)
    coder = coder_of(setting)
    arrays = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(arrays_of_condition(run, c.setting, c.id) for c in conditions))
    codes = draw_codes(coder, arrays, _keys(conditions, _TRAINING), training, counts)
    held_out_codes = draw_codes(coder, arrays, _keys(conditions, _HELD_OUT), held_out, held_out_counts)
    readings = [Reading(place, c, task) for place, c in enumerate(conditions) for task in study.readout_tasks(c.model)]
    heads: dict[tuple[int, str], Head] = {}
    predictions: dict[tuple[int, str], np.ndarray] = {}
    done = 0
    for classes in sorted({reading.task.classes for reading in readings}):
        chosen = [reading for reading in readings if reading.task.classes == classes]
        readers = _readers(study, chosen)
        trained: Head | None = None
        for step, now in train_heads(ReadoutPlan(setting.network.latents, classes, study.recipe), readers, codes):
            trained = now
            yield done + step * len(chosen)
        assert trained is not None  # every recipe has a step
        said = np.asarray(predict(trained, readers.model, held_out_codes.codes)).reshape(len(chosen), len(counts), -1)
        for index, (place, _, task) in enumerate(chosen):
            heads[place, task.name] = jax.tree.map(lambda leaf, i=index: np.asarray(leaf[i]), trained)
            predictions[place, task.name] = said[index]
        done += study.recipe.steps * len(chosen)
    for place, condition in enumerate(conditions):
        tasks = study.readout_tasks(condition.model)
        record = _record(condition, tasks, np.stack([predictions[place, task.name] for task in tasks], axis=1))
        run.write_readout(condition.id, record, to_named({task.name: heads[place, task.name] for task in tasks}))


def _keys(conditions: Sequence[Condition], stream: int) -> Array:
    """A key for each condition: a function of its seed and the stream alone."""
    return jnp.stack([jax.random.fold_in(jax.random.fold_in(jax.random.key(c.seed), READOUT_STREAM), stream) for c in conditions])


def _readers(study: Study, readings: Sequence[Reading]) -> Reader:
    keys = _keys([reading.condition for reading in readings], _HEAD)
    names = jnp.array([crc32(reading.task.name.encode()) for reading in readings], jnp.uint32)
    targets = study.recipe.targets(1.0)  # of which heads heed the learning rate and the steps; they know of no capacity
    return Reader(
        key=jax.vmap(jax.random.fold_in)(keys, names),
        model=jnp.array([reading.place for reading in readings], jnp.int32),
        targets=jax.tree.map(lambda one: jnp.full(len(readings), one), targets),
        images_below=jnp.array([np.cumsum(reading.condition.setting.image_counts()) for reading in readings], jnp.int32),
        labels=jnp.array([reading.task.labels for reading in readings], jnp.int32),
    )


def _record(condition: Condition, tasks: Sequence[Task], predictions: np.ndarray) -> xr.Dataset:
    """What is kept of the heads on the codes of one condition, as labelled arrays."""
    return xr.Dataset(
        {
            "prediction": (("stimulus_index", "task", "held_out"), predictions.astype(np.int16)),
            "label": (("task", "stimulus_index"), np.array([t.labels for t in tasks], np.int16)),
            "frequency": ("stimulus_index", condition.setting.probabilities()),
        },
        coords={"task": np.array([t.name for t in tasks], dtype="U")},
        attrs=labels_of(condition),
    )

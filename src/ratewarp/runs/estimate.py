"""What a run will take, before it begins: time from a few steps that are really trained, memory and disk from
the shapes of what is trained and stored. Nothing is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from ratewarp._progress import Progress
from ratewarp.runs.directory import files_of
from ratewarp.runs.groups import steps_of
from ratewarp.runs.jobs import MAX_HELD_BYTES, MAX_POOL_BYTES
from ratewarp.runs.records import make_record
from ratewarp.runs.runner import HEAD_SHARE, counts_together
from ratewarp.runs.waves import Wave, member_bytes, stack_members, waves
from ratewarp.sources import PIXELS, make_images
from ratewarp.studies import Condition, Setting, Study, of_all_models
from ratewarp.training.evaluation import Evaluation, evaluate
from ratewarp.training.loop import State, Trace, state_shapes, train

_TIMED_SECONDS = 20.0  # for timing all programs; the largest is timed in any case
_TRIES, _TRY_SECONDS, _MOST_STEPS = 3, 0.5, 20  # of one program; the quickest try counts
_MOST_IMAGE_BYTES = 64_000_000  # of images made to time steps; a run may make more
_CHECKPOINTS = 3  # of a wave at once, while one is written


class Program(NamedTuple):
    """What one compiled program has to do.

    Attributes:
        models: names of the models it trains.
        conditions: how many.
        waves: in which they are trained.
        members_at_once: in a wave.
        model_steps: of all conditions together.
        seconds_per_model_step: while all cores work; None where it was not timed.
        compile_seconds: until its first step, compilation with it; None where it was not timed.
        memory_bytes: of a wave and of the images it is trained and measured on.
        condition_bytes: on disk, of the condition with the most steps.
        checkpoint_bytes: on disk, of the checkpoints of a wave.
    """

    models: tuple[str, ...]
    conditions: int
    waves: int
    members_at_once: int
    model_steps: int
    seconds_per_model_step: float | None
    compile_seconds: float | None
    memory_bytes: int
    condition_bytes: int
    checkpoint_bytes: int


class Estimate(NamedTuple):
    """What training and storing conditions will take; measuring them and drawing come on top.

    Attributes:
        conditions: how many.
        model_steps: of all of them together.
        head_steps: of all heads on frozen codes.
        programs: those that take the most memory first.
        seconds: of training; None where nothing was timed. A program that was not timed itself counts with
            the time of the largest.
        memory_bytes: of the program that needs most, besides what Python and JAX need themselves.
        disk_bytes: of all conditions, and of the checkpoints that are there meanwhile.
    """

    conditions: int
    model_steps: int
    head_steps: int
    programs: tuple[Program, ...]
    seconds: float | None
    memory_bytes: int
    disk_bytes: int


def estimate(
    study: Study,
    conditions: Sequence[Condition],
    members_at_once: int | None = None,
    *,
    heads: bool = True,
    timing: bool = True,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Estimate:
    """What training these conditions of a study will take on this machine.

    Arguments:
        study: that they are of.
        conditions: to train.
        members_at_once: as of a run.
        heads: whether heads on frozen codes are trained too.
        timing: whether programs are compiled and some steps trained: the largest one, and others until 20
            seconds are over.
        progress: called before each program is timed.
    """
    by_group: dict[str, list[Wave]] = {}
    for wave in waves(conditions, members_at_once):
        by_group.setdefault(wave.group, []).append(wave)
    counts = counts_together(conditions)
    held = {group: counts[of_all_models(own[0].conditions[0].setting)] for group, own in by_group.items()}
    needs = {group: _memory(own[0], held[group]) for group, own in by_group.items()}
    largest_first = sorted(by_group, key=lambda group: needs[group], reverse=True)
    ordered = [by_group[group] for group in largest_first]
    pairs = [(by_group[group][0], held[group]) for group in largest_first]
    timed = _timed(pairs, progress) if timing and _fits(max(needs.values(), default=0)) else []
    timed += [(None, None)] * (len(ordered) - len(timed))
    programs = tuple(
        _program(by_group[group], needs[group], *times)
        for group, times in zip(largest_first, timed, strict=True)
    )
    head_steps = study.recipe.steps * (
        sum(len(study.readout_tasks(one.model)) for one in conditions if one.model in study.readouts)
        if heads
        else 0
    )
    return Estimate(
        len(conditions),
        sum(map(steps_of, conditions)),
        head_steps,
        programs,
        _seconds(ordered, programs, head_steps),
        max((program.memory_bytes for program in programs), default=0),
        sum(program.conditions * program.condition_bytes for program in programs)
        + max((program.checkpoint_bytes for program in programs), default=0),
    )


def _timed(
    first_waves: Sequence[tuple[Wave, np.ndarray]], progress: Callable[[Progress], None]
) -> list[tuple[float | None, float | None]]:
    """Seconds of compiling and of a model-step, of the first programs; from a wave of each, and counts of the
    images that a run holds for it.
    """
    found, left, last = [], _TIMED_SECONDS, 0.0
    for number, (wave, counts) in enumerate(first_waves):
        if last > left:  # the next one takes about as long
            break
        progress(Progress(f"timing program {number + 1} of {len(first_waves)}", number, len(first_waves)))
        begun = time.monotonic()
        found.append(_time_steps(wave, counts))
        last = time.monotonic() - begun
        left -= last
    return found


def _time_steps(wave: Wave, held: np.ndarray) -> tuple[float, float]:
    """Seconds of compiling one program, and of a model-step of it; on fewer images where a run has very
    many.
    """
    setting, members = wave.conditions[-1].setting, stack_members(wave.conditions, wave.slots)
    counts = _fewer(setting, held)
    images = make_images(
        setting.source, counts, key=jax.random.key(setting.data_seed), most_bytes=_MOST_IMAGE_BYTES
    )
    if counts is not held:
        below = jnp.tile(jnp.asarray(np.cumsum(counts), jnp.int32), (wave.slots, 1))
        members = members._replace(images_below=below)

    def seconds(steps: int) -> float:
        targets = members.targets._replace(steps=jnp.full_like(members.targets.steps, steps))
        few, clock = members._replace(targets=targets), time.perf_counter()
        for _, state, _ in train(wave.plan, few, images):
            jax.block_until_ready(state)
        return time.perf_counter() - clock

    first = seconds(1)
    # what a piece takes whatever its steps, such as drawing for all
    none = min(seconds(1) for _ in range(_TRIES))
    several = int(min(_MOST_STEPS, wave.plan.chunk_steps, max(4, _TRY_SECONDS / none)))
    if several == 1:
        return first - none, none / wave.slots
    quickest = min(seconds(several) for _ in range(_TRIES))
    return first - none, max(quickest - none, 1e-6) / (several - 1) / wave.slots


def _fewer(setting: Setting, counts: np.ndarray) -> np.ndarray:
    """So many training images of every stimulus that they take little memory; one at least where there are
    any.
    """
    most = _MOST_IMAGE_BYTES // _image_bytes(setting)
    total = _images(setting, counts)
    if total <= most:
        return counts
    if setting.source.stored is None:
        return np.where(counts > 0, np.maximum(1, counts * most // total), 0)
    kept = np.zeros_like(counts)
    chosen = np.flatnonzero(counts)[: max(1, most)]
    kept[chosen] = counts[chosen]
    return kept


def _images(setting: Setting, counts: np.ndarray) -> int:
    """Training images that are held for these counts: of stored ones, each once."""
    return int(counts.sum()) if setting.source.stored is None else int(np.count_nonzero(counts))


def _image_bytes(setting: Setting) -> int:
    return prod(setting.source.image_shape) * PIXELS[setting.source.pixels].dtype.itemsize


def _fits(needed: int) -> bool:
    """Whether this machine has so much memory; yes where it does not tell."""
    try:
        return needed < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return True


def _memory(wave: Wave, counts: np.ndarray) -> int:
    """Bytes of a wave, and of images."""
    setting = wave.conditions[0].setting
    most = MAX_POOL_BYTES if setting.source.stored is None else MAX_HELD_BYTES
    held_out = len(setting.measured()) * setting.images_each()
    image = _image_bytes(setting)
    pool = _images(setting, counts) * image
    return wave.slots * member_bytes(wave.plan) + (pool if pool <= most else 0) + held_out * image


def _program(own: Sequence[Wave], memory: int, compiling: float | None, step: float | None) -> Program:
    conditions = [condition for wave in own for condition in wave.conditions]
    longest, slots = max(conditions, key=steps_of), own[0].slots
    files, state = _stored(own[0], longest)
    return Program(
        tuple(dict.fromkeys(condition.model for condition in conditions)),
        len(conditions),
        len(own),
        slots,
        sum(map(steps_of, conditions)),
        step,
        compiling,
        memory,
        files,
        _CHECKPOINTS * min(slots, len(conditions)) * state,
    )


def _stored(wave: Wave, condition: Condition) -> tuple[int, int]:
    """Bytes of the files of a condition, and of what a checkpoint holds of it."""
    state, steps = state_shapes(wave.plan, stack_members([condition], 1)), steps_of(condition)
    series = _numbers(steps)
    trace = Trace(series, series, _numbers(steps, len(wave.plan.classes)), series)
    record = _made_up_record(wave, condition, state, trace)
    params, all_of_it = (
        sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(arrays))
        for arrays in (state.model, (state, trace))
    )
    return sum(map(len, files_of(record, {}).values())) + params, all_of_it


def _made_up_record(wave: Wave, condition: Condition, state: State, trace: Trace) -> xr.Dataset:
    """The record of a condition with numbers drawn at random, which hardly compress, as real ones."""
    setting, stored = condition.setting, PIXELS[condition.setting.source.pixels]
    stimuli, image = len(setting.measured()), setting.source.image_shape
    evaluation = evaluate.eval_shape(
        wave.plan.coder,
        state.model,
        stack_members([condition], 1),
        jax.ShapeDtypeStruct((stimuli, setting.images_each(), *image), stored.dtype),
        jax.ShapeDtypeStruct((stimuli, *image), jnp.float32),
    )
    highest = int(min(stored.limits[1], 255))
    images = np.random.default_rng(0).integers(0, highest, (stimuli, *image), endpoint=True)
    filled = Evaluation(*(_numbers(*one.shape[1:]) for one in evaluation))
    classes = jnp.zeros_like(filled.predictions)
    return make_record(condition, filled._replace(predictions=classes), trace, images.astype(stored.dtype))


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(0).random(shape, np.float32)


def _seconds(ordered: Sequence[Sequence[Wave]], programs: Sequence[Program], head_steps: int) -> float | None:
    """Seconds of training: a wave takes as long as its longest training, in every slot."""
    if not programs:
        return 0.0
    compiling, step = programs[0].compile_seconds, programs[0].seconds_per_model_step
    if compiling is None or step is None:
        return None
    total = HEAD_SHARE * head_steps * step
    for own, program in zip(ordered, programs, strict=True):
        steps = sum(wave.slots * max(map(steps_of, wave.conditions)) for wave in own)
        total += program.compile_seconds or compiling
        total += steps * (program.seconds_per_model_step or step)
    return total

"""What a run will take, before it begins: time from a few steps that are really trained, memory and disk from
the shapes of what is trained and stored. Nothing is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from ratewarp._progress import Progress
from ratewarp.runs.directory import files_of
from ratewarp.runs.groups import steps_of
from ratewarp.runs.jobs import MAX_HELD_BYTES, MAX_POOL_BYTES
from ratewarp.runs.records import make_record
from ratewarp.runs.runner import HEAD_SHARE
from ratewarp.runs.waves import Wave, member_bytes, stack_members, waves
from ratewarp.sources import PIXELS, make_images
from ratewarp.studies import Condition, Setting, Study
from ratewarp.training.evaluation import Evaluation, evaluate
from ratewarp.training.loop import Trace, state_shapes, train

_TIMED_SECONDS = 20.0  # for timing all programs; the largest is timed in any case
_STEPS_SECONDS, _MOST_STEPS = 1.0, 50  # of one program that are timed
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
    needs = {group: _memory(own) for group, own in by_group.items()}
    largest_first = sorted(by_group, key=lambda group: needs[group], reverse=True)
    ordered = [by_group[group] for group in largest_first]
    timed = _timed(ordered, progress) if timing and _fits(max(needs.values(), default=0)) else []
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
    ordered: Sequence[Sequence[Wave]], progress: Callable[[Progress], None]
) -> list[tuple[float | None, float | None]]:
    """Seconds of compiling and of a model-step, of the first programs."""
    found, left, last = [], _TIMED_SECONDS, 0.0
    for number, own in enumerate(ordered):
        if last > left:  # the next one takes about as long
            break
        progress(Progress(f"timing program {number + 1} of {len(ordered)}", number, len(ordered)))
        begun = time.monotonic()
        found.append(_time_steps(own[0]))
        last = time.monotonic() - begun
        left -= last
    return found


def _time_steps(wave: Wave) -> tuple[float, float]:
    """Seconds of compiling one program, and of a model-step of it; on fewer images where a run has very
    many.
    """
    setting, members = wave.conditions[-1].setting, stack_members(wave.conditions, wave.slots)
    counts = _fewer(setting, setting.image_counts())
    images = make_images(
        setting.source, counts, key=jax.random.key(setting.data_seed), most_bytes=_MOST_IMAGE_BYTES
    )
    below = jnp.tile(jnp.asarray(np.cumsum(counts), jnp.int32), (wave.slots, 1))

    def seconds(steps: int) -> float:
        targets = members.targets._replace(steps=jnp.full_like(members.targets.steps, steps))
        few, clock = members._replace(targets=targets, images_below=below), time.perf_counter()
        for _, state, _ in train(wave.plan, few, images):
            jax.block_until_ready(state)
        return time.perf_counter() - clock

    first, none = seconds(1), seconds(1)  # what a piece takes whatever its steps, such as drawing for all
    several = int(min(_MOST_STEPS, wave.plan.chunk_steps, max(4, _STEPS_SECONDS / none)))
    step = max(seconds(several) - none, 0.0) / (several - 1) if several > 1 else none
    return first - none, step / wave.slots


def _fewer(setting: Setting, counts: np.ndarray) -> np.ndarray:
    """So many training images of every stimulus that they take little memory; one at least where there are
    any.
    """
    most = _MOST_IMAGE_BYTES // _image_bytes(setting)
    total = int(counts.sum()) if setting.source.stored is None else int(np.count_nonzero(counts))
    if total <= most:
        return counts
    if setting.source.stored is None:
        return np.where(counts > 0, np.maximum(1, counts * most // total), 0)
    kept = np.zeros_like(counts)
    chosen = np.flatnonzero(counts)[: max(1, most)]
    kept[chosen] = counts[chosen]
    return kept


def _image_bytes(setting: Setting) -> int:
    return prod(setting.source.image_shape) * PIXELS[setting.source.pixels].dtype.itemsize


def _fits(needed: int) -> bool:
    """Whether this machine has so much memory; yes where it does not tell."""
    try:
        return needed < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return True


def _memory(own: Sequence[Wave]) -> int:
    """Bytes of a wave of a program, and of images."""
    setting = own[0].conditions[0].setting
    most = MAX_POOL_BYTES if setting.source.stored is None else MAX_HELD_BYTES
    counts = np.max([c.setting.image_counts() for wave in own for c in wave.conditions], axis=0)
    training = int(counts.sum()) if setting.source.stored is None else int(np.count_nonzero(counts))
    held_out = len(setting.measured()) * setting.images_each()
    image = _image_bytes(setting)
    pool = training * image
    return own[0].slots * member_bytes(own[0].plan) + (pool if pool <= most else 0) + held_out * image


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
    """Bytes of the files of a condition, with made-up numbers, which hardly compress; and of what a
    checkpoint holds of it.
    """
    setting, plan = condition.setting, wave.plan
    members = stack_members([condition], 1)
    held_out = (len(setting.measured()), setting.images_each(), *setting.source.image_shape)
    stored = PIXELS[setting.source.pixels]
    state = state_shapes(plan, members)
    evaluation = evaluate.eval_shape(
        plan.coder,
        state.model,
        members,
        jax.ShapeDtypeStruct(held_out, stored.dtype),
        jax.ShapeDtypeStruct((held_out[0], *held_out[2:]), jnp.float32),
    )
    rng = np.random.default_rng(0)
    steps = steps_of(condition)
    series = np.zeros(steps, np.float32)
    tasks = np.zeros((steps, len(plan.classes)), np.float32)
    trace = Trace(*cast(Any, (series, series, tasks, series)))
    highest = int(min(stored.limits[1], 255))
    images = rng.integers(0, highest, (held_out[0], *held_out[2:]), endpoint=True).astype(stored.dtype)
    record = make_record(
        condition,
        Evaluation(*(cast(Any, _made_up(one, rng)) for one in evaluation)),
        _filled(trace, rng),
        images,
    )
    params, all_of_it = (
        sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(arrays))
        for arrays in (state.model, (state, trace))
    )
    return sum(map(len, files_of(record, {}).values())) + params, all_of_it


def _made_up(shape: jax.ShapeDtypeStruct, rng: np.random.Generator) -> np.ndarray:
    """Numbers of one member in such an array; classes are zeros."""
    whole = np.issubdtype(shape.dtype, np.integer)
    return np.zeros(shape.shape[1:], shape.dtype) if whole else rng.random(shape.shape[1:], np.float32)


def _filled(trace: Trace, rng: np.random.Generator) -> Trace:
    return Trace(*(cast(Any, rng.random(series.shape, np.float32)) for series in trace))


def _seconds(ordered: Sequence[Sequence[Wave]], programs: Sequence[Program], head_steps: int) -> float | None:
    """Seconds of training: a wave takes as long as its longest training, in every slot."""
    if not programs or programs[0].seconds_per_model_step is None:
        return None if programs else 0.0
    largest, total = programs[0], 0.0
    for own, program in zip(ordered, programs, strict=True):
        timed = program if program.seconds_per_model_step is not None else largest
        assert timed.seconds_per_model_step is not None
        assert timed.compile_seconds is not None
        steps = sum(wave.slots * max(map(steps_of, wave.conditions)) for wave in own)
        total += timed.compile_seconds + steps * timed.seconds_per_model_step
    return total + HEAD_SHARE * head_steps * programs[0].seconds_per_model_step

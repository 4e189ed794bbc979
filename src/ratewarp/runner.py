"""Running a study: conditions are trained in waves, measured and stored; what was begun before resumes from its last checkpoint."""

from __future__ import annotations

import json
import logging
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ratewarp._checks import RequestError
from ratewarp._cores import use_every_core
from ratewarp._interrupt import stop_asked
from ratewarp.checkpoints import (
    Found,
    Stand,
    choose,
    find_checkpoints,
    read_checkpoint,
    remove_all_checkpoints,
    remove_checkpoints,
    write_checkpoint,
)
from ratewarp.devices import keep_compiled_programs
from ratewarp.evaluation import Evaluation, evaluate
from ratewarp.mending import set_damage_aside
from ratewarp.networks import to_named
from ratewarp.readout_runner import head_steps, pending_readouts, run_readouts
from ratewarp.records import make_record
from ratewarp.sources import Images, Pool, draw_pool, kept_files, make_images
from ratewarp.store import RunDirectory, working_on
from ratewarp.studies import Condition, Setting, Study, of_all_models, stored_study
from ratewarp.tables import build_tables
from ratewarp.training import Member, Report
from ratewarp.waves import Reached, Wave, from_arrays, stack_members, steps_of, to_arrays, train_members, waves

CHECKPOINT_SECONDS = 60.0  # between two checkpoints, unless the user says otherwise
LOG = logging.getLogger("ratewarp")

MAX_POOL_BYTES = 4_000_000_000  # of training images on the device; more are drawn as they are needed
_HEAD_SHARE = 0.03  # about what a step of a head on frozen codes takes of a step of a model

_TRAINING_IMAGES, _HELD_OUT_IMAGES = 100, 101  # streams drawn from the data seed, apart from those of a member's seed


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        doing: what is being done now, in words.
        done: how much of it is done: model-steps of this call, conditions and models measured, or figures drawn.
        total: how much there is, in the same unit.
    """

    doing: str
    done: int
    total: int


def drawing(name: str, done: int, total: int) -> Progress:
    """Where the drawing of figures stands, of which `name` comes next; empty when only the page is left."""
    return Progress(f"drawing {name} (figure {done + 1} of {total})" if name else "writing the page", done, total)


@dataclass(frozen=True)
class Start:
    """A wave that has something to do, and where it resumes from.

    Attributes:
        wave: the wave.
        pending: its conditions that are not stored.
        file: the checkpoint to resume from; None to start anew.
        step: steps done in that checkpoint; 0 without one.
    """

    wave: Wave
    pending: tuple[Condition, ...]
    file: Path | None
    step: int

    def model_steps(self, stop: float = inf) -> int:
        """Model-steps from here to step `stop`, or to the end."""
        return sum(int(min(stop, steps_of(c))) - min(self.step, steps_of(c)) for c in self.pending)


class ImageSets(NamedTuple):
    """Images that conditions are trained on, and those on which they are measured."""

    training: Images
    held_out: Pool


@contextmanager
def running(
    study: Study,
    out: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    members_at_once: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None] = LOG.warning,
) -> Iterator[RunDirectory]:
    """Runs a study as `run_study` does; the run directory stays locked until the `with` block ends."""
    started, clock = datetime.now(UTC), time.perf_counter()
    use_every_core()
    keep_compiled_programs()
    with working_on(out, resolved(study), lambda stored: resolved(stored_study(stored, out))) as run:
        set_damage_aside(run, study, say)
        for name, content in kept_files(study.source).items():
            run.write_bytes(name, content)
        starts, unread = _starts(run, study, members_at_once, say), pending_readouts(run, study)
        training = sum(start.model_steps() for start in starts)
        total, done = training + round(_HEAD_SHARE * head_steps(study, unread)), 0
        images = _ImageSets(study.conditions)
        for number, start in enumerate(starts, start=1):
            doing = f"{_describe(start.pending)} (wave {number} of {len(starts)})"
            progress(Progress(f"compiling for {doing}" if _first_of_group(starts, number - 1) else f"training {doing}", done, total))
            for step in _train_wave(run, start, images, checkpoint_seconds):
                progress(Progress(f"training {doing}", done + start.model_steps(step), total))
            done += start.model_steps()
        run.refuse_lost()
        remove_all_checkpoints(run.checkpoints)
        before_heads = time.perf_counter()
        for steps in run_readouts(run, study, unread, images.of):
            done = training + round(_HEAD_SHARE * steps)
            progress(Progress("training heads on frozen codes", done, total))
        seconds_of_heads = time.perf_counter() - before_heads
        sums = _tabulate(run, study, progress)
        run.write_manifest(_manifest(run, sums, started, time.perf_counter() - clock, seconds_of_heads, starts))
        yield run


def run_study(
    study: Study,
    out: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    members_at_once: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None] = LOG.warning,
) -> RunDirectory:
    """Trains every condition of `study` that `out` does not hold yet, and writes the tables.

    Arguments:
        study: what to run.
        out: run directory, made if need be; a finished condition in it is not trained again, an unfinished one resumes from its last
            checkpoint, and what is damaged is set aside and made again.
        progress: called now and then with where the run stands.
        members_at_once: the most conditions trained together; as many as suit the device if not given. Changes no result.
        checkpoint_seconds: time between two checkpoints; 0 for one after every piece of training. Changes no result.
        say: called with what a person should know: where training resumes, which files cannot be used.

    Returns:
        The run directory.

    Raises:
        RequestError: `out` holds something else.
        RatewarpError: `out` cannot be written, is being run by another process, was removed meanwhile, or none of a wave's checkpoints
            can be used.
    """
    knobs = {"members_at_once": members_at_once, "checkpoint_seconds": checkpoint_seconds}
    with running(study, out, progress, say=say, **knobs) as run:
        return RunDirectory(run.path)


def _tabulate(run: RunDirectory, study: Study, progress: Callable[[Progress], None]) -> dict[str, str]:
    """Measures every condition and writes the tables; parts of them are kept until all are written. Returns the tables' sums."""
    measuring = lambda done, total: progress(Progress("measuring the codes", done, total))  # noqa: E731
    tables = build_tables(run, study, progress=measuring, keep=True)
    sums = {f"tables/{name}.csv": run.write_table(name, table) for name, table in tables.items()}
    run.remove_folder(run.measured)
    return sums


def resolved(study: Study) -> dict[str, Any]:
    """The study as plain data with every default written out."""
    return json.loads(study.model_dump_json(fallback=_plain))


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's; what was given from Python by its description."""
    if hasattr(value, "description"):
        return value.description()
    return value.item() if isinstance(value, np.generic) else str(value)


def _starts(run: RunDirectory, study: Study, members_at_once: int | None, say: Callable[[str], None]) -> list[Start]:
    """Every wave with conditions that are not stored; says where they resume and which files cannot be used."""
    found = find_checkpoints(run.checkpoints)
    for file, reason in found.unusable.items():
        say(f"{file} {reason}; it is not used")
    starts = []
    for wave in waves(study.conditions, members_at_once):
        pending = tuple(condition for condition in wave.conditions if not run.finished(condition.id))
        if not pending:
            continue
        starts.append(_start(found, wave, pending, say))
        if starts[-1].file:
            say(f"resuming from step {starts[-1].step:,} of wave {_describe(pending)}")
        elif lost := _lost(found, wave, pending):
            say(f"wave {_describe(pending)} starts anew: {lost}")
    return starts


def _start(found: Found, wave: Wave, pending: tuple[Condition, ...], say: Callable[[str], None]) -> Start:
    """Where a wave starts; a sound checkpoint whose arrays are not those of the wave is counted among the unusable ones."""
    while file := choose(found, wave.digest, wave.group, [condition.id for condition in pending]):
        start = Start(wave, pending, file, found.usable[file].step)
        try:
            _reached(start, stack_members(pending, wave.slots))
        except RequestError as error:
            found.unusable[file] = f"was written by another version of ratewarp, or was changed ({error})"
            say(f"{file} {found.unusable[file]}; it is not used")
            del found.usable[file]
            continue
        return start
    return Start(wave, pending, None, 0)


def _lost(found: Found, wave: Wave, pending: Sequence[Condition]) -> str:
    """Why a wave starts anew although a checkpoint holds some of its conditions; empty if none does."""
    ids = {condition.id for condition in pending}
    holding = [stand for stand in found.usable.values() if ids & set(stand.conditions)]
    if not holding:
        return ""
    last = max(holding, key=lambda stand: stand.step)
    if last.group != wave.group:
        return f"step {last.step:,} was kept by another version of ratewarp"
    return f"step {last.step:,} was kept of other conditions together, because --members-at-once changed or a stored condition was removed"


def _first_of_group(starts: Sequence[Start], index: int) -> bool:
    return index == 0 or starts[index - 1].wave.group != starts[index].wave.group


def _train_wave(run: RunDirectory, start: Start, images: _ImageSets, checkpoint_seconds: float) -> Iterator[int]:
    """Trains, evaluates and stores what is pending of a wave, yielding the steps done; keeps checkpoints until all is stored."""
    wave = start.wave
    members = stack_members(start.pending, wave.slots)
    sets = images.of(start.pending[0].setting)
    kept, clock = start.file, time.monotonic()
    last = begun = _reached(start, members)
    for last in train_members(wave.plan, members, sets.training, begun):
        if stop_asked() or time.monotonic() - clock >= checkpoint_seconds:
            stand = Stand(wave.digest, wave.group, tuple(condition.id for condition in start.pending), last.step)
            run.refuse_lost()
            kept, clock = write_checkpoint(run.checkpoints, stand, to_arrays(last, len(start.pending)), kept), time.monotonic()
        yield last.step
    assert last is not None  # every recipe has a step
    _store(run, start, members, last, sets.held_out)
    run.refuse_lost()
    remove_checkpoints(run.checkpoints / wave.digest)


def _reached(start: Start, members: Member) -> Reached | None:
    """Where the wave stands at its start: what its checkpoint holds."""
    if start.file is None:
        return None
    stand, arrays = read_checkpoint(start.file)
    rows = [stand.conditions.index(condition.id) for condition in start.pending]
    return from_arrays(start.wave.plan, members, stand.step, arrays, rows)


def _store(run: RunDirectory, start: Start, members: Member, reached: Reached, held_out: Pool) -> None:
    """Evaluates trained members and stores those that are conditions."""
    source = start.pending[0].setting.source
    images = held_out.images.reshape(len(source.stimuli), -1, *source.image_shape)
    means = source.mean_images()
    known = jnp.full(images.shape[:1] + images.shape[2:], jnp.nan) if means is None else jnp.asarray(means, jnp.float32)
    evaluation = jax.device_get(evaluate(start.wave.plan.coder, reached.state.model, members, images, known))
    models, history = jax.device_get(reached.state.model), reached.history
    for index, condition in enumerate(start.pending):
        one = lambda leaf, i=index: leaf[i]  # noqa: E731
        own = Report(*(series[index][: steps_of(condition)] for series in history))
        record = make_record(condition, Evaluation(*map(one, evaluation)), own, np.asarray(images[:, 0]))
        run.write_condition(condition.id, json.loads(condition.model_dump_json()), record, to_named(jax.tree.map(one, models)))


class _ImageSets:
    """Images of the conditions, drawn when first asked for and shared by all groups that use them."""

    def __init__(self, conditions: Sequence[Condition]):
        self._settings = [c.setting for c in conditions]
        self._sets: dict[Any, ImageSets] = {}

    def of(self, setting: Setting) -> ImageSets:
        key = of_all_models(setting)
        if key not in self._sets:
            sharing = {id(s.image_counts()): s.image_counts() for s in self._settings if of_all_models(s) == key}
            most, seed = np.max(list(sharing.values()), axis=0), jax.random.key(setting.data_seed)
            training_key, held_out_key = (jax.random.fold_in(seed, stream) for stream in (_TRAINING_IMAGES, _HELD_OUT_IMAGES))
            training = make_images(setting.source, most, key=training_key, most_bytes=MAX_POOL_BYTES)
            held_out = draw_pool(setting.source, np.full(len(most), setting.validation_each), key=held_out_key)
            self._sets[key] = ImageSets(training, held_out)
        return self._sets[key]


def _describe(conditions: Sequence[Condition]) -> str:
    if len(conditions) <= 2:
        return " and ".join(f"{c.model}{_aim(c)}, seed {c.seed}" for c in conditions)
    names = list(dict.fromkeys(c.model for c in conditions))
    return f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''} ({len(conditions)} models)"


def _aim(condition: Condition) -> str:
    return "" if condition.capacity_nats is None else f" at {condition.capacity_nats:g} nats"


def _manifest(
    run: RunDirectory, sums: dict[str, str], started: datetime, seconds: float, seconds_of_heads: float, starts: Sequence[Start]
) -> dict[str, Any]:
    """What was run with what; one entry in `sessions` for each call that worked on the directory."""
    session = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "seconds_heads_on_frozen_codes": round(seconds_of_heads, 1),
        "trained": [condition.id for start in starts for condition in start.pending],
        "resumed": {condition.id: min(start.step, steps_of(condition)) for start in starts if start.file for condition in start.pending},
    }
    return {
        "ratewarp": version("ratewarp"),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "scikit-learn", "xarray")},
        "device": {
            "platform": jax.default_backend(),
            "kind": jax.devices()[0].device_kind,
            "count": jax.device_count(),
            "machine": platform.machine(),
        },
        "seeds": run.study["seeds"],
        "sha256": sums,
        "sessions": [*run.manifest.get("sessions", []), session],
    }


def _commit() -> str | None:
    """Commit of the checkout this package is run from, if it is."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return None
    return answer.stdout.strip() or None

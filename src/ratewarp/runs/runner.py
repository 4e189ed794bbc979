"""Running a study: jobs for all that is not stored yet, and what becomes of their events. The coordinator
alone writes files.
"""

from __future__ import annotations

import json
import logging
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from ratewarp._progress import Progress
from ratewarp.runs.checkpoints import Stand, remove_all_checkpoints, remove_checkpoints, write_checkpoint
from ratewarp.runs.directory import RunDirectory, working_on
from ratewarp.runs.executor import Executor, Here, events_of, held, members_suiting
from ratewarp.runs.groups import steps_of
from ratewarp.runs.jobs import Begun, Done, HeadsJob, Kept, Read, Stepped, Trained, WaveJob, forget_images
from ratewarp.runs.mending import set_damage_aside
from ratewarp.runs.processors import PROCESSORS, Processors, conditions_by_processor
from ratewarp.runs.starts import Start, describe, find_starts, first_of_group
from ratewarp.runs.trained import fitting_params
from ratewarp.sources import kept_files
from ratewarp.studies import Condition, Setting, Study, of_all_models, resolved, stored_study

CHECKPOINT_SECONDS = 60.0  # between two checkpoints, unless the user says otherwise
MODELS_AT_ONCE = 32  # whose codes of all training images are held in memory together
HEAD_SHARE = 0.03  # about what a step of a head on frozen codes takes of a step of a model
LOG = logging.getLogger("ratewarp")


@contextmanager
def opened(study: Study, out: Path) -> Iterator[RunDirectory]:
    """The run directory of a study, made if need be and locked until the `with` block ends.

    Raises:
        RequestError: `out` holds something else.
        RatewarpError: it cannot be written, or is being written to by another process.
    """
    with working_on(out, resolved(study), lambda stored: resolved(stored_study(stored, out))) as run:
        for name, content in kept_files(study.source).items():
            run.write_bytes(name, content)
        yield run


def train_study(
    run: RunDirectory,
    study: Study,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    only: Sequence[Condition] | None = None,
    executor: Executor | None = None,
    members_at_once: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None] = LOG.warning,
    on_event: Callable[[Trained | Read], None] = lambda _: None,
) -> None:
    """Trains and stores every condition of a study that its run directory does not hold yet, and the heads on
    frozen codes.

    Arguments:
        run: from `opened`. A finished condition in it is not trained again, an unfinished one resumes from
            its last checkpoint, and what is damaged is set aside and made again.
        study: what to train.
        progress: called now and then with where the run stands.
        only: these conditions, and no heads; all conditions and heads if not given.
        executor: does the jobs; this process if not given. Changes no result on equal processors.
        members_at_once: the most conditions trained together; as many as suit the device if not given.
            Changes no result.
        checkpoint_seconds: time between two checkpoints; 0 for one after every piece of training. Changes no
            result.
        say: called with what a person should know: where training resumes, which files cannot be used.
        on_event: called with every condition, and with the heads of every condition, once they are stored.

    Raises:
        RatewarpError: the run directory cannot be written, was removed meanwhile, or none of a wave's
            checkpoints can be used.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    set_damage_aside(run, study, say)
    wanted = study.conditions if only is None else only
    chosen = Here() if executor is None else executor
    most = members_suiting(chosen) if members_at_once is None else members_at_once
    starts = find_starts(run, wanted, most, say)
    unread = pending_heads(run, study) if only is None else []
    watch = _Watch(progress, starts, round(HEAD_SHARE * head_steps(study, unread)))
    try:
        with held(chosen):
            _train_waves(run, wanted, starts, chosen, watch, checkpoint_seconds, on_event)
            run.refuse_lost()
            remove_all_checkpoints(run.checkpoints)
            before_heads = time.perf_counter()
            _train_heads(run, study, unread, chosen, watch, on_event)
    finally:
        forget_images()
    now = time.perf_counter()
    manifest = _manifest(run, started, now - clock, now - before_heads, starts)
    several = conditions_by_processor(run, wanted)
    run.write_manifest(manifest | ({PROCESSORS: several} if several else {}))


class _Watch:
    """Tells how far all jobs together are."""

    def __init__(self, progress: Callable[[Progress], None], starts: Sequence[Start], of_heads: int):
        self._progress, self._starts = progress, starts
        self._done = [0] * len(starts)
        self._at_work: dict[int, None] = {}  # waves that have begun and not ended
        self._of_models = sum(start.model_steps() for start in starts)
        self._total = self._of_models + of_heads

    def begin(self, number: int) -> None:
        """A wave begins."""
        self._at_work[number] = None
        compiles = first_of_group(self._starts, number)
        self._tell("compiling for" if compiles and len(self._at_work) == 1 else "training")

    def at(self, number: int, step: int) -> None:
        """A wave has come to a step."""
        self._done[number] = self._starts[number].model_steps(step)
        self._tell("training")

    def end(self, number: int) -> None:
        """A wave is trained and stored."""
        self._at_work.pop(number, None)

    def at_heads(self, steps: int) -> None:
        """All heads together have come to so many steps."""
        self._progress(
            Progress(
                "training heads on frozen codes", self._of_models + round(HEAD_SHARE * steps), self._total
            )
        )

    def _tell(self, doing: str) -> None:
        self._progress(Progress(f"{doing} {self._waves()}", sum(self._done), self._total))

    def _waves(self) -> str:
        """The waves at work; several are told by their number, so that the line does not change with each of
        their steps.
        """
        if len(self._at_work) > 1:
            return f"{len(self._at_work)} waves at once (of {len(self._starts)})"
        (number,) = self._at_work
        return f"{describe(self._starts[number].pending)} (wave {number + 1} of {len(self._starts)})"


def _train_waves(
    run: RunDirectory,
    conditions: Sequence[Condition],
    starts: Sequence[Start],
    executor: Executor,
    watch: _Watch,
    checkpoint_seconds: float,
    on_event: Callable[[Trained | Read], None],
) -> None:
    """Does the jobs of all waves; their checkpoints are kept until all of a wave is stored."""
    counts = counts_together(conditions)

    def jobs() -> Iterator[WaveJob]:
        for number, start in enumerate(starts):
            watch.begin(number)
            begun = start.reached() if start.file else None
            own = counts[of_all_models(start.pending[0].setting)]
            yield WaveJob(start.pending, start.wave.slots, own, begun, checkpoint_seconds)

    kept, processors = {number: start.file for number, start in enumerate(starts)}, Processors(starts)
    with events_of(executor, jobs()) as events:
        for number, event in events:
            wave, pending = starts[number].wave, starts[number].pending
            match event:
                case Begun(machine):
                    processors.begin(number, machine)
                case Stepped(step):
                    watch.at(number, step)
                case Kept(step, arrays):
                    run.refuse_lost()
                    ids = tuple(condition.id for condition in pending)
                    stand = Stand(wave.digest, wave.group, ids, step, processors.used(number))
                    kept[number] = write_checkpoint(run.checkpoints, stand, arrays, kept[number])
                case Trained(condition, record, params):
                    described = json.loads(condition.model_dump_json())
                    described[PROCESSORS] = processors.used(number)
                    run.write_condition(condition.id, described, record, params)
                    on_event(event)
                case Done():
                    watch.end(number)
                    run.refuse_lost()
                    remove_checkpoints(run.checkpoints / wave.digest)


def counts_together(conditions: Sequence[Condition]) -> dict[Any, Int[np.ndarray, " stimuli"]]:
    """Images of every stimulus that models of the same images need together."""
    found: dict[Any, dict[int, np.ndarray]] = {}
    for condition in conditions:
        own = condition.setting.image_counts()
        found.setdefault(of_all_models(condition.setting), {})[id(own)] = own
    return {key: np.max(list(own.values()), axis=0) for key, own in found.items()}


def pending_heads(run: RunDirectory, study: Study) -> list[list[Condition]]:
    """Conditions on whose frozen codes heads are still to be trained, with those whose codes are drawn
    together with theirs.

    Which are drawn together does not depend on what is stored, so that an interrupted run ends with the same
    numbers.
    """
    together = []
    readers = [condition for condition in study.conditions if condition.model in study.readouts]
    for _, alike in groupby(readers, key=lambda c: _codes_key(c.setting)):
        group = list(alike)
        together += [group[first : first + MODELS_AT_ONCE] for first in range(0, len(group), MODELS_AT_ONCE)]
    return [conditions for conditions in together if not all(run.has_heads(c.id) for c in conditions)]


def _codes_key(setting: Setting) -> Any:
    return setting.network, of_all_models(setting)


def head_steps(study: Study, pending: Sequence[Sequence[Condition]]) -> int:
    """Steps of all heads on the codes of these conditions together."""
    return (
        sum(len(study.readout_tasks(c.model)) for conditions in pending for c in conditions)
        * study.recipe.steps
    )


def _train_heads(
    run: RunDirectory,
    study: Study,
    pending: Sequence[Sequence[Condition]],
    executor: Executor,
    watch: _Watch,
    on_event: Callable[[Trained | Read], None],
) -> None:
    counts = counts_together(study.conditions)

    def jobs() -> Iterator[HeadsJob]:
        for conditions in pending:
            params = tuple(fitting_params(run, c.setting, c.id) for c in conditions)
            tasks = tuple(study.readout_tasks(condition.model) for condition in conditions)
            yield HeadsJob(
                tuple(conditions), params, tasks, study.recipe, counts[of_all_models(conditions[0].setting)]
            )

    done = [0] * len(pending)
    with events_of(executor, jobs()) as events:
        for number, event in events:
            match event:
                case Stepped(step):
                    done[number] = step
                    watch.at_heads(sum(done))
                case Read(condition, record, params):
                    run.write_readout(condition.id, record, params)
                    on_event(event)


def _manifest(
    run: RunDirectory, started: datetime, seconds: float, seconds_of_heads: float, starts: Sequence[Start]
) -> dict[str, Any]:
    """What was run with what; one entry in `sessions` for each call that worked on the directory."""
    device = {
        "platform": jax.default_backend(),
        "kind": jax.devices()[0].device_kind,
        "count": jax.device_count(),
        "machine": platform.machine(),
    }
    session = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "seconds_heads_on_frozen_codes": round(seconds_of_heads, 1),
        "trained": [condition.id for start in starts for condition in start.pending],
        "resumed": {
            condition.id: min(start.step, steps_of(condition))
            for start in starts
            if start.file
            for condition in start.pending
        },
        "where": {"host": platform.node(), **device},
        "ratewarp": version("ratewarp"),
        "jax": version("jax"),
    }
    before = {name: part for name, part in run.manifest.items() if name != PROCESSORS}
    return {
        **before,
        "ratewarp": version("ratewarp"),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {
            name: version(name)
            for name in ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "scikit-learn", "xarray")
        },
        "device": device,
        "seeds": run.study["seeds"],
        "sessions": [*before.get("sessions", []), session],
    }


def _commit() -> str | None:
    """Commit of the checkout this package is run from, if it is."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:  # no git on this machine
        return None
    return answer.stdout.strip() or None

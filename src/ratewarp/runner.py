"""Running a study: conditions are grouped by compiled shape, trained together, measured and stored."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ratewarp.devices import keep_compiled_programs, use_every_core
from ratewarp.evaluation import Evaluation, evaluate
from ratewarp.models import to_named
from ratewarp.objective import Targets
from ratewarp.records import make_record
from ratewarp.sources import image_pool
from ratewarp.store import TABLES, RunDirectory, create_run
from ratewarp.studies import Condition, Setting, Study
from ratewarp.tables import build_tables
from ratewarp.training import Member, Plan, Report, State, train

_TRAINING_IMAGES, _HELD_OUT_IMAGES = 100, 101  # streams drawn from the data seed, apart from those of a member's seed


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        doing: what is being done now, in words.
        done: model-steps done so far.
        total: model-steps this call has to do.
    """

    doing: str
    done: int
    total: int


class Images(NamedTuple):
    """Images on the device, by stimulus."""

    training: Array
    held_out: Array


def run_study(study: Study, out: Path, progress: Callable[[Progress], None] = lambda _: None) -> RunDirectory:
    """Trains every condition of `study` that `out` does not hold yet, and writes the tables.

    Arguments:
        study: what to run.
        out: run directory, made if need be; a finished condition in it is not trained again.
        progress: called now and then with where the run stands.

    Returns:
        The run directory.

    Raises:
        RequestError: `out` holds something else.
        RatewarpError: `out` cannot be written.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    use_every_core()
    keep_compiled_programs()
    run = create_run(out, resolved(study))
    pending = groups([condition for condition in study.conditions if not run.finished(condition.id)])
    total = sum(len(group) * group[0].setting.recipe.steps for group in pending)
    done = 0
    images = _Images(study.conditions)
    for group in pending:
        progress(Progress(f"compiling for {_describe(group)}", done, total))
        for steps in _train_group(run, group, images):
            progress(Progress(f"training {_describe(group)}", done + steps * len(group), total))
        done += group[0].setting.recipe.steps * len(group)
    progress(Progress("measuring the codes", done, total))
    for name, table in build_tables(run, study).items():
        run.write_table(name, table)
    run.write_manifest(_manifest(run, started, time.perf_counter() - clock, trained=[c.id for group in pending for c in group]))
    return run


def resolved(study: Study) -> dict[str, Any]:
    """The study as plain data with every default written out."""
    return json.loads(study.model_dump_json(fallback=_plain))


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's."""
    return value.item() if isinstance(value, np.generic) else str(value)


def groups(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Conditions that one compiled program can train together, in order of first appearance."""
    found: dict[Any, list[Condition]] = {}
    for condition in conditions:
        setting = condition.setting
        key = (_plan(setting), setting.source, setting.data_seed, setting.validation_each)
        found.setdefault(key, []).append(condition)
    return list(found.values())


def _plan(setting: Setting) -> Plan:
    """Compile key: the recipe with everything that may differ between members set to its default."""
    recipe = setting.recipe
    varying = {name: type(recipe).model_fields[name].default for name in recipe.ARRAYS}
    classes = tuple(task.classes for task in setting.labellings())
    return Plan(setting.network, setting.source.image_shape, classes, recipe.model_copy(update=varying))


def _train_group(run: RunDirectory, group: list[Condition], images: _Images) -> Iterator[int]:
    """Trains, evaluates and stores one group, yielding the steps done."""
    setting = group[0].setting
    members = _members(group)
    pool = images.of(setting)
    reports: list[Report] = []
    last: list[State] = []
    for steps, state, report in train(_plan(setting), members, pool.training):
        reports.append(jax.device_get(report))
        last[:] = [state]
        yield steps
    (state,) = last
    history = jax.tree.map(lambda *chunks: np.concatenate(chunks, axis=1), *reports)
    evaluation = jax.device_get(evaluate(state.model, members, pool.held_out, jnp.asarray(setting.source.mean_images(), jnp.float32)))
    models = jax.device_get(state.model)
    for index, condition in enumerate(group):
        one = lambda leaf, i=index: leaf[i]  # noqa: E731
        record = make_record(condition, Evaluation(*map(one, evaluation)), Report(*map(one, history)), np.asarray(pool.held_out[:, 0]))
        run.write_condition(condition.id, json.loads(condition.model_dump_json()), record, to_named(jax.tree.map(one, models)))


def _members(group: list[Condition]) -> Member:
    """What each condition of a group brings, stacked."""

    def column(name: str) -> Array:
        return jnp.array([getattr(c.setting.recipe, name, 0.0) for c in group], jnp.float32)

    return Member(
        key=jnp.stack([jax.random.key(c.seed) for c in group]),
        targets=Targets(jnp.array([c.capacity_nats for c in group], jnp.float32), *map(column, Targets._fields[1:])),
        images_below=jnp.array([np.cumsum(c.setting.image_counts()) for c in group], jnp.int32),
        labels=jnp.array([[t.labels for t in c.setting.labellings()] for c in group], jnp.int32).reshape(
            len(group), -1, len(group[0].setting.source.stimuli)
        ),
    )


class _Images:
    """Pools of the conditions' images, drawn when first asked for and shared by all groups that use them."""

    def __init__(self, conditions: Sequence[Condition]):
        self._settings = [c.setting for c in conditions]
        self._pools: dict[Any, Images] = {}

    def of(self, setting: Setting) -> Images:
        key = (setting.source, setting.data_seed, setting.validation_each)
        if key not in self._pools:
            sharing = [s for s in self._settings if (s.source, s.data_seed, s.validation_each) == key]
            most = max(int(s.image_counts().max()) for s in sharing)
            seed = jax.random.key(setting.data_seed)
            training = image_pool(setting.source, most, key=jax.random.fold_in(seed, _TRAINING_IMAGES))
            held_out = image_pool(setting.source, setting.validation_each, key=jax.random.fold_in(seed, _HELD_OUT_IMAGES))
            self._pools[key] = Images(training, held_out)
        return self._pools[key]


def _describe(group: list[Condition]) -> str:
    names = list(dict.fromkeys(c.model for c in group))
    return f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''} ({len(group)} models)"


def _manifest(run: RunDirectory, started: datetime, seconds: float, trained: list[str]) -> dict[str, Any]:
    """What was run with what; one entry in `sessions` for each call that worked on the directory."""
    session = {"started": started.isoformat(timespec="seconds"), "seconds": round(seconds, 1), "trained": trained}
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
        "sha256": {f"tables/{name}.csv": sha256((run.path / f"tables/{name}.csv").read_bytes()).hexdigest() for name in TABLES},
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

"""What the command line does, as functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ratewarp._checks import refuse
from ratewarp._cores import use_every_core
from ratewarp._progress import Progress
from ratewarp.report import write_report
from ratewarp.results.tabulating import tabulate
from ratewarp.runs.directory import RunDirectory, open_run
from ratewarp.runs.executor import Executor
from ratewarp.runs.jobs import Read, Trained
from ratewarp.runs.merging import common_study, open_parts, take_in, told_missing
from ratewarp.runs.runner import CHECKPOINT_SECONDS, LOG, opened, train_study
from ratewarp.runs.shards import checked_shard, forget_shard, note_shard
from ratewarp.studies import Study, load_study
from ratewarp.training.devices import keep_compiled_programs


def run(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = LOG.warning,
    executor: Executor | None = None,
    members_at_once: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    report: bool = True,
    shard: tuple[int, int] | None = None,
    on_event: Callable[[Trained | Read], None] = lambda _: None,
) -> RunDirectory:
    """Trains every condition of a study, measures them, and writes tables, figures and the page.

    Arguments:
        study: a `Study`, the name of a built-in one, or the path of a study file.
        out: run directory; `runs/<name of the study>` if not given. Conditions it already holds are not
            trained again, and training that was interrupted resumes from its last checkpoint.
        progress: called now and then with where the run stands.
        say: called with what you should know: where training resumes, which files cannot be used. Logged if
            not given.
        executor: where the work is done, such as another process or a cluster; this process if not given.
            Changes no result on equal processors.
        members_at_once: the most models trained together; one a CPU device, or all of one shape on an
            accelerator, if not given. Changes no result.
        checkpoint_seconds: time between two checkpoints of unfinished training; 0 for as many as can be.
            Changes no result.
        report: whether to draw figures and page at the end.
        shard: (k, n): trains the kth of n parts of the study only, into `runs/<name of the study>-k-of-n` if
            `out` is not given, without heads on frozen codes, tables, figures and page; `merge` puts the
            parts together.
        on_event: called with every condition, and with the heads on its frozen codes, once they are stored:
            `condition`, `record` (its codes, evaluation and history) and `params`. For trackers of
            experiments; what it raises ends the run, which the same call resumes.

    Returns:
        The run directory.

    Raises:
        RequestError: the study or an argument is wrong, or `out` holds something else.
        RatewarpError: `out` cannot be written, is in use by another process, was removed meanwhile, or holds
            only damaged checkpoints of unfinished training.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from ratewarp import Study
        >>> network = {"latents": 2, "convolutions": [{"filters": 4, "kernel": 4}]}
        >>> few = {"training_images": 1000, "validation_each": 3, "codes_each": 2, "bound_points": 0}
        >>> tiny = Study(capacities_nats=[0.3, 2], recipe={"steps": 30}, network=network, **few)
        >>> with TemporaryDirectory() as folder:
        ...     run(tiny, folder, report=False).table("models")[["model", "capacity_nats", "steps"]]
           model  capacity_nats  steps
        0  model            0.3     30
        1  model            2.0     30
    """
    if members_at_once is not None and members_at_once < 1:
        refuse("members_at_once", "a whole number of at least 1", members_at_once)
    if not 0 <= checkpoint_seconds < math.inf:
        refuse("checkpoint_seconds", "a number of seconds, 0 or more", checkpoint_seconds)
    chosen = study if isinstance(study, Study) else load_study(study)
    part = None if shard is None else checked_shard(shard)
    folder = Path(out) if out is not None else Path("runs") / (chosen.name + (part.folder if part else ""))
    knobs: dict[str, Any] = {
        "members_at_once": members_at_once,
        "checkpoint_seconds": checkpoint_seconds,
        "on_event": on_event,
    }
    use_every_core()
    keep_compiled_programs()
    with opened(chosen, folder) as directory:
        if part:
            note_shard(directory, part, say)
            only = part.share(chosen)
            train_study(directory, chosen, progress, only=only, executor=executor, say=say, **knobs)
        else:
            forget_shard(directory)
            train_study(directory, chosen, progress, executor=executor, say=say, **knobs)
            _finish(directory, chosen, progress, report)
    return open_run(folder)


def merge(
    directories: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = LOG.warning,
    executor: Executor | None = None,
    report: bool = True,
) -> RunDirectory:
    """Puts parts of one study together: shards, or unfinished runs. When all conditions are there, the run is
    finished: heads on frozen codes, tables, figures and page, as `run` makes them.

    Arguments:
        directories: run directories of one study; they are only read.
        out: run directory to copy conditions and heads into; `runs/<name of the study>` if not given. It may
            hold some of them already.
        progress: as of `run`.
        say: as of `run`; also called with what is missing, by shard.
        executor: as of `run`, for heads.
        report: whether to draw figures and page at the end.

    Returns:
        The run directory; without tables where conditions are missing.

    Raises:
        RequestError: a directory is none of a run, or of another study; or `out` holds something else.
        RatewarpError: a directory is damaged, or was trained with other versions of ratewarp or JAX; two hold
            the same condition with different bytes; or `out` cannot be written.
    """
    if isinstance(directories, str | Path) or not directories:
        refuse("directories", "a list of run directories", directories)
    study = common_study([open_run(one) for one in directories])
    folder = Path(out) if out is not None else Path("runs") / study.name
    parts = open_parts(directories, folder)
    use_every_core()
    keep_compiled_programs()
    with opened(study, folder) as directory:
        take_in(directory, study, parts, progress, say)
        missing = told_missing(directory, study, parts)
        for sentence in missing:
            say(sentence)
        if not missing:
            train_study(directory, study, progress, executor=executor, say=say)
            _finish(directory, study, progress, report)
    return open_run(folder)


def _finish(
    directory: RunDirectory, study: Study, progress: Callable[[Progress], None], report: bool
) -> None:
    """Tables, figures and page of a run that is trained."""
    tabulate(directory, progress, study=study)
    if report:
        write_report(directory, progress, study=study)

"""What the command line does, as functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from ratewarp._checks import refuse
from ratewarp._cores import use_every_core
from ratewarp._progress import Progress, drawing
from ratewarp.report import write_report
from ratewarp.results.tabulating import tabulate
from ratewarp.runs.directory import RunDirectory, open_run
from ratewarp.runs.executor import Executor
from ratewarp.runs.runner import CHECKPOINT_SECONDS, LOG, opened, train_study
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
    folder = Path(out) if out is not None else Path("runs") / chosen.name
    knobs = {"members_at_once": members_at_once, "checkpoint_seconds": checkpoint_seconds}
    use_every_core()
    keep_compiled_programs()
    with opened(chosen, folder) as directory:
        train_study(directory, chosen, progress, executor=executor, say=say, **knobs)
        tabulate(directory, progress, study=chosen)
        if report:
            write_report(directory, lambda name, done, total: progress(drawing(name, done, total)))
    return open_run(folder)

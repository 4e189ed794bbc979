"""What the command line does, as functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ratewarp.report import write_report
from ratewarp.runner import Progress, run_study
from ratewarp.store import RunDirectory
from ratewarp.studies import Study, load_study


def run(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    report: bool = True,
) -> RunDirectory:
    """Trains every condition of a study, measures them, and writes tables, figures and the page.

    Arguments:
        study: a `Study`, the name of a built-in one, or the path of a study file.
        out: run directory; `runs/<name of the study>` if not given. Conditions it already holds are not trained again.
        progress: called now and then with where the run stands.
        report: whether to draw figures and page at the end.

    Returns:
        The run directory.

    Raises:
        RequestError: the study is wrong, or `out` holds something else.
        RatewarpError: `out` cannot be written.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from ratewarp import Study
        >>> tiny = Study(capacities_nats=[1], recipe={"steps": 2}, network={"convolutions": [{"filters": 2}]}, validation_each=9)
        >>> with TemporaryDirectory() as folder:
        ...     run(tiny, folder, report=False).table("models")[["model", "steps", "status"]]
           model  steps status
        0  model      2     ok
    """
    chosen = study if isinstance(study, Study) else load_study(study)
    directory = run_study(chosen, Path(out) if out is not None else Path("runs") / chosen.name, progress)
    if report:
        progress(Progress("drawing figures and page", 1, 1))
        write_report(directory)
    return directory

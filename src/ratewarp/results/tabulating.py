"""Tabulating a run: every stored condition measured, and the tables written; again at any time, without what
trains.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ratewarp._checks import RatewarpError
from ratewarp._progress import Progress
from ratewarp.results.tables import build_tables
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import Study, stored_study

_NAMED = 3  # conditions that are missing


def tabulate(
    run: RunDirectory, progress: Callable[[Progress], None] = lambda _: None, *, study: Study | None = None
) -> None:
    """Measures every condition of a run and writes its tables; parts of them are kept until all are written.

    Arguments:
        run: locked to be written to.
        progress: called now and then with where the run stands.
        study: of the run, where it is at hand.

    Raises:
        RatewarpError: a condition, or the heads on its frozen codes, is not stored or is damaged; or the
            tables cannot be written.
    """
    known, clock = stored_study(run.study, run.path) if study is None else study, time.perf_counter()
    missing = [condition.id for condition in known.conditions if not run.finished(condition.id)]
    missing += [c.id for c in known.conditions if c.model in known.readouts and not run.has_heads(c.id)]
    if missing:
        named = ", ".join(missing[:_NAMED]) + (
            f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        )
        raise RatewarpError(
            f"{run.path} is not finished: {named} is not trained yet; finish it with: {run.command}"
        )

    def measuring(done: int, total: int) -> None:
        progress(Progress("measuring the codes", done, total))

    tables = build_tables(run, known, progress=measuring, keep=True)
    sums = {f"tables/{name}.csv": run.write_table(name, table) for name, table in tables.items()}
    run.remove_folder(run.measured)
    run.write_manifest(
        {**run.manifest, "sha256": sums, "seconds_tables": round(time.perf_counter() - clock, 1)}
    )

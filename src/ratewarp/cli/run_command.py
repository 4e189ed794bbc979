"""`ratewarp run` and `ratewarp schema`: a study from its file to its page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratewarp._interrupt import GRACE_SECONDS, when_stopped
from ratewarp.cli.printing import JsonOption, numbers, print_table, progress_bar

if TYPE_CHECKING:
    from ratewarp.studies import Study

StudyArgument = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="Name of a built-in study (demo, paper), or path of a study file."),
]


def run(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run directory; runs/NAME if not given.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Train seeds 0 … N−1 of every model.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME,…",
            help="Train these models of the study only; the reference always belongs to them.",
        ),
    ] = None,
    capacities: Annotated[
        str | None, typer.Option(metavar="C,C,…", help="Train these of the study's capacities only, nats.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a key of the study, such as recipe.steps=500; repeatable.",
        ),
    ] = None,
    members_at_once: Annotated[
        int | None,
        typer.Option(
            "--members-at-once",
            metavar="N",
            min=1,
            help="Train at most N models together; one per CPU device, or all of one shape on an"
            " accelerator, if not given. Changes no result.",
        ),
    ] = None,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            "--checkpoint-every",
            metavar="SECONDS",
            min=0,
            help="Seconds between two checkpoints of unfinished training; 0 for one every 100 steps."
            " Changes no result.",
        ),
    ] = 60.0,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train on a Ray cluster: auto, HOST:PORT, ray://HOST:PORT, or local:N for N cores of this"
            " machine. Changes no result on equal processors.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the study and say what would be trained; write nothing.")
    ] = False,
    allow_code: Annotated[
        bool,
        typer.Option(
            "--allow-code",
            help="Import and run the Python code that the study file names (import: module:name).",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study: train its models, measure them, write tables, figures and a page.

    A run that was interrupted resumes where it stood, by the same command.
    """
    from ratewarp.studies import load_study

    wanted = [*(changes or []), *([f"seeds={list(range(seeds))}"] if seeds else [])]
    with progress_bar() as (show, _):
        chosen = load_study(study, wanted, allow_code=allow_code, progress=show)
    if models is not None or capacities is not None:
        names = () if models is None else tuple(name.strip() for name in models.split(","))
        chosen = chosen.part(names, numbers("capacities", capacities))
    folder = out or Path("runs") / chosen.name
    if dry_run:
        _print_plan(chosen, folder, as_json)
        return
    from ratewarp.api import run as run_all
    from ratewarp.runs.ray_executor import Ray

    kept = "finished conditions and the last checkpoint are kept, and the same command resumes from there"
    when_stopped(kept, grace=GRACE_SECONDS)
    with progress_bar() as (show, say):
        knobs = {"members_at_once": members_at_once, "checkpoint_seconds": checkpoint_every}
        executor = None if cluster is None else Ray(cluster, say=say)
        directory = run_all(chosen, folder, progress=show, say=say, executor=executor, **knobs)
    when_stopped("")
    print_table(
        directory.table("models"),
        ["model", "capacity_nats", "seed", "rate_nats", "distortion", "status"],
        as_json,
    )
    print(f"page: {folder / 'report.html'}", file=sys.stderr)


def schema() -> None:
    """Print the JSON schema of study files, by which editors check and complete them."""
    from ratewarp.studies import study_schema

    print(study_schema())


def _print_plan(study: Study, folder: Path, as_json: bool) -> None:
    from ratewarp.runs.waves import groups, steps_of

    ids = [condition.id for condition in study.conditions]
    if as_json:
        print(json.dumps({"study": study.name, "out": str(folder), "conditions": ids}))
        return
    batches = groups(study.conditions)
    steps = sum(map(steps_of, study.conditions))
    print(
        f"{study.name}: {len(ids)} conditions in {len(batches)} compiled batches, {steps:,} model-steps,"
        f" into {folder}"
    )
    for name in ids:
        print(f"  {name}")

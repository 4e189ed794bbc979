"""`ratewarp run` and `ratewarp schema`: a study from its file to its page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratewarp._interrupt import GRACE_SECONDS, when_stopped
from ratewarp.cli.plan import print_plan
from ratewarp.cli.printing import JsonOption, numbers, print_table, progress_bar

if TYPE_CHECKING:
    from ratewarp.runs.shards import Shard
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
        bool,
        typer.Option(
            "--dry-run",
            help="Check the study and say what would be trained, in what time, memory and disk space; write"
            " nothing.",
        ),
    ] = False,
    no_timing: Annotated[
        bool, typer.Option("--no-timing", help="With --dry-run: do not measure how long a step takes.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Train the Kth of N parts of the study only, into runs/NAME-K-of-N; put the parts together"
            " by `ratewarp merge`.",
        ),
    ] = None,
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
    from ratewarp.runs.shards import read_shard
    from ratewarp.studies import load_study

    wanted = [*(changes or []), *([f"seeds={list(range(seeds))}"] if seeds else [])]
    with progress_bar() as (show, _):
        chosen = load_study(study, wanted, allow_code=allow_code, progress=show)
    if models is not None or capacities is not None:
        names = () if models is None else tuple(name.strip() for name in models.split(","))
        chosen = chosen.part(names, numbers("capacities", capacities))
    part = None if shard is None else read_shard(shard)
    folder = out or Path("runs") / (chosen.name + (part.folder if part else ""))
    if dry_run:
        print_plan(chosen, folder, part, members_at_once, timing=not no_timing, as_json=as_json)
        return
    from ratewarp.api import run as run_all
    from ratewarp.runs.ray_executor import Ray

    kept = "finished conditions and the last checkpoint are kept, and the same command resumes from there"
    when_stopped(kept, grace=GRACE_SECONDS)
    with progress_bar() as (show, say):
        knobs = {"members_at_once": members_at_once, "checkpoint_seconds": checkpoint_every}
        executor = None if cluster is None else Ray(cluster, say=say)
        directory = run_all(chosen, folder, progress=show, say=say, executor=executor, shard=part, **knobs)
    when_stopped("")
    if part:
        _print_shard(chosen, part, folder, as_json)
        return
    print_table(
        directory.table("models"),
        ["model", "capacity_nats", "seed", "rate_nats", "distortion", "status"],
        as_json,
    )
    print(f"page: {folder / 'report.html'}", file=sys.stderr)


def _print_shard(study: Study, shard: Shard, folder: Path, as_json: bool) -> None:
    """What a shard holds now, and what becomes of it."""
    ids = [condition.id for condition in shard.share(study)]
    if as_json:
        print(json.dumps({**shard._asdict(), "out": str(folder), "conditions": ids}))
    else:
        print(f"{study.name}, {shard}: {len(ids)} conditions in {folder}")
    print("when all shards are trained: ratewarp merge DIR DIR… with the folders of all", file=sys.stderr)


def schema() -> None:
    """Print the JSON schema of study files, by which editors check and complete them."""
    from ratewarp.studies import study_schema

    print(study_schema())

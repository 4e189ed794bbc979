"""The command line: parse, call, exit code. Results go to stdout, progress and messages to stderr.

Exit codes: 0 good, 1 the work failed or a threshold does not hold, 2 the request was wrong, 3 a comparison is incomplete, 130
interrupted (143 by SIGTERM, 129 by SIGHUP).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ratewarp._checks import RatewarpError, RequestError, refuse
from ratewarp._files import can_be_made, write_new
from ratewarp._interrupt import GRACE_SECONDS, stop_if_asked, when_stopped
from ratewarp.bound_command import bound
from ratewarp.measure_command import measure

if TYPE_CHECKING:
    from ratewarp.bench import Progress as BenchProgress
    from ratewarp.comparison import Comparison
    from ratewarp.progress import Progress
    from ratewarp.studies import Study

_BUSY = 0.5  # load average from which timings are not to be trusted

app = typer.Typer(
    name="ratewarp",
    help="See how a limited code warps what it represents: train families of rate-limited generative models, measure the geometry of"
    " their codes, look at the result.",
    epilog="Start with: ratewarp run demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a built-in study (demo, paper), or path of a study file.")]
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Runs the command in `sys.argv`."""
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:  # None where it was closed before
                sys.stdout.flush()  # here, where a full disk or a closed pipe can still be told
    except RequestError as error:
        _leave(f"error: {error}", 2)
    except RatewarpError as error:
        _leave(f"error: {error}", 1)
    except OSError as error:
        if error.filename is not None:  # not of stdout
            raise
        _leave_without_stdout(error)


def _leave_without_stdout(error: OSError) -> NoReturn:
    """What could not be written is dropped, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever read has seen enough
        sys.exit(1)
    _leave(f"error: cannot write what was to be printed: {error.strerror}", 1)


def _leave(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("ratewarp"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Options that stand before a command."""


@app.command()
def run(
    study: StudyArgument,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Run directory; runs/NAME if not given.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=10_000, help="Train seeds 0 … N−1 of every model.")] = None,
    models: Annotated[
        str | None, typer.Option(metavar="NAME,NAME,…", help="Train these models of the study only; the reference always belongs to them.")
    ] = None,
    capacities: Annotated[str | None, typer.Option(metavar="C,C,…", help="Train these of the study's capacities only, nats.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the study, such as recipe.steps=500; repeatable."),
    ] = None,
    members_at_once: Annotated[
        int | None,
        typer.Option(
            "--members-at-once",
            metavar="N",
            min=1,
            help="Train at most N models together; one a CPU device, or all of one shape on an accelerator, if not given."
            " Changes no result.",
        ),
    ] = None,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            "--checkpoint-every",
            metavar="SECONDS",
            min=0,
            help="Seconds between two checkpoints of unfinished training; 0 for one every 100 steps. Changes no result.",
        ),
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the study and say what would be trained; write nothing.")] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Import and run the Python code that the study file names (import: module:name).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study: train its models, measure them, write tables, figures and a page.

    A run that was interrupted resumes where it stood, by the same command.
    """
    from ratewarp.studies import load_study

    wanted = [*(changes or []), *([f"seeds={list(range(seeds))}"] if seeds else [])]
    chosen = load_study(study, wanted, allow_code=allow_code)
    if models is not None or capacities is not None:
        names = () if models is None else tuple(name.strip() for name in models.split(","))
        chosen = chosen.part(names, _numbers("capacities", capacities))
    folder = out or Path("runs") / chosen.name
    if dry_run:
        _print_plan(chosen, folder, as_json)
        return
    from ratewarp.api import run as run_all

    kept = "finished conditions and the last checkpoint are kept, and the same command resumes from there"
    when_stopped(kept, grace=GRACE_SECONDS)
    with _progress_bar() as (show, say):
        knobs = {"members_at_once": members_at_once, "checkpoint_seconds": checkpoint_every}
        directory = run_all(chosen, folder, progress=show, say=say, **knobs)
    when_stopped("")
    _print_table(directory.table("models"), ["model", "capacity_nats", "seed", "rate_nats", "distortion", "status"], as_json)
    print(f"page: {folder / 'report.html'}", file=sys.stderr)


@app.command()
def status(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Say which conditions of a run are finished, how far the others are, and what is damaged."""
    from ratewarp.status import run_status
    from ratewarp.store import open_run

    found = run_status(open_run(folder))
    for line in found.damaged:
        print(line, file=sys.stderr)
    if found.writer:
        print(f"{folder} {found.writer}", file=sys.stderr)
    if as_json:
        training = {name: reached._asdict() for name, reached in found.training.items()}
        print(json.dumps({**found._asdict(), "training": training}))
        return
    total, read = len(found.finished) + len(found.missing), len(found.readouts) - len(found.readouts_missing)
    heads = f", heads on the frozen codes of {read} of {len(found.readouts)}" if found.readouts else ""
    print(f"{found.study}: {len(found.finished)} of {total} conditions finished{heads}")
    for name in found.conditions:
        reached = found.training.get(name)
        begun = f"  training, step {reached.step:,} of {reached.steps:,}" if reached else ""
        print(f"  {'missing' if name in found.missing else 'done   '}  {name}{begun}")


@app.command()
def schema() -> None:
    """Print the JSON schema of study files, by which editors check and complete them."""
    from ratewarp.studies import study_schema

    print(study_schema())


@app.command()
def tabulate(folder: FolderArgument) -> None:
    """Measure the models of a finished run and write its tables again, such as with a newer version; nothing is trained."""
    from ratewarp.store import open_run, writing_to
    from ratewarp.tabulating import tabulate as write_tables

    when_stopped("what is measured so far is kept, and the same command measures the rest", grace=GRACE_SECONDS)
    with writing_to(open_run(folder), "tabulate") as directory, _progress_bar() as (show_bar, _):
        write_tables(directory, show_bar)
    print(folder / "tables")


@app.command()
def report(
    folder: FolderArgument,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Draw figures and page of a finished run again."""
    from ratewarp.progress import drawing
    from ratewarp.report import write_report
    from ratewarp.store import open_run, writing_to

    when_stopped("finished figures are kept, and the same command draws the others", grace=GRACE_SECONDS)
    with writing_to(open_run(folder), "draw") as directory, _progress_bar() as (show_bar, _):
        page = write_report(directory, lambda name, done, total: show_bar(drawing(name, done, total)))
    print(page)
    if show:
        typer.launch(page.resolve().as_uri())


app.command()(measure)
app.command()(bound)


@app.command("check-paper")
def check_paper(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Set a run of the study paper, or of a part of it, beside the publication's numbers and statements.

    Exit code 0: everything is there and within tolerance; 1: something is outside; 3: nothing is outside, but the run lacks
    conditions, or is not finished. Tables go to DIR/comparison, unless another process works on the run just now.
    """
    from ratewarp.comparison import NEEDED, compare_published, comparison_json, write_comparison
    from ratewarp.run_lock import BusyError
    from ratewarp.store import open_run, writing_to

    run = open_run(folder)
    if absent := [name for name in NEEDED if not run.has_table(name)]:
        print(f"{folder} is not finished (no table {', '.join(absent)}); comparing what it has stored", file=sys.stderr)
    comparison = compare_published(run)
    try:
        with writing_to(run, "compare") as directory:
            write_comparison(directory, comparison)
        written = f"tables: {folder / 'comparison'}"
    except BusyError as error:
        written = f"the tables of the comparison are not written: {error}"
    if as_json:
        print(comparison_json(comparison))
    else:
        _print_check(comparison)
    print(written, file=sys.stderr)
    for line in comparison.missing:
        print(f"missing: {line}", file=sys.stderr)
    if not comparison.holds:
        _leave("outside tolerance", 1)
    if not comparison.complete:
        nothing = all(threshold.holds is None for threshold in comparison.thresholds)
        _leave("incomplete: " + ("nothing to compare" if nothing else "what the run has is within tolerance"), 3)


def _print_check(comparison: Comparison) -> None:
    """Tables with every cell, then what holds."""
    words = {True: "yes", False: "no", None: "–"}
    for name in ("distortion", "f1", "class_distortion"):
        table = comparison.tables[name]
        shown = table.assign(**{name: [words[value] for value in table[name]] for name in ("inside", "counted") if name in table})
        print(f"{name}\n\n{shown.to_string(index=False, na_rep='–', float_format=lambda value: f'{value:.4g}')}\n")
    print("statements\n")
    for row in comparison.statements.to_dict("records"):
        verdict = {True: "holds", False: "does not hold", None: "not in this run"}[row["inside"]]
        print(f"{verdict:>15}  {row['statement']}")
        for part in row["evidence"].split("; "):
            print(f"{'':>17}{part}")
    print()
    for threshold in comparison.thresholds:
        if threshold.holds is None:
            print(f"{threshold.name}: nothing to compare ({threshold.needed} of {threshold.cells} wanted, none in this run)")
            continue
        verdict = "holds" if threshold.holds else "does not hold"
        lacking = f", {threshold.cells - threshold.compared} not in this run" if threshold.compared < threshold.cells else ""
        wanted = f"{threshold.needed} of {threshold.cells} wanted{lacking}"
        print(f"{threshold.name}: {threshold.holding} of {threshold.compared} inside ({wanted}): {verdict}")
    beside = comparison.class_distortion.query("not counted").dropna(subset="inside")
    if len(beside):
        names = ", ".join(dict.fromkeys(beside["model"]))
        print(f"class_distortion of {names}, beside the threshold: {beside['inside'].sum()} of {len(beside)} inside")


@app.command()
def bench(
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contestant.")] = 5,
    seconds: Annotated[float, typer.Option(help="About how long a turn lasts.")] = 10.0,
    members: Annotated[str, typer.Option(metavar="N,N,…", help="Numbers of models that ratewarp trains together.")] = "1,8,40",
    without: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Leave a contestant out, such as pythae; repeatable.")] = None,
    images: Annotated[int, typer.Option(help="Training images.")] = 200_000,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write everything measured to this file, as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Time a training step on this machine, against PyTorch and pythae (pip install 'ratewarp[bench]') and against its matrix products.

    Takes about ten minutes; close other programs first.
    """
    from ratewarp.bench import Settings, compare
    from ratewarp.bench.hardware import describe_machine

    settings = Settings(rounds, seconds, tuple(map(int, _numbers("members", members, whole=True))), tuple(without or ()), images)
    if out and not can_be_made(out):
        refuse("out", "a file that does not exist yet, in a folder that does", str(out))
    load = describe_machine()["load_average"] or 0
    if load > _BUSY:
        print(f"warning: other programs are at work (load average {load:.1f}); timings will be too long and uneven", file=sys.stderr)
    when_stopped("nothing was written", grace=GRACE_SECONDS)
    with _progress_bar() as (show, _):
        result = compare(settings, show)
    _print_comparison(result, as_json)
    if out:
        try:
            write_new(out, json.dumps(result, indent=2).encode())
        except OSError as error:
            _leave(f"error: cannot write {out}: {error.strerror}", 1)
    failed = [name for name, why in result["left_out"].items() if why.startswith("failed")]
    if failed:
        _leave(f"error: {', '.join(failed)} failed", 1)


def _numbers(argument: str, text: str | None, *, whole: bool = False) -> tuple[float, ...]:
    """Numbers in an option; none if it was not given."""
    try:
        return () if text is None else tuple((int if whole else float)(part) for part in text.split(","))
    except ValueError:
        refuse(
            argument, "whole numbers with commas between, such as 1,8,40" if whole else "numbers with commas between, such as 0.3,10", text
        )


def _print_comparison(result: dict[str, Any], as_json: bool) -> None:
    from ratewarp.bench.table import tables

    if as_json:
        print(json.dumps(result))
        return
    for title, table in tables(result).items():
        print(f"{title}\n")
        _print_table(table, list(table), as_json=False)
        print()


def _print_plan(study: Study, folder: Path, as_json: bool) -> None:
    from ratewarp.waves import groups, steps_of

    ids = [condition.id for condition in study.conditions]
    if as_json:
        print(json.dumps({"study": study.name, "out": str(folder), "conditions": ids}))
        return
    batches = groups(study.conditions)
    steps = sum(map(steps_of, study.conditions))
    print(f"{study.name}: {len(ids)} conditions in {len(batches)} compiled batches, {steps:,} model-steps, into {folder}")
    for name in ids:
        print(f"  {name}")


def _print_table(table: Any, columns: list[str], as_json: bool) -> None:
    rows = table[columns]
    print(rows.to_json(orient="records") if as_json else rows.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


@contextmanager
def _progress_bar() -> Iterator[tuple[Callable[[Progress | BenchProgress], None], Callable[[str], None]]]:
    """A bar with time left on stderr, or a line now and then where stderr is not a terminal; and what prints messages beside it.

    Where work tells how far it is, it also hears that it is to stop.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        yield _heeding(_progress_lines()), lambda message: print(message, file=sys.stderr, flush=True)
        return
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("compiling", total=None)
        show = lambda at: bar.update(task, description=at.doing, completed=at.done, total=at.total or 1)  # noqa: E731
        yield _heeding(show), lambda message: bar.console.print(message, markup=False, highlight=False, soft_wrap=True)


def _heeding(show: Callable[[Progress | BenchProgress], None]) -> Callable[[Progress | BenchProgress], None]:
    """`show`, which raises where the user asked to stop."""

    def shown(at: Progress | BenchProgress) -> None:
        stop_if_asked()
        show(at)

    return shown


def _progress_lines(every: float = 15.0) -> Callable[[Progress | BenchProgress], None]:
    import time

    first: list[tuple[float, float]] = []  # clock and amount done when the first was done
    last = {"line": "", "time": float("-inf")}

    def show(at: Progress | BenchProgress) -> None:
        now = time.monotonic()
        if first and at.done < first[0][1]:  # something else is done now
            first.clear()
        if at.done and not first:
            first.append((now, at.done))
        if at.doing == last["line"] and now - last["time"] < every:
            return
        last.update(line=at.doing, time=now)
        share = at.done / at.total if at.total else 1.0
        since, begun = first[0] if first else (now, 0)
        left = f", about {(now - since) * (at.total - at.done) / (at.done - begun):.0f} s left" if begun < at.done < at.total else ""
        print(f"{at.doing}: {share:.0%}{left}", file=sys.stderr, flush=True)

    return show

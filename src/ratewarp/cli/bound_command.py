"""The command `ratewarp bound`: solves a rate–distortion curve, prints and draws it, or shows that of a run
beside its models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ratewarp._checks import RatewarpError, escaped, escaped_lines, refuse
from ratewarp._files import can_be_made, exists, write_new

if TYPE_CHECKING:
    import pandas as pd

    from ratewarp.results.bound_request import Asked

_MODELS = [
    "model",
    "capacity_nats",
    "seed",
    "rate_nats",
    "semantic_distortion",
    "bound_rate_nats",
    "excess_nats",
    "excess_nats_se",
    "efficiency",
]
_POINTS = ["rate_nats", "rate_bits", "distortion", "slope", "gap_nats", "certificate"]
_FIGURES = (".png", ".pdf", ".svg")
# nats; below it, what rounding loses in sums over many stimuli is no longer small beside it
_LEAST_TOLERANCE = 1e-9


def bound(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="corridors; a file with d (stimuli × points) or means (stimuli × pixels), and p; or a run"
            " directory.",
        ),
    ],
    frequency: Annotated[
        str | None,
        typer.Option(
            help="Of the stimuli of corridors: uniform (if not given), E1M1, E1M2, or an expression over"
            " factors."
        ),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(metavar="NAME,…", help="Tasks of corridors whose log loss counts, too: E2M1 … E2M5."),
    ] = None,
    task_weight: Annotated[
        float | None,
        typer.Option(
            help="Weight of every task's log loss, in nats, beside the squared error per pixel; 1 if not"
            " given."
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=10_000,
            help="Number of rates, from 0 to the highest that buys anything; 60 if not given.",
        ),
    ] = None,
    rates: Annotated[
        str | None, typer.Option(metavar="R,R,…", help="The rates themselves, in nats, instead.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="Widest gap between achieved and certified rate, nats: 0.0001 if not given, 1e-9 at least."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to this file, as CSV.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the curve: png, pdf or svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How much must be lost at a given rate: the rate–distortion function of a source, every point with a
    gap, proved or searched.
    """
    for name, file, suffixes in (("out", out, None), ("figure", figure, _FIGURES)):
        if file is not None and (not can_be_made(file) or (suffixes and file.suffix.lower() not in suffixes)):
            kind = "a png, pdf or svg file" if suffixes else "a file"
            refuse(name, f"{kind} that does not exist yet, in a folder that does", str(file))
    of_stimuli = {"frequency": frequency, "tasks": tasks, "task-weight": task_weight}
    of_curve = {"points": points, "rates": rates, "tolerance": tolerance}
    if exists(Path(source) / "study.yaml"):
        _refuse_given(
            {**of_stimuli, **of_curve},
            "a built-in source or a file; the curves of a run are in its tables",
            source,
        )
        table, head, models = _of_run(Path(source))
    else:
        asked = _asked(source, of_stimuli)
        table, head, models = (
            *_of_source(
                asked, 60 if points is None else points, rates, 1e-4 if tolerance is None else tolerance
            ),
            None,
        )
    if as_json:
        extra = {} if models is None else {"models": json.loads(str(models.to_json(orient="records")))}
        print(
            json.dumps(
                {
                    **head,
                    "points": json.loads(str(table.to_json(orient="records", double_precision=15))),
                    **extra,
                }
            )
        )
    else:
        _print(table, head, models)
    if out is not None:
        _save(out, table.to_csv(index=False).encode())
    if figure is not None:
        from ratewarp.report.bound_figure import draw_curves

        _save(figure, draw_curves(table, models, figure.suffix.lower()[1:], head.get("unit", "")))


def _refuse_given(options: dict[str, Any], needed: str, source: str) -> None:
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        refuse(" and ".join(given), f"given with {needed}", source)


def _asked(source: str, options: dict[str, Any]) -> Asked:
    from ratewarp.results.bound_request import BUILT_IN, of_file, of_setting
    from ratewarp.studies import Study

    if source not in BUILT_IN:
        _refuse_given(options, f"a built-in source ({', '.join(BUILT_IN)})", source)
        return of_file(Path(source))
    tasks, weight = options["tasks"], options["task-weight"]
    if weight is not None and not tasks:
        refuse("--task-weight", "given together with --tasks", "no tasks")
    names = [name.strip() for name in tasks.split(",")] if tasks else []
    recipe = {"task_weight": 1.0 if weight is None else weight}
    wanted = {
        "source": source,
        "frequency": options["frequency"] or "uniform",
        "tasks": names,
        "recipe": recipe,
    }
    return of_setting(source, Study(capacities_nats=[1], **wanted).settings["model"])


def _of_source(
    asked: Asked, points: int, rates: str | None, tolerance: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    import numpy as np

    from ratewarp.theory import noise_floor, pixel_bounds, rate_distortion

    wanted = None
    if 0 < tolerance < _LEAST_TOLERANCE:
        refuse(
            "tolerance", f"at least {_LEAST_TOLERANCE:g} nats, which double precision can reach", tolerance
        )
    if rates is not None:
        try:
            wanted = [float(rate) for rate in rates.split(",")]
        except ValueError:
            refuse("rates", "numbers with commas between, such as 0.3,1,3", rates)
    try:
        curve = rate_distortion(asked.p, asked.cost, points=points, rates=wanted, tolerance=tolerance)
    except np.linalg.LinAlgError:
        beyond = f"a tolerance of {tolerance:g} nats is beyond double precision for {asked.name}"
        why = f"{beyond}; ask for a wider one"
        raise RatewarpError(why) from None
    table = curve.table
    head: dict[str, Any] = {
        "source": asked.name,
        "stimuli": len(asked.p),
        "distortion": asked.distortion,
        "maximum_rate_nats": curve.maximum_rate,
        **_largest_gap(table),
    }
    if asked.means is not None:
        raw = pixel_bounds(asked.p, asked.means, curve, np.asarray(table["rate_nats"]))
        table = table.assign(raw_low=raw["low"], raw_high=raw["high"])
        head["pixel_noise_floor"] = noise_floor(asked.p, asked.means)
    return table, head


def _of_run(folder: Path) -> tuple[pd.DataFrame, dict[str, Any], pd.DataFrame]:
    from ratewarp.runs.directory import open_run
    from ratewarp.studies import stored_study

    run = open_run(folder)
    table, models = run.table("bound", needs=_POINTS), run.table("models", needs=_MODELS)
    if table.empty:
        raise RatewarpError(f"{folder} was run without a bound (bound_points: 0)")
    unit = stored_study(run.study, run.path).likelihood.UNIT
    head = {
        "source": str(folder),
        "distortion": f"{unit} to the noise-free mean image",
        "unit": unit,
        **_largest_gap(table),
    }
    return table, head, models


def _largest_gap(table: pd.DataFrame) -> dict[str, Any]:
    """The largest gap, and whether every certificate of the table is proved or some rest on a search."""
    searched = bool((table["certificate"] == "searched").any())
    return {
        "largest_gap_nats": float(table["gap_nats"].to_numpy().max()),
        "certificate": "searched" if searched else "proved",
    }


def _print(table: pd.DataFrame, head: dict[str, Any], models: pd.DataFrame | None) -> None:
    """What was asked in a few lines, then the numbers."""
    print(f"{escaped(head['source'])}: distortion is {escaped(head['distortion'])}")
    if "stimuli" in head:
        least = f"distortion is least from {head['maximum_rate_nats']:.4f} nats on"
        print(
            f"{head['stimuli']:,} stimuli; {least}; largest gap {head['largest_gap_nats']:.1e} nats,"
            f" {head['certificate']}"
        )
    if head["certificate"] == "searched":
        print(
            "searched: the best points were looked for from many starts; if one was missed, the gap is"
            " larger than it says"
        )
    if "pixel_noise_floor" in head:
        print(
            f"raw pixels: {head['pixel_noise_floor']:.5f} of their distortion is noise; raw_high is achieved,"
            " and no code is below raw_low, by the certificate of the curve",
        )
    print()
    if models is not None:
        print(_text(models[_MODELS], 4))
        return
    shown = table[[*_POINTS, *[name for name in ("raw_low", "raw_high") if name in table]]].copy()
    shown["gap_nats"] = [f"{gap:.1e}" for gap in shown["gap_nats"]]
    print(_text(shown, 5))


def _text(table: Any, digits: int) -> str:
    return escaped_lines(table.to_string(index=False, float_format=lambda value: f"{value:.{digits}f}"))


def _save(file: Path, content: bytes) -> None:
    try:
        write_new(file, content)
    except OSError as error:
        raise RatewarpError(f"cannot write {file}: {error.strerror}") from error

"""The page: one HTML file that opens anywhere, offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from ratewarp._figure_helpers import Helper
from ratewarp._progress import Progress
from ratewarp.report.bound_words import bound_of
from ratewarp.report.figure_files import Picture
from ratewarp.report.figures import model_names, reference_name
from ratewarp.report.page.alerts import alerts
from ratewarp.report.page.readings import READINGS
from ratewarp.report.page.rendering import rendered
from ratewarp.report.page.run_facts import facts, study_text, what_was_run
from ratewarp.report.page.stage import stage_data
from ratewarp.report.pictured import are_seen
from ratewarp.report.pictures import Pictures
from ratewarp.report.plane import floor_of_noise, noise_note
from ratewarp.report.views import RunView, scheme_title
from ratewarp.report.what_is_there import WhatIsThere
from ratewarp.runs.directory import RunDirectory
from ratewarp.studies import CAPACITY, Study

_MOST_ROWS = 500  # of a table on the page
_LEVEL = 0.05  # below which a p is remarkable

_LABELS = (CAPACITY, *("model", "regime", "representation", "task", "measure", "class", "other", "latent"))
_OF_ONE_SEED = ("seed", "low", "high", "p", "p_adjusted", "diverged_at")

_MODEL_COLUMNS = {
    "model": "model",
    "capacity_nats": "target, nats",
    "seed": "seed",
    "rate_nats": "rate, nats",
    "rate_bits": "rate, bits",
    "rate_gap": "rate − target, nats",
    "distortion": "distortion",
    "distortion_se": "± s.e.",
    "semantic_distortion": "semantic distortion",
    "multiplier": "multiplier, per nat",
    "active_units": "active latents",
    "steps": "steps",
    "status": "status",
    "diverged_at": "diverged at step",
}
_DISTANCE_COLUMNS = {
    "model": "model",
    "capacity_nats": "target, nats",
    "seed": "seed",
    "rate_nats": "rate, nats",
    "semantic_distortion": "semantic distortion",
    "bound_rate_nats": "least rate, nats",
    "excess_nats": "excess, nats",
    "excess_nats_se": "± s.e.",
    "efficiency": "efficiency",
    "multiplier": "multiplier, per nat",
    "bound_slope": "slope of the bound, per nat",
    "stimulus_information_low": "information about stimulus, nats, from",
    "stimulus_information_high": "to",
    "image_information_low": "about image, from",
    "image_information_high": "to",
    "information_images": "images",
}
_TASK_COLUMNS = {
    "representation": "model",
    "task": "task",
    "regime": "regime",
    "capacity_nats": "target, nats",
    "seed": "seed",
    "f1": "F1",
    "f1_batches": "F1, mean over batches of 32",
    "accuracy": "accuracy",
}
_GEOMETRY_COLUMNS = {
    "model": "model",
    "capacity_nats": "target, nats",
    "seed": "seed",
    "measure": "measure",
    "task": "classes",
    "class": "class",
    "other": "other",
    "latent": "latent, from 0",
    "value": "value",
    "low": "95 % from",
    "high": "to",
    "p": "p",
    "p_adjusted": "p, corrected",
    "n": "stimuli",
    "note": "note",
}


def write_report(
    run: RunDirectory,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    when_written: Callable[[Path], None] = lambda path: None,
    figures_only: bool = False,
    study: Study | None = None,
    helpers: list[Helper] | None = None,
) -> Path:
    """Draws the figures of a run as PNG and PDF, and writes `report.html`, which is there before
    the files of figures.

    Of a run that is not finished, is damaged in parts or was made by another version, the page shows what is
    there, and says at its top what is missing.

    Figures that are drawn of the same study and tables, by the same versions, stay as they are; so a call
    that was interrupted draws the others when it is made again.

    Arguments:
        run: a run directory.
        progress: called now and then with where it stands.
        say: called with every sentence about what is missing.
        when_written: called with the path of the page, once it is there.
        figures_only: writes no page.
        study: that of the run, where it has objects that a run directory does not keep, such as networks
            given from Python: their codes can be decoded then.
        helpers: processes that draw, too (see `_figure_helpers`); started where they are worth it, if not
            given. They end with this call.

    Returns:
        Path of the page; of the folder of figures where they alone are drawn.

    Raises:
        RatewarpError: nothing can be shown, since the study cannot be read or no condition is stored whole;
            or the folder cannot be written.
    """
    there = WhatIsThere(run, study)
    there.refuse_nothing()
    view, page = RunView(run, there), run.path / "report.html"
    stage: dict[str, Any] = {}

    def prepare() -> None:
        if not figures_only:
            progress(Progress("preparing the page", 0, 1))
            stage.update(stage_data(view))

    def write_page(pictures: Mapping[str, Picture]) -> None:
        if not figures_only:
            progress(Progress("writing the page", len(pictures), len(pictures)))
            run.write_text(page.name, _render(view, stage, pictures))
            when_written(page)

    Pictures(run).draw(view, progress, prepare, write_page, helpers)
    for gap in there.gaps:
        say(gap)
    return run.path / "figures" if figures_only else page


def _render(view: RunView, stage: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    study, tasks = view.study, view.table("tasks")
    return rendered(
        "page.html",
        stage,
        study=study,
        source=study.source.name,
        unit=study.likelihood.UNIT,
        facts=facts(view),
        pictures=pictures,
        sections=_model_sections(view),
        reference_figure=reference_name(view),
        published=bool(view.published_models),
        few_capacities=len(view.panel_levels) < len(view.levels),
        selection=_selection(view),
        floor=noise_note(view).split()[0] if floor_of_noise(view) is not None else "",
        of_reference=_reference_words(view),
        of_bound=bound_of(view.settings[study.reference]) if "bound" in pictures else "",
        raw="bound" in pictures and bool(view.drawn_curves("bound")["raw_low"].notna().any()),
        searched="bound" in pictures and "searched" in set(view.drawn_curves("bound")["certificate"]),
        baseline_published="baseline" in view.published_models,
        distances=_table(view, view.table("models"), _DISTANCE_COLUMNS),
        models=_table(view, view.table("models"), _MODEL_COLUMNS),
        tasks="" if tasks.empty else _table(view, tasks, _TASK_COLUMNS),
        geometry=_table(view, view.table("geometry"), _GEOMETRY_COLUMNS),
        alerts=alerts(view),
        ran=what_was_run(view),
        study_text=study_text(view),
        readings=READINGS,
        **_tests(view),
        other_recipe=view.study.recipe.name != "published",
    )


def _tests(view: RunView) -> dict[str, Any]:
    """How many tests there are, and whether so many that none could pass its correction."""
    p = view.table("geometry")["p"].dropna().to_numpy(dtype=float)
    least = min(p, default=1.0)
    return {
        "tests": len(p),
        "corrected_away": bool(len(p)) and least * len(p) > _LEVEL,
        "least_p": _number(least),
    }


def _selection(view: RunView) -> str:
    """What figures leave out of a large study; empty where nothing is left out."""
    names = view.drawn.names
    models = f"{view.drawn.note} ({', '.join(names)})" if view.drawn.note else ""
    return "; ".join(filter(None, (models, view.figures_note)))


def _reference_words(view: RunView) -> str:
    """What the figure of the reference shows."""
    shown = view.shown(view.study.reference, view.panel_levels[0])
    grid = shown.grid
    maps = "the map of its codes" + (", coloured by each factor" if grid.names else "")
    if are_seen(shown.condition.setting.source):
        images = "images at the places of their codes, as many as have room"
        maps = f"{images}, and {maps}" if grid.names else images
    elif grid.is_plane:
        maps += "; the numbers are the factor values of some stimuli"
    if grid.is_plane:
        over = "over the grid of stimuli"
    elif grid.names:
        over = (
            "by each factor: a line, or where values have no order a dot each; bands and bars are one"
            " standard deviation over the other stimuli of the same value"
        )
    else:
        over = "from left to right on the map; bands are one standard deviation"
    return (
        f"Left: {maps}. Right: tuning curves, the mean of every latent {over}, on one scale"
        " for all latents; latents are ordered by their rate."
    )


def _model_sections(view: RunView) -> list[dict[str, Any]]:
    """A section for every figure of a single model."""
    sections = []
    for (model, scheme), figure in model_names(view).items():
        title = scheme_title(scheme, view.settings[model])
        heading = title if scheme == model else f"{model}: {title}"
        sections.append({"model": model, "figure": figure, "heading": heading})
    return sections


def _table(view: RunView, table: pd.DataFrame, columns: Mapping[str, str]) -> Markup:
    """A table as HTML; of very many rows means over seeds, or those of the drawn models, or the first, and a
    line that says so.
    """
    rows, note = table, ""
    if len(rows) > _MOST_ROWS and len(view.study.seeds) > 1:
        rows = _over_seeds(view, rows)
        note = f"means over seeds of {len(table):,} rows"
    if len(rows) > _MOST_ROWS and view.drawn.note:
        model = "model" if "model" in table else "representation"
        rows = pd.DataFrame(rows[rows[model].isin(view.drawn.names)])
        note = f"{len(rows):,} of {len(table):,} rows, of {len(view.drawn.names)} models"
    if len(rows) > _MOST_ROWS:
        rows = rows.head(_MOST_ROWS)
        note = f"the first {_MOST_ROWS:,} of {note or f'{len(table):,} rows'}"

    chosen = rows.reindex(columns=list(columns)).set_axis(list(columns.values()), axis="columns")
    at = 1 + [*columns].index(CAPACITY)
    for key in reversed(view.study.further_keys):
        chosen.insert(at, key, rows[key])
    html = chosen.to_html(index=False, border=0, na_rep="", justify="left", float_format=_number, escape=True)
    told = Markup("<p>Shown are {}; the file has all.</p>").format(note) if note else Markup("")
    return told + Markup(html)


def _over_seeds(view: RunView, table: pd.DataFrame) -> pd.DataFrame:
    """Means of what is measured, over seeds; no chances, which are of one seed."""
    labels = [name for name in table.columns if name in _LABELS or name in view.study.further_keys]
    left_out = {*labels, *_OF_ONE_SEED}
    numbers = [
        name
        for name in table.select_dtypes("number").columns
        if name not in left_out and not name.endswith("_se")
    ]
    words = {"status": lambda said: " / ".join(sorted(set(said)))} if "status" in table else {}
    grouped = table.groupby(labels, dropna=False, sort=False)
    found = grouped.agg(dict.fromkeys(numbers, "mean") | words).reset_index()
    return found.reindex(columns=table.columns)


def _number(value: float) -> str:
    """Four digits, no exponents for small numbers, a true minus sign."""
    return (f"{value:.4g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.5f}").replace("-", "−")

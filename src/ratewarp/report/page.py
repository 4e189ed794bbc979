"""The page: one HTML file that opens anywhere, offline."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from plotly.offline import get_plotlyjs

from ratewarp.report.figures import make_figures
from ratewarp.report.interactive import map_explorer, plane
from ratewarp.report.style import figure_style
from ratewarp.report.views import RunView, scheme_title
from ratewarp.store import RunDirectory

SCREEN_DPI = 140  # of the dots in the page's maps

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
    "value": "value",
    "low": "95 % from",
    "high": "to",
    "p": "p",
    "p_adjusted": "p, corrected",
    "n": "stimuli",
    "note": "note",
}


def write_report(run: RunDirectory) -> Path:
    """Draws every figure of a finished run as PNG and PDF, and writes `report.html`.

    Arguments:
        run: a run directory whose tables are written.

    Returns:
        Path of the page.

    Raises:
        RatewarpError: the run is not finished, or its folder cannot be written.
    """
    view = RunView(run)
    needed = {"models": {**_DISTANCE_COLUMNS, **_MODEL_COLUMNS}, "tasks": _TASK_COLUMNS, "geometry": _GEOMETRY_COLUMNS}
    tables = {name: run.table(name, needs=[*columns]) for name, columns in needed.items()}
    pictures = {}
    for name, figure in make_figures(view):
        try:
            pictures[name] = _write_figure(run, name, figure)
        finally:
            plt.close(figure)
    run.write_text("report.html", _render(view, tables, pictures))
    return run.path / "report.html"


def _write_figure(run: RunDirectory, name: str, figure: Figure) -> Markup:
    """Writes a figure as PNG and PDF; returns it as an inline SVG image source."""
    with figure_style():
        for kind, metadata in (("png", {"Software": "ratewarp"}), ("pdf", {"CreationDate": None})):
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, metadata=metadata)
            run.write_bytes(f"figures/{name}.{kind}", stream.getvalue())
            figure.set_layout_engine("none")  # places are found once
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None}, dpi=SCREEN_DPI)
    return Markup("data:image/svg+xml;base64,") + base64.b64encode(stream.getvalue()).decode()


def _render(view: RunView, tables: Mapping[str, pd.DataFrame], pictures: Mapping[str, Markup]) -> str:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("ratewarp.report").joinpath("page.html").read_text(encoding="utf-8"))
    study = view.study
    return template.render(
        study=study,
        facts=_facts(view),
        pictures=pictures,
        sections=_model_sections(view),
        published=bool(view.published_models),
        few_capacities=len(view.panel_capacities) < len(view.capacities),
        plane=_interactive(plane(view), "plane"),
        maps=_interactive(map_explorer(view), "maps"),
        plotly=Markup(get_plotlyjs()),
        baseline_published="baseline" in view.published_models,
        distances=_table(tables["models"], _DISTANCE_COLUMNS),
        models=_table(tables["models"], _MODEL_COLUMNS),
        tasks=_table(tables["tasks"], _TASK_COLUMNS),
        geometry=_table(tables["geometry"], _GEOMETRY_COLUMNS),
        alerts=_alerts(tables["models"], study.reference),
        manifest=view.run.manifest,
    )


def _alerts(models: pd.DataFrame, reference: str) -> list[str]:
    """What a reader must know of models that diverged or missed their capacity."""
    alerts = []
    for row in models.query("status != 'ok'").to_dict("records"):
        name = f"{row['model']} at {row['capacity_nats']:g} nats, seed {row['seed']}"
        if row["status"] == "off target":
            alerts.append(f"{name}: off target. Its rate ended at {row['rate_nats']:.3g} nats; it does not show what its capacity does.")
            continue
        when = f" at step {row['diverged_at']:,.0f}" if pd.notna(row["diverged_at"]) else ""
        left_out = " The geometry of other models against it is left out." if row["model"] == reference else ""
        alerts.append(f"{name}: diverged{when}. Its numbers are not to be used.{left_out}")
    return alerts


def _facts(view: RunView) -> dict[str, str]:
    """What was run, in a few words each."""
    study, recipe = view.study, view.study.recipe
    manifest = view.run.manifest
    packages = manifest.get("packages", {})
    seconds = sum(session["seconds"] for session in manifest.get("sessions", []))
    steps = sorted({setting.recipe.steps for setting in study.settings.values()})
    counts = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    seeds = "1 seed" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    return {
        "Source": f"{study.source.kind}: {len(study.source.stimuli)} stimuli, images of {' × '.join(map(str, study.source.image_shape))}",
        "Trained": f"{len(study.conditions)} networks: {len(study.models)} models × {len(study.capacities_nats)} capacities × {seeds}",
        "Capacities": ", ".join(f"{c:g}" for c in study.capacities_nats) + " nats",
        "Recipe": f"{recipe.name}, {counts} steps of {recipe.batch_size} images",
        "Training set": f"{study.training_images:,} images",
        "Held out": f"{study.validation_each * len(study.source.stimuli):,} images ({study.validation_each} of every stimulus)",
        "Time": f"{seconds / 60:.1f} minutes on {manifest.get('device', {}).get('kind', '?')}",
        "Software": f"ratewarp {manifest.get('ratewarp', '?')}, JAX {packages.get('jax', '?')}",
    }


def _model_sections(view: RunView) -> list[dict[str, Any]]:
    """A section for every model but the reference and every one of its labellings."""
    study = view.study
    sections = []
    for model, setting in study.settings.items():
        if model == study.reference:
            continue
        for scheme in setting.class_schemes():
            title = scheme_title(scheme, setting)
            heading = title if scheme == model else f"{model}: {title}"
            sections.append({"model": model, "figure": f"model_{model}_{scheme}", "heading": heading})
    return sections


def _interactive(figure: PlotlyFigure, name: str) -> Markup:
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config={"displaylogo": False, "responsive": True}))


def _table(table: pd.DataFrame, columns: Mapping[str, str]) -> Markup:
    chosen = table.reindex(columns=list(columns)).set_axis(list(columns.values()), axis="columns")
    html = chosen.to_html(index=False, border=0, na_rep="", justify="left", float_format=_number, escape=True)
    return Markup(html)


def _number(value: float) -> str:
    """Four digits, no exponents for small numbers, a true minus sign."""
    return (f"{value:.4g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.5f}").replace("-", "−")

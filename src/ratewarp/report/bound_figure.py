"""The bound: curves of what is possible, with the models of a run on the plane of rate and distortion."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.bound_words import bound_of
from ratewarp.report.style import (
    DOUBLE,
    INK,
    MUTED,
    SINGLE,
    figure_style,
    model_colours,
    model_markers,
    note_below,
)
from ratewarp.report.views import RunView
from ratewarp.results.paper import published_distortion

FEW_MODELS = 8  # whose names have room above the curves
_HEIGHT = 3.1  # inches
_TARGET = "the noise-free mean image"
_BAND: dict[str, Any] = {"alpha": 0.13, "lw": 0}


def bound_figure(view: RunView) -> Figure | None:
    """Left: semantic distortion against rate, models above their curves. Right: raw distortion, between a
    curve that no code can be below and an achieved one. Both say "searched" where the certificates of the
    curves rest on a search.

    None for a study without a bound. Models of one frequency share a curve, which is drawn once.
    """
    curves = view.drawn_curves("bound")
    if curves.empty:
        return None
    names, sound = view.drawn.names, view.models.query("status != 'diverged'")
    shown = curves.query("model in @names")
    figure = plane_of_bounds(shown, sound, names, _published(view), **_words(view))
    told = bound_of(view.settings[view.study.reference])
    note_below(figure, "\n".join(filter(None, (told, view.note()))))
    return figure


def bound_panel(view: RunView, *, image: bool) -> Callable[[Axes], None] | None:
    """Draws one of the panels of `bound_figure`: of the stimulus, or of the `image`; None where there is
    none.
    """
    curves = view.drawn_curves("bound")
    if curves.empty or (image and not bool(curves["raw_low"].notna().any())):
        return None
    names, sound = view.drawn.names, view.models.query("status != 'diverged'")
    shown, words = curves.query("model in @names"), _words(view)
    if image:
        return partial(
            draw_image_bound,
            curves=shown,
            models=sound,
            names=names,
            published=_published(view),
            unit=words["unit"],
        )
    few = len(names) <= FEW_MODELS
    return partial(draw_bound, curves=shown, models=sound, names=names, legend=few, **words)


def _published(view: RunView) -> pd.DataFrame | None:
    known = "baseline" in view.published_models
    return published_distortion().query("model == 'baseline'") if known else None


def _words(view: RunView) -> dict[str, Any]:
    """Unit of distortion, and what it is a distance to."""
    words = {"unit": view.study.likelihood.UNIT}
    if view.study.source.stored is not None:
        words["target"] = "the image, which is its own mean"
    return words


def plane_of_bounds(
    curves: pd.DataFrame,
    models: pd.DataFrame,
    names: Sequence[str],
    published: pd.DataFrame | None = None,
    *,
    unit: str,
    target: str = _TARGET,
) -> Figure:
    """The figure of `bound_figure`, from tables.

    Arguments:
        curves: `tables/bound.csv`.
        models: `tables/models.csv`.
        names: models, in the order of their colours.
        published: distortion of a published model against its capacity, drawn as crosses.
        unit: of distortion, in words.
        target: what semantic distortion is a distance to.
    """
    raw = bool(curves["raw_low"].notna().any())
    many = len(names) > FEW_MODELS
    size = (DOUBLE if raw or many else SINGLE, _HEIGHT)
    figure, axes = plt.subplots(1, 1 + raw, figsize=size, squeeze=False, layout="constrained")
    draw_bound(axes[0, 0], curves, models, names, unit=unit, target=target, legend=not many)
    if raw:
        draw_image_bound(axes[0, 1], curves, models, names, published, unit=unit)
    if many:
        handles = axes[0, 0].get_legend_handles_labels()[0]
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def draw_bound(
    axes: Axes,
    curves: pd.DataFrame,
    models: pd.DataFrame,
    names: Sequence[str],
    *,
    unit: str,
    target: str = _TARGET,
    legend: bool = True,
) -> None:
    """Semantic distortion of models against rate, above the curves that no code can be below."""
    colours, owners = model_colours(names), _owners(curves)
    for model, sharing in owners.items():
        own = curves.query("model == @model")
        label = (
            "least possible"
            if len(owners) == 1
            else f"least possible: {', '.join(sharing) if len(sharing) < 3 else 'other models'}"
        )
        axes.plot(own["rate_nats"], own["distortion"], color=colours[model], lw=1.3, label=label)
    _draw_models(axes, models, names, "semantic_distortion")
    _dress(axes, f"semantic distortion, {unit}\nto {target}", _reach(curves, models))
    axes.set_title(f"Stimulus: no code can lie\nbelow its curve{_searched(curves)}")
    if legend:
        axes.legend(loc="upper right")


def draw_image_bound(
    axes: Axes,
    curves: pd.DataFrame,
    models: pd.DataFrame,
    names: Sequence[str],
    published: pd.DataFrame | None = None,
    *,
    unit: str,
) -> None:
    """Distortion of models to the image against rate, with a curve that no code can be below and an achieved
    one.
    """
    colours = model_colours(names)
    for model in _owners(curves):
        own, colour = curves.query("model == @model"), colours[model]
        axes.fill_between(own["rate_nats"], own["raw_low"], own["raw_high"], color=colour, label="_", **_BAND)
        axes.plot(own["rate_nats"], own["raw_high"], color=colour, lw=1.0, label="_")
        axes.plot(own["rate_nats"], own["raw_low"], color=colour, lw=1.0, ls=(0, (3, 2)), label="_")
    _draw_models(axes, models, names, "distortion", named=False)
    _name_raw(axes, published, _searched(curves))
    _dress(axes, f"distortion, {unit}\nto the image", _reach(curves, models))


def _draw_models(
    axes: Axes, models: pd.DataFrame, names: Sequence[str], column: str, *, named: bool = True
) -> None:
    colours, markers = model_colours(names), model_markers(names)
    for model in names:
        rows = models.query("model == @model")
        style: dict[str, Any] = {"ls": "", "ms": 4.8, "mec": "white", "mew": 0.5, "marker": markers[model]}
        label = model if named else "_"
        axes.plot(rows["rate_nats"], rows[column], label=label, color=colours[model], **style)


def _reach(curves: pd.DataFrame, models: pd.DataFrame) -> float:
    """Largest rate of the models; where there are none, of the curves."""
    return float((curves if models.empty else models)["rate_nats"].to_numpy().max())


def _owners(curves: pd.DataFrame) -> dict[str, list[str]]:
    """First model of every curve → all models that share it."""
    found: dict[bytes, list[str]] = {}
    for model, own in curves.groupby("model", sort=False):
        found.setdefault(own["distortion"].to_numpy().tobytes(), []).append(str(model))
    return {models[0]: models for models in found.values()}


def _name_raw(place: Axes, published: pd.DataFrame | None, searched: str) -> None:
    if published is not None:
        place.plot(
            published["capacity_nats"],
            published["distortion"],
            "x",
            color=INK,
            ms=5,
            mew=1.1,
            label="published baseline, at its capacity",
        )
    place.plot([], [], color=MUTED, lw=1.0, label="achieved")
    place.plot([], [], color=MUTED, lw=1.0, ls=(0, (3, 2)), label=f"no code is below{searched}")
    place.set_title("Image: its pixel noise\ncounts, too")
    place.legend(loc="upper right")


def _dress(place: Axes, ylabel: str, highest: float) -> None:
    place.set(xlabel="rate, nats", ylabel=ylabel, xlim=(0, 1.1 * highest), ylim=(0, None))
    place.spines[["top", "right"]].set_visible(False)
    place.grid(color=MUTED, alpha=0.15, lw=0.6)


def draw_curves(table: pd.DataFrame, models: pd.DataFrame | None, kind: str, unit: str) -> bytes:
    """A curve as an image file of this kind: with the models of a run if there are any, whose distortion is
    in `unit`, else alone.
    """
    with figure_style():
        if models is not None:
            names = list(dict.fromkeys(models["model"]))
            figure = plane_of_bounds(table, models.query("status != 'diverged'"), names, unit=unit)
        else:
            figure = _single(table, unit)
        stream = io.BytesIO()
        try:
            figure.savefig(stream, format=kind, dpi=200)
        finally:
            plt.close(figure)
    return stream.getvalue()


def _searched(table: pd.DataFrame) -> str:
    """Says so where certificates rest on a search."""
    return " (searched)" if "searched" in set(table["certificate"]) else ""


def _single(table: pd.DataFrame, unit: str) -> Figure:
    figure, place = plt.subplots(figsize=(SINGLE * 1.3, 3.4), layout="constrained")
    if "raw_low" in table:
        lowest = "lowest" if _searched(table) else "proved"
        place.fill_between(
            table["rate_nats"],
            table["raw_low"],
            table["raw_high"],
            color=MUTED,
            label=f"raw pixels: {lowest} to achieved",
            **_BAND,
        )
    place.plot(
        table["rate_nats"],
        table["distortion"],
        color=INK,
        marker="o",
        ms=2.2,
        lw=1.2,
        label=f"R(D), gap at most {table['gap_nats'].max():.1e} nats{_searched(table)}",
    )
    ylabel = f"distortion, {unit}" if unit else "distortion"
    place.set(xlabel="rate, nats", ylabel=ylabel, xlim=(0, None), ylim=(0, None))
    bits = place.secondary_xaxis(
        "top", functions=(lambda nats: nats / np.log(2), lambda bits: bits * np.log(2))
    )
    bits.set_xlabel("rate, bits")
    place.spines["right"].set_visible(False)
    place.grid(color=MUTED, alpha=0.15, lw=0.6)
    place.legend()
    return figure

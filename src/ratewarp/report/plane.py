"""The plane of rate and distortion: what was asked for, what was reached, what it bought."""

from __future__ import annotations

from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.legends import draw_others
from ratewarp.report.pictured import are_responses
from ratewarp.report.style import (
    DOUBLE,
    MUTED,
    RULE,
    SMALL,
    model_colours,
    model_markers,
    note_below,
    rate_ticks,
)
from ratewarp.report.views import RunView

# sideways shift that keeps models with equal values apart, in the logarithm of the axis
_SHIFT = 0.02
_ROWS = 8  # of a legend


def plane_figure(view: RunView) -> Figure:
    """Left: rate reached against target. Right: distortion against rate, with the pixel-noise floor of
    uniform stimuli.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(DOUBLE, 3.0), layout="constrained")
    draw_rates(left, view)
    draw_rate_distortion(right, view, legend=False)
    note_below(figure, view.note())
    return figure


def draw_rates(axes: Axes, view: RunView) -> None:
    """The rate that every model reached against the one that it was asked for."""
    models = view.drawn.names
    colours, markers = model_colours(models), model_markers(models)
    shifts = np.linspace(-1, 1, len(models)) * _SHIFT * (len(models) > 1)
    for model, shift in zip(models, shifts, strict=True):
        rows = view.models.query("model == @model").sort_values(by="rate_nats")
        style: dict[str, Any] = {"color": colours[model], "marker": markers[model], "ms": 5, "ls": ""}
        axes.plot(rows["abscissa"] * np.exp(2 * shift), rows["rate_nats"], label=model, **style)
    draw_others(axes, view, "abscissa", "rate_nats")
    capacities = sorted(view.study.capacities_nats)
    low, high = (end(capacities or view.models["abscissa"]) for end in (min, max))
    ends = np.array([low / 1.5, high * 1.5])
    axes.plot(ends, ends, color=RULE, lw=1.2, zorder=0)
    xlabel, title = "target rate (capacity), nats", "Rate against target"
    if not view.aims:
        xlabel, title = view.abscissa_title, "Rate of every seed"
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="rate reached, nats", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        rate_ticks(axis, capacities)
    axes.spines[["top", "right"]].set_visible(False)
    _legend(axes, "upper left")


def draw_rate_distortion(axes: Axes, view: RunView, *, legend: bool = True) -> None:
    """Distortion on held-out images against rate, a line a model and seed."""
    models = view.drawn.names
    colours, markers = model_colours(models), model_markers(models)
    for model in models:
        rows = view.models.query("model == @model").sort_values(by="rate_nats")
        style: dict[str, Any] = {"color": colours[model], "marker": markers[model], "ms": 5, "lw": 1}
        for number, (_, of_seed) in enumerate(rows.groupby("seed")):
            label = "_" if number else model
            axes.plot(of_seed["rate_nats"], of_seed["distortion"], label=label, **style)
    draw_others(axes, view, "rate_nats", "distortion", line=True)
    axes.set(
        xlabel="rate, nats",
        ylabel=f"distortion, {view.study.likelihood.UNIT}",
        title="Distortion against rate (held-out images)",
    )
    _draw_floor(axes, view)
    axes.spines[["top", "right"]].set_visible(False)
    if legend:
        _legend(axes, "upper right")


def _legend(axes: Axes, where: Literal["upper left", "upper right"]) -> None:
    axes.legend(loc=where, ncols=1 + (len(axes.get_legend_handles_labels()[0]) > _ROWS))


def _draw_floor(right: Axes, view: RunView) -> None:
    floor = floor_of_noise(view)
    if floor is None:
        return
    right.axhline(floor, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    right.annotate(
        noise_note(view),
        (0, floor),
        (4, 4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=SMALL,
        color=MUTED,
    )


def noise_note(view: RunView) -> str:
    """What the floor is."""
    return f"{'response' if are_responses(view.study.source) else 'pixel'} noise, uniform stimuli"


def floor_of_noise(view: RunView) -> float | None:
    """What remains of the distortion when the stimulus is known, uniform stimuli; None where unknown: but for
    binary pixels, and for counts under a likelihood that is for these alone.
    """
    source, likelihood = view.study.source, view.study.likelihood
    counts = source.pixels == "count" and set(likelihood.PIXELS) == {"count"}
    drawn = source.stored is None and source.independent_pixels
    if not drawn or not (source.pixels == "binary" or counts):
        return None
    means = view.settings[view.study.reference].mean_images()
    return None if means is None else likelihood.noise_floor(np.full(len(means), 1 / len(means)), means)

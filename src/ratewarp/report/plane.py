"""The plane of rate and distortion: what was asked for, what was reached, what it bought."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp.report.legends import draw_others
from ratewarp.report.pictured import are_responses
from ratewarp.report.style import MUTED, RULE, model_colours, model_markers, note_below, rate_ticks
from ratewarp.report.views import RunView

# sideways shift that keeps models with equal values apart, in the logarithm of the axis
_SMALL_FRACTION = 0.02
_ROWS = 8  # of a legend


def plane_figure(view: RunView) -> Figure:
    """Left: rate reached against target. Right: distortion against rate, with the pixel-noise floor of
    uniform stimuli.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.7), layout="constrained")
    table, models = view.models, view.drawn.names
    colours, markers = model_colours(models), model_markers(models)
    shifts = np.linspace(-1, 1, len(models)) * _SMALL_FRACTION * (len(models) > 1)
    for model, shift in zip(models, shifts, strict=True):
        rows = table.query("model == @model").sort_values(by="rate_nats")
        style = {"color": colours[model], "marker": markers[model], "ms": 5, "ls": "", "label": model}
        left.plot(rows["abscissa"] * np.exp(2 * shift), rows["rate_nats"], **style)
        for _, seed_rows in rows.groupby("seed"):
            right.plot(
                seed_rows["rate_nats"], seed_rows["distortion"], **{**style, "ls": "-", "lw": 1, "label": "_"}
            )
    draw_others(left, view, "abscissa", "rate_nats")
    draw_others(right, view, "rate_nats", "distortion", line=True)

    _dress_target(left, view)
    right.set(
        xlabel="rate, nats",
        ylabel=f"distortion, {view.study.likelihood.UNIT}",
        title="Distortion against rate (held-out images)",
    )
    _draw_floor(right, view)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    note_below(figure, view.note())
    return figure


def _dress_target(left: Axes, view: RunView) -> None:
    """The line of equal rate and target, ticks at the capacities, and the legend of both panels."""
    capacities = sorted(view.study.capacities_nats)
    low, high = (end(capacities or view.models["abscissa"]) for end in (min, max))
    ends = np.array([low / 1.5, high * 1.5])
    left.plot(ends, ends, color=RULE, lw=1.2, zorder=0)
    xlabel, title = "target rate (capacity), nats", "Rate against target"
    if not view.aims:
        xlabel, title = view.abscissa_title, "Rate of every seed"
    left.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="rate reached, nats", title=title)
    for axis in (left.xaxis, left.yaxis):
        rate_ticks(axis, capacities)
    handles, _ = left.get_legend_handles_labels()
    left.legend(
        loc="upper left",
        ncols=1 + (len(handles) > _ROWS),
        fontsize="x-small" if len(handles) > _ROWS else None,
    )


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
        fontsize=7,
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

"""Figures: each resolves what it shows from a run's view, draws it, and returns the figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ratewarp.report.bound import bound_figure
from ratewarp.report.classes import MANY, class_ticks
from ratewarp.report.curves import distortion_figure, f1_figure
from ratewarp.report.normative import normative_figure
from ratewarp.report.panels import draw_image, draw_map, draw_matrix, draw_tuning, factor_colours, map_extent, stimulus_colours
from ratewarp.report.stimuli import capacity_figure, images_figure
from ratewarp.report.style import MUTED, RULE, class_colours, figure_style, model_colours, model_markers
from ratewarp.report.views import ConditionView, RunView, class_names, scheme_title
from ratewarp.report.warps import warps_figure
from ratewarp.studies import Setting

_LIMIT = 0.98  # quantile of the entries of a matrix of many classes at which the colours end
_SMALL_FRACTION = 0.02  # sideways shift that keeps models with equal values apart, in the logarithm of the axis
_WIDE: dict[Any, Any] = {"font.size": 10.5, "axes.titlesize": 10.5, "axes.labelsize": 10.5, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5}


def make_figures(view: RunView) -> Iterator[tuple[str, Figure]]:
    """Every figure of a run with its name, one drawn when the one before is done with."""
    drawings: dict[str, Callable[[RunView], Figure | None]] = {
        "images": images_figure,
        "overview": overview_figure,
        "rate_distortion": plane_figure,
        "distortion": distortion_figure,
        "examples": examples_figure,
        f"model_{view.study.reference}": reference_figure,
        "bound": bound_figure,
        "f1": f1_figure,
        "capacity": capacity_figure,
        "warps": warps_figure,
        "normative": normative_figure,
    }
    for model in view.study.models:
        for scheme in view.study.settings[model].class_schemes() if model != view.study.reference else ():
            drawings[f"model_{model}_{scheme}"] = partial(model_figure, model=model, scheme=scheme)
    for name, draw in drawings.items():
        with figure_style():
            figure = draw(view)
        if figure is not None:
            yield name, figure


def overview_figure(view: RunView) -> Figure:
    """Maps of all models, capacity falling from top to bottom; models with a labelling are coloured by it, the others by a factor."""
    models, capacities = list(view.study.models), view.capacities
    figure, axes = plt.subplots(
        len(capacities), len(models), figsize=(2.55 * len(models) + 0.5, 2.5 * len(capacities) + 0.75), squeeze=False, layout="constrained"
    )
    for (row, capacity), (column, model) in product(enumerate(capacities), enumerate(models)):
        place, shown = axes[row, column], view.shown[model, capacity]
        extent = map_extent([view.shown[m, capacity] for m in models])
        draw_map(place, shown, _own_colours(shown), extent=extent, labels=False)
        if column == 0:
            place.set_ylabel(f"{capacity:g} nats", fontsize="large")
        if row == 0:
            place.set_title(model, fontsize=11, fontweight="bold", pad=8)
        if row == len(capacities) - 1:
            _class_legend(place, shown)
    figure.supxlabel(view.seed_note, x=0.995, ha="right", fontsize="small", color=MUTED)
    return figure


def _own_colours(view: ConditionView) -> np.ndarray:
    schemes = view.condition.setting.class_schemes()
    if not schemes:
        return factor_colours(view.record["factor_value"].values[:, 0])
    return stimulus_colours(next(iter(schemes.values())))


def _class_legend(axes: Axes, view: ConditionView) -> None:
    """Says below the axes what the colours mean."""
    schemes = view.condition.setting.class_schemes()
    if not schemes:
        axes.set_xlabel(f"colour: {view.record['factor'].values[0]}, low (dark) to high (bright)", color=MUTED, labelpad=8)
        return
    scheme, labels = next(iter(schemes.items()))
    _scheme_legend(axes, scheme, int(labels.max()) + 1, view.condition.setting)


def _scheme_legend(axes: Axes, scheme: str, classes: int, setting: Setting) -> None:
    """What a labelling's colours mean, below the axes."""
    names = class_names(scheme, classes)
    if not names:
        axes.set_xlabel(f"colour: class of {scheme},\nfirst (blue) to last (red)", color=MUTED, labelpad=8)
        return
    axes.set_xlabel(scheme_title(scheme, setting), color=MUTED, labelpad=4)
    dots = [Line2D([], [], marker="o", ls="", ms=4.5, mec="none", color=c, label=n) for c, n in zip(class_colours(2), names, strict=True)]
    axes.legend(handles=dots, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, handletextpad=0.1, columnspacing=1)


def plane_figure(view: RunView) -> Figure:
    """Left: rate reached against target. Right: distortion against rate, with the pixel-noise floor of uniform stimuli."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.7), layout="constrained")
    table, models = view.models, list(view.study.models)
    colours, markers = model_colours(models), model_markers(models)
    shifts = np.linspace(-1, 1, len(models)) * _SMALL_FRACTION * (len(models) > 1)
    for model, shift in zip(models, shifts, strict=True):
        rows = table.query("model == @model").sort_values(by="rate_nats")
        style = {"color": colours[model], "marker": markers[model], "ms": 5, "ls": "", "label": model}
        left.plot(rows["capacity_nats"] * np.exp(2 * shift), rows["rate_nats"], **style)
        for _, seed_rows in rows.groupby("seed"):
            right.plot(seed_rows["rate_nats"], seed_rows["distortion"], **{**style, "ls": "-", "lw": 1, "label": "_"})
    capacities = np.array(sorted(view.study.capacities_nats))
    ends = np.array([capacities[0] / 1.5, capacities[-1] * 1.5])
    left.plot(ends, ends, color=RULE, lw=1.2, zorder=0)
    left.set(xscale="log", yscale="log", xlabel="target rate (capacity), nats", ylabel="rate reached, nats", title="Rate against target")
    for axis in (left.xaxis, left.yaxis):
        axis.set_ticks(capacities, labels=[f"{c:g}" for c in capacities])
        axis.set_minor_locator(NullLocator())
    left.legend(loc="upper left")
    floor = noise_floor(view)
    right.axhline(floor, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    note = "pixel noise, uniform stimuli"
    right.annotate(note, (0, floor), (4, 4), xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=7, color=MUTED)
    right.set(xlabel="rate, nats", ylabel="distortion, squared error per pixel", title="Distortion against rate (held-out images)")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def noise_floor(view: RunView) -> float:
    """Mean variance of a pixel around its stimulus's mean image, uniform stimuli: what remains when the stimulus is known."""
    means = view.study.source.mean_images()
    return float(np.mean(means * (1 - means)))


def reference_figure(view: RunView) -> Figure:
    """The reference model, a row a capacity (`RunView.panel_capacities`): its map coloured by each factor, and its tuning curves."""
    capacities = view.panel_capacities
    first = view.shown[view.study.reference, capacities[0]]
    factors, latents = first.record["factor"].values, len(first.order)
    figure = plt.figure(figsize=(2.3 * len(factors) + 0.85 * latents + 0.6, 2.35 * len(capacities) + 0.5))
    grid = GridSpec(
        len(capacities),
        len(factors) + 1,
        figure,
        width_ratios=[*[2.3] * len(factors), 0.85 * latents],
        wspace=0.08,
        hspace=0.14,
        left=0.04,
        right=0.99,
        top=0.93,
        bottom=0.03,
    )
    for row, capacity in enumerate(capacities):
        shown = view.shown[view.study.reference, capacity]
        for column, factor in enumerate(factors):
            axes = figure.add_subplot(grid[row, column])
            colours = factor_colours(shown.record["factor_value"].values[:, column])
            draw_map(axes, shown, colours, extent=map_extent([shown]), title=f"codes, coloured by {factor}" if row == 0 else "")
            if column == 0:
                axes.set_ylabel(f"{capacity:g} nats", fontsize="large")
        lowest = row == len(capacities) - 1
        _tuning_row(figure, grid[row, len(factors)], shown, heading="tuning curves" if row == 0 else "", lowest=lowest)
    _note_seed(figure, view)
    return figure


def model_figure(view: RunView, model: str, scheme: str) -> Figure:
    """One model under one labelling: reference map and tuning, its own map and tuning, class distortion matrix.

    A row is a capacity of `RunView.panel_capacities`.
    """
    with rc_context(_WIDE):
        return _model_figure(view, model, scheme)


def _model_figure(view: RunView, model: str, scheme: str) -> Figure:
    capacities = view.panel_capacities
    latents = len(view.shown[model, capacities[0]].order)
    labels = view.study.settings[model].class_schemes()[scheme]
    classes = int(labels.max()) + 1
    strip, scale = 0.68 * latents, 0.95 if classes >= MANY else 0.02
    figure = plt.figure(figsize=(2 * (2.2 + strip) + 2.6 + scale, 2.25 * len(capacities) + 0.95))
    grid = GridSpec(
        len(capacities),
        7,
        figure,
        width_ratios=[2.2, strip, 2.2, strip, 0.2, 1.7, scale],
        wspace=0.07,
        hspace=0.12,
        left=0.025,
        right=0.995,
        top=0.915,
        bottom=0.12,
    )
    for row, capacity in enumerate(capacities):
        first, last = row == 0, row == len(capacities) - 1
        shown = view.shown[model, capacity]
        reference = view.reference_of(shown)
        extent = map_extent([shown, reference])
        for column, (one, name) in enumerate(((reference, view.study.reference), (shown, model))):
            axes = figure.add_subplot(grid[row, 2 * column])
            draw_map(axes, one, stimulus_colours(labels), extent=extent, title=name if first else "")
            axes.title.set_fontweight("bold")
            if column == 0:
                axes.set_ylabel(f"{capacity:g} nats", fontsize="large")
            if last:
                _scheme_legend(axes, scheme, classes, shown.condition.setting)
            _tuning_row(figure, grid[row, 2 * column + 1], one, heading=f"tuning curves, {name}" if first else "", lowest=last)
    _matrix_column(figure, grid, view, model, scheme)
    _note_seed(figure, view)
    return figure


def _matrix_column(figure: Figure, grid: GridSpec, view: RunView, model: str, scheme: str) -> None:
    """Class distortion matrices, a row a capacity, on one scale; that scale beside them where no numbers are written in them."""
    capacities = view.panel_capacities
    labels = view.study.settings[model].class_schemes()[scheme]
    classes = int(labels.max()) + 1
    matrices = {capacity: view.distortion_matrix(view.shown[model, capacity], scheme) for capacity in capacities}
    entries = [np.abs(matrix.values).ravel() for matrix in matrices.values() if matrix is not None]
    whole = _LIMIT if classes >= MANY else 1
    limit = max([0.1, *(float(np.quantile(one, whole)) for one in entries)])
    record = view.shown[model, capacities[0]].record
    ticks = class_ticks(labels, record["factor_value"].values, list(record["factor"].values))
    image = None
    for row, (capacity, matrix) in enumerate(matrices.items()):
        axes = figure.add_subplot(grid[row, 5])
        heading = f"class distortion\n{model} against {view.study.reference}" if row == 0 else ""
        if matrix is None:
            axes.set(xticks=[], yticks=[], title=heading, aspect="equal")
            axes.text(0.5, 0.5, f"not defined\nat {capacity:g} nats", ha="center", va="center", transform=axes.transAxes, color=MUTED)
            continue
        image = draw_matrix(axes, matrix, limit=limit, names=class_names(scheme, classes), title=heading, ticks=ticks)
        if classes >= MANY and row == len(capacities) - 1:
            axes.set_xlabel(ticks.title.replace(", by", ",\nby"), fontsize="x-small", color=MUTED, labelpad=2)
    if image is not None and classes >= MANY:
        place = grid[:, 6].subgridspec(3, 3, width_ratios=[0.2, 1, 6], height_ratios=[0.4, 1, 0.4])
        bar = figure.colorbar(image, cax=figure.add_subplot(place[1, 1]), extend="both")
        bar.set_label("distance ratio,\nminus its mean over all pairs", fontsize="x-small")
        bar.ax.tick_params(labelsize="x-small", length=2, color=RULE)
        bar.outline.set_visible(False)  # type: ignore[operator]


def _note_seed(figure: Figure, view: RunView) -> None:
    """Says in the lower right corner which seed is shown."""
    figure.text(0.995, 0.012, view.seed_note, ha="right", va="bottom", fontsize="small", color=MUTED)


def _tuning_row(figure: Figure, cell: object, view: ConditionView, *, heading: str, lowest: bool) -> None:
    """A row of tuning curves in a grid cell, with a heading above, the first factor at the side, the second below the lowest row."""
    latents = len(view.order)
    inner = cell.subgridspec(1, latents, wspace=0.1)  # type: ignore[attr-defined]
    axes = [figure.add_subplot(inner[0, i]) for i in range(latents)]
    draw_tuning(axes, view)
    down, across = view.record["factor"].values[:2]
    axes[0].set_ylabel(f"← {down}", fontsize="x-small", color=MUTED, labelpad=2)  # turned, so that the arrow points down
    if lowest:
        below: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center", "va": "top"}
        axes[0].annotate(f"{across} →", (0.5, 0), (0, -16), fontsize="x-small", color=MUTED, **below)
    if heading:
        middle = axes[latents // 2]
        middle.annotate(
            f"{heading}\n(number below: rate of the latent, nats)",
            (0.5, 1),
            (0, 20),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="bottom",
        )


def examples_figure(view: RunView, stimuli: int = 8) -> Figure:
    """Images of some stimuli, above what each model makes of them (decoded mean code) at each of `RunView.panel_capacities`."""
    shown = [view.shown[m, c] for m, c in product(view.study.models, view.panel_capacities)]
    record = shown[0].record
    chosen = np.linspace(0, record.sizes["stimulus_index"] - 1, stimuli + 2).round().astype(int)[1:-1]
    rows = len(shown) + 1
    figure, axes = plt.subplots(rows, stimuli, figsize=(0.8 * stimuli + 1.5, 0.84 * rows + 0.4), squeeze=False)
    figure.subplots_adjust(left=0.17, right=0.99, top=0.95, bottom=0.01, wspace=0.06, hspace=0.06)
    names = record["factor"].values
    for column, stimulus in enumerate(chosen):
        draw_image(axes[0, column], record["image"].values[stimulus])
        values = record["factor_value"].values[stimulus]
        axes[0, column].set_title("\n".join(f"{n} = {v}" for n, v in zip(names, values, strict=True)), fontsize=6.5)
        for row, one in enumerate(shown, start=1):
            draw_image(axes[row, column], one.record["reconstruction"].values[stimulus])
    for row, text in enumerate(["image", *(f"{v.condition.model}\n{v.condition.capacity_nats:g} nats" for v in shown)]):
        axes[row, 0].set_ylabel(text, rotation=0, ha="right", va="center", labelpad=8)
    return figure

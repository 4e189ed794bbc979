"""Figures: each resolves what it shows from a run's view, draws it, and returns the figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.image import AxesImage

from ratewarp.report.bound_figure import bound_figure
from ratewarp.report.classes import MANY, class_ticks, sparse_ticks
from ratewarp.report.curves import distortion_figure, f1_figure
from ratewarp.report.examples import examples_figure
from ratewarp.report.factor_grid import cut
from ratewarp.report.factor_maps import factors_figure, tuning_heading
from ratewarp.report.image_sheet import images_figure
from ratewarp.report.legends import scheme_legend
from ratewarp.report.normative_figure import normative_figure
from ratewarp.report.overview import overview_figure
from ratewarp.report.panels import draw_map, draw_matrix, map_extent
from ratewarp.report.phase_figures import phase_figure, phase_indices_figure, phase_slices_figure
from ratewarp.report.pictured import are_seen
from ratewarp.report.plane import plane_figure
from ratewarp.report.stimuli import capacity_figure
from ratewarp.report.style import MUTED, RULE, fitted
from ratewarp.report.tuning_rows import draw_tuning_row, height_of_rows, shown_latents
from ratewarp.report.views import RunView, class_names, scheme_colours
from ratewarp.report.warps import warps_figure

_LETTERS = 16  # of two names that have room over a matrix
_LETTERS_OF_CLASSES = 24  # of all names of classes that have room beside a matrix
_LETTERS_A_LATENT = 3  # of a name that has room over tuning curves
_LIMIT = 0.98  # quantile of the entries of a matrix of many classes at which the colours end
_WIDE: dict[Any, Any] = {
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
}


Drawing = Callable[[RunView], Figure | None]


def drawings(view: RunView) -> dict[str, Drawing]:
    """What draws every figure of a run, by the name of its files, in order; None where there is nothing to
    draw.
    """
    found: dict[str, Drawing] = {
        "images": images_figure,
        "overview": overview_figure,
        "rate_distortion": plane_figure,
        "distortion": distortion_figure,
        "examples": examples_figure,
        reference_name(view): reference_figure,
        "bound": bound_figure,
        "f1": f1_figure,
        "capacity": capacity_figure,
        "warps": warps_figure,
        "normative": normative_figure,
        "phases": phase_figure,
        "phase_indices": phase_indices_figure,
        "phase_slices": phase_slices_figure,
    }
    for (model, scheme), name in model_names(view).items():
        found[name] = partial(model_figure, model=model, scheme=scheme)
    return found


def reference_name(view: RunView) -> str:
    """Name of the figure of the reference model."""
    return f"model_{view.study.reference}"


def model_names(view: RunView) -> dict[tuple[str, str], str]:
    """Name of the figure of every model but the reference under each of its labellings; of very many, of
    some.

    A name that two would have, also where a disk takes capitals for small letters, gets a number. So no
    figure replaces another.
    """
    taken = {reference_name(view).lower()}
    names = {}
    for model, scheme in view.model_schemes:
        name = stem = f"model_{model}_{scheme}"
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        names[model, scheme] = name
    return names


def reference_figure(view: RunView) -> Figure:
    """The reference model, a row per level (`RunView.panel_levels`): its map coloured by each factor, and its
    tuning curves.
    """
    first = view.shown(view.study.reference, view.panel_levels[0])
    if not first.grid.is_plane or are_seen(first.condition.setting.source):
        return factors_figure(view)
    levels, factors, latents = view.panel_levels, first.grid.names, shown_latents(first)
    figure = plt.figure(figsize=(2.3 * len(factors) + 0.85 * latents + 0.6, 2.35 * len(levels) + 0.5))
    grid = GridSpec(
        len(levels),
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
    for row, level in enumerate(levels):
        shown = view.shown(view.study.reference, level)
        for column, factor in enumerate(factors):
            axes = figure.add_subplot(grid[row, column])
            colours = shown.grid.stimulus_colours(column)
            draw_map(
                axes,
                shown,
                colours,
                extent=map_extent([shown]),
                title=f"codes, coloured by {factor}" if row == 0 else "",
            )
            if column == 0:
                axes.set_ylabel(view.label(level), fontsize="large")
        lowest = row == len(levels) - 1
        heading = tuning_heading(shown) if row == 0 else ""
        draw_tuning_row(figure, grid[row, len(factors)], shown, heading=heading, lowest=lowest)
    _note_seed(figure, view)
    return figure


def model_figure(view: RunView, model: str, scheme: str) -> Figure:
    """One model under one labelling: reference map and tuning, its own map and tuning, class distortion
    matrix.

    A row is a level of `RunView.panel_levels`.
    """
    with rc_context(_WIDE):
        return _model_figure(view, model, scheme)


def _model_figure(view: RunView, model: str, scheme: str) -> Figure:
    levels = view.panel_levels
    highest = view.shown(model, levels[0])
    latents = shown_latents(highest)
    labels = view.settings[model].class_schemes()[scheme]
    classes = int(labels.max()) + 1
    strip, scale = 0.68 * latents, 0.95 if classes >= MANY else 0.02
    height = max(2.25, height_of_rows(highest))
    figure = plt.figure(figsize=(2 * (2.2 + strip) + 2.6 + scale, height * len(levels) + 0.95))
    grid = GridSpec(
        len(levels),
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
    for row, level in enumerate(levels):
        first, last = row == 0, row == len(levels) - 1
        shown = view.shown(model, level)
        reference = view.reference_of(shown)
        extent = map_extent([shown, reference])
        for column, (one, name) in enumerate(((reference, view.study.reference), (shown, model))):
            axes = figure.add_subplot(grid[row, 2 * column])
            colours = scheme_colours(scheme, view.settings[model])
            draw_map(axes, one, colours, extent=extent, title=name if first else "")
            axes.title.set(fontweight="bold", fontsize=fitted(_WIDE["axes.titlesize"], name))
            if column == 0:
                axes.set_ylabel(view.label(level), fontsize="large")
            heading = (
                f"tuning curves, {name}" if len(name) <= _LETTERS_A_LATENT * latents else "tuning curves"
            )
            if last:
                scheme_legend(axes, scheme, classes, shown.condition.setting)
            draw_tuning_row(
                figure,
                grid[row, 2 * column + 1],
                one,
                heading=heading if first else "",
                lowest=last,
                scheme=scheme,
            )
    _matrix_column(figure, grid, view, model, scheme)
    _note_seed(figure, view)
    return figure


def _matrix_column(figure: Figure, grid: GridSpec, view: RunView, model: str, scheme: str) -> None:
    """Class distortion matrices, a row per level of `RunView.panel_levels`, on one scale, which is shown
    where they have no numbers.
    """
    levels = view.panel_levels
    labels = view.settings[model].class_schemes()[scheme]
    classes = int(labels.max()) + 1
    matrices = {level: view.distortion_matrix(view.shown(model, level), scheme) for level in levels}
    entries = [np.abs(matrix.values).ravel() for matrix in matrices.values() if matrix is not None]
    whole = _LIMIT if classes >= MANY else 1
    limit = max([0.1, *(float(np.nanquantile(one, whole)) for one in entries)])
    names = class_names(scheme, classes, view.settings[model])
    grid_of = view.shown(model, levels[0]).grid
    ticks = (
        sparse_ticks([cut(name, _LETTERS) for name in names])
        if names
        else class_ticks(labels, grid_of.values, grid_of.names)
    )
    image = None
    for row, (level, matrix) in enumerate(matrices.items()):
        axes = figure.add_subplot(grid[row, 5])
        heading = f"class distortion\n{_against(model, view.study.reference)}" if row == 0 else ""
        if matrix is None:
            _say_undefined(axes, heading, view.label(level))
            continue
        short = [cut(name, max(4, _LETTERS_OF_CLASSES // classes)) for name in names]
        image = draw_matrix(axes, matrix, limit=limit, names=short, title=heading, ticks=ticks)
        if classes >= MANY and row == len(levels) - 1:
            words = ticks.title.replace(", by", ",\nby")
            axes.set_xlabel(words, fontsize="x-small", color=MUTED, labelpad=2)
    if image is not None and classes >= MANY:
        _draw_scale(figure, grid, image)


def _say_undefined(axes: Axes, heading: str, at: str) -> None:
    """In place of a matrix that there is not."""
    axes.set(xticks=[], yticks=[], title=heading, aspect="equal")
    middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, f"not defined\nat {at}", color=MUTED, **middle)


def _draw_scale(figure: Figure, grid: GridSpec, image: AxesImage) -> None:
    """The colours of matrices without numbers, beside them."""
    place = grid[:, 6].subgridspec(3, 3, width_ratios=[0.2, 1, 6], height_ratios=[0.4, 1, 0.4])
    bar = figure.colorbar(image, cax=figure.add_subplot(place[1, 1]), extend="both")
    bar.set_label("distance ratio,\nminus its mean over all pairs", fontsize="x-small")
    bar.ax.tick_params(labelsize="x-small", length=2, color=RULE)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _against(model: str, reference: str) -> str:
    """Which model is set against which, in one line or two."""
    between = "\n" if len(model) + len(reference) > _LETTERS else " "
    return f"{model}{between}against {reference}"


def _note_seed(figure: Figure, view: RunView) -> None:
    """Says in the lower right corner which seed is shown."""
    note = " · ".join(filter(None, (view.mapped_note, view.seed_note)))
    figure.text(0.995, 0.012, note, ha="right", va="bottom", fontsize="small", color=MUTED)

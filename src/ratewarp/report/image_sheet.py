"""The figure of images: over the plane of two factors, along each of several, or some of every class."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ratewarp.report.factor_grid import FactorGrid, cut, factor_grid, shortened
from ratewarp.report.pictured import (
    draw_picture,
    highest_response,
    image_of,
    mean_responses,
    pictured_stimuli,
)
from ratewarp.report.selection import thinned
from ratewarp.report.style import MUTED
from ratewarp.report.views import RunView

_PLANE = 5  # values of each factor of a plane
_ACROSS, _DOWN = 8, 10  # images of a sheet
_BARE = 5  # rows and columns of images that are not described
_SIDE, _ABOVE = 0.8, 0.18  # of an image and the line over it, inches
_LETTERS = 11
_SHORT = 12  # letters of a title in larger type


class Cell(NamedTuple):
    """One image of the figure: which of those that the record has, and what is written over it."""

    place: int
    title: str


class Strip(NamedTuple):
    """A row of images, and what it is of."""

    cells: list[Cell | None]
    name: str


def images_figure(view: RunView) -> Figure:
    """One image of stimuli spread over the plane of two factors, first down and second across. Else values
    along each factor, the others as near to one stimulus as there are images; or several images of every
    value of one factor; or some images.
    """
    condition = view.conditions[0]
    record, setting = view.record(condition), condition.setting
    grid, pictured = factor_grid(record, setting.source), pictured_stimuli(record)
    strips = strips_of(grid, pictured)
    shown = [cell.place for strip in strips for cell in strip.cells if cell is not None]
    expected = mean_responses(setting, pictured)
    note = grid.note if expected is None else "bars: a response; line: its mean"
    highest = highest_response(None if expected is None else expected[shown], record["image"].values[shown])
    figure, axes = _panels(strips, grid.is_plane, note)
    for (i, strip), j in product(enumerate(strips), range(axes.shape[1])):
        place = axes[i, j]
        cell = strip.cells[j] if j < len(strip.cells) else None
        if cell is None:
            place.set_axis_off()
            continue
        line = None if expected is None else expected[cell.place]
        image = image_of(record, cell.place, setting.source)
        draw_picture(place, image, setting.source, highest=highest, expected=line)
        small = not grid.is_plane or len(cell.title) > _SHORT
        place.set_title(cell.title, pad=None if grid.is_plane else 3, fontsize=7 if small else None)
        if j == 0 and grid.is_plane:
            place.set_ylabel(strip.name)
        elif j == 0:
            place.set_ylabel(strip.name, rotation=0, ha="right", va="center", labelpad=6)
    low = 0.06 / figure.get_figheight()
    figure.text(0.98, low, note, ha="right", va="bottom", fontsize="small", color=MUTED)
    return figure


def _panels(strips: list[Strip], plane: bool, note: str) -> tuple[Figure, np.ndarray]:
    """A place for every image."""
    across, each = max(len(strip.cells) for strip in strips), 0.95 if plane else _SIDE + _ABOVE
    side = 0.7 if plane else 1.15 if strips[0].name else 0.2
    width, height = 0.95 * across + side, each * len(strips) + 0.6
    figure, axes = plt.subplots(len(strips), across, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(
        left=0.13 if plane else (side - 0.1) / width,
        right=0.98,
        top=0.93 if plane else 1 - 0.25 / height,
        bottom=0.02 if plane and not note else 0.3 / height,
        wspace=0.08,
        hspace=0.08 if plane else (_ABOVE + 0.06) / _SIDE,
    )
    return figure, axes


def strips_of(grid: FactorGrid, pictured: np.ndarray) -> list[Strip]:
    """Rows of the figure.

    Arguments:
        grid: factors of all stimuli.
        pictured: stimuli that have an image.
    """
    ranks = grid.ranks[pictured]
    if grid.is_plane:
        return _plane(grid, ranks)
    if not grid.names:
        shown = thinned(range(len(pictured)), _BARE**2)
        cells = [Cell(place, "") for place in shown]
        return [Strip([*cells[first : first + _BARE]], "") for first in range(0, len(cells), _BARE)]
    if len(grid.names) == 1 and not grid.are_apart:
        return _by_value(grid, ranks)
    return [_along(grid, ranks, factor) for factor in grid.shown]


def _plane(grid: FactorGrid, ranks: np.ndarray) -> list[Strip]:
    place = {(int(row), int(column)): number for number, (row, column) in enumerate(ranks)}
    down, across = (_spread(np.arange(size), _PLANE) for size in grid.sizes)
    strips = []
    for row in down:
        found = [place.get((int(row), int(column))) for column in across]
        titles = [shortened(grid.names[1], grid.words[1][c]) if row == down[0] else "" for c in across]
        cells = [None if one is None else Cell(one, t) for one, t in zip(found, titles, strict=True)]
        strips.append(Strip(cells, shortened(grid.names[0], grid.words[0][row])))
    return strips


def _by_value(grid: FactorGrid, ranks: np.ndarray) -> list[Strip]:
    """Several images of every value, or of some that are evenly spread."""
    strips = []
    for value in _spread(np.unique(ranks[:, 0]), _DOWN):
        own = _spread(np.flatnonzero(ranks[:, 0] == value), _ACROSS)
        name = f"{cut(grid.names[0], _LETTERS)}\n{cut(grid.words[0][value], _LETTERS)}"
        strips.append(Strip([Cell(int(one), "") for one in own], name))
    return strips


def _along(grid: FactorGrid, ranks: np.ndarray, factor: int) -> Strip:
    """One image for values of a factor, whose other factors are as near as can be to those of the stimulus in
    the middle.
    """
    sizes = np.maximum(np.array(grid.sizes) - 1, 1)
    apart = np.abs(ranks - ranks[_middle(ranks)]) / sizes + (ranks != ranks[_middle(ranks)])
    apart[:, factor] = 0
    cells: list[Cell | None] = []
    for value in _spread(np.unique(ranks[:, factor]), _ACROSS):
        own = np.flatnonzero(ranks[:, factor] == value)
        nearest = own[np.argmin(apart[own].sum(axis=1))]
        cells.append(Cell(int(nearest), cut(grid.words[factor][value], _LETTERS)))
    return Strip(cells, cut(grid.names[factor], _LETTERS))


def _middle(ranks: np.ndarray) -> int:
    """The stimulus that is nearest to the middle of all."""
    centred = ranks - np.median(ranks, axis=0)
    return int(np.argmin(np.abs(centred / np.maximum(np.ptp(ranks, axis=0), 1)).sum(axis=1)))


def _spread(values: np.ndarray, most: int) -> np.ndarray:
    return values[np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)]

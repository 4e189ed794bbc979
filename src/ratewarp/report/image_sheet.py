"""The figure of images: over the plane of two factors, along each of several, or some of every class."""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ratewarp.report.factor_grid import FactorGrid, cut, factor_grid, shortened
from ratewarp.report.inches import axes_at, height_of_note, note_at_foot
from ratewarp.report.mosaic import Mosaic, Tile, draw_mosaic
from ratewarp.report.pictured import (
    highest_response,
    image_of,
    mean_responses,
    pictured_stimuli,
)
from ratewarp.report.selection import thinned
from ratewarp.report.style import DOUBLE, LETTER, LINE
from ratewarp.report.views import RunView

_PLANE = 5  # values of each factor of a plane
_ACROSS, _DOWN = 8, 10  # images of a sheet
_BARE = 5  # rows and columns of images that are not described
_SIDE = 0.9  # of an image at most, inches
_LETTERS = 11


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
    mosaic, note = images_mosaic(view)
    left = 0.1 + LETTER * max(len(part) for name in (*mosaic.names, "") for part in name.split("\n"))
    cell = min(_SIDE, (DOUBLE - left - 0.05) / mosaic.across)
    width, above = cell * mosaic.across, 0.1 + LINE * bool(mosaic.titles)
    height = mosaic.down(cell) * cell
    whole = left + width + 0.05
    figure = plt.figure(figsize=(whole, above + height + height_of_note(note, whole)))
    draw_mosaic(axes_at(figure, left, above, width, height), mosaic)
    note_at_foot(figure, note)
    return figure


def images_mosaic(view: RunView) -> tuple[Mosaic, str]:
    """The images, and what to know of them."""
    condition = view.conditions[0]
    record, setting = view.record(condition), condition.setting
    source = setting.source
    grid, pictured = factor_grid(record, source), pictured_stimuli(record)
    strips = strips_of(grid, pictured)
    shown = [cell.place for strip in strips for cell in strip.cells if cell is not None]
    expected = mean_responses(setting, pictured)
    highest = highest_response(None if expected is None else expected[shown], record["image"].values[shown])

    def tile(cell: Cell | None, title: str) -> Tile | None:
        line = None if expected is None or cell is None else expected[cell.place]
        return None if cell is None else Tile(image_of(record, cell.place, source), title, line)

    titles = [cell.title if cell else "" for cell in strips[0].cells] if grid.is_plane else []
    rows = [
        [tile(cell, "" if grid.is_plane or cell is None else cell.title) for cell in strip.cells]
        for strip in strips
    ]
    names = [strip.name for strip in strips] if any(strip.name for strip in strips) else []
    note = grid.note if expected is None else "bars: a response; line: its mean"
    return Mosaic(source, rows, names, titles, highest), note


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

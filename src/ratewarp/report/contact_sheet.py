"""Some images of a set on one page, in rows by a label or factor."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import escaped
from ratewarp.report.style import (
    INK,
    SMALL,
    figure_style,
)
from ratewarp.sources.image_files import ImageSet
from ratewarp.sources.image_files.inspection import Inspection

_ACROSS, _DOWN = 12, 12  # images
_SIDE = 72  # points of the figure that an image should have
_GAP = 6
_DPI = 100  # points of the figure in an inch; twice as many pixels in the file
_MARGINS = (96, 12, 34, 12)  # left, right, above, below
_LETTERS = 14  # of the name of a row


class Sheet(NamedTuple):
    """What is shown.

    Attributes:
        rows: images of every row of the sheet.
        names: of the rows; empty texts where they are none.
        title: over them.
    """

    rows: tuple[Int[np.ndarray, " images"], ...]
    names: tuple[str, ...]
    title: str


def contact_sheet(images: ImageSet, found: Inspection, *, seed: int = 0) -> bytes:
    """A PNG of up to 12 rows of 12 images, drawn at random, in rows by the first column of labels, or else of
    factors.

    Colours are those of the study's scaling; images of two or four channels are shown as the mean of these.
    Images that are lists of responses are strips of grey.
    """
    sheet = chosen(images, found, seed=seed)
    picture = _laid_out([_shown(images.read(rows), found) for rows in sheet.rows])
    left, right, above, below = _MARGINS
    height, width = picture.shape[:2]
    whole = np.array([left + width + right, above + height + below])
    with figure_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # of names in letters that the type lacks
        figure = plt.figure(figsize=tuple(whole / _DPI), dpi=_DPI)
        try:
            place = (left / whole[0], below / whole[1], width / whole[0], height / whole[1])
            axes = figure.add_axes(place)
            axes.imshow(picture, interpolation="nearest", vmin=0, vmax=1)
            axes.set_axis_off()
            axes.set_title(sheet.title, loc="left", color=INK, x=0)
            each = (height + _GAP) / len(sheet.rows)
            for row, name in enumerate(sheet.names):
                axes.text(-8, each * (row + 0.5), name, ha="right", va="center", color=INK, fontsize=SMALL)
            out = BytesIO()
            figure.savefig(out, format="png", dpi=2 * _DPI, metadata={"Software": "ratewarp"})
        finally:
            plt.close(figure)
    return out.getvalue()


def chosen(images: ImageSet, found: Inspection, *, seed: int = 0) -> Sheet:
    """Which images are shown."""
    draw = np.random.default_rng(seed)
    column = next(iter((*found.named("label"), *found.named("factor"))), None)
    if column is None:
        rows = _drawn(draw, np.arange(images.count), _ACROSS * _DOWN)
        parts = tuple(np.split(rows, range(_ACROSS, len(rows), _ACROSS)))
        return Sheet(parts, ("",) * len(parts), f"{len(rows):,} of {images.count:,} images")
    values = images.columns[column]
    distinct = np.unique(values[(values != "") if values.dtype.kind == "U" else ~np.isnan(values)])
    places = np.unique(np.linspace(0, len(distinct) - 1, _DOWN).round().astype(int))
    shown = [distinct[place] for place in places]
    rows = tuple(_drawn(draw, np.flatnonzero(values == value), _ACROSS) for value in shown)
    of = f"{len(shown)} of {len(distinct):,} values" if len(shown) < len(distinct) else "all values"
    title = f"rows: {of} of {_short(column, 40)}; {sum(map(len, rows)):,} of {images.count:,} images"
    return Sheet(rows, tuple(_named(value) for value in shown), title)


def _drawn(draw: np.random.Generator, rows: np.ndarray, most: int) -> np.ndarray:
    return np.sort(draw.choice(rows, min(most, len(rows)), replace=False))


def _named(value: Any) -> str:
    return _short(str(value), _LETTERS) if isinstance(value, np.str_) else f"{value:.6g}"


def _short(text: str, letters: int) -> str:
    plain = escaped(text)
    return plain if len(plain) <= letters else f"{plain[: letters - 1]}…"


def _shown(images: np.ndarray, found: Inspection) -> Float[np.ndarray, "images height width 3"]:
    """Images as colours, 0–1, enlarged by a whole number."""
    zero, one = found.scaling.zero, found.scaling.one
    low, high = (found.lowest, found.highest) if zero is None or one is None else (zero, one)
    scaled = np.clip((images.astype(np.float64) - low) / (high - low or 1), 0, 1)
    if scaled.shape[3] != 3:
        scaled = np.repeat(scaled.mean(axis=3, keepdims=True), 3, axis=3)
    if scaled.shape[2] == 1:  # responses
        strip = scaled.transpose(0, 2, 1, 3)
        across = np.linspace(0, strip.shape[2] - 1, _SIDE).round().astype(int)
        return np.repeat(strip[:, :, across], _SIDE // 4, axis=1)
    times = max(1, round(_SIDE / max(scaled.shape[1:3])))
    return scaled.repeat(times, axis=1).repeat(times, axis=2)


def _laid_out(rows: list[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """Images in rows, on white."""
    _, height, width, _ = rows[0].shape
    across = max(map(len, rows))
    page = np.ones((len(rows) * (height + _GAP) - _GAP, across * (width + _GAP) - _GAP, 3))
    for down, row in enumerate(rows):
        for place, image in enumerate(row):
            top, left = down * (height + _GAP), place * (width + _GAP)
            page[top : top + height, left : left + width] = image
    return page

"""Dots of a map: where they are in every format, and a raster no larger than their panel."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from matplotlib import image
from matplotlib import pyplot as plt
from matplotlib.backends import backend_mixed
from matplotlib.figure import Figure

from ratewarp.report.dots import draw_dots

DPI = 100
RED = np.array(["#ff0000"])


@pytest.fixture
def figure():
    """A row of four panels with a red dot near the upper left corner of each."""
    drawn, axes = plt.subplots(1, 4, figsize=(8, 2))
    for place in axes:
        draw_dots(place, np.array([[0.1, 0.8]]), RED, size=20, alpha=1)
        place.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    yield drawn
    plt.close(drawn)


def _saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=DPI)
    return stream.getvalue()


def _centre_of_red(pixels: np.ndarray) -> np.ndarray:
    """Row and column, from the upper left."""
    red = (pixels[..., 0] > 0.9) & (pixels[..., 1] < 0.1) & (pixels[..., 3] > 0.9)
    return np.argwhere(red).mean(axis=0)


def test_a_dot_is_where_its_axes_say_in_a_png(figure):
    pixels = image.imread(io.BytesIO(_saved(figure, "png")))
    last = figure.axes[-1]
    across, up = last.transData.transform((0.1, 0.8)) * DPI / figure.dpi
    column = int(last.bbox.x0 * DPI / figure.dpi)
    found = _centre_of_red(pixels[:, column:]) + np.array([0, column])
    assert found == pytest.approx([len(pixels) - up, across], abs=1.5)


def test_a_dot_is_in_the_upper_left_of_its_picture_in_an_svg(figure):
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", _saved(figure, "svg").decode().replace("\n", ""))
    assert len(pictures) == 4
    for picture in pictures:
        pixels = image.imread(io.BytesIO(base64.b64decode(picture)))
        # a picture of an SVG is written upside down
        row, column = _centre_of_red(pixels[::-1]) / pixels.shape[:2]
        assert (row, column) == pytest.approx((0.2, 0.1), abs=0.03)


@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_no_raster_of_the_whole_figure_is_made(figure, kind, monkeypatch):
    def refuse(self):
        raise AssertionError("a raster as large as the figure")

    monkeypatch.setattr(backend_mixed.MixedModeRenderer, "start_rasterizing", refuse)
    _saved(figure, kind)


def test_memory_of_a_pdf_is_that_of_its_panels(figure):
    pictures = re.findall(rb"/Width (\d+)", _saved(figure, "pdf"))
    width = max(map(int, pictures))
    assert width <= 1.02 * figure.axes[0].bbox.width * DPI / figure.dpi + 1


def test_dots_that_are_not_finite_are_left_out():
    figure, place = plt.subplots()
    draw_dots(
        place, np.array([[np.nan, np.nan], [2.0, 3.0]]), np.array(["#000000", "#000000"]), size=5, alpha=0.5
    )
    assert np.isfinite(_saved(figure, "png")[0])
    assert place.get_xlim()[0] < 2 < place.get_xlim()[1]
    plt.close(figure)


def test_dots_are_those_of_a_scatter_plot():
    """Of a panel that is a whole number of pixels; on its border dots are cut."""
    rng = np.random.default_rng(0)
    places, colours = rng.normal(size=(200, 2)), rng.choice(["#0072b2", "#d55e00", "#1d2733"], size=200)
    pixels = []
    for draw in (
        lambda axes: draw_dots(axes, places, colours, size=9, alpha=0.6),
        lambda axes: axes.scatter(*places.T, c=colours, s=9, alpha=0.6, linewidths=0),
    ):
        figure = plt.figure(figsize=(2, 2))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        draw(axes)
        axes.set(xlim=(-2, 3), ylim=(-1, 2.5))
        pixels.append(image.imread(io.BytesIO(_saved(figure, "png"))))
        plt.close(figure)
    assert np.abs(pixels[0] - pixels[1]).max() <= 3 / 255  # blended once more, in 8 bits
    assert np.ptp(pixels[0]) == pytest.approx(1, abs=0.2)

"""Colours and type of every figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

INK = "#1d2733"
MUTED = "#6b7785"
RULE = "#d9dee4"

# Told apart by readers with any common colour vision (after Okabe & Ito).
MODEL_COLOURS = ("#1d2733", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
MODEL_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CLASS_COLOURS = ("#2b6ca3", "#e08a1e")
CATEGORY_COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#8c6d31",
    "#6a4fb3",
    "#1d2733",
    "#9aa5b1",
)
TUNING_MAP = "viridis"
DIVERGING_MAP = "PuOr_r"
FACTOR_MAP = "viridis"
IMAGE_MAP = "bone_r"  # of black and white: 1 is dark, as ink
BRIGHT_MAP = "gray"  # of other images

# inches of the columns of a journal, and of a panel of which three stand in two of them
SINGLE, DOUBLE = 89 / 25.4, 183 / 25.4
PANEL_WIDTH, PANEL_HEIGHT = DOUBLE / 3, 2.15
LETTER, LINE = 0.063, 0.125  # inches of a letter, on the average, and of a line in small type

SMALL = "small"  # the smallest type: 7 points
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.parse_math": False,  # a $ in a name is a $
    "axes.titlesize": "medium",
    "axes.labelsize": "medium",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "legend.fontsize": "small",
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "ratewarp",
    "pdf.fonttype": 42,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draws with the package's type and colours, whatever the user's own settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """A colour for every model, in order; colours repeat after eight."""
    return {name: MODEL_COLOURS[i % len(MODEL_COLOURS)] for i, name in enumerate(models)}


def model_markers(models: Sequence[str]) -> dict[str, str]:
    """A marker for every model, in order, so that no two models have both colour and marker in common, up to
    64.
    """
    return {name: MODEL_MARKERS[marker_number(i)] for i, name in enumerate(models)}


def looks_of(names: Sequence[str], models: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Colours and markers of names: models look the same in every figure; where some names are of no model,
    all have looks of their own, and the first is left to the reference.

    Examples:
        >>> looks_of(["b"], ["a", "b"])[1]["b"], looks_of(["b", "b: task"], ["a", "b"])[1]["b: task"]
        ('s', '^')
    """
    ordered = [*models] if set(names) <= set(models) else ["", *names]
    return model_colours(ordered), model_markers(ordered)


def marker_number(place: int) -> int:
    """Number of the marker at a place of the order; shifted by one whenever the colours begin anew.

    Examples:
        >>> [marker_number(place) for place in (0, 7, 8, 15, 16)]
        [0, 7, 1, 0, 2]
    """
    return (place + place // len(MODEL_COLOURS)) % len(MODEL_MARKERS)


def rate_ticks(axis: Axis, rates: Sequence[float]) -> None:
    """Ticks of a logarithmic axis at these rates, nats, or where there are none, at round ones."""
    if rates:
        axis.set_ticks(sorted(rates), labels=[f"{rate:g}" for rate in sorted(rates)])
    else:
        axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axis.set_minor_locator(NullLocator())


def note_below(figure: Figure, note: str) -> None:
    """Lines below all panels of a figure whose layout is constrained; nothing for an empty note."""
    if note:
        told = in_lines(note, figure.get_figwidth())
        figure.supxlabel(told, x=0.995, ha="right", fontsize=SMALL, color=MUTED)


def in_lines(text: str, inches: float) -> str:
    """A text in small type, in lines that are no wider than this.

    Examples:
        >>> in_lines("maps of 1,600 of 3,000 codes · seed 0", 1.8)
        'maps of 1,600 of 3,000 codes\\n· seed 0'
    """
    return "\n".join(
        line for part in text.split("\n") for line in wrap(part, max(8, int(inches / LETTER))) or [""]
    )


def class_colours(classes: int) -> list[str]:
    """A colour for every class: two plain ones for two classes, steps of a scale for more."""
    if classes == 2:
        return list(CLASS_COLOURS)
    scale = mpl.colormaps["turbo"]
    return [to_hex(scale(0.05 + 0.9 * i / (classes - 1))) for i in range(classes)]


def scale_colours(steps: int) -> list[str]:
    """Colours from dark to bright, for values in their order."""
    scale = mpl.colormaps[FACTOR_MAP]
    return [to_hex(scale(i / max(1, steps - 1))) for i in range(steps)]


def category_colours(values: int) -> list[str]:
    """A colour for every value of a factor without order: plain ones for ten values, steps of a scale for
    more.
    """
    return list(CATEGORY_COLOURS[:values]) if values <= len(CATEGORY_COLOURS) else class_colours(values)


def cyclic_colours(turns: np.ndarray) -> list[str]:
    """Colours around a circle, by turns; opposite ones differ in lightness, too.

    Hues of equal chroma in Oklab.

    Source: Ottosson, A perceptual color space for image processing, 2020.

    Examples:
        >>> cyclic_colours(np.array([0.0, 0.5, 1.0]))
        ['#ff9bba', '#007f6c', '#ff9bba']
    """
    angle = 2 * np.pi * np.asarray(turns, float)
    lightness, chroma = 0.66 + 0.14 * np.cos(angle), 0.125
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)
    cones = (lab @ _FROM_OKLAB.T) ** 3
    linear = np.clip(cones @ _TO_RGB.T, 0, 1)
    light = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return [to_hex(colour) for colour in light]


_FROM_OKLAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

"""Pictures of a record: of which stimuli it has them, and how an image of its source is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from ratewarp.report.panels import draw_image
from ratewarp.report.style import CLASS_COLOURS, INK, MUTED, RULE
from ratewarp.sources import PIXELS, Source
from ratewarp.studies import Setting

_RESPONSE, _TRUTH = CLASS_COLOURS[0], INK


def pictured_stimuli(record: xr.Dataset) -> Int[np.ndarray, " pictured"]:
    """Stimuli of which a record has an image and a reconstruction: all, or those that it names."""
    if "pictured" in record.dims:
        return record["pictured"].values
    return np.arange(record.sizes["stimulus_index"])


def image_of(record: xr.Dataset, place: int, source: Source) -> Num[np.ndarray, "..."]:
    """The image of a stimulus, by its place among those that have pictures, as the numbers that
    reconstructions are in.
    """
    image, largest = record["image"].values[place], PIXELS[source.pixels].largest
    return image if largest is None else image / largest


def reconstruction_of(record: xr.Dataset, place: int) -> Float[np.ndarray, "..."]:
    """Likewise what its mean code is decoded to."""
    return record["reconstruction"].values[place]


def mean_responses(setting: Setting, stimuli: np.ndarray) -> Float[np.ndarray, "chosen neurons"] | None:
    """Expected responses to these of the measured stimuli; None where images are no responses, or none are
    known.
    """
    if not are_responses(setting.source):
        return None
    means = setting.source.mean_images(setting.measured()[stimuli])
    return None if means is None else means.reshape(len(stimuli), -1)


def are_responses(source: Source) -> bool:
    """Whether images are lists of numbers, one column wide, as responses of neurons are."""
    height, width, channels = source.image_shape
    return width == channels == 1 and height > 1


def are_seen(source: Source) -> bool:
    """Whether one image shows what its stimulus looks like also where it is small: not where it is a list of
    numbers, nor where every pixel is black or white by chance.
    """
    return not are_responses(source) and (source.stored is not None or source.pixels != "binary")


def draw_picture(
    axes: Axes,
    image: Num[np.ndarray, "..."],
    source: Source,
    *,
    highest: float = 1.0,
    expected: Float[np.ndarray, " neurons"] | None = None,
    extent: tuple[float, float, float, float] | None = None,
) -> None:
    """An image of a source, or a reconstruction of one: as pixels or, of responses, as bars over neurons.

    Arguments:
        axes: where to draw.
        image: as numbers.
        source: that it is of.
        highest: upper end of the axis of responses.
        expected: mean responses to the stimulus, as a line.
        extent: left, right, lower and upper end of the pixels, in axes that hold more than these.
    """
    if are_responses(source):
        _draw_responses(axes, image.reshape(-1), highest, expected)
    elif source.pixels == "binary" or _is_colour(image):
        draw_image(axes, image, extent=extent)
    else:
        draw_image(axes, image, bright=True, extent=extent)


def _draw_responses(axes: Axes, responses: np.ndarray, highest: float, expected: np.ndarray | None) -> None:
    neurons = np.arange(len(responses))
    edges = np.arange(len(responses) + 1) - 0.5
    axes.stairs(responses, edges, fill=True, color=_RESPONSE, alpha=0.75, lw=0)
    if expected is not None:
        axes.plot(neurons, expected, color=_TRUTH, lw=0.8)
    low = min(0.0, float(np.nanmin(responses, initial=0.0)))
    axes.set(xticks=[], yticks=[], xlim=(-0.5, len(responses) - 0.5), ylim=(low, 1.05 * highest))
    for name, side in axes.spines.items():
        side.set_visible(name == "bottom")
        side.set_color(RULE if name != "bottom" else MUTED)


def highest_response(*responses: np.ndarray | None) -> float:
    """Upper end of an axis that holds all of these; 1 where that is none."""
    found = [float(np.nanmax(one)) for one in responses if one is not None and one.size]
    return max([found_one for found_one in found if np.isfinite(found_one)], default=1.0) or 1.0


def as_colours(image: Num[np.ndarray, "..."], source: Source, scale: Colormap) -> Any:
    """An image as red, green and blue of every pixel, 0–1; `scale` gives those of one channel."""
    if _is_colour(image):
        return np.clip(image, 0, 1)
    flat = image.mean(axis=2) if image.ndim == 3 else image
    low, high = min(0.0, float(flat.min())), max(1.0, float(flat.max()))
    return np.asarray(scale((flat - low) / (high - low)))[..., :3]


def _is_colour(image: np.ndarray) -> bool:
    return image.ndim == 3 and image.shape[2] == 3

"""Maps on which images stand in place of dots."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ratewarp.report.panels import draw_map, middle
from ratewarp.report.pictured import as_colours, image_of, pictured_stimuli
from ratewarp.report.style import BRIGHT_MAP, IMAGE_MAP, MUTED
from ratewarp.report.views import ConditionView

_ACROSS = 11  # thumbnails side by side on a map
_PALE = 0.35  # opacity of the dots below


def draw_image_map(
    axes: Axes, view: ConditionView, *, extent: float, title: str = "", colours: np.ndarray | None = None
) -> None:
    """A map of codes with images at the places of theirs, as many as stand side by side without covering each
    other, over pale dots of all.

    Arguments:
        axes: where to draw.
        view: the condition.
        extent: half the side of the square shown, in units of the codes.
        title: above the map.
        colours: of the dots, one a stimulus; grey if not given.
    """
    dots = np.full(len(view.grid.ranks), MUTED) if colours is None else colours
    draw_map(axes, view, dots, extent=extent, title=title, labels=False, alpha=_PALE)
    record, source = view.record, view.condition.setting.source
    found, first = np.unique(view.stimuli, return_index=True)  # whose first item is the image
    items = dict(zip(found.tolist(), first.tolist(), strict=True))
    shown = {place: items[one] for place, one in enumerate(pictured_stimuli(record).tolist()) if one in items}
    places = view.points[list(shown.values())] - middle(view.points)
    scale = colormaps[IMAGE_MAP if source.pixels == "binary" else BRIGHT_MAP]
    side = 2 * extent / _ACROSS
    half = np.array(source.image_shape[1::-1]) / max(source.image_shape[:2]) * side / 2
    for chosen in spread_out(places, 1.06 * side):
        (left, low), (right, high) = places[chosen] - half, places[chosen] + half
        picture = AxesImage(axes, extent=(left, right, low, high), interpolation="nearest", zorder=2.5)
        picture.set_data(as_colours(image_of(record, list(shown)[chosen], source), source, scale))
        picture.set_clip_path(axes.patch)
        axes.add_image(picture)


def spread_out(places: Float[np.ndarray, "items two"], side: float) -> Int[np.ndarray, " chosen"]:
    """Items whose squares of this side do not cover each other, taken in a random order that is always the
    same.

    Examples:
        >>> spread_out(np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0], [np.nan, 0.0]]), 1.0).size
        2
    """
    chosen, found = np.zeros((0, 2)), []
    for item in np.random.default_rng(0).permutation(len(places)):
        place = places[item]
        if np.isfinite(place).all() and not (np.abs(chosen - place).max(axis=1) < side).any():
            chosen = np.vstack([chosen, place])
            found.append(item)
    return np.array(sorted(found), int)

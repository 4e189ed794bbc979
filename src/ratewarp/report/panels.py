"""Panels: one function draws one thing into the axes it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage

from ratewarp.geometry import ClassDistortion
from ratewarp.report.style import DIVERGING_MAP, FACTOR_MAP, IMAGE_MAP, INK, MUTED, RULE, TUNING_MAP, class_colours
from ratewarp.report.views import ConditionView

_LABELLED_EVERY = 4  # factor values 0, 4, 8, 12 are labelled on maps


def draw_map(
    axes: Axes, view: ConditionView, colours: np.ndarray, *, extent: float, title: str = "", labels: bool = True, size: float = 5
) -> None:
    """Map of codes, one dot an image; some stimuli labelled with their factor values; a bar one prior standard deviation long.

    Arguments:
        axes: where to draw.
        view: the condition.
        colours: colour of every stimulus.
        extent: half the side of the square shown, in units of the codes.
        title: above the map.
        labels: whether to label stimuli.
        size: area of a dot, points².
    """
    centre = _middle(view.points)
    axes.scatter(*(view.points - centre).T, c=colours[view.stimuli], s=size, linewidths=0, alpha=0.75, rasterized=True)
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_color(RULE)
    left, low = -0.94 * extent, -0.92 * extent
    axes.plot([left, left + 1], [low, low], color=INK, lw=1.6, solid_capstyle="butt")
    axes.annotate("1 s.d.", (left, low), (0, 3), textcoords="offset points", fontsize="x-small", color=MUTED)
    axes.annotate(f"stress {view.stress:.2f}", (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize="x-small", color=MUTED)
    if labels:
        _label_stimuli(axes, view, centre, apart=0.13 * extent)


def _label_stimuli(axes: Axes, view: ConditionView, centre: np.ndarray, *, apart: float) -> None:
    """Labels stimuli whose places on the map are at least `apart` from those already labelled."""
    factors = view.record["factor_value"].values
    taken: list[np.ndarray] = []
    for stimulus in np.flatnonzero(np.all(factors % _LABELLED_EVERY == 0, axis=1)):
        values = factors[stimulus]
        place = view.points[view.stimuli == stimulus].mean(axis=0) - centre
        if any(np.linalg.norm(place - other) < apart for other in taken):
            continue
        taken.append(place)
        text = axes.annotate(",".join(map(str, values)), place, ha="center", va="center", fontsize="xx-small", color=INK)
        text.set_path_effects([patheffects.withStroke(linewidth=1.4, foreground="white", alpha=0.85)])


def map_extent(views: Sequence[ConditionView]) -> float:
    """Half the side of a square that holds the maps of all `views`, and the scale bar."""
    reach = [np.abs(view.points - _middle(view.points)).max() for view in views if view.sound]
    return max([*reach, 0.75]) * 1.12


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.min(axis=0) + points.max(axis=0)) / 2


def draw_tuning(axes: Sequence[Axes], view: ConditionView) -> None:
    """Tuning curves, one latent an axis: second factor across, first factor down; common scale 0–1; its rate below."""
    factors = view.record["factor_value"].values
    sizes = factors.max(axis=0) + 1
    for latent, place in enumerate(axes):
        place.set(xticks=[], yticks=[])
        for side in place.spines.values():
            side.set_visible(False)
        if latent >= view.tuning.shape[1]:
            place.set_visible(False)
            continue
        place.imshow(view.tuning[:, latent].reshape(sizes), cmap=TUNING_MAP, vmin=0, vmax=1, interpolation="nearest")
        place.set_title(f"$z_{view.order[latent] + 1}$", pad=2)
        place.set_xlabel(f"{view.latent_rates[latent]:.2f}", fontsize="x-small", color=MUTED, labelpad=2)


def draw_matrix(axes: Axes, matrix: ClassDistortion, *, limit: float, names: Sequence[str] = (), title: str = "") -> AxesImage:
    """Class distortion matrix, diverging around 0; numbers where there are few classes."""
    image = axes.imshow(matrix.values, cmap=DIVERGING_MAP, vmin=-limit, vmax=limit, interpolation="nearest")
    few = len(matrix.classes) <= 4
    ticks = matrix.classes if few else []
    axes.set(xticks=ticks, yticks=ticks, title=title)
    if few and names:
        axes.set_xticklabels(names)
        axes.set_yticklabels(names, rotation=90, va="center")
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_color(RULE)
    if few:
        for (a, b), value in np.ndenumerate(matrix.values):
            dark = abs(value) > 0.6 * limit
            axes.text(b, a, f"{value:+.2f}".replace("-", "−"), ha="center", va="center", color="white" if dark else INK)
    return image


def draw_image(axes: Axes, image: np.ndarray) -> None:
    """An image of the source or a reconstruction, wall dark."""
    axes.imshow(image, cmap=IMAGE_MAP, vmin=0, vmax=1.15, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_color(RULE)


def stimulus_colours(labels: np.ndarray) -> np.ndarray:
    """Colour of every stimulus by its class."""
    return np.array(class_colours(int(labels.max()) + 1))[labels]


def factor_colours(values: np.ndarray) -> np.ndarray:
    """Colour of every stimulus by the value of a factor."""
    scale: Any = colormaps[FACTOR_MAP]
    return np.array([to_hex(scale(v)) for v in (values - values.min()) / max(1, np.ptp(values))])

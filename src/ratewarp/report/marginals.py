"""Tuning by one factor at a time, for stimuli that are no plane of two factors: small lines and dots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D, Transform

from ratewarp._sums import group_means
from ratewarp.report.factor_grid import cut_list
from ratewarp.report.style import INK
from ratewarp.report.views import ConditionView, class_names, class_palette

_MOST_POINTS = 40  # of a line; more values of several stimuli are taken together
_TOGETHER = 20  # groups of values that they become
_FEW_POINTS = 12  # of a line, each with a mark
_BACK = "#f4f6f8"
_ROOM = 0.08  # above and below the scale of 0–1

Box = tuple[float, float, float, float]  # left, upper end, width, height


class Reading(NamedTuple):
    """What stimuli are told apart by, in one row of tuning curves.

    Attributes:
        title: below the row.
        groups: of every stimulus, from 0.
        places: where each group is drawn.
        period: after which places repeat; None where they do not.
        colours: of every group, where groups have no order.
    """

    title: str
    groups: Int[np.ndarray, " stimuli"]
    places: Float[np.ndarray, " groups"]
    period: float | None = None
    colours: tuple[str, ...] = ()


class Marginal(NamedTuple):
    """Mean tuning of the stimuli of every group, and its standard deviation over them.

    NaN for a group whose stimuli do not occur.
    """

    mean: Float[np.ndarray, "groups latents"]
    spread: Float[np.ndarray, "groups latents"]


def marginal(tuning: Float[np.ndarray, "stimuli latents"], groups: Int[np.ndarray, " stimuli"]) -> Marginal:
    """Over the stimuli of every group that occur; of the group itself, not of a larger population.

    Arguments:
        tuning: of every stimulus; NaN for one that does not occur.
        groups: of every stimulus, from 0.

    Examples:
        >>> found = marginal(np.array([[0.0], [1.0], [0.5]]), np.array([0, 0, 1]))
        >>> found.mean.ravel(), found.spread.ravel()
        (array([0.5, 0.5]), array([0.5, 0. ]))
    """
    number, occurs = int(groups.max()) + 1, np.isfinite(tuning).all(axis=1)
    if not occurs.any():
        nothing = np.full((number, tuning.shape[1]), np.nan)
        return Marginal(nothing, nothing)
    mean = group_means(tuning[occurs], groups[occurs], number)
    squares = group_means((tuning[occurs] - mean[groups[occurs]]) ** 2, groups[occurs], number)
    return Marginal(mean, np.sqrt(squares))


def wrapped(
    places: Float[np.ndarray, " groups"], period: float | None, *curves: Float[np.ndarray, " groups"]
) -> tuple[Float[np.ndarray, " points"], ...]:
    """Places and curves around a circle, with the first once more behind the last; as they are where there is
    no period.

    Examples:
        >>> wrapped(np.array([0.0, 90.0]), 180.0, np.array([1.0, 2.0]))
        (array([  0.,  90., 180.]), array([1., 2., 1.]))
    """
    if period is None:
        return places, *curves
    return np.append(places, places[0] + period), *(np.append(one, one[0]) for one in curves)


def readings(view: ConditionView, scheme: str = "") -> list[Reading]:
    """A row for each factor; where there are none, by the classes of a labelling, or else along the map."""
    grid = view.grid
    if grid.names:
        return [_by_factor(view, factor) for factor in grid.shown]
    labels = view.condition.setting.class_schemes().get(scheme)
    if labels is not None:
        classes = int(labels.max()) + 1
        names = class_names(scheme, classes, view.condition.setting) or [str(one) for one in range(classes)]
        colours = tuple(class_palette(scheme, classes, view.condition.setting))
        return [Reading(f"{scheme}: {cut_list(names, 40)}", labels, np.arange(classes) * 1.0, None, colours)]
    return [_along_map(view)]


def _by_factor(view: ConditionView, factor: int) -> Reading:
    grid = view.grid
    name, words, period = grid.names[factor], grid.words[factor], grid.periods[factor]
    ranks, places = grid.ranks[:, factor], np.unique(grid.values[:, factor])
    if grid.kinds[factor] == "categorical":
        numbers = np.arange(len(places)) * 1.0
        return Reading(f"{name}: {cut_list(words, 40)}", ranks, numbers, None, tuple(grid.colours(factor)))
    ends = (
        f"{words[0]} to {words[-1]}" if period is None else f"{places[0]:g} to {places[0] + period:g}, around"
    )
    if len(places) > _MOST_POINTS and not (len(grid.names) == 1 and grid.are_apart):
        ranks = ranks * _TOGETHER // len(places)
        places = group_means(grid.values[:, [factor]], ranks, _TOGETHER)[:, 0]
    return Reading(f"{name}: {ends}", ranks, places, period)


def _along_map(view: ConditionView) -> Reading:
    """Stimuli in groups of equal size, from left to right on the map."""
    across = group_means(view.points[:, :1], view.stimuli, len(view.grid.ranks))[:, 0]
    order = np.argsort(np.argsort(across, kind="stable"), kind="stable")
    number = min(_TOGETHER, len(order))
    return Reading("map, from left to right", order * number // len(order), np.arange(number) * 1.0)


def draw_marginal(axes: Axes, box: Box, reading: Reading, found: Marginal, latent: int) -> None:
    """The tuning curve of one latent on a scale of 0–1, in a box of axes that hold many: means, and their
    standard deviation over the other stimuli of the same value as a band or bars.
    """
    mean, spread = found.mean[:, latent], found.spread[:, latent]
    axes.add_patch(Rectangle(box[:2], *box[2:], facecolor=_BACK, lw=0))
    if reading.colours:
        room = 0.6 + 0.02 * len(mean)
        placed = _placed(axes, box, -room, len(mean) - 1 + room)
        size = float(np.clip(40 / len(mean), 1.5, 4.5))
        axes.vlines(
            reading.places, mean - spread, mean + spread, colors=reading.colours, lw=1, transform=placed
        )
        axes.scatter(
            reading.places, mean, c=list(reading.colours), s=size**2, lw=0, zorder=3, transform=placed
        )
        return
    x, y, around = wrapped(reading.places, reading.period, mean, spread)
    room = 0.05 * (x[-1] - x[0] or 1)
    placed = _placed(axes, box, x[0] - room, x[-1] + room)
    axes.fill_between(x, y - around, y + around, color=INK, alpha=0.16, lw=0, transform=placed)
    marker = "o" if len(x) <= _FEW_POINTS else ""
    axes.plot(x, y, color=INK, lw=1, marker=marker, ms=2.2, mew=0, transform=placed)


def _placed(axes: Axes, box: Box, low: float, high: float) -> Transform:
    """From the scale of a curve to a box of axes whose vertical axis points down."""
    left, top, width, height = box
    scale = Affine2D().translate(-low, _ROOM).scale(width / (high - low), -height / (1 + 2 * _ROOM))
    return scale.translate(left, top + height) + axes.transData

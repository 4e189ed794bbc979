"""Panels of a run that show numbers of its tables: against rate, against capacity, over two axes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import RequestError, refuse_name
from ratewarp.plot.asked import known_model, shown_measure, view_of
from ratewarp.plot.new_figures import Width, drawn, inches_wide
from ratewarp.report.bound_figure import bound_panel
from ratewarp.report.curves import draw_distortion, draw_f1, f1_panels
from ratewarp.report.normative_figure import draw_normative, name_pairs, normative_pairs
from ratewarp.report.phase_figures import (
    draw_change,
    draw_phases,
    dress_phase,
    name_change,
    phase_handles,
    which_stand_out,
)
from ratewarp.report.phase_view import phase_view
from ratewarp.report.plane import draw_rate_distortion, draw_rates
from ratewarp.report.warps import draw_warp, name_lines, panels_of
from ratewarp.runs.directory import RunDirectory

_SHAPE = 0.85  # height over width of a panel


def _size(width: Width) -> tuple[float, float]:
    inches = inches_wide(width)
    return inches, min(_SHAPE * inches, 4.0)


def rates(run: RunDirectory, *, ax: Axes | None = None, width: Width = "single") -> tuple[Figure, Axes]:
    """The rate that every model reached against its target, nats.

    Arguments:
        run: what `ratewarp.open_run` returned, with its tables.
        ax: where to draw; axes of a new figure if not given.
        width: of a new figure: "single" or "double", columns of a journal of 89 and 183 mm.

    Returns:
        The figure and the axes.

    Examples:
        >>> figure, ax = rates(open_run("runs/demo"))  # doctest: +SKIP
        >>> ax.get_ylabel()  # doctest: +SKIP
        'rate reached, nats'
    """
    view = view_of(run)
    return drawn(lambda axes: draw_rates(axes, view), ax, _size(width))


def rate_distortion(
    run: RunDirectory, *, ax: Axes | None = None, width: Width = "single"
) -> tuple[Figure, Axes]:
    """Distortion of every model on held-out images against its rate, and the noise that no model can
    reproduce.

    Arguments and what is returned: as of `rates`.

    Examples:
        >>> figure, ax = rate_distortion(open_run("runs/demo"))  # doctest: +SKIP
        >>> ax.get_xlabel()  # doctest: +SKIP
        'rate, nats'
    """
    view = view_of(run)
    return drawn(lambda axes: draw_rate_distortion(axes, view), ax, _size(width))


def bound(
    run: RunDirectory, *, image: bool = False, ax: Axes | None = None, width: Width = "single"
) -> tuple[Figure, Axes]:
    """Semantic distortion of the models above the rate–distortion bound.

    Arguments:
        run: as of `rates`.
        image: distortion to the image in place of that to its mean: pixel noise counts, too.
        ax: as of `rates`.
        width: as of `rates`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: the study has no bound, or none of the image.

    Examples:
        >>> figure, ax = bound(open_run("runs/demo"))  # doctest: +SKIP
        >>> ax.get_xlabel()  # doctest: +SKIP
        'rate, nats'
    """
    draw = bound_panel(view_of(run), image=image)
    if draw is None:
        which = "bound of the image" if image else "bound"
        raise RequestError(
            f"run: {run.path} has no {which}; bound_points of its study says whether it is made"
        )
    return drawn(draw, ax, _size(width))


def distortion(run: RunDirectory, *, ax: Axes | None = None, width: Width = "single") -> tuple[Figure, Axes]:
    """Distortion of every model against its capacity: mean over seeds as a line, least to most as a band;
    dotted, the publication's, where a model is one of its.

    Arguments and what is returned: as of `rates`.

    Examples:
        >>> figure, ax = distortion(open_run("runs/demo"))  # doctest: +SKIP
        >>> ax.get_xlabel()  # doctest: +SKIP
        'capacity, nats'
    """
    view = view_of(run)
    return drawn(lambda axes: draw_distortion(axes, view, view.drawn.names), ax, _size(width))


def f1(
    run: RunDirectory,
    regime: str | None = None,
    model: str | None = None,
    *,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """F1 of heads against capacity.

    Arguments:
        run: as of `rates`.
        regime: "joint" (a model for each task), "simultaneous" (a model of several), "disjoint" or
            "transfer" (heads on frozen codes); the first that there is, if not given.
        model: whose heads, where a regime has a panel for each; the first, if not given.
        ax: as of `rates`.
        width: as of `rates`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: the run has no such heads.

    Examples:
        >>> figure, ax = f1(open_run("runs/demo"), "joint")  # doctest: +SKIP
        >>> ax.get_ylabel()  # doctest: +SKIP
        'F1'
    """
    view = view_of(run)
    panels = [panel for row in f1_panels(view) for panel in row]
    if not panels:
        raise RequestError(f"run: {run.path} has no heads: no model has a task, and no codes were read out")
    regimes = list(dict.fromkeys(name for name, _ in panels))
    if regime is not None and regime not in regimes:
        refuse_name("regime", "regime with heads", regime, regimes)
    fitting = [models for name, models in panels if name == (regime or regimes[0])]
    known = list(dict.fromkeys(name for models in fitting for name in models))
    if model is not None and model not in known:
        refuse_name("model", "model with such heads", model, known)
    chosen = next(models for models in fitting if model is None or model in models)
    return drawn(lambda axes: draw_f1(axes, view, regime or regimes[0], chosen), ax, _size(width))


def measure(
    run: RunDirectory,
    name: str,
    model: str | None = None,
    *,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """A measure against capacity, a line a model and labelling: means over seeds, single seeds as points,
    95 % intervals as bars.

    Arguments:
        run: as of `rates`.
        name: "prototypization", "orthogonalization", "specialization" (whose changes from the reference are
            shown), "participation_ratio" or "effective_prototypes".
        model: one with several labellings, to which the panel belongs; that of all others if not given.
        ax: as of `rates`.
        width: as of `rates`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such measure, it was not measured, or the model has no such panel.

    Examples:
        >>> figure, ax = measure(open_run("runs/demo"), "prototypization")  # doctest: +SKIP
        >>> ax.get_title()  # doctest: +SKIP
        'Prototypization:\\nchange of the share'
    """
    view, shown = view_of(run), shown_measure(name, "warps")
    panels = panels_of(view, shown)
    if model is not None:
        known_model(view, model)
        panels = [one for one in panels if {curve.key[0] for curve in one.curves} == {model}]
    if not panels:
        raise RequestError(
            f"name: {shown} was not measured{f' of {model} alone' if model else ''} in {run.path}"
        )

    def draw(axes: Axes) -> None:
        draw_warp(axes, view, panels[0])
        name_lines(axes, view, panels[0])

    return drawn(draw, ax, _size(width))


def normative(
    run: RunDirectory, name: str, *, ax: Axes | None = None, width: Width = "single"
) -> tuple[Figure, Axes]:
    """A measure of optimal codes against rate as lines, with the trained models as marks.

    Arguments:
        run: as of `rates`.
        name: "prototypization", "free_orthogonalization", "specialization" (whose changes from the reference
            are shown) or "participation_ratio".
        ax: as of `rates`.
        width: as of `rates`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such measure, or the run has no optimal codes.

    Examples:
        >>> figure, ax = normative(open_run("runs/demo"), "prototypization")  # doctest: +SKIP
        >>> ax.get_xlabel()  # doctest: +SKIP
        'rate, nats'
    """
    view, shown = view_of(run), shown_measure(name, "normative")
    pairs = [pair for row in normative_pairs(view) for pair in row]
    if view.drawn_curves("normative").empty or not pairs:
        raise RequestError(
            f"run: {run.path} has no optimal codes; bound_points of its study says whether they are"
        )

    def draw(axes: Axes) -> None:
        draw_normative(axes, view, shown, pairs)
        name_pairs(axes, view, pairs)

    return drawn(draw, ax, _size(width))


def phases(
    run: RunDirectory,
    capacity: float | None = None,
    name: str | None = None,
    *,
    optimal: bool = False,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """Where on two axes of a study each warp stands out, at one capacity.

    Arguments:
        run: as of `rates`; of a study that crosses capacity with one or two further axes.
        capacity: nats; the lowest if not given.
        name: "prototypization", "orthogonalization" or "specialization": how strong it is, in place of which
            warps there are.
        optimal: of optimal codes of that rate, in place of trained models.
        ax: as of `rates`.
        width: as of `rates`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: the study has no such axes, no such capacity or no such measure.

    Examples:
        >>> figure, ax = phases(open_run("runs/phase-diagram"), 0.5)  # doctest: +SKIP
        >>> ax.get_title()  # doctest: +SKIP
        '0.5 nats'
    """
    phase = phase_view(view_of(run))
    if phase is None:
        raise RequestError(
            f"run: the study of {run.path} does not cross capacity with one or two axes of numbers"
        )
    capacity = min(phase.capacities) if capacity is None else capacity
    if capacity not in phase.capacities:
        refuse_name("capacity", "capacity", f"{capacity:g}", [f"{one:g}" for one in phase.capacities])
    warps = {warp.removesuffix("_change"): warp for warp in phase.warps}
    if name is not None and name not in warps:
        refuse_name("name", "warp", name, warps)
    column = phase.capacities.index(capacity)

    def draw(axes: Axes) -> None:
        if name is None:
            stands_out = phase.optimal_stands_out if optimal else phase.stands_out
            grid = which_stand_out(phase, stands_out)[column]
            draw_phases(axes, grid)
            key: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}
            axes.legend(handles=phase_handles([grid]), **key)
        else:
            image = draw_change(axes, phase, warps[name], column, optimal=optimal)
            name_change(axes.figure.colorbar(image, ax=axes, shrink=0.8, extend="both"))
        dress_phase(axes, phase, column)

    return drawn(draw, ax, _size(width))

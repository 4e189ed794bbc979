"""Panels of single models of a run, of the first seed: maps, tuning curves, distances of classes and of
stimuli, images.
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ratewarp._checks import RequestError, refuse_name
from ratewarp.plot.asked import condition_view, known_model, known_scheme, view_of
from ratewarp.plot.new_figures import Margins, Width, drawn, inches_wide
from ratewarp.report.class_panels import ClassPanels
from ratewarp.report.classes import MANY
from ratewarp.report.examples import STIMULI, examples
from ratewarp.report.image_sheet import images_mosaic
from ratewarp.report.legends import draw_key, factor_key, scheme_key
from ratewarp.report.mosaic import Mosaic, draw_mosaic
from ratewarp.report.overview import draw_model_map
from ratewarp.report.panels import draw_map, map_extent
from ratewarp.report.stimuli import capacity_matrix, draw_ratios, limit_of_ratios, name_ratios
from ratewarp.report.style import LETTER, LINE
from ratewarp.report.tuning_panel import draw_tuning, tuning_heading, tuning_plan
from ratewarp.report.views import ConditionView, scheme_colours
from ratewarp.runs.directory import RunDirectory

_EDGE = 0.06  # inches around a panel
_KEY = 0.5  # below a map
_TITLE = 0.28  # above it


def codes_map(
    run: RunDirectory,
    model: str,
    capacity: float | None = None,
    colour: str | None = None,
    *,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """Map of the codes of a model (metric multidimensional scaling), a dot an image; a bar as long as a
    standard deviation of the prior.

    Arguments:
        run: what `ratewarp.open_run` returned, with its tables.
        model: whose codes.
        capacity: nats; the lowest if not given.
        colour: name of a factor, or of a labelling of the model; its first labelling, else the first factor,
            if not given.
        ax: where to draw; axes of a new figure if not given.
        width: of a new figure: "single" or "double", columns of a journal of 89 and 183 mm.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such model, capacity, factor or labelling.

    Examples:
        >>> figure, ax = codes_map(open_run("runs/demo"), "E2M1", 0.3)  # doctest: +SKIP
        >>> ax.get_title()  # doctest: +SKIP
        'E2M1, 0.3 nats'
    """
    view = view_of(run)
    shown = condition_view(view, model, capacity)
    draw = _coloured(shown, colour)

    def whole(axes: Axes) -> None:
        draw(axes)
        axes.set_title(f"{model}, {shown.label}")

    inches = inches_wide(width)
    size = (inches, inches - 2 * _EDGE + _TITLE + _KEY)
    return drawn(whole, ax, size, (_EDGE, _TITLE, _EDGE, _KEY))


def _coloured(view: ConditionView, colour: str | None) -> Callable[[Axes], None]:
    setting, grid, extent = view.condition.setting, view.grid, map_extent([view])
    schemes = setting.class_schemes()
    known = [*schemes, *(name for name in grid.names if name not in schemes)]
    if colour is not None and colour not in known:
        refuse_name("colour", "labelling or factor", colour, known)
    if not known:
        return lambda axes: draw_model_map(axes, view, extent)
    colour = known[0] if colour is None else colour
    if colour in schemes:
        scheme, classes = colour, int(schemes[colour].max()) + 1

        def by_class(axes: Axes) -> None:
            draw_map(axes, view, scheme_colours(scheme, setting), extent=extent)
            draw_key(axes, scheme_key(scheme, classes, setting, 3.0))

        return by_class
    factor = grid.names.index(colour)

    def by_factor(axes: Axes) -> None:
        draw_map(axes, view, grid.stimulus_colours(factor), extent=extent)
        factor_key(axes, grid, factor)

    return by_factor


def tuning(
    run: RunDirectory,
    model: str,
    capacity: float | None = None,
    *,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """Tuning curves of the latents of a model, most informative first, with the rate of each: over the plane
    of two factors, or by one factor at a time.

    Arguments:
        run: as of `codes_map`.
        model: whose latents.
        capacity: nats; the lowest if not given.
        ax: as of `codes_map`; its frame and ticks are taken away.
        width: as of `codes_map`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such model or capacity.

    Examples:
        >>> figure, ax = tuning(open_run("runs/demo"), "baseline", 3)  # doctest: +SKIP
        >>> ax.get_title()  # doctest: +SKIP
        'baseline, 3 nats: tuning curves'
    """
    view = view_of(run)
    shown, inches = condition_view(view, model, capacity), inches_wide(width)
    scheme = next(iter(view.settings[model].class_schemes()), "")
    height = tuning_plan(shown, inches - 2 * _EDGE, scheme).height

    def draw(axes: Axes) -> None:
        draw_tuning(axes, shown, scheme=scheme)
        axes.set_title(f"{model}, {shown.label}: {tuning_heading(shown).partition(' (')[0]}")

    return drawn(draw, ax, (inches, height + _TITLE + _EDGE), (_EDGE, _TITLE, _EDGE, _EDGE))


def class_distances(
    run: RunDirectory,
    model: str,
    capacity: float | None = None,
    task: str | None = None,
    *,
    ax: Axes | None = None,
    width: Width = "single",
) -> tuple[Figure, Axes]:
    """Class distortion matrix of a model against the reference: above 0, two classes are farther apart than
    in the reference, relative to all pairs of images.

    Arguments:
        run: as of `codes_map`.
        model: whose codes.
        capacity: nats; the lowest if not given.
        task: labelling of the model: a task, or "frequency"; the first if not given.
        ax: as of `codes_map`. From five classes on, a bar of colours stands beside it.
        width: as of `codes_map`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such model, capacity or labelling, or the matrix is not defined.

    Examples:
        >>> figure, ax = class_distances(open_run("runs/demo"), "E2M1", 0.3)  # doctest: +SKIP
        >>> [label.get_text() for label in ax.get_xticklabels()]  # doctest: +SKIP
        ['no', 'yes']
    """
    view = view_of(run)
    scheme, shown = known_scheme(view, model, task), condition_view(view, model, capacity)
    panels = ClassPanels(view, model, scheme, [shown.level])
    if panels.found[shown.level] is None:
        raise RequestError(f"model: the class distortion matrix of {model} at {shown.label} is not defined")
    inches = inches_wide(width)

    def draw(axes: Axes) -> None:
        image = panels.draw(axes, shown.level)
        axes.set_title(f"class distortion, {model}\nagainst {view.study.reference}, {shown.label}")
        if panels.classes >= MANY and image is not None:
            bar = axes.figure.colorbar(image, ax=axes, shrink=0.8, extend="both")
            bar.set_label("distance ratio, minus its mean over all pairs")
            bar.outline.set_visible(False)  # type: ignore[operator]

    return drawn(draw, ax, (inches, inches))


def capacity_distances(
    run: RunDirectory, model: str, *, ax: Axes | None = None, width: Width = "single"
) -> tuple[Figure, Axes]:
    """What the lowest capacity does to the distance of every two stimuli, against the highest: above 0 kept
    apart, below 0 drawn together.

    Arguments:
        run: as of `codes_map`.
        model: whose codes.
        ax: as of `codes_map`.
        width: as of `codes_map`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such model, one capacity only, or the matrix is not defined.

    Examples:
        >>> figure, ax = capacity_distances(open_run("runs/demo"), "E1M1")  # doctest: +SKIP
        >>> ax.get_title()  # doctest: +SKIP
        'E1M1'
    """
    view = view_of(run)
    if len(view.levels) < 2:
        raise RequestError(f"run: {run.path} has one capacity, which cannot be set against another")
    matrix = capacity_matrix(view, known_model(view, model))
    if matrix is None:
        raise RequestError(f"model: distances of {model} are not defined at its highest and lowest capacity")

    def draw(axes: Axes) -> None:
        image = draw_ratios(axes, view, model, matrix, limit_of_ratios([matrix]))
        assert image is not None
        name_ratios(axes.figure.colorbar(image, ax=axes, shrink=0.8, extend="both"), view)

    inches = inches_wide(width)
    return drawn(draw, ax, (inches, 0.8 * inches))


def images(run: RunDirectory, *, ax: Axes | None = None, width: Width = "single") -> tuple[Figure, Axes]:
    """Images of stimuli: over the plane of two factors, along each of several, or some of every class.

    Arguments:
        run: as of `codes_map`.
        ax: as of `codes_map`.
        width: as of `codes_map`.

    Returns:
        The figure and the axes.

    Examples:
        >>> figure, ax = images(open_run("runs/demo"))  # doctest: +SKIP
        >>> [label.get_text() for label in ax.get_xticklabels()][:2]  # doctest: +SKIP
        ['x_LC = 0', 'x_LC = 3']
    """
    mosaic, _ = images_mosaic(view_of(run))
    return _mosaic(mosaic, ax, width)


def reconstructions(
    run: RunDirectory,
    model: str,
    stimuli: int = STIMULI,
    *,
    ax: Axes | None = None,
    width: Width = "double",
) -> tuple[Figure, Axes]:
    """Images of some stimuli, above what a model decodes from their mean codes at every capacity, or at the
    highest and lowest of many.

    Arguments:
        run: as of `codes_map`.
        model: which decodes.
        stimuli: how many.
        ax: as of `codes_map`.
        width: as of `codes_map`.

    Returns:
        The figure and the axes.

    Raises:
        RequestError: there is no such model.

    Examples:
        >>> figure, ax = reconstructions(open_run("runs/demo"), "baseline")  # doctest: +SKIP
        >>> ax.get_yticklabels()[0].get_text()  # doctest: +SKIP
        'image'
    """
    view = view_of(run)
    cells = [(known_model(view, model), level) for level in view.panel_levels]
    return _mosaic(examples(view, cells, stimuli), ax, width)


def _mosaic(mosaic: Mosaic, ax: Axes | None, width: Width) -> tuple[Figure, Axes]:
    inches = inches_wide(width)
    longest = max((len(part) for name in mosaic.names for part in name.split("\n")), default=0)
    lines = max((title.count("\n") + 1 for title in mosaic.titles), default=0)
    margins: Margins = (LETTER * longest + 0.12, _EDGE + LINE * lines, _EDGE, _EDGE)
    cell = (inches - margins[0] - margins[2]) / mosaic.across
    height = mosaic.down(cell) * cell + margins[1] + margins[3]
    return drawn(lambda axes: draw_mosaic(axes, mosaic), ax, (inches, height), margins)

"""The page's interactive figures."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ratewarp.report.factor_grid import cut
from ratewarp.report.plane import floor_of_noise, noise_note
from ratewarp.report.selection import MOST_DOTS, Selection, some_models
from ratewarp.report.style import CLASS_COLOURS, INK, MUTED, RULE, marker_number, model_colours
from ratewarp.report.views import ConditionView, RunView, class_names, class_palette, scheme_title

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
_MOST_TRACES = 40  # with an entry each in the legend of a map
_LETTERS = 40  # of a name in a legend
_FEW_MODELS = 4  # whose names have room in a corner of the plane
_INSIDE = {"x": 0.99, "y": 0.98, "xanchor": "right", "yanchor": "top"}
_BESIDE = {"x": 1.01, "y": 1.0, "xanchor": "left", "yanchor": "top"}
_LAYOUT: dict[str, Any] = {
    "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "margin": {"l": 70, "r": 20, "t": 20, "b": 60},
    "hoverlabel": {"bgcolor": "white"},
}


def plane(view: RunView) -> go.Figure:
    """Left: rate reached against target. Right: distortion against rate. Every condition with its numbers on
    hover.
    """
    figure = make_subplots(cols=2, column_widths=[0.4, 0.6], horizontal_spacing=0.1)
    table, models = view.models, list(view.study.models)
    colours = model_colours(models)
    for index, model in enumerate(models):
        marker = {"size": 9, "symbol": _SYMBOLS[marker_number(index)], "color": colours[model]}
        for seed, rows in table.query("model == @model").sort_values(by="rate_nats").groupby("seed"):
            shared = {
                "name": model,
                "legendgroup": model,
                "marker": marker,
                "customdata": rows[list(_HOVER)],
                "hovertemplate": _hover(model, aims=bool(rows["capacity_nats"].notna().all())),
            }
            figure.add_scatter(
                x=rows["abscissa"],
                y=rows["rate_nats"],
                mode="markers",
                showlegend=False,
                col=1,
                row=1,
                **shared,
            )
            line = {"color": colours[model], "width": 1.5}
            first = bool(seed == view.study.seeds[0])
            figure.add_scatter(
                x=rows["rate_nats"],
                y=rows["distortion"],
                mode="lines+markers",
                showlegend=first,
                line=line,
                col=2,
                row=1,
                **shared,
            )
    _dress_plane(figure, view)
    return figure


_HOVER = (
    "capacity_nats",
    "seed",
    "rate_nats",
    "rate_bits",
    "distortion",
    "semantic_distortion",
    "multiplier",
)


def _hover(model: str, *, aims: bool) -> str:
    target = "target %{customdata[0]:g} nats, " if aims else ""
    return (
        f"<b>{escape(model)}</b>, {target}seed %{{customdata[1]}}<br>"
        "rate %{customdata[2]:.3f} nats (%{customdata[3]:.3f} bits)<br>distortion %{customdata[4]:.4f}<br>"
        "semantic distortion %{customdata[5]:.4f}<br>multiplier %{customdata[6]:.2g} per nat<extra></extra>"
    )


def _dress_plane(figure: go.Figure, view: RunView) -> None:
    """Axes, the line of equal rate and target, and the noise floor."""
    capacities = sorted(view.study.capacities_nats)
    low, high = (end(capacities or view.models["abscissa"]) for end in (min, max))
    ends = [low / 1.5, high * 1.5]
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": RULE, "width": 1.5},
        showlegend=False,
        hoverinfo="skip",
        col=1,
        row=1,
    )
    note = {"text": noise_note(view), "font": {"size": 11, "color": MUTED}}
    line = {"color": MUTED, "width": 1, "dash": "dash"}
    floor = floor_of_noise(view)
    if floor is not None:
        figure.add_hline(y=floor, line=line, annotation=note, annotation_position="top left", col=2, row=1)  # type: ignore[arg-type]
    axis = {
        "gridcolor": "#eef1f4",
        "zeroline": False,
        "linecolor": RULE,
        "ticks": "outside",
        "tickcolor": RULE,
    }
    ticks = {
        "type": "log",
        **({"tickvals": capacities, "ticktext": [f"{c:g}" for c in capacities]} if capacities else {}),
    }
    figure.update_layout(
        **_LAYOUT,
        height=440,
        xaxis={
            **axis,
            **ticks,
            "title": "target rate (capacity), nats" if view.aims else view.abscissa_title,
        },
        yaxis={**axis, **ticks, "title": "rate reached, nats"},
        xaxis2={**axis, "title": "rate, nats", "rangemode": "tozero"},
        yaxis2={**axis, "title": f"distortion, {view.study.likelihood.UNIT}"},
        legend=_BESIDE if len(view.settings) > _FEW_MODELS else _INSIDE,
    )


def explored(view: RunView) -> Selection:
    """Models whose maps can be explored: all, or as many as the page has room for."""
    dots = len(view.panel_levels) * int(view.shown(view.study.reference, view.levels[0]).mapped.sum())
    most = max(len(view.drawn.names), MOST_DOTS // max(1, dots))
    return some_models(list(view.settings), view.study.reference, most)


def map_explorer(view: RunView) -> go.Figure:
    """The map of one condition at a time, chosen from a list; hovering names the stimulus."""
    figure = go.Figure()
    buttons: list[dict[str, Any]] = []
    chosen = [view.shown(model, level) for model in explored(view).names for level in view.panel_levels]
    traces = [(shown, _map_traces(shown)) for shown in chosen if shown.sound]
    total = sum(len(parts) for _, parts in traces)
    first = 0
    for shown, parts in traces:
        for part in parts:
            figure.add_trace(part.update(visible=first == 0))
        visible = [first <= i < first + len(parts) for i in range(total)]
        first += len(parts)
        label = literal(f"{shown.condition.model}, {shown.label}")
        buttons.append({"label": label, "method": "update", "args": [{"visible": visible}]})
    blank = {
        "showgrid": False,
        "zeroline": False,
        "showticklabels": False,
        "ticks": "",
        "linecolor": RULE,
        "mirror": True,
    }
    figure.update_layout(
        **_LAYOUT,
        height=620,
        xaxis=blank,
        yaxis={**blank, "scaleanchor": "x"},
        legend={"x": 1.01, "y": 0.5, "itemsizing": "constant"},
        updatemenus=[
            {
                "buttons": buttons,
                "x": 0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "pad": {"b": 6},
                "bgcolor": "white",
            }
        ],
    )
    figure.update_layout(margin={"l": 20, "r": 20, "t": 60, "b": 20})
    return figure


def _map_traces(view: ConditionView) -> list[go.Scatter]:
    """One trace per class, so that the legend names the classes; of very many, one trace for all."""
    groups = _groups(view)
    texts = [_described(view, stimulus) for stimulus in range(len(groups.labels))]
    drawn, of_code = view.mapped, groups.labels[view.stimuli]
    present = np.unique(of_code[drawn])
    if len(present) > _MOST_TRACES:
        return [_trace(view, drawn, texts, np.array(groups.colours)[of_code[drawn]], groups.title)]
    return [
        _trace(view, drawn & (of_code == one), texts, groups.colours[one], groups.names[one]).update(
            legendgrouptitle={"text": literal(groups.title)} if one == present[0] else None,
            legendgroup="classes",
            showlegend=True,
        )
        for one in present
    ]


def _trace(view: ConditionView, chosen: np.ndarray, texts: list[str], colour: Any, name: str) -> go.Scatter:
    return go.Scatter(
        x=view.points[chosen, 0].round(4),
        y=view.points[chosen, 1].round(4),
        mode="markers",
        text=[texts[stimulus] for stimulus in view.stimuli[chosen]],
        hovertemplate="%{text}<extra></extra>",
        name=literal(cut(name, _LETTERS)),
        marker={"size": 5, "color": colour, "opacity": 0.8},
    )


class _Groups(NamedTuple):
    """Which of the entries of the legend every stimulus belongs to, and their names and colours."""

    title: str
    labels: np.ndarray
    names: list[str]
    colours: list[str]


def _groups(view: ConditionView) -> _Groups:
    """By the first labelling, else by the first factor."""
    setting, grid = view.condition.setting, view.grid
    schemes = setting.class_schemes()
    if schemes:
        scheme, labels = next(iter(schemes.items()))
        classes = int(labels.max()) + 1
        names = class_names(scheme, classes, setting) or [str(one) for one in range(classes)]
        return _Groups(scheme_title(scheme, setting), labels, names, class_palette(scheme, classes, setting))
    if grid.names:
        return _Groups(grid.names[0], grid.ranks[:, 0], list(grid.words[0]), grid.colours(0))
    return _Groups("", np.zeros(len(grid.ranks), int), ["all stimuli"], [CLASS_COLOURS[0]])


def _described(view: ConditionView, stimulus: int) -> str:
    """A stimulus by its factors, or its number in the source where there are none."""
    index = view.condition.setting.measured()[stimulus]
    return literal(view.grid.described(stimulus)) or f"stimulus {index}"


def literal(text: str) -> str:
    """A text that Plotly shows as it is: neither as markup, nor as a formula between dollars.

    Examples:
        >>> literal("<b>$5</b>")
        '&lt;b&gt;&#36;5&lt;/b&gt;'
    """
    return escape(text).replace("$", "&#36;")

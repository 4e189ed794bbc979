"""The page's interactive figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ratewarp.report.factor_grid import factor_grid
from ratewarp.report.panels import first_colours
from ratewarp.report.plane import floor_of_noise
from ratewarp.report.selection import MOST_DOTS, Selection, some_models
from ratewarp.report.style import INK, MUTED, RULE, class_colours, marker_number, model_colours
from ratewarp.report.views import ConditionView, RunView, class_names, scheme_title

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
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
                "hovertemplate": _hover(model),
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


def _hover(model: str) -> str:
    return (
        f"<b>{model}</b>, target %{{customdata[0]:g}} nats, seed %{{customdata[1]}}<br>"
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
    note = {"text": "pixel noise, uniform stimuli", "font": {"size": 11, "color": MUTED}}
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
    dots = len(view.panel_levels) * len(view.shown(view.study.reference, view.levels[0]).points)
    most = max(len(view.drawn.names), MOST_DOTS // dots)
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
        label = f"{shown.condition.model}, {shown.label}"
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
    """One trace per class, so that the legend names the classes."""
    factors, names = view.record["factor_value"].values, view.record["factor"].values
    schemes = view.condition.setting.class_schemes()
    if schemes:
        scheme, labels = next(iter(schemes.items()))
        title, known = (
            scheme_title(scheme, view.condition.setting),
            class_names(scheme, int(labels.max()) + 1),
        )
        colours = class_colours(int(labels.max()) + 1)
    else:
        grid = factor_grid(view.record)
        labels = grid.ranks[:, 0] if grid.names else np.zeros(len(factors), int)
        title, known = (
            (grid.names[0], [f"{value:g}" for value in np.unique(factors[:, 0])])
            if grid.names
            else ("", ["all stimuli"])
        )
        colours = list(dict.fromkeys(first_colours(view.record)[np.argsort(labels, kind="stable")]))
    traces = []
    for value in np.unique(labels):
        chosen = (labels[view.stimuli] == value) & view.occurs
        text = [
            ", ".join(f"{n} = {v}" for n, v in zip(names, factors[s], strict=True))
            for s in view.stimuli[chosen]
        ]
        traces.append(
            go.Scatter(
                x=view.points[chosen, 0].round(4),
                y=view.points[chosen, 1].round(4),
                mode="markers",
                text=text,
                hovertemplate="%{text}<extra></extra>",
                name=known[value],
                legendgrouptitle={"text": title} if value == np.unique(labels)[0] else None,
                legendgroup="classes",
                marker={"size": 5, "color": colours[int(value)], "opacity": 0.8},
            )
        )
    return traces

"""All figures of a run, by the names of their files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matplotlib.figure import Figure

from ratewarp.report.bound_figure import bound_figure
from ratewarp.report.curves import distortion_figure, f1_figure
from ratewarp.report.examples import examples_figure
from ratewarp.report.image_sheet import images_figure
from ratewarp.report.model_figure import model_figure
from ratewarp.report.normative_figure import normative_figure
from ratewarp.report.overview import overview_figure
from ratewarp.report.phase_figures import phase_figure, phase_indices_figure, phase_slices_figure
from ratewarp.report.plane import plane_figure
from ratewarp.report.reference_figure import reference_figure
from ratewarp.report.stimuli import capacity_figure
from ratewarp.report.views import RunView
from ratewarp.report.warps import warps_figure

Drawing = Callable[[RunView], Figure | None]


def drawings(view: RunView) -> dict[str, Drawing]:
    """What draws every figure of a run, by the name of its files, in order; None where there is nothing to
    draw.
    """
    found: dict[str, Drawing] = {
        "images": images_figure,
        "overview": overview_figure,
        "rate_distortion": plane_figure,
        "distortion": distortion_figure,
        "examples": examples_figure,
        reference_name(view): reference_figure,
        "bound": bound_figure,
        "f1": f1_figure,
        "capacity": capacity_figure,
        "warps": warps_figure,
        "normative": normative_figure,
        "phases": phase_figure,
        "phase_indices": phase_indices_figure,
        "phase_slices": phase_slices_figure,
    }
    for (model, scheme), name in model_names(view).items():
        found[name] = partial(model_figure, model=model, scheme=scheme)
    return found


def reference_name(view: RunView) -> str:
    """Name of the figure of the reference model."""
    return f"model_{view.study.reference}"


def model_names(view: RunView) -> dict[tuple[str, str], str]:
    """Name of the figure of every model but the reference under each of its labellings; of very many, of
    some.

    A name that two would have, also where a disk takes capitals for small letters, gets a number. So no
    figure replaces another.
    """
    taken = {reference_name(view).lower()}
    names = {}
    for model, scheme in view.model_schemes:
        name = stem = f"model_{model}_{scheme}"
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        names[model, scheme] = name
    return names

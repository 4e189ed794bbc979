"""Panels of class distortion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ratewarp.geometry import ClassDistortion
from ratewarp.report.classes import MANY, ClassTicks, class_ticks, sparse_ticks
from ratewarp.report.factor_grid import cut
from ratewarp.report.panels import draw_matrix
from ratewarp.report.style import MUTED, SMALL, in_lines
from ratewarp.report.views import RunView, class_names

_LETTERS_OF_CLASSES = 28  # of all names of classes that have room beside a matrix
_LETTERS = 16  # of one of them
_LIMIT = 0.98  # quantile of the entries of a matrix of many classes at which the colours end


class ClassPanels:
    """Class distortion matrices of a model under a labelling, at some levels, on one scale.

    Attributes:
        found: matrix by level; None where it is not defined.
        classes: how many there are.
    """

    def __init__(self, view: RunView, model: str, scheme: str, levels: Sequence[int]) -> None:
        self.view, self.model, self.scheme = view, model, scheme
        setting = view.settings[model]
        labels = setting.class_schemes()[scheme]
        self.classes = int(labels.max()) + 1
        self.names = class_names(scheme, self.classes, setting)
        self.found = {level: view.distortion_matrix(view.shown(model, level), scheme) for level in levels}
        grid = view.shown(model, levels[0]).grid
        self.ticks: ClassTicks = (
            sparse_ticks([cut(name, _LETTERS) for name in self.names])
            if self.names
            else class_ticks(labels, grid.values, grid.names)
        )

    @property
    def limit(self) -> float:
        """Where the colours end."""
        return limit_of([one for one in self.found.values() if one is not None], self.classes)

    def draw(self, axes: Axes, level: int, *, room: float = 0.0) -> AxesImage | None:
        """Draws that of a level; says so where it is not defined. Its heading is in lines of `room` inches;
        without room it has none.
        """
        matrix, heading = self.found[level], ""
        if room:
            model, reference = (cut(name, 18) for name in (self.model, self.view.study.reference))
            heading = in_lines(f"class distortion, {model} against {reference}", room)
        if matrix is None:
            axes.set(xticks=[], yticks=[], aspect="equal")
            axes.set_title(heading, fontsize=SMALL)
            middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
            axes.text(0.5, 0.5, f"not defined\nat {self.view.label(level)}", color=MUTED, **middle)
            return None
        short = [cut(name, max(4, _LETTERS_OF_CLASSES // self.classes)) for name in self.names]
        image = draw_matrix(axes, matrix, limit=self.limit, names=short, title=heading, ticks=self.ticks)
        axes.title.set_fontsize(SMALL)
        return image


def limit_of(matrices: list[ClassDistortion], classes: int) -> float:
    """Where the colours of matrices end: at the largest entry; of many classes, at a quantile."""
    whole = _LIMIT if classes >= MANY else 1
    return max([0.1, *(float(np.nanquantile(np.abs(one.values), whole)) for one in matrices)])

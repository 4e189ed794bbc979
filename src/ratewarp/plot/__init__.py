"""Figures as functions, one per panel: each draws into axes of yours, or into a new figure of a journal's
column width, and returns both.

What was measured (`ratewarp.measure`, `ratewarp.measure_several`): `codes`, `indices`, `class_distance`,
`over_sets`, and whole figures, `measurement` and `several`.

A run (`ratewarp.open_run`): `rates`, `rate_distortion`, `bound`, `distortion`, `f1`, `measure`, `normative`,
`phases`; of one model, `codes_map`, `tuning`, `class_distances`, `capacity_distances`, `images`,
`reconstructions`. The files in `figures/` of a run are made of the same panels.

Type is at least 7 points at the size of the figure, unless you want it smaller: **a setting of matplotlib
that you changed from its default wins over ours**, such as `plt.rcParams["font.size"] = 12` or a style sheet.
Figures that are saved by `save`, or within `style`, have their fonts embedded as letters (Type 42).
"""

from ratewarp.plot.curves_of_runs import (
    bound,
    distortion,
    f1,
    measure,
    normative,
    phases,
    rate_distortion,
    rates,
)
from ratewarp.plot.models_of_runs import (
    capacity_distances,
    class_distances,
    codes_map,
    images,
    reconstructions,
    tuning,
)
from ratewarp.plot.new_figures import save, style
from ratewarp.plot.of_measurements import class_distance, codes, indices, measurement, over_sets, several

__all__ = [
    "bound",
    "capacity_distances",
    "class_distance",
    "class_distances",
    "codes",
    "codes_map",
    "distortion",
    "f1",
    "images",
    "indices",
    "measure",
    "measurement",
    "normative",
    "over_sets",
    "phases",
    "rate_distortion",
    "rates",
    "reconstructions",
    "save",
    "several",
    "style",
    "tuning",
]

"""Phases of a stage: which warps stand out together, at every place of up to three axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratewarp.report.phase_figures import PHASE_COLOURS, phase_name, which_stand_out
from ratewarp.report.phase_view import phase_view
from ratewarp.report.views import RunView
from ratewarp.results.phases import LEVEL


def phases_data(view: RunView) -> dict[str, Any] | None:
    """The phases that `phase_view` finds, of trained models and of optimal codes.

    Returns:
        `model`; `level`, the share of what stands out that is expected to be chance; `names` and `colours`
        of every phase; `trained` and `optimal`, the number of the phase at every place of the first axis
        (capacity), of the third (one place where there is none) and of the second, as nested lists; `optimal`
        is None where there are no normative codes. None for a study without such axes.
    """
    phase = phase_view(view)
    if phase is None:
        return None
    optimal = None if view.table("normative").empty else which_stand_out(phase, phase.optimal_stands_out)
    return {
        "model": phase.model,
        "level": LEVEL,
        "names": [phase_name(number) for number in range(len(PHASE_COLOURS))],
        "colours": list(PHASE_COLOURS),
        "trained": which_stand_out(phase, phase.stands_out).astype(np.int64),
        "optimal": None if optimal is None else optimal.astype(np.int64),
    }

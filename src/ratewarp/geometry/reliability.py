"""How much of codes is signal: the share of it, and where too little of it is left to divide by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from ratewarp.geometry.interval import Statistic
from ratewarp.geometry.representation import Representation
from ratewarp.geometry.similarity_left_out import ceiling_without
from ratewarp.geometry.spread import Cells
from ratewarp.geometry.workbench import Workbench

Of = Callable[[Representation, Int[np.ndarray, " units"]], Statistic]

_LEAST_CEILING = 0.35  # noise ceiling from which ratios by tr Σ² without trial noise are told
_LEAST_SHARE = 0.1  # of the variance of mean codes that is signal, from which ratios by tr Σ are


def share_of_signal(one: Representation, blocks: Int[np.ndarray, " units"]) -> Statistic:
    """Share of the variance of the mean codes of stimuli that is not of their errors, which must be known."""
    assert one.span_errors is not None
    alike = np.zeros_like(one.units)
    cells = Cells.of(one.span, one.units, alike, blocks, one.span_errors.variances(one.number))
    noisy = Cells.of(one.span, one.units, alike, blocks)

    def share(weights: np.ndarray) -> np.ndarray:
        clean, whole = (part.spread(weights).squared_distances()[1] for part in (cells, noisy))
        return np.divide(clean, whole, out=np.full_like(whole, np.nan), where=whole > 0)

    return share


def ceiling_of(one: Representation, blocks: Int[np.ndarray, " units"]) -> Statistic:
    """Linear CKA of the mean codes of stimuli with themselves without their errors, which must be known."""
    assert one.span_errors is not None
    return ceiling_without(one.span, blocks, one.span_errors)


def too_little_signal(bench: Workbench) -> str:
    """Why nothing can be divided by the variance of the codes or of the reference; empty if something can.

    Where errors make nearly all of it, what is left may lie near 0, on either side.
    """
    return _below(bench, share_of_signal, _LEAST_SHARE, "reliability")


def too_noisy(bench: Workbench) -> str:
    """Why nothing can be divided by tr Σ² of the codes or of the reference; empty if something can.

    Where noise makes most of it, ratios by what is left have no mean and intervals that are too narrow.
    """
    return _below(bench, ceiling_of, _LEAST_CEILING, "noise ceiling")


def _below(bench: Workbench, make: Of, least: float, name: str) -> str:
    for side, one in (("codes", bench.own), ("reference", bench.reference)):
        if one is None or one.span_errors is None or one.constant:
            continue
        blocks = bench.block_of
        found = float(make(one, blocks)(np.ones((1, int(blocks.max()) + 1)))[0])
        if not found > least:
            return f"the {side} differ too little beside their trial noise: {name} {found:.2f}"
    return ""

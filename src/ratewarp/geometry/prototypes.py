"""Prototypization: how far codes collapse onto one point a category."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.reach import scaled, spanned
from ratewarp.geometry.scatter import Sample, Scatter
from ratewarp.geometry.spread import Cells, Spread


def prototypization(
    codes: Float[np.ndarray, "items latents"],
    classes: Int[np.ndarray, " items"],
    *,
    stimuli: Int[np.ndarray, " items"] | None = None,
) -> float:
    """Share of the codes' variance that lies between categories, adjusted for chance.

    V_B / (V_B + V_W), with V_W the unbiased variance within categories, Σ_c p_c s²_c, and V_B that between
    their means, Σ_c p_c |μ_c − μ|² − Σ_c p_c (1 − p_c) s²_c / n_c: the means of few items differ by chance,
    and this takes off by how much. Where all categories vary alike it is ω² = (SS_B − (k − 1) MS_W) / (SS_T +
    MS_W) of the analysis of variance. At most 1, where every category is one point; 0 on average where
    labels say nothing, whatever the number of categories, so that it may lie slightly below. Invariant to
    rotation, shift and common scale; not to scaling single latents. Its change from a reference tells what a
    task did to the codes, since categories differ in any code that tells stimuli apart.

    Arguments:
        codes: one row per item.
        classes: category of every item, any integers; at least one category has two items. One that has a
            single item is taken to vary as the others do.
        stimuli: stimulus of every item, any integers, where several items are of one. Items of a stimulus do
            not stray from the mean of their category independently: chance is then counted over stimuli.

    Returns:
        The share.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are all equal; labels of the
            wrong length, or all different.

    Source: ω² of the analysis of variance (Hays, Statistics for Psychologists, 1963), summed over latents,
        with a variance for every category.

    Examples:
        >>> prototypization(np.array([[0.0], [0.0], [2.0], [2.0]]), np.array([0, 0, 1, 1]))
        1.0
        >>> codes = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> round(prototypization(codes, np.array([0, 0, 1, 1])), 2)  # the plain share, η², is 0.8
        0.64
    """
    codes = spanned(scaled(check_codes(codes)))
    _, members = np.unique(check_labels(classes, len(codes)), return_inverse=True)
    if not np.ptp(codes, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    units = np.arange(len(codes))
    if stimuli is not None:
        _, units = np.unique(check_labels(stimuli, len(codes), argument="stimuli"), return_inverse=True)
    found = float(spread_of(codes, units, members).between_share()[0])
    if np.isnan(found):
        refuse("classes", "labels of which one at least is that of two stimuli", "no such label")
    return found


def spread_of(
    codes: Float[np.ndarray, "items latents"],
    units: Int[np.ndarray, " items"],
    members: Int[np.ndarray, " items"],
) -> Spread:
    """The spread of a sample as it is, with one draw on its leading axis."""
    return Cells.of(codes, units, members, np.zeros(int(units.max()) + 1, int)).spread(np.ones((1, 1)))


def whole(codes: Float[np.ndarray, "items latents"], members: Int[np.ndarray, " items"]) -> Scatter:
    """The scatter of a sample as it is, with one draw on its leading axis."""
    return Sample(codes, np.zeros(len(codes), np.int64), members).scatter(np.ones((1, 1)))

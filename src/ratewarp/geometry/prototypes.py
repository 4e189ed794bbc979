"""Prototypization: how far codes collapse onto one point a category."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.reach import scaled, spanned
from ratewarp.geometry.scatter import Sample, Scatter


def prototypization(codes: Float[np.ndarray, "items latents"], classes: Int[np.ndarray, " items"]) -> float:
    """Share of the codes' variance that lies between categories.

    η² = tr S_B / tr S_T = 1 − tr S_W / tr S_T, with S_T the scatter of codes around the mean of all, S_W
    around the mean of their category, and S_B = S_T − S_W. Range 0 … 1: 0 when all categories have the same
    mean, 1 when every category is one point. Labels drawn at random give about (categories − 1) / (items −
    1). Invariant to rotation, shift and common scale; not to scaling single latents. Its change from a
    reference tells what a task did to the codes, since categories differ in any code that tells stimuli
    apart.

    Arguments:
        codes: one row per item.
        classes: category of every item; any integers.

    Returns:
        η².

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are all equal; labels of the
            wrong length.

    Source: η² of the analysis of variance, summed over latents (Fisher 1925).

    Examples:
        >>> prototypization(np.array([[0.0], [0.0], [2.0], [2.0]]), np.array([0, 0, 1, 1]))
        1.0
        >>> prototypization(np.array([[0.0], [2.0], [0.0], [2.0]]), np.array([0, 0, 1, 1]))
        0.0
    """
    codes = spanned(scaled(check_codes(codes)))
    _, members = np.unique(check_labels(classes, len(codes)), return_inverse=True)
    if not np.ptp(codes, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    return float(between_share(whole(codes, members))[0])


def between_share(scatter: Scatter) -> Float[np.ndarray, "*draws"]:
    """η² of every draw; NaN for one of equal codes."""
    between, total = (np.trace(part, axis1=-2, axis2=-1) for part in (scatter.between, scatter.total))
    return np.divide(between, total, out=np.full_like(total, np.nan), where=total > 0)


def whole(codes: Float[np.ndarray, "items latents"], members: Int[np.ndarray, " items"]) -> Scatter:
    """The scatter of a sample as it is, with one draw on its leading axis."""
    return Sample(codes, np.zeros(len(codes), np.int64), members).scatter(np.ones((1, 1)))

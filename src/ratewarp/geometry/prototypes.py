"""Prototypization: how far codes collapse onto one point a category."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.distances import check_codes, check_labels


def prototypization(codes: Float[np.ndarray, "items latents"], classes: Int[np.ndarray, " items"]) -> float:
    """Share of the codes' variance that lies between categories.

    η² = 1 − tr S_W / tr S_T, with S_W the scatter of codes around the mean of their category and S_T around the mean of all.
    Range 0 … 1: 0 when all categories have the same mean, 1 when every category is one point. Labels drawn at random give about
    (categories − 1) / (items − 1). Invariant to rotation, shift and common scale; not to scaling single latents.

    Arguments:
        codes: one row an item.
        classes: category of every item; any integers.

    Returns:
        η².

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are all equal; labels of the wrong length.

    Source: η² of the analysis of variance, summed over latents (Fisher 1925).

    Examples:
        >>> prototypization(np.array([[0.0], [0.0], [2.0], [2.0]]), np.array([0, 0, 1, 1]))
        1.0
        >>> prototypization(np.array([[0.0], [2.0], [0.0], [2.0]]), np.array([0, 0, 1, 1]))
        0.0
    """
    codes = check_codes(codes)
    _, members = np.unique(check_labels(classes, len(codes)), return_inverse=True)
    total = np.sum((codes - codes.mean(axis=0)) ** 2)
    if not total > 0:
        refuse("codes", "different for at least two items", "constant codes")
    counts = np.bincount(members)
    sums = np.zeros((len(counts), codes.shape[1]))
    np.add.at(sums, members, codes)
    within = np.sum((codes - (sums / counts[:, None])[members]) ** 2)
    return float(1 - within / total)

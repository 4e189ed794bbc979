"""Scores: how well heads classify. Plain arrays in, numbers out."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse

PUBLISHED_BATCH = 32  # images over which the publication takes one F1
_BATCHES = 4000


def f1(
    truth: Int[np.ndarray, " items"],
    predicted: Int[np.ndarray, " items"],
    weights: Float[np.ndarray, " items"],
) -> float:
    """F1 of class 1, or macro F1 over all classes where there are more than two; 0 where nothing is predicted
    correctly.

    Arguments:
        truth: class of every item, from 0.
        predicted: class given to it.
        weights: of the items, such as their frequency; items of weight 0 count for nothing, nor do classes
            that only they have.

    Examples:
        >>> f1(np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0]), np.ones(4))
        0.8
    """
    from sklearn.metrics import f1_score  # its import takes a third of a second

    average = "binary" if truth.max() <= 1 else "macro"
    kept = weights > 0  # what does not occur is no class that could be missed
    return float(
        f1_score(
            truth[kept],
            predicted[kept],
            average=average,
            sample_weight=weights[kept],
            zero_division=cast(Any, 0),
        )
    )


def f1_over_batches(
    truth: Int[np.ndarray, " items"],
    predicted: Int[np.ndarray, " items"],
    weights: Float[np.ndarray, " items"],
    *,
    classes: int,
    batch: int = PUBLISHED_BATCH,
    batches: int = _BATCHES,
    seed: int = 0,
) -> float:
    """Mean of F1 over random small batches, as the publication reports it.

    A batch without a positive item, and without a positive prediction, counts as 0: for rare positives even a
    perfect head stays below 1. Macro F1 of a batch is over the classes that occur in it or are predicted in
    it.

    Arguments:
        truth: class of every item, from 0.
        predicted: class given to it.
        weights: probability of every item, up to a factor.
        classes: number of classes.
        batch: items per batch.
        batches: drawn with replacement; with 4,000 the standard error is at most 0.008.
        seed: of the draw; equal seeds draw the same items.

    Returns:
        The mean, 0–1.

    Raises:
        RequestError: weights that are not positive in sum.

    Examples:
        >>> truth = np.repeat([0, 1], [12, 1])  # one item in thirteen is positive
        >>> round(f1_over_batches(truth, truth, np.ones(13), classes=2), 2)  # at best 1 − (12/13)³²
        0.92
    """
    if not weights.sum() > 0:
        refuse("weights", "positive in sum", weights.sum())
    drawn = np.random.default_rng(seed).choice(len(truth), (batches, batch), p=weights / weights.sum())
    first = np.arange(batches)[:, None] * classes

    def count(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.bincount((first + labels)[chosen], minlength=batches * classes).reshape(batches, classes)

    real, given = truth[drawn], predicted[drawn]
    everything = np.ones_like(real, dtype=bool)
    right = count(real, real == given)
    occurring = count(real, everything) + count(given, everything)
    scores = np.divide(2 * right, occurring, out=np.zeros(right.shape), where=occurring > 0)
    if classes == 2:
        return float(scores[:, 1].mean())
    return float((scores.sum(axis=1) / (occurring > 0).sum(axis=1)).mean())

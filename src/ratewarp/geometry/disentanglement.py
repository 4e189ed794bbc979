"""Disentanglement: whether every factor has a latent and every latent a factor."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes
from ratewarp.geometry.reach import scaled

_BINS = 20  # of a latent, as usual for MIG
_TREES = 100


class Disentanglement(NamedTuple):
    """DCI scores, each 0 … 1.

    Attributes:
        disentanglement: whether a latent serves one factor only.
        completeness: whether a factor is served by one latent only.
        informativeness: share of held-out items whose factor value is told correctly, mean over factors.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def mutual_information_gap(
    codes: Float[np.ndarray, "items latents"], factors: Float[np.ndarray, "items factors"]
) -> float:
    """MIG: how much more the most telling latent tells about a factor than the second.

    Mean over factors of (I(z_a; v) − I(z_b; v)) / H(v), with a and b the latents that tell most; latents in
    20 bins of equal width. Range 0 … 1, 1 when every factor is told entirely by one latent. The information
    of few items is overestimated for every latent alike. Factors need not fill a grid. Invariant to shift,
    scale and order of single latents; not to rotation.

    Arguments:
        codes: one row per item, at least 2 latents.
        factors: factor values of every item, of few values each.

    Returns:
        The gap; factors with one value are left out.

    Raises:
        RequestError: arrays that are not finite and of as many rows, constant codes, one latent, or no factor
            with two values.

    Source: Chen, Li, Grosse, Duvenaud, NeurIPS 2018.

    Examples:
        >>> grid = np.array([[i, j] for i in range(4) for j in range(4)], float)
        >>> mutual_information_gap(grid, grid)
        1.0
        >>> mutual_information_gap(np.hstack([grid, grid]), grid)
        0.0
    """
    values, levels = _checked(codes, factors)
    if values.shape[1] < 2:
        refuse("codes", "of at least 2 latents", "1 latent")
    binned = [_binned(latent) for latent in values.T]
    gaps = []
    for level in levels:
        told = np.sort([_information(level, latent) for latent in binned])
        gaps.append((told[-1] - told[-2]) / _information(level, level))
    return float(np.mean(gaps))


def disentanglement(
    codes: Float[np.ndarray, "items latents"], factors: Float[np.ndarray, "items factors"], *, seed: int = 0
) -> Disentanglement:
    """DCI: disentanglement, completeness and informativeness.

    A random forest of 100 trees tells every factor from the latents. Of its importances (latents × factors):
    disentanglement is the mean over latents, by their importance, of 1 − entropy of the factors a latent
    serves, in units of its maximum; completeness is the same over factors. Trained on every second item at
    random; informativeness is read on the others. Each 0 … 1. Factors need not fill a grid. Invariant to
    shift, scale and order of single latents; not to rotation.

    Arguments:
        codes: one row per item.
        factors: factor values of every item, of few values each.
        seed: of the trees.

    Returns:
        The three scores; disentanglement is 1 where there is one factor, completeness 1 where there is one
        latent.

    Raises:
        RequestError: arrays that are not finite and of as many rows, constant codes, or no factor with two
            values.

    Source: Eastwood & Williams, ICLR 2018.

    Examples:
        >>> grid = np.array([[i, j] for i in range(4) for j in range(4)] * 8, float)
        >>> disentanglement(grid, grid).informativeness
        1.0
    """
    from sklearn.ensemble import RandomForestClassifier  # its import takes a third of a second

    values, levels = _checked(codes, factors)
    values = _in_order(values)
    order = np.random.default_rng(seed).permutation(len(values))
    fitted, held = order[::2], order[1::2]
    importances, right = [], []
    for level in levels:
        forest = RandomForestClassifier(_TREES, max_features=cast(Any, None), random_state=seed).fit(
            values[fitted], level[fitted]
        )
        importances.append(forest.feature_importances_)
        right.append(np.mean(forest.predict(values[held]) == level[held]))
    served = np.array(importances).T
    return Disentanglement(_concentration(served), _concentration(served.T), float(np.mean(right)))


def _in_order(values: Float[np.ndarray, "items latents"]) -> Float[np.ndarray, "items latents"]:
    """Latents in units of their range and in an order of their own: trees break ties by the order, and
    compute in single precision.
    """
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    unit = (values - low) / np.where(span > 0, span, 1)
    return unit[:, np.lexsort(unit.round(6)[::-1])]


def _concentration(importances: np.ndarray) -> float:
    """Mean over rows, by their sum, of 1 − entropy of the row in units of its maximum."""
    number = importances.shape[1]
    weights = importances.sum(axis=1)
    if number == 1 or not weights.sum() > 0:
        return 1.0
    shares = importances / np.where(weights > 0, weights, 1)[:, None]
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1) / np.log(number)
    return float(weights @ (1 - entropy) / weights.sum())


def _checked(codes: object, factors: object) -> tuple[np.ndarray, list[Int[np.ndarray, " items"]]]:
    """Codes, and the level of every item in every factor that has several."""
    values, table = scaled(check_codes(codes)), check_codes(factors, argument="factors")
    if not np.ptp(values, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    if len(values) != len(table):
        refuse("factors", f"one row for each of the {len(values)} items", f"{len(table)} rows")
    levels = [np.unique(column, return_inverse=True)[1] for column in table.T if np.ptp(column) > 0]
    if not levels:
        refuse("factors", "of at least two values", "factors that are the same for all items")
    return values, levels


def _information(first: Int[np.ndarray, " items"], second: Int[np.ndarray, " items"]) -> float:
    """Mutual information of two labellings from 0, nats, from how often they meet."""
    from sklearn.metrics import mutual_info_score

    across = int(second.max()) + 1
    met = np.bincount(first * across + second, minlength=(int(first.max()) + 1) * across)
    return float(mutual_info_score(None, None, contingency=met.reshape(-1, across)))


def _binned(latent: Float[np.ndarray, " items"]) -> Int[np.ndarray, " items"]:
    edges = np.linspace(latent.min(), latent.max(), _BINS + 1)[1:-1]
    # a value at an edge belongs above it, however the edge is rounded
    return np.digitize(latent + 1e-12 * np.ptp(latent), edges)

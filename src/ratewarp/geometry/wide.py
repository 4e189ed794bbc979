"""Alignment with the latents' axes where there are more latents than items: no array of latents × latents is
made.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def on_axes(
    own: Float[np.ndarray, "*draws latents"], squares: Float[np.ndarray, "*draws"], classes: int
) -> Float[np.ndarray, "*draws"]:
    """How nearly M is diagonal, from its diagonal and its squared norm; for two classes, from its only
    eigenvector. NaN for M = 0.
    """
    if classes == 2:
        whole = own.sum(axis=-1)
        return np.sqrt(np.divide(own.max(axis=-1), whole, out=np.full_like(whole, np.nan), where=whole > 0))
    part = np.sum(own**2, axis=-1)
    return np.sqrt(np.divide(part, squares, out=np.full_like(part, np.nan), where=squares > 0))


def wide_alignment(
    codes: Float[np.ndarray, "items latents"],
    members: Int[np.ndarray, " items"],
    weights: Float[np.ndarray, " items"],
    amount: float,
) -> float:
    """`orthogonalization` of weighted items, by Woodbury's identity in the space of items.

    R = D + (1 − amount) Xᵀ X, with X the items about the mean of their class in units of σ, and D what the
    shrinkage adds to the diagonal.

    Arguments:
        codes: of active latents.
        members: class of every item, 0 … classes − 1.
        weights: of every item.
        amount: of the shrinkage of R.
    """
    number, kept = int(members.max()) + 1, weights > 0
    shares = np.bincount(members, weights, minlength=number) / weights.sum()
    if not (shares > 0).all():
        return float("nan")
    member, share = members[kept], weights[kept] / weights.sum()
    rows = codes[kept]
    means = (np.eye(number)[:, member] * share / shares[:, None]) @ rows
    rows -= means[member]
    rows *= np.sqrt(share)[:, None]
    offsets = means - shares @ means
    variances = np.einsum("il,il->l", rows, rows)
    spread = np.sqrt(np.maximum(variances, 1e-12 * (variances + shares @ offsets**2)))
    spread[spread == 0] = 1  # constant in this draw
    rows *= np.sqrt(1 - amount) / spread
    offsets /= spread
    diagonal = 1 + 1e-12 - np.einsum("il,il->l", rows, rows)
    over = rows / diagonal
    inside = np.linalg.solve(np.eye(len(rows)) + over @ rows.T, over @ offsets.T)
    directions = (offsets / diagonal - inside.T @ over) * np.sqrt(shares)[:, None]
    return float(on_axes(np.sum(directions**2, axis=0), np.sum((directions @ directions.T) ** 2), number))

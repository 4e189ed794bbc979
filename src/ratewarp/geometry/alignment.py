"""Orthogonalization: whether a task has an axis of its own among the codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.linalg import subspace_angles

from ratewarp._checks import refuse
from ratewarp._sums import group_means
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.prototypes import whole
from ratewarp.geometry.reach import exponent, scaled, scaled_noise, shrinkage, spanned
from ratewarp.geometry.scatter import Sample, Scatter
from ratewarp.geometry.specialization import check_noise
from ratewarp.geometry.wide import on_axes, wide_alignment

# variance of a latent, as a share of the largest or of its noise, above which it takes part
ACTIVE_SHARE = 0.01
# share of all variance below which there is none between classes, or within; and none beside trial noise
_LEAST, _LEAST_OF_SIGNAL = 1e-12, 0.01
# items a correlation, from which they are taken as they are found: of few latents, shrunk ones turn the
# direction towards an axis; of many latents, those that are not make it stray
_PLENTY = 8


def orthogonalization(
    codes: Float[np.ndarray, "items latents"],
    classes: Int[np.ndarray, " items"],
    *,
    noise: Float[np.ndarray, "items latents"] | None = None,
) -> float:
    """How nearly the directions that tell classes apart are the latents' own axes.

    Two classes: max_j |u_j| / ‖u‖ with u = R⁻¹ (Δμ / σ): Δμ the difference of the class means, σ the latents'
    standard deviations within classes, R their correlations within classes, shrunk towards the identity by
    Ledoit and Wolf's rule where there are fewer than eight items a correlation. u is the direction of a
    linear discriminant analysis in units of σ. 1 when one latent alone tells the classes apart, 1/√L when all
    L active latents do equally. More classes: ‖diag M‖ / ‖M‖ with M = Σ_c p_c u_c u_cᵀ and u_c = R⁻¹ ((μ_c −
    μ) / σ): 1 when M is diagonal, that is, when every direction that tells classes apart is a latent; for two
    equal classes in one or in two latents both forms agree.

    Silent latents are left out: those whose variance is below 1 % of their own noise or, where no noise is
    given, of the largest variance. They must be, since mean codes carry no noise: a latent that a decoder
    cannot hear may tell the classes apart all the same.

    Range 1/√L … 1. Classes shifted along a direction at random give, on average, 0.90 with two active
    latents, 0.83 with three and 0.74 with five; the two sides of a plane at random through a ball of codes
    0.86, 0.79 and 0.70. Invariant to shift, to the order of latents and, as long as none crosses the 1 %, to
    the scale of every latent and to collapse of all classes onto their means by one factor; not to rotation:
    it asks about the latents' own axes. See `free_orthogonalization` for codes without axes of their own.

    Arguments:
        codes: posterior means, one row per item.
        classes: class of every item, of at least two.
        noise: variance of every code about its row, such as a posterior variance; it settles which latents
            are silent.

    Returns:
        The alignment; 1 if only one latent is active. With more latents than items it is as well defined, by
        the shrinkage of R, but says little: R is then near the identity, and the few items tell single
        latents apart by chance.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or are constant, or not at least two
            classes.

    Examples:
        >>> codes = np.random.default_rng(0).standard_normal((500, 3))
        >>> round(orthogonalization(codes, codes[:, 1] > 0), 2)
        1.0
        >>> round(orthogonalization(codes, codes[:, 0] + codes[:, 1] > 0), 1)
        0.7
    """
    values = check_codes(codes)
    power = exponent(values)
    variances = None if noise is None else scaled_noise(check_noise(noise, values.shape), power)
    values, members = _checked(values, classes)
    return float(
        alignment_statistic(values, np.zeros(len(values), np.int64), members, variances)(np.ones((1, 1)))[0]
    )


def free_orthogonalization(
    codes: Float[np.ndarray, "items latents"], classes: Int[np.ndarray, " items"]
) -> float:
    """Share of the variance within classes that lies off the directions in which class means differ.

    1 − tr(S_B S_W) / (tr S_B · tr S_W). For two classes: 1 − uᵀ S_W u / tr S_W with u the unit vector between
    the class means. 1 when what varies within classes is orthogonal to the task; isotropic scatter in L
    dimensions gives 1 − 1/L; 0 when codes vary along the task's direction only, as codes of one dimension
    always do. Range 0 … 1. Invariant to rotation, shift, common scale, and to collapse of all classes onto
    their means by one factor.

    Arguments:
        codes: one row per item.
        classes: class of every item, of at least two.

    Returns:
        The share.

    Raises:
        RequestError: as `orthogonalization`; class means that are all equal, or classes without scatter.

    Examples:
        >>> codes = np.array([[0.0, 1.0], [0.0, -1.0], [2.0, 1.0], [2.0, -1.0]])
        >>> free_orthogonalization(codes, np.array([0, 0, 1, 1]))
        1.0
    """
    values, members = _checked(codes, classes)
    found = float(free_share(whole(spanned(values), members))[0])
    if np.isnan(found):
        refuse(
            "codes", "scattered within classes, with class means that differ", "codes without one of the two"
        )
    return found


def task_angles(
    codes: Float[np.ndarray, "items latents"], tasks: Mapping[str, Int[np.ndarray, " items"]]
) -> pd.DataFrame:
    """Angles between the directions in which the classes of two tasks differ.

    For two classes the direction is the difference of their means; for more, the span of the class means
    about their mean, and the angle the mean of the principal angles. Invariant to rotation, shift and common
    scale; two directions at random in L dimensions are at 45° on average for L = 2, 57° for 3, and near 90°
    for many.

    Arguments:
        codes: one row per item.
        tasks: class of every item, by name of task; at least two tasks.

    Returns:
        Columns task, other, angle_degrees (0 … 90): one row a pair.

    Raises:
        RequestError: as `orthogonalization`; fewer than two tasks.

    Examples:
        >>> codes = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> task_angles(codes, {"left": np.array([0, 0, 1, 1]), "odd": np.array([0, 1, 0, 1])})
           task other  angle_degrees
        0  left   odd           90.0
    """
    if len(tasks) < 2:
        refuse("tasks", "at least two", list(tasks))
    spans = {}
    for name, classes in tasks.items():
        values, members = _checked(codes, classes)
        means = whole(spanned(values), members).means[0]
        offsets = means - means.mean(axis=0)
        _, sizes, directions = np.linalg.svd(offsets, full_matrices=False)
        spans[name] = directions[sizes > 1e-9 * max(sizes[0], 1e-300)].T
    rows = [
        (a, b, float(np.degrees(np.mean(subspace_angles(spans[a], spans[b])))))
        for a, b in combinations(tasks, 2)
    ]
    return pd.DataFrame(rows, columns=["task", "other", "angle_degrees"])


def _checked(codes: object, classes: object) -> tuple[np.ndarray, np.ndarray]:
    values = scaled(check_codes(codes))
    labels, members = np.unique(check_labels(classes, len(values)), return_inverse=True)
    if len(labels) < 2:
        refuse("classes", "labels of at least two classes", f"{len(labels)} class")
    if not np.ptp(values, axis=0).any():
        refuse("codes", "different for at least two items", "constant codes")
    return values, members


def active_latents(
    codes: Float[np.ndarray, "items latents"], noise: Float[np.ndarray, "items latents"] | None
) -> np.ndarray:
    """Which latents are not silent: settled once for a sample and its draws."""
    variance = codes.var(axis=0)
    if noise is not None:
        heard = variance > ACTIVE_SHARE * noise.mean(axis=0)
        if heard.any():
            return heard
    return variance > ACTIVE_SHARE * variance.max()


def alignment_statistic(
    codes: Float[np.ndarray, "items latents"],
    unit: Int[np.ndarray, " items"],
    members: Int[np.ndarray, " items"],
    noise: Float[np.ndarray, "items latents"] | None = None,
) -> Callable[[Float[np.ndarray, "draws units"]], Float[np.ndarray, " draws"]]:
    """`orthogonalization` of every weighting of units.

    Arguments:
        codes: one row per item, of a size whose squares a float can hold.
        unit: unit of every item, 0 … units − 1.
        members: class of every item, 0 … classes − 1.
        noise: as in `orthogonalization`.
    """
    chosen = codes[:, active_latents(codes, noise)]
    inner = chosen - group_means(chosen, members, int(members.max()) + 1)[members]
    spread = inner.std(axis=0)
    latents = chosen.shape[1]
    plenty = len(chosen) >= _PLENTY * latents * (latents - 1) / 2
    amount = 0.0 if plenty else shrinkage(inner[:, spread > 0] / spread[spread > 0])
    if chosen.shape[1] > len(chosen):
        return lambda weights: np.array(
            [wide_alignment(chosen, members, row[unit], amount) for row in weights]
        )
    sample = Sample(chosen, unit, members)
    return lambda weights: alignment(sample.scatter(weights), amount)


def off_axis(latents: int, classes: int) -> int:
    """In how many dimensions chance turns the directions that tell classes apart away from the latents' axes.

    One direction: latents − 1. The M of more classes has rank r = min(classes − 1, latents), and as many free
    entries off its diagonal as all of a symmetric matrix less those of one of latents − r.

    Examples:
        >>> off_axis(5, 2), off_axis(3, 3), off_axis(3, 25)
        (4, 3, 3)
    """
    rest = latents - min(classes - 1, latents)
    return (latents * (latents - 1) - rest * (rest - 1)) // 2


def alignment(scatter: Scatter, amount: float) -> Float[np.ndarray, "*draws"]:
    """`orthogonalization` of every draw, R shrunk by `amount`; NaN where a class has no weight, or classes do
    not differ.
    """
    within = scatter.within
    variances = np.diagonal(within, axis1=-2, axis2=-1)
    floor = 1e-12 * np.diagonal(scatter.total, axis1=-2, axis2=-1)  # a latent that is constant within classes
    spread = np.sqrt(np.maximum(np.maximum(variances, floor), 0))
    spread = np.where(spread > 0, spread, 1)  # constant in this draw
    correlations = (1 - amount) * within / (spread[..., :, None] * spread[..., None, :])
    size = within.shape[-1]
    correlations[..., np.arange(size), np.arange(size)] = 1 + 1e-12
    shares = scatter.counts / scatter.counts.sum(axis=-1, keepdims=True)
    means = scatter.means
    centre = np.sum(np.nan_to_num(means) * shares[..., None], axis=-2, keepdims=True)
    offsets = np.swapaxes((means - centre) / spread[..., None, :], -1, -2)
    directions = np.linalg.solve(correlations, np.nan_to_num(offsets))
    weighted = directions * np.sqrt(shares)[..., None, :]
    together = weighted @ np.swapaxes(weighted, -1, -2)
    own = np.diagonal(together, axis1=-2, axis2=-1)
    found = on_axes(own, np.sum(together**2, axis=(-2, -1)), scatter.counts.shape[-1])
    return np.where((scatter.counts > 0).all(axis=-1), found, np.nan)


def free_share(scatter: Scatter) -> Float[np.ndarray, "*draws"]:
    """`free_orthogonalization` of every draw; NaN where class means are equal, or classes have no scatter."""
    between, within = scatter.between, scatter.within
    sizes = [np.trace(one, axis1=-2, axis2=-1) for one in (between, within)]
    along, total = np.sum(between * within, axis=(-2, -1)), np.trace(scatter.total, axis1=-2, axis2=-1)
    least = _LEAST if isinstance(scatter.noise, int) else _LEAST_OF_SIGNAL
    defined = (total > 0) & (sizes[0] > least * total) & (sizes[1] > least * total)
    off = np.where(defined, sizes[0] * sizes[1], 1.0)
    return np.where(defined, 1 - along / off, np.nan)

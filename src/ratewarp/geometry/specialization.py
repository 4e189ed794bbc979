"""Specialization: whether codes tell apart best what is frequent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ratewarp._checks import refuse
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.reach import exponent, scaled, scaled_noise
from ratewarp.geometry.stimulus_space import FactorKind, Neighbours, Space, neighbours
from ratewarp.geometry.tuning import tuning_curves

_EVEN = 1e-9  # frequencies that differ by less than this share are the same
_ALIKE = 1e-14  # distance of mean codes, as a share of the largest entry, that is a matter of rounding


def local_resolution(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    factors: Float[np.ndarray, "stimuli factors"],
    *,
    noise: Float[np.ndarray, "items latents"] | None = None,
    whitened: bool = False,
    kinds: Sequence[FactorKind] = (),
) -> Float[np.ndarray, " stimuli"]:
    """Mean d′ between every stimulus and its neighbours, a step of the factors apart.

    d′ of two stimuli is the distance of their mean codes over the root mean square, of one latent, of the
    codes' noise about the mean of their stimulus, pooled over all stimuli. On a grid, neighbours differ
    by one step in one factor (`stimulus_space.neighbours`). Where some stimulus has no such neighbour,
    they are the nearest stimuli, two a factor, with every factor in units of its standard deviation, and
    d′ is divided by their distance in units of its median. Range 0 upwards, 0 for stimuli coded alike.
    Invariant to rotation, shift and common scale.

    Arguments:
        codes: one row per item.
        stimuli: stimulus of every item, from 0; every stimulus must have items.
        factors: factor values of every stimulus; at least 2 stimuli.
        noise: variance of every code about its row, such as a posterior variance. It adds to the scatter of
            the items of a stimulus. If not given, every stimulus needs at least two items.
        whitened: measure distance by the noise's own covariance (Mahalanobis), so that a direction of much
            noise counts less. Invariant to every invertible linear map; it amplifies latents that are almost
            silent unless `noise` is given.
        kinds: of the factors; all are ordered if not given.

    Returns:
        One number per stimulus.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, a stimulus without items, or no
            noise at all.

    Source: d′ of signal detection theory, with a pooled isotropic noise (Green & Swets 1966).

    Examples:
        >>> codes = np.array([[0.0], [0.2], [1.0], [1.2], [4.0], [4.2]])
        >>> local_resolution(codes, np.array([0, 0, 1, 1, 2, 2]), np.array([[0.0], [1.0], [2.0]])).round(1)
        array([ 7.1, 14.1, 21.2])
    """
    codes, places, factors, noise = _checked(codes, stimuli, factors, noise)
    means = in_units_of_noise(
        tuning_curves(codes, places),
        noise_covariance(codes, places, noise, whole=whitened),
        whitened=whitened,
    )
    return resolution(means, neighbours(Space(factors, tuple(kinds))))


def specialization(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    factors: Float[np.ndarray, "stimuli factors"],
    frequency: Float[np.ndarray, " stimuli"],
    *,
    noise: Float[np.ndarray, "items latents"] | None = None,
    whitened: bool = False,
    kinds: Sequence[FactorKind] = (),
) -> float:
    """Slope of log resolution on log frequency, over stimuli.

    Least squares over stimuli, resolution as in `local_resolution`. 0 when frequent stimuli are told apart as
    well as rare ones; positive when better. Where frequency has two levels it is the log ratio of the
    geometric mean resolutions over the log ratio of frequencies. Any code has some slope, since stimuli at
    the edge of a grid differ from those inside: read it against a reference trained on even frequencies.
    Invariant to rotation, shift, common scale, to the size of pooled noise, and to the unit of frequency.
    Frequencies permuted over stimuli give 0 on average.

    Arguments:
        codes: one row per item.
        stimuli: stimulus of every item, from 0; every stimulus must have items.
        factors: factor values of every stimulus.
        frequency: of every stimulus, positive, up to a factor; not all the same.
        noise: as in `local_resolution`; needed for `whitened` only.
        whitened: as in `local_resolution`.
        kinds: as in `local_resolution`.

    Returns:
        The slope.

    Raises:
        RequestError: as `local_resolution`; frequencies that are not positive, or all the same; stimuli coded
            exactly alike.

    Source: for a code that keeps log likelihood best, resolution grows with frequency (Ganguli & Simoncelli,
        Neural Computation 2014).

    Examples:
        >>> position = np.array([0.0, 2.0, 4.0, 5.0, 6.0])  # the first three are spread out
        >>> frequency = np.array([4.0, 4.0, 4.0, 1.0, 1.0])
        >>> round(specialization(position[:, None], np.arange(5), np.arange(5.0)[:, None], frequency), 2)
        0.43
    """
    codes, places, factors, noise = _checked(codes, stimuli, factors, noise)
    means = tuning_curves(codes, places)
    if whitened:
        means = in_units_of_noise(means, noise_covariance(codes, places, noise), whitened=True)
    return slope_of(means, Space(factors, tuple(kinds)), frequency)


def slope_of(
    means: Float[np.ndarray, "stimuli latents"], space: Space, frequency: Float[np.ndarray, " stimuli"]
) -> float:
    """`specialization` of mean codes, of stimuli that stand anywhere."""
    weights = check_frequency(frequency, len(means))
    if not uneven(weights):
        refuse("frequency", "different for at least two stimuli", "the same frequency for all")
    found = resolution(means, neighbours(space))
    if not (found > 0).all():
        refuse(
            "codes",
            "different for neighbouring stimuli",
            f"stimulus {int(np.argmin(found))} coded as all its neighbours are",
        )
    return float(slopes(np.log(found), np.log(weights), np.ones((1, len(weights))))[0])


def resolution_ratio(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    factors: Float[np.ndarray, "stimuli factors"],
    frequency: Float[np.ndarray, " stimuli"],
    *,
    kinds: Sequence[FactorKind] = (),
) -> float:
    """How much better neighbours are told apart that are both frequent than neighbours that are both rare.

    Ratio of two geometric means, over pairs of neighbours as in `local_resolution`, of the distance of their
    mean codes (over their distance in the factors, off a grid). Frequent is more frequent than the mean of
    all. Pairs of one frequent and one rare stimulus belong to neither, unless no neighbours are both frequent
    (both rare): then pairs with one such end stand for them. Range from 0; 1 when both are told apart equally
    well. Invariant to rotation, shift, common scale, and to pooled noise.

    Arguments:
        codes: one row per item.
        stimuli: stimulus of every item, from 0; every stimulus must have items.
        factors: factor values of every stimulus.
        frequency: of every stimulus, positive, up to a factor; not all the same.
        kinds: as in `local_resolution`.

    Returns:
        The ratio.

    Raises:
        RequestError: as `specialization`; all neighbours coded alike.

    Examples:
        >>> position = np.array([0.0, 2.0, 4.0, 5.0, 6.0])  # the first three are spread out
        >>> frequency = np.array([4.0, 4.0, 4.0, 1.0, 1.0])
        >>> resolution_ratio(position[:, None], np.arange(5), np.arange(5.0)[:, None], frequency)
        2.0
    """
    codes, places, factors, _ = _checked(codes, stimuli, factors, None)
    weights = check_frequency(frequency, len(factors))
    if not uneven(weights):
        refuse("frequency", "different for at least two stimuli", "the same frequency for all")
    found, _ = log_ratio(
        tuning_curves(codes, places), neighbours(Space(factors, tuple(kinds))), frequent(weights)
    )
    if np.isnan(found):
        refuse(
            "codes", "different for frequent neighbours and for rare ones", "neighbours that are coded alike"
        )
    return float(np.exp(found))


def log_ratio(
    means: Float[np.ndarray, "stimuli latents"], near: Neighbours, often: Bool[np.ndarray, " stimuli"]
) -> tuple[float, Float[np.ndarray, " pairs"]]:
    """Logarithm of `resolution_ratio`, and how far every pair of neighbours moves it.

    The logarithm is NaN where all pairs of one kind are coded alike, the influences where they have one
    stimulus in common.
    """
    distances = _distances(means, near)
    found, influence = 0.0, np.zeros(len(distances))
    for group, sign in ((often, 1), (~often, -1)):
        kind, alone = pairs_of_kind(near, group, distances > 0)
        if not kind.any():
            return np.nan, influence
        logs = np.log(distances[kind])
        found += sign * float(logs.mean())
        influence[kind] += np.nan if alone else sign * (logs - logs.mean()) / len(logs)
    return found, influence


def pairs_of_kind(
    near: Neighbours, group: Bool[np.ndarray, " stimuli"], apart: Bool[np.ndarray, " pairs"]
) -> tuple[Bool[np.ndarray, " pairs"], bool]:
    """Which pairs, of those that are apart, are of two stimuli of a group, or of one where none is of two;
    and
    whether they all have one stimulus in common: another might be quite unlike it.
    """
    both, any_end = group[near.first] & group[near.second], group[near.first] | group[near.second]
    kind = (both if both.any() else any_end) & apart
    ends = np.concatenate([near.first[kind], near.second[kind]])
    return kind, bool(kind.any() and np.bincount(ends).max() == kind.sum())


def check_frequency(frequency: object, stimuli: int) -> Float[np.ndarray, " stimuli"]:
    """`frequency` as positive numbers that sum to 1, one per stimulus, or `RequestError`."""
    values = np.asarray(frequency)
    if values.shape != (stimuli,) or values.dtype == object or not np.issubdtype(values.dtype, np.number):
        refuse(
            "frequency",
            f"one number for each of the {stimuli} stimuli",
            f"shape {values.shape}, dtype {values.dtype}",
        )
    values = values.astype(float)
    if not (np.isfinite(values) & (values > 0)).all():
        refuse("frequency", "positive and finite", values[~(np.isfinite(values) & (values > 0))][0])
    return values / values.sum()


def uneven(frequency: Float[np.ndarray, " stimuli"]) -> bool:
    """Whether frequencies differ by more than rounding."""
    return bool(np.ptp(frequency) > _EVEN * frequency.max())


def frequent(frequency: Float[np.ndarray, " stimuli"]) -> Bool[np.ndarray, " stimuli"]:
    """Which stimuli are more frequent than the mean; one that is as frequent, but for rounding, is not."""
    return frequency > frequency.mean() * (1 + _EVEN)


def resolution(
    means: Float[np.ndarray, "stimuli latents"], near: Neighbours
) -> Float[np.ndarray, " stimuli"]:
    """Mean distance of every stimulus's mean code from its neighbours', a step of the factors."""
    distances = _distances(means, near)
    both, twice = np.concatenate([near.first, near.second]), np.concatenate([distances, distances])
    number = np.bincount(both, minlength=len(means))
    return np.divide(
        np.bincount(both, twice, minlength=len(means)),
        number,
        out=np.full(len(means), np.nan),
        where=number > 0,
    )


def _distances(means: Float[np.ndarray, "stimuli latents"], near: Neighbours) -> Float[np.ndarray, " pairs"]:
    """Distance of every pair of neighbours, a step of the factors; 0 where means of different counts of equal
    codes differ by rounding.
    """
    found = np.linalg.norm(means[near.first] - means[near.second], axis=1)
    return np.where(found > _ALIKE * np.abs(means).max(), found, 0) / near.steps


def noise_covariance(
    codes: np.ndarray, places: np.ndarray, noise: np.ndarray | None, *, whole: bool = True
) -> Float[np.ndarray, "sizes sizes"]:
    """Covariance of codes about the mean of their stimulus, pooled over stimuli: unbiased scatter of items,
    plus the given variances.

    Where not the whole of it is wanted, the mean variance of a latent, as an array of one cell.
    """
    stimuli = int(places.max()) + 1
    if noise is None and np.bincount(places, minlength=stimuli).min() < 2:
        refuse(
            "stimuli",
            "at least two items of every stimulus, where no noise is given",
            "a stimulus with one item",
        )
    deviations = codes - tuning_curves(codes, places, stimuli)[places]
    freedom = max(len(codes) - stimuli, 1)
    added = np.zeros(codes.shape[1]) if noise is None else noise.mean(axis=0)
    if whole:
        covariance = deviations.T @ deviations / freedom + np.diag(added)
    else:
        covariance = np.mean(np.sum(deviations**2, axis=0) / freedom + added).reshape(1, 1)
    if not np.trace(covariance) > 0:
        refuse(
            "codes",
            "different for at least two items of a stimulus",
            "codes that are the same for all items of a stimulus",
        )
    return covariance


def in_units_of_noise(
    means: Float[np.ndarray, "stimuli latents"],
    covariance: Float[np.ndarray, "latents latents"],
    *,
    whitened: bool,
) -> Float[np.ndarray, "stimuli latents"]:
    """Means over the root mean square noise of a latent, or, whitened, in coordinates in which the noise is
    the same in all directions.
    """
    if not whitened:
        return means / np.sqrt(np.trace(covariance) / len(covariance))
    sizes, directions = np.linalg.eigh(covariance)
    heard = sizes > 1e-9 * sizes[-1]
    return means @ directions[:, heard] / np.sqrt(sizes[heard])


def check_noise(noise: object, shape: tuple[int, ...]) -> Float[np.ndarray, "items latents"]:
    """`noise` as variances, one per code, or `RequestError`."""
    values = check_codes(noise, argument="noise")
    if values.shape != shape:
        refuse("noise", f"variances of the same shape as the codes, {shape}", f"shape {values.shape}")
    if (values < 0).any():
        refuse("noise", "variances, at least 0", values.min())
    return values


def slopes(
    above: Float[np.ndarray, "*draws stimuli"],
    across: Float[np.ndarray, " stimuli"],
    weights: Float[np.ndarray, "draws stimuli"],
) -> Float[np.ndarray, " draws"]:
    """Least-squares slope of `above` on `across` in every draw; NaN where `across` does not vary."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    x, y = across[None] - (shares @ across)[:, None], above - np.sum(shares * above, axis=1, keepdims=True)
    spread = np.sum(shares * x**2, axis=1)
    return np.divide(
        np.sum(shares * x * y, axis=1), spread, out=np.full(len(weights), np.nan), where=spread > 1e-12
    )


def _checked(
    codes: object, stimuli: object, factors: object, noise: object
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    values = check_codes(codes)
    variances, power = None if noise is None else check_noise(noise, values.shape), exponent(values)
    places = check_labels(stimuli, len(values), argument="stimuli")
    grid = check_codes(factors, argument="factors")
    counts = np.bincount(places, minlength=len(grid)) if places.min() >= 0 else np.zeros(1)
    if len(counts) > len(grid) or counts.min() < 1:
        refuse(
            "stimuli",
            f"0 … {len(grid) - 1}, a row of factors each, with at least one item of each",
            f"{places.min()} to {places.max()}",
        )
    return scaled(values, power), places, grid, None if variances is None else scaled_noise(variances, power)

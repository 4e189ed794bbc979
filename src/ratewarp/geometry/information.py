"""How much codes tell: information about stimuli, and nats of every latent."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from ratewarp._checks import refuse
from ratewarp._sums import gaussian_divergence
from ratewarp.geometry.code_checks import check_codes, check_labels
from ratewarp.geometry.reach import exponent, scaled, scaled_noise, shrinkage, spanned
from ratewarp.geometry.specialization import check_frequency, check_noise
from ratewarp.geometry.tuning import tuning_curves

FEWEST = 3  # items of every stimulus
_MOST_FOLDS = 5
_CELLS = 2**22  # items × stimuli whose distances are held at once


def stimulus_information(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    *,
    frequency: Float[np.ndarray, " stimuli"] | None = None,
    noise: Float[np.ndarray, "items latents"] | None = None,
    draws: int = 1,
    seed: int = 0,
) -> Float[np.ndarray, " stimuli"]:
    """What the codes of every stimulus tell about which stimulus it is: nats, a lower bound that holds on
    average.

    i(s) = mean over the items of s of log q(s|z) / p(s), with q(s|z) ∝ p(s) N(z; μ_s, Σ): Gaussian classes of
    one covariance, shrunk by Ledoit and Wolf's rule, fitted on two thirds to four fifths of the items and
    read on the others, in turn. Since q never saw the item it reads, p · i is at most I(S;Z) in expectation,
    whatever the codes' true distribution; it equals I(S;Z) for Gaussian codes of one covariance and many
    items. With few items for the number of latents it falls short of it.

    Arguments:
        codes: one row per item; at least three items of every stimulus.
        stimuli: stimulus of every item, from 0.
        frequency: of every stimulus, positive, up to a factor; even if not given.
        noise: variance of every code about its row, such as a posterior variance: codes are then drawn from
            N(code, noise).
        draws: codes drawn for every item where `noise` is given.
        seed: of the draws.

    Returns:
        One number per stimulus; their mean by frequency is the bound, at most the entropy of the frequency.

    Raises:
        RequestError: codes that are not a finite (items, latents) array, or a stimulus with fewer than three
            items.

    Source: the variational bound of Barber & Agakov, NIPS 2003, with cross-fitting.

    Examples:
        >>> codes = np.repeat([0.0, 100.0, 200.0, 300.0], 5)[:, None] + np.tile(np.arange(5.0), 4)[:, None]
        >>> stimulus_information(codes, np.repeat(np.arange(4), 5)).round(2)  # log 4
        array([1.39, 1.39, 1.39, 1.39])
    """
    values = check_codes(codes)
    power = exponent(values)
    values = scaled(values, power)
    places = check_labels(stimuli, len(values), argument="stimuli")
    counts = np.bincount(places) if places.min() >= 0 else np.zeros(1)
    if counts.min() < FEWEST:
        refuse(
            "stimuli",
            "indices from 0, each of at least three items",
            f"{int(counts.min())} items of stimulus {int(counts.argmin())}",
        )
    prior = check_frequency(np.ones(len(counts)) if frequency is None else frequency, len(counts))
    if noise is not None:
        spread = np.sqrt(np.tile(scaled_noise(check_noise(noise, values.shape), power), (draws, 1)))
        values, places = np.tile(values, (draws, 1)), np.tile(places, draws)
        values = values + spread * np.random.default_rng(seed).standard_normal(values.shape)
    latents, values = values.shape[1], spanned(scaled(values))
    if not np.ptp(values, axis=0).any():
        return np.zeros(len(counts))
    folds = int(min(counts.min(), _MOST_FOLDS))
    fold = (
        np.tile(_alternate(places[: len(places) // draws], folds), draws)
        if noise is not None
        else _alternate(places, folds)
    )
    gained = np.empty(len(values))
    for held in range(folds):
        gained[fold == held] = _log_ratio(values, places, fold != held, np.log(prior), latents)
    return np.bincount(places, gained) / np.bincount(places)


def effective_prototypes(
    codes: Float[np.ndarray, "items latents"],
    stimuli: Int[np.ndarray, " items"],
    *,
    frequency: Float[np.ndarray, " stimuli"] | None = None,
    noise: Float[np.ndarray, "items latents"] | None = None,
) -> float:
    """How many points the codes amount to: exp I(S;Z).

    Prototypization without categories. I(S;Z) as bounded from below by `stimulus_information`, not below 0.
    Range 1 … number of stimuli (the exponential of their entropy): 1 when codes tell nothing, 4 when they
    tell apart four even groups and nothing within them. Noise unrelated to stimuli gives 1. Invariant to
    rotation, shift and common scale where `noise` is not given.

    Arguments:
        codes: one row per item; at least three items of every stimulus.
        stimuli: stimulus of every item, from 0.
        frequency: of every stimulus, positive, up to a factor; even if not given.
        noise: variance of every code about its row.

    Returns:
        The number of prototypes.

    Raises:
        RequestError: as `stimulus_information`.

    Examples:
        >>> centres = np.repeat([0.0, 0.0, 100.0, 100.0], 50)[:, None]
        >>> codes = centres + np.tile(np.linspace(-1, 1, 50), 4)[:, None]
        >>> round(effective_prototypes(codes, np.repeat(np.arange(4), 50)), 1)
        2.0
    """
    gained = stimulus_information(codes, stimuli, frequency=frequency, noise=noise)
    prior = check_frequency(np.ones(len(gained)) if frequency is None else frequency, len(gained))
    return float(np.exp(max(prior @ gained, 0.0)))


def latent_rates(
    codes: Float[np.ndarray, "items latents"], noise: Float[np.ndarray, "items latents"]
) -> Float[np.ndarray, " latents"]:
    """Divergence of every latent's posterior from a standard normal prior, mean over items, nats.

    ½ (μ² + σ² − log σ² − 1), with μ a code and σ² its variance. Their sum is the rate.

    Arguments:
        codes: posterior means, one row per item.
        noise: posterior variances, positive.

    Returns:
        One number per latent, at least 0.

    Raises:
        RequestError: arrays that are not finite and of one shape, or a variance that is not positive.

    Examples:
        >>> latent_rates(np.array([[0.0, 1.0], [0.0, -1.0]]), np.ones((2, 2)))
        array([0. , 0.5])
    """
    means = check_codes(codes)
    variances = check_noise(noise, means.shape)
    if not (variances > 0).all():
        refuse("noise", "positive variances", 0)
    with np.errstate(over="ignore"):
        found = gaussian_divergence(means, variances).mean(axis=0)
    if not np.isfinite(found).all():
        refuse(
            "codes",
            "in units of the prior's standard deviation",
            f"codes as large as {np.abs(means).max():.0e}",
        )
    return found


def _alternate(places: np.ndarray, folds: int) -> np.ndarray:
    """Fold of every item: the items of a stimulus take turns."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], places[order])
    fold = np.empty(len(places), np.int64)
    fold[order] = (np.arange(len(places)) - starts) % folds
    return fold


def _log_ratio(
    values: np.ndarray, places: np.ndarray, fitted: np.ndarray, log_prior: np.ndarray, latents: int
) -> np.ndarray:
    """log q(s|z) / p(s) of the items that q was not fitted on; values may be coordinates in the span of more
    latents.
    """
    means = tuning_curves(values[fitted], places[fitted], len(log_prior))
    deviations = values[fitted] - means[places[fitted]]
    spread = deviations.std()
    if spread > 0:
        freedom = max(len(deviations) - len(log_prior), 1)
        each = np.bincount(places[fitted], minlength=len(log_prior)).mean()
        # means are estimated too
        covariance = _covariance(deviations / spread, latents) * len(deviations) / freedom * (1 + 1 / each)
    else:  # no noise at all: every item is at the mean of its stimulus
        spread, covariance = 1e-9 * max(np.ptp(values), 1e-300), np.eye(values.shape[1])
    root = np.linalg.cholesky(covariance)
    centres = np.linalg.solve(root, (means / spread).T).T
    found = []
    height = max(1, _CELLS // len(log_prior))
    held = np.flatnonzero(~fitted)
    for start in range(0, len(held), height):
        rows = held[start : start + height]
        exponents = -0.5 * cdist(np.linalg.solve(root, (values[rows] / spread).T).T, centres, "sqeuclidean")
        found.append(exponents[np.arange(len(rows)), places[rows]] - logsumexp(exponents + log_prior, axis=1))
    return np.concatenate(found)


def _covariance(deviations: np.ndarray, latents: int) -> np.ndarray:
    """Shrunk towards the identity of all latents, and never singular."""
    plain, share = deviations.T @ deviations / len(deviations), shrinkage(deviations, latents)
    level = np.trace(plain) / latents
    return (1 - share) * plain + (share + 1e-9) * level * np.eye(len(plain))

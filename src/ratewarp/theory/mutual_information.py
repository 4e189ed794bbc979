"""How much information a sampled code carries, bounded from both sides: about its image, and about the
image's stimulus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from scipy.special import entr, logsumexp

from ratewarp._checks import refuse
from ratewarp._sums import gaussian_divergence, group_means
from ratewarp.theory.densities import exponentiate, log_densities
from ratewarp.theory.number_checks import check_whole

_CELLS = 2**21  # points × images whose densities are held at once
_MOST_FOLDS = 10
_DOUBT = 1e-3  # share of the prior in the classifier: no code is ever certain to be of another stimulus
_NEAR_CAP = 0.9  # share of its cap from which a bound is said to be at it
_EXTREME = 1e50  # sizes whose squares, divided and squared again, are still numbers


@dataclass(frozen=True)
class Estimate:
    """An estimated bound; never NaN.

    Attributes:
        value: nats.
        standard_error: over samples of images of the same stimuli and draws of their codes; 0 for a limit
            that no sample passes.
        note: where the bound says little, and what would tighten it; empty if all is well.
    """

    value: float
    standard_error: float
    note: str = ""


@dataclass(frozen=True)
class Information:
    """What sampled codes tell, in nats, with S the stimulus, X the image and Z the code.

    Every `low` is at most, and every `high` at least, the true information, on average over samples of
    images; one sample may pass it by its standard error, so that a `low` may lie above its `high` where both
    are tight. A `high` is the least of several estimated bounds and a `low` is not below 0, which can cost a
    fraction of a standard error.

    Attributes:
        stimulus_low: I(S;Z), from below.
        stimulus_high: I(S;Z), from above; at most `entropy`.
        image_low: I(X;Z), from below.
        image_high: I(X;Z), from above; at most `rate`.
        within_low: I(X;Z|S), what codes tell about images of one stimulus, from below.
        rate: divergence of the posterior from a standard normal prior; I(X;Z) and how far the codes'
            distribution is from that prior.
        entropy: of the stimuli, the most that codes can tell about them.
        images: how many images the bounds rest on.
        stimuli: of how many stimuli.
        draws: codes drawn for every image.
    """

    stimulus_low: Estimate
    stimulus_high: Estimate
    image_low: Estimate
    image_high: Estimate
    within_low: Estimate
    rate: Estimate
    entropy: float
    images: int
    stimuli: int
    draws: int


@dataclass(frozen=True)
class _Sample:
    """Images in the order of their stimuli, with drawn codes."""

    codes: Float[np.ndarray, "images latents"]
    variances: Float[np.ndarray, "images latents"]
    points: Float[np.ndarray, "images draws latents"]
    stimuli: Int[np.ndarray, " images"]
    frequency: Float[np.ndarray, " stimuli"]

    @property
    def counts(self) -> Int[np.ndarray, " stimuli"]:
        return np.bincount(self.stimuli)

    @property
    def weights(self) -> Float[np.ndarray, " images"]:
        return (self.frequency / self.counts)[self.stimuli]

    def of(self, kept: np.ndarray) -> _Sample:
        """The images of some stimuli, by their new frequency."""
        chosen = kept[self.stimuli]
        renamed = np.cumsum(kept)[self.stimuli[chosen]] - 1
        frequency = self.frequency[kept] / self.frequency[kept].sum()
        return _Sample(self.codes[chosen], self.variances[chosen], self.points[chosen], renamed, frequency)


def information_bounds(
    codes: Float[np.ndarray, "images latents"],
    variances: Float[np.ndarray, "images latents"],
    stimuli: Int[np.ndarray, " images"],
    *,
    frequency: Float[np.ndarray, " stimuli"] | None = None,
    draws: int = 1,
    seed: int | np.random.Generator,
) -> Information:
    """Bounds on the information that a code drawn from its posterior carries about its image and about the
    image's stimulus.

    The posterior of image i is q_i = N(codes_i, diag variances_i), its weight w_i = p(s)/n_s for n_s images
    of its stimulus s. With z drawn from q_i and means over images by weight:

    - I(X;Z) ≤ mean KL(q_i ‖ N(0, 1)), the rate, and ≤ mean log q_i(z) / Σ_{j≠i} v_j q_j(z), where v_j =
      p(s)/(n_s − 1) for the other images of the same stimulus and w_j for all others. v keeps the frequency
      of every stimulus, so that the sum is an unbiased estimate of the codes' distribution q(z) that has not
      seen i; by Jensen's inequality the mean of its log is at most log q(z). For a stimulus with one image
      v_j = w_j/(1 − w_i), which has too little of s and so gives a larger, still valid bound.
    - I(X;Z) ≥ mean log q_i(z) / Σ_j w_j q_j(z), i itself among the j: the information about which of these
      images was drawn, which is I(X;Z | the images) ≤ I(X;Z), since Z depends on the images through its own
      alone. At most the entropy of w, log n for even weights.
    - I(X;Z|S) ≥ the same within every stimulus, its mean by frequency; at most Σ p(s) log n_s.
    - I(S;Z) ≤ H(S), and ≤ the upper bound on I(X;Z) less the lower bound on I(X;Z|S), since Z depends on S
        through X alone.
    - I(S;Z) ≥ H(S) + mean log c(s|z) for any classifier c. This one has c(s|z) ∝ p(s) q(z|s), where q(z|s) is
      the mixture of the posteriors of the images of s, and with equal share a Gaussian of their mean and of a
      covariance common to all stimuli, from images in other folds than i. Every stimulus is in every fold and
      has its frequency there, so that the images read are a sample of their own. A stimulus with one image
      cannot be both known and read: it counts as telling nothing, which leaves the bound valid.

    The means are over images that are independent given their stimulus, each stimulus being met in every
    sample: codes of held-out images, not of those that trained the encoder.

    Arguments:
        codes: posterior means, one row per image; at least two images.
        variances: posterior variances, positive.
        stimuli: stimulus of every image, from 0.
        frequency: of every stimulus, up to a factor; even if not given. Images of a stimulus that never
            occurs are left out.
        draws: codes drawn for every image; more lessen the noise of drawing, not that of the images.
        seed: of the draws, or the generator that makes them.

    Returns:
        The bounds with their standard errors.

    Raises:
        RequestError: arrays that are not finite or do not fit each other, variances that are not positive, or
            a stimulus without images.

    Source: Poole et al., ICML 2019 (both bounds on I(X;Z)); Barber & Agakov, NIPS 2003 (lower bound on
        I(S;Z)). The weights and the way
    of folding are derived here.

    Examples:
        >>> stimuli = np.repeat(np.arange(4), 50)
        >>> codes = 10.0 * stimuli[:, None]
        >>> found = information_bounds(codes, np.ones_like(codes), stimuli, seed=0)
        >>> [round(bound.value, 2) for bound in (found.stimulus_low, found.stimulus_high)]
        [1.39, 1.39]
        >>> [round(bound.value, 2) for bound in (found.image_low, found.image_high)]
        [1.39, 1.39]
    """
    draws = check_whole(draws, "draws", 1)
    seed = seed if isinstance(seed, np.random.Generator) else check_whole(seed, "seed", 0)
    sample = _drawn(*_checked(codes, variances, stimuli, frequency), draws, seed)
    entropy = float(entr(sample.frequency).sum())
    upper, lower, within, told = _of_images(sample)
    rates = gaussian_divergence(sample.codes, sample.variances).sum(axis=1)
    rate, mixture = _estimate(sample, rates), _estimate(sample, upper)
    least, surplus = (rates, rate) if rate.value <= mixture.value else (upper, mixture)
    within_low = _capped(
        _estimate(sample, within), float(sample.frequency @ np.log(sample.counts)), "images of a stimulus"
    )
    return Information(
        stimulus_low=_stimulus_low(sample, told),
        stimulus_high=_stimulus_high(_estimate(sample, least - within), surplus, within_low, entropy),
        image_low=_capped(_estimate(sample, lower), float(entr(sample.weights).sum()), "images"),
        image_high=_image_high(surplus, sample.counts),
        within_low=within_low,
        rate=rate,
        entropy=entropy,
        images=len(sample.codes),
        stimuli=len(sample.frequency),
        draws=draws,
    )


def _of_images(sample: _Sample) -> tuple[np.ndarray, ...]:
    """Of every image, means over its draws: log q_i(z) over three mixtures, of all other images (upper), of
    all (lower), of all of its stimulus (within); and log c(s|z) of the classifier.

    Every density is computed once: all mixtures are of sums over the images of each stimulus.
    """
    counts, weights = sample.counts, sample.weights
    starts, draws = np.cumsum(counts) - counts, sample.points.shape[1]
    classifier = _Classifier.of(sample)
    found = np.empty((4, len(sample.codes)))
    for rows in _blocks(0, len(sample.codes), sample):
        own, places = _own_densities(sample, rows), np.repeat(sample.stimuli[rows], draws)
        points, every = _flat(sample.points[rows]), np.arange(len(own))
        densities = log_densities(points, sample.codes, sample.variances)
        densities[every, np.repeat(rows, draws)] = -np.inf
        highest = exponentiate(densities)  # from here on, over the highest of the row
        sums = np.add.reduceat(densities, starts, axis=1)

        several = counts[places] > 1
        near = np.where(several, np.log(sums[every, places]) + highest, -np.inf)
        others = np.log(sums @ weights[starts]) + highest
        weight, left = weights[starts[places]], np.maximum(counts[places] - 1, 1)
        log_surplus = np.where(several, np.log(weight / left), -np.inf)  # v less w
        rest = np.where(several, 0.0, np.log1p(-weight))
        mixtures = (
            np.logaddexp(others, near + log_surplus) - rest,
            np.logaddexp(others, own + np.log(weight)),
            np.logaddexp(near, own) - np.log(counts[places]),
        )
        found[:3, rows] = [(own - mixture).reshape(len(rows), -1).mean(axis=1) for mixture in mixtures]
        found[3, rows] = classifier.told(rows, points, densities, highest)
    return tuple(found)


@dataclass(frozen=True)
class _Classifier:
    """c(s|z) of stimuli that have several images: for the images of a fold, from those of the others.

    Attributes:
        sample: all images.
        known: of every stimulus, whether it has several images.
        fold: of every image.
        folds: how many there are; 0 where fewer than two stimuli are known.
    """

    sample: _Sample
    known: np.ndarray
    fold: Int[np.ndarray, " images"]
    folds: int

    @classmethod
    def of(cls, sample: _Sample) -> _Classifier:
        known, first = sample.counts > 1, np.searchsorted(sample.stimuli, sample.stimuli)
        enough = known.sum() > 1
        folds = min(int(sample.counts[known].min()), _MOST_FOLDS) if enough else 0
        return cls(sample, known, (np.arange(len(first)) - first) % max(folds, 1), folds)

    @property
    def weights(self) -> Float[np.ndarray, " images"]:
        """Of images: every stimulus that is known has its frequency in every fold."""
        sizes = np.bincount(self.sample.stimuli * self.folds + self.fold)
        shares = self.sample.frequency[self.sample.stimuli] / self.sample.frequency[self.known].sum()
        own = shares / (self.folds * sizes[self.sample.stimuli * self.folds + self.fold])
        return np.where(self.known[self.sample.stimuli], own, 0.0)

    def told(
        self, rows: np.ndarray, points: np.ndarray, densities: np.ndarray, highest: np.ndarray
    ) -> np.ndarray:
        """log c(s|z) of images, mean over their draws; 0 for those of stimuli that are not known.

        Arguments:
            rows: images.
            points: their draws.
            densities: of these under every image, over the highest of each.
            highest: the logarithm of that.
        """
        draws, found = len(points) // len(rows), np.zeros(len(rows))
        wanted = self.known[self.sample.stimuli[rows]]
        for held in range(self.folds):
            chosen = np.flatnonzero(wanted & (self.fold[rows] == held))
            if not len(chosen):
                continue
            at = (chosen[:, None] * draws + np.arange(draws)).ravel()
            of_others = densities[at]
            of_others[:, self.fold == held] = 0
            told = self._of_fold(held, rows[chosen], points[at], of_others, highest[at])
            found[chosen] = told.reshape(len(chosen), draws).mean(axis=1)
        return found

    def _of_fold(
        self, held: int, rows: np.ndarray, points: np.ndarray, densities: np.ndarray, highest: np.ndarray
    ) -> np.ndarray:
        sample, known = self.sample, self.known
        truth = np.repeat((np.cumsum(known) - 1)[sample.stimuli[rows]], len(points) // len(rows))
        log_prior = np.log(sample.frequency[known] / sample.frequency[known].sum())
        fitted, centres, root = self._fitted[held]
        starts = np.cumsum(sample.counts) - sample.counts
        with np.errstate(divide="ignore"):  # of a stimulus that is very far there is nothing
            logs = np.log(np.add.reduceat(densities, starts, axis=1)[:, known])
        mixtures = logs + highest[:, None] - np.log(fitted)
        white = solve_triangular(root, points.T, lower=True).T
        gaussians = log_densities(white, centres, np.ones_like(centres)) - np.log(np.diag(root)).sum()
        joint = np.logaddexp(mixtures, gaussians) + log_prior
        chosen = joint[np.arange(len(joint)), truth] - logsumexp(joint, axis=1)
        return np.logaddexp(np.log1p(-_DOUBT) + chosen, np.log(_DOUBT) + log_prior[truth])

    @cached_property
    def _fitted(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Without each fold: images of every known stimulus, and their Gaussians."""
        of_known, found = self.known[self.sample.stimuli], []
        renamed = np.cumsum(self.known) - 1
        for held in range(self.folds):
            others = of_known & (self.fold != held)
            places = renamed[self.sample.stimuli[others]]
            gaussians = _gaussians(self.sample.codes[others], self.sample.variances[others], places)
            found.append((np.bincount(places), *gaussians))
        return found


def _stimulus_low(sample: _Sample, told: np.ndarray) -> Estimate:
    several = sample.counts > 1
    note = (
        ""
        if several.all()
        else f"{np.sum(~several)} of {len(several)} stimuli have one image and count as telling nothing"
    )
    if several.sum() < 2:
        return Estimate(0.0, 0.0, note)
    share = float(sample.frequency[several].sum())
    entropy = float(entr(sample.frequency[several] / share).sum())
    kept = several[sample.stimuli]
    found = _estimate(sample.of(several), told[kept], _Classifier.of(sample).weights[kept])
    return Estimate(
        share * float(np.clip(entropy + found.value, 0, entropy)), share * found.standard_error, note
    )


def _gaussians(codes: np.ndarray, variances: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean code of every stimulus, in coordinates that make the covariance within stimuli the identity, and
    the root of that covariance.
    """
    counts = np.bincount(places)
    centres = group_means(codes, places, len(counts))
    deviations = codes - centres[places]
    freedom = max(len(codes) - len(counts), 1)
    covariance = (deviations.T @ deviations / freedom) * (1 + 1 / counts.mean()) + np.diag(
        variances.mean(axis=0)
    )
    root = np.linalg.cholesky(covariance + 1e-12 * np.trace(covariance) * np.eye(len(covariance)))
    return solve_triangular(root, centres.T, lower=True).T, root


def _stimulus_high(gap: Estimate, surplus: Estimate, within: Estimate, entropy: float) -> Estimate:
    """The least of H(S), the upper bound on I(X;Z), and that less the lower bound on I(X;Z|S)."""
    found = surplus if within.value <= 0 else gap
    if found.value >= entropy:
        return Estimate(
            entropy,
            0.0,
            "no lower than the entropy of the stimuli" + (f"; {within.note}" if within.note else ""),
        )
    return Estimate(max(found.value, 0.0), found.standard_error, within.note)


def _image_high(found: Estimate, counts: np.ndarray) -> Estimate:
    alone = int(np.sum(counts == 1))
    note = f"{alone} of {len(counts)} stimuli have one image: a loose bound" if alone else ""
    return Estimate(max(found.value, 0.0), found.standard_error, note)


def _capped(found: Estimate, cap: float, what: str) -> Estimate:
    note = (
        f"near its cap, {cap:.2f} nats: more {what} would raise it" if found.value >= _NEAR_CAP * cap else ""
    )
    return Estimate(float(np.clip(found.value, 0, cap)), found.standard_error, note)


def _estimate(sample: _Sample, values: np.ndarray, weights: np.ndarray | None = None) -> Estimate:
    """Weighted mean, with its standard error over images within stimuli; a lone image is held against all."""
    weights = sample.weights if weights is None else weights
    counts, mean = sample.counts, float(weights @ values)
    centres = np.where(counts > 1, np.bincount(sample.stimuli, values) / counts, mean)
    correction = counts / np.maximum(counts - 1, 1)
    squares = (weights * (values - centres[sample.stimuli])) ** 2
    return Estimate(mean, float(np.sqrt(squares @ correction[sample.stimuli])))


def _blocks(start: int, stop: int, sample: _Sample) -> Iterator[np.ndarray]:
    """Images whose points' densities under all images fit in memory."""
    height = max(1, _CELLS // (len(sample.codes) * sample.points.shape[1]))
    return (np.arange(first, min(first + height, stop)) for first in range(start, stop, height))


def _flat(points: np.ndarray) -> np.ndarray:
    return points.reshape(-1, points.shape[-1])


def _own_densities(sample: _Sample, rows: np.ndarray) -> np.ndarray:
    """log q_i(z) of the points of some images, by their differences: nothing cancels."""
    variances = sample.variances[rows, None]
    squares = (sample.points[rows] - sample.codes[rows, None]) ** 2 / variances
    return -0.5 * np.sum(squares + np.log(2 * np.pi * variances), axis=-1).ravel()


def _drawn(
    codes: np.ndarray,
    variances: np.ndarray,
    stimuli: np.ndarray,
    frequency: np.ndarray,
    draws: int,
    seed: int | np.random.Generator,
) -> _Sample:
    """Codes drawn for every image in the order given, then sorted by stimulus; stimuli that never occur are
    left out.
    """
    noise = np.random.default_rng(seed).standard_normal((len(codes), draws, codes.shape[1]))
    points = codes[:, None] + np.sqrt(variances)[:, None] * noise
    order = np.argsort(stimuli, kind="stable")
    return _Sample(codes[order], variances[order], points[order], stimuli[order], frequency).of(frequency > 0)


def _checked(
    codes: object, variances: object, stimuli: object, frequency: object
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    means, noise = _numbers(codes, "codes"), _numbers(variances, "variances")
    if means.ndim != 2 or means.shape[0] < 2 or means.shape[1] < 1:
        refuse("codes", "two-dimensional (images, latents) with at least 2 images", f"shape {means.shape}")
    if noise.shape != means.shape:
        refuse("variances", f"of the same shape as the codes, {means.shape}", f"shape {noise.shape}")
    if not (noise >= 1 / _EXTREME).all():
        refuse("variances", f"positive, at least {1 / _EXTREME:g}", float(noise.min()))
    places = np.asarray(stimuli)
    if places.shape != (len(means),) or not np.issubdtype(places.dtype, np.integer) or places.min() < 0:
        refuse(
            "stimuli",
            f"an index from 0 for each of the {len(means)} images",
            f"shape {places.shape}, dtype {places.dtype}",
        )
    counts = np.bincount(places)
    shares = _numbers(np.ones(len(counts)) if frequency is None else frequency, "frequency")
    if shares.ndim != 1 or len(shares) < len(counts) or not (shares >= 0).all() or not shares.sum() > 0:
        refuse(
            "frequency",
            f"numbers of at least 0, one for each of the {len(counts)} stimuli, not all 0",
            shares,
        )
    missing = np.flatnonzero((np.bincount(places, minlength=len(shares)) == 0) & (shares > 0))
    if len(missing):
        refuse(
            "stimuli", "such that every stimulus that occurs has an image", f"none of stimulus {missing[0]}"
        )
    if np.sum(shares[places] > 0) < 2:
        refuse("frequency", "such that at least 2 images may occur", shares)
    return means, noise, places.astype(np.int64), shares / shares.sum()


def _numbers(values: object, argument: str) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        refuse(argument, "an array of real numbers", values)
    if not (np.abs(array) <= _EXTREME).all():
        refuse(argument, f"finite, of size at most {_EXTREME:g}", array[~(np.abs(array) <= _EXTREME)][0])
    return array

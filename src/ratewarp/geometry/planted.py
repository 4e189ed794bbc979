"""Planted distortions: synthetic codes of which it is known how they are warped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ratewarp._checks import refuse

_FREQUENT = 8.0  # how much more frequent the frequent stimuli are


class Planted(NamedTuple):
    """Codes with planted distortions, and codes of the same items without.

    Attributes:
        codes: one row per item.
        reference: codes of the same items, not distorted, with noise of their own.
        stimuli: stimulus of every item.
        factors: the two factors of every stimulus.
        classes: class of every item: whether the first factor is above its middle.
        frequency: of every stimulus, summing to 1: eight times as high where the second factor is below its
            middle.
    """

    codes: Float[np.ndarray, "items latents"]
    reference: Float[np.ndarray, "items latents"]
    stimuli: Int[np.ndarray, " items"]
    factors: Float[np.ndarray, "stimuli factors"]
    classes: Int[np.ndarray, " items"]
    frequency: Float[np.ndarray, " stimuli"]


def planted_codes(
    *,
    prototypization: float = 0.0,
    specialization: float = 0.0,
    orthogonalization: float = 0.0,
    side: int = 12,
    items: int = 8,
    latents: int = 5,
    noise: float = 0.2,
    seed: int = 0,
) -> Planted:
    """Codes of a grid of stimuli, warped by known amounts.

    Undistorted, the two factors, each of variance 1, lie in two latents, turned by 45°, so that both latents
    tell the classes apart equally. The other latents hold noise alone. The three distortions do not touch
    each other's meaning: collapse is by one factor in all directions, the second factor keeps its variance
    when it is stretched, and turning leaves all distances as they are.

    Arguments:
        prototypization: share of the way by which the means of stimuli are drawn to the mean of their class,
            0 … below 1.
        specialization: the distance of neighbours along the second factor goes with this power of their
            frequency, 0 upwards.
        orthogonalization: share of 45° by which the codes are turned until the first factor is one latent, 0
            … 1.
        side: values of each factor, even.
        items: of every stimulus.
        latents: at least 2.
        noise: standard deviation of items about the mean of their stimulus, in every latent.
        seed: of the noise.

    Returns:
        The codes and what is known of them.

    Raises:
        RequestError: a strength out of range, an odd side, or fewer than two latents.

    Examples:
        >>> planted_codes(prototypization=0.5).codes.shape
        (1152, 5)
    """
    for argument, value, fits in (
        ("prototypization", prototypization, 0 <= prototypization < 1),
        ("specialization", specialization, 0 <= specialization < np.inf),
        ("orthogonalization", orthogonalization, 0 <= orthogonalization <= 1),
    ):
        if not fits:
            refuse(
                argument,
                "a strength from 0, below 1 for prototypization, at most 1 for orthogonalization",
                value,
            )
    if side < 2 or side % 2 or latents < 2:
        refuse("side and latents", "an even number of values, and at least 2 latents", (side, latents))
    factors = np.array([[a, b] for a in range(side) for b in range(side)], float)
    often = np.arange(side) < side // 2
    frequency = np.where(often, _FREQUENT, 1.0)[factors[:, 1].astype(int)]
    classes = (factors[:, 0] >= side // 2).astype(np.int64)
    own = _means(factors, classes, often, prototypization, specialization, 45 * (1 - orthogonalization))
    plain = _means(factors, classes, often, 0.0, 0.0, 45.0)
    stimuli = np.repeat(np.arange(len(factors)), items)
    rng = np.random.default_rng(seed)

    def sample(means: np.ndarray) -> np.ndarray:
        wide = np.pad(means, ((0, 0), (0, latents - 2)))
        return wide[stimuli] + noise * rng.standard_normal((len(stimuli), latents))

    reference = sample(plain)
    return Planted(sample(own), reference, stimuli, factors, classes[stimuli], frequency / frequency.sum())


def _means(
    factors: np.ndarray, classes: np.ndarray, often: np.ndarray, collapse: float, power: float, degrees: float
) -> np.ndarray:
    """Mean code of every stimulus, in two latents."""
    of_value = np.where(often, _FREQUENT, 1.0)
    steps = ((of_value[1:] * of_value[:-1]) ** 0.5) ** power
    stretched = np.concatenate([[0.0], np.cumsum(steps)])
    means = np.stack([factors[:, 0], stretched[factors[:, 1].astype(int)]], axis=1)
    means = (means - means.mean(axis=0)) / means.std(axis=0)
    centres = np.stack([means[classes == one].mean(axis=0) for one in (0, 1)])
    means = means + collapse * (centres[classes] - means)
    angle = np.radians(degrees)
    return means @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

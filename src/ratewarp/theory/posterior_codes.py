"""What an optimal channel makes of stimuli, as codes that can be measured like any others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ratewarp.theory.curve import Channel


def posterior_codes(channel: Channel) -> Float[np.ndarray, "stimuli points"]:
    """Codes whose distances say how seldom two stimuli are confused.

    z_sk = √r(k|s): the squared distance of two stimuli is 2 − 2 Σ_k √(r(k|s) r(k|t)), twice the squared
    Hellinger distance of their posteriors; 0 for stimuli that are always reproduced alike, 2 for those that
    never are. For Gaussian posteriors of one covariance it is 2 − 2 exp(−d′²/8). Points that are reproduced
    alike for all stimuli do not count; the latents have no order and no privileged axes.

    Arguments:
        channel: from `Curve.channel`.

    Source: the square-root embedding of discrete distributions (Bhattacharyya 1943).

    Examples:
        >>> from ratewarp.theory import rate_distortion
        >>> channel = rate_distortion([0.5, 0.5], [[0, 1], [1, 0]], points=3).channel(np.log(2))
        >>> float(np.linalg.norm(np.diff(posterior_codes(channel), axis=0)).round(3))
        1.414
    """
    return np.sqrt(channel.probabilities)

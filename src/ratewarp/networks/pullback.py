"""How a decoder stretches the space of codes."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ratewarp.networks.products import precise


def pullback_metric(
    decode: Callable[[Float[Array, "batch latents"]], Float[Array, "batch ..."]],
    codes: Float[np.ndarray, "items latents"],
) -> Float[np.ndarray, "items latents latents"]:
    """The metric that a decoder gives to the space of codes: G(z) = Jᵀ J / pixels, with J its Jacobian at z.

    A small step dz changes the decoded image by dzᵀ G dz, in squared error per pixel: G says how far apart
    two nearby codes are in what they mean, whatever their distance as vectors. Symmetric, no negative
    eigenvalue.

    Arguments:
        decode: codes to images (or to anything else), differentiable by JAX; such as `trained_networks(run,
            name).decode`.
        codes: where, one row per item.

    Returns:
        One matrix per code, squared error per pixel over squared units of the codes.

    Source: Arvanitidis, Hansen, Hauberg, ICLR 2018.

    Examples:
        >>> pullback_metric(lambda z: z * jnp.array([[1.0, 3.0]]), np.zeros((1, 2)))
        array([[[0.5, 0. ],
                [0. , 4.5]]], dtype=float32)
    """

    def one(code: Array) -> Array:
        slopes = jax.jacrev(lambda z: decode(z[None])[0].ravel())(code)
        return slopes.T @ slopes / len(slopes)

    with precise():
        metrics = jax.jit(lambda every: jax.lax.map(one, every))(jnp.asarray(codes, jnp.float32))
    return np.asarray(metrics)


def local_volume(metric: Float[np.ndarray, "items latents latents"]) -> Float[np.ndarray, " items"]:
    """How much room a decoder gives to a small volume of codes: √det G.

    Arguments:
        metric: of `pullback_metric`.

    Returns:
        One number per code, from 0; 0 where a latent changes nothing.

    Examples:
        >>> local_volume(np.array([[[0.5, 0.0], [0.0, 4.5]]]))
        array([1.5])
    """
    return np.sqrt(np.clip(np.linalg.det(metric.astype(float)), 0, None))

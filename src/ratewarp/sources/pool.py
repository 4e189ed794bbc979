"""Pools: many images of every stimulus, on the device."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Key, UInt8

from ratewarp.sources.source import Source


@partial(jax.jit, static_argnums=(0, 1))
def image_pool(source: Source, each: int, *, key: Key[Array, ""]) -> UInt8[Array, "stimuli each height width"]:
    """`each` images of every stimulus of `source`.

    Image k of stimulus s depends on the key, s and k alone: a larger pool begins with the images of a smaller one.

    Examples:
        >>> from ratewarp.sources import Corridors
        >>> image_pool(Corridors(), 2, key=jax.random.key(0)).shape
        (169, 2, 13, 13)
    """

    def draw(stimulus: Array) -> Array:
        stimulus_key = jax.random.fold_in(key, stimulus)
        keys = jax.vmap(lambda k: jax.random.fold_in(stimulus_key, k))(jnp.arange(each))
        return source.sample(jnp.full(each, stimulus), keys=keys)

    return lax.map(draw, jnp.arange(len(source.stimuli)))

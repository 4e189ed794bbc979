"""A network of one's own: an Equinox module that `ratewarp` trains as it is, here with Equinox's own layers.

From Python, `Study(network=Perceptron, …)`; from a study file, `network: {import: "own_network:Perceptron"}`,
which runs with `ratewarp run STUDY --allow-code`.
"""

from __future__ import annotations

from math import prod

import equinox as eqx
import jax
import jax.numpy as jnp


class Perceptron(eqx.Module):
    """An encoder and a decoder of one hidden layer each; `latents` says how many dimensions the code has."""

    latents = 2
    encoder: eqx.nn.MLP
    decoder: eqx.nn.MLP
    shape: tuple[int, int, int] = eqx.field(static=True)

    def __init__(self, image_shape, *, key):
        keys = jax.random.split(key)
        self.shape = image_shape
        self.encoder = eqx.nn.MLP(
            prod(image_shape), 2 * self.latents, width_size=32, depth=1, activation=jax.nn.gelu, key=keys[0]
        )
        self.decoder = eqx.nn.MLP(
            self.latents, prod(image_shape), width_size=32, depth=1, activation=jax.nn.gelu, key=keys[1]
        )

    def encode(self, images):
        both = jax.vmap(self.encoder)(images.reshape(len(images), -1))
        return tuple(jnp.split(both, 2, axis=1))

    def decode(self, codes):
        return jax.vmap(self.decoder)(codes).reshape(len(codes), *self.shape)

"""Task heads: from a code to the logits of a task's classes."""

from __future__ import annotations

from math import ceil, prod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from ratewarp.networks.layers import Linear

BINARY_WIDTH = 1024
MANY_WIDTH = 1500
MANY_LEAK = 0.2
MANY_KEPT = 0.75  # share of hidden units that dropout leaves, on average


class BinaryHead(eqx.Module):
    """Two linear maps with no nonlinearity between (published: 5 → 1024 → 1); the logit of class 0 is fixed
    at 0.

    The maps are multiplied with each other before they meet the codes: the same function and gradients at a
    hundredth of the work.
    """

    hidden: Linear
    output: Linear

    def __init__(self, latents: int, *, key: Key[Array, ""]):
        hidden_key, output_key = jax.random.split(key)
        self.hidden = Linear(latents, BINARY_WIDTH, key=hidden_key)
        self.output = Linear(BINARY_WIDTH, 1, key=output_key)

    def __call__(
        self, codes: Float[Array, "batch latents"], *, key: Key[Array, ""] | None
    ) -> Float[Array, "batch classes"]:
        del key
        weight = self.hidden.weight @ self.output.weight
        logit = codes @ weight + (self.hidden.bias @ self.output.weight + self.output.bias)[None]
        return jnp.concatenate([jnp.zeros_like(logit), logit], axis=1)


class ManyHead(eqx.Module):
    """One hidden layer (published: 5 → 1500 → 25) with leaky ReLU 0.2 and, in training, dropout 0.25."""

    hidden: Linear
    output: Linear

    def __init__(self, latents: int, classes: int, *, key: Key[Array, ""]):
        hidden_key, output_key = jax.random.split(key)
        self.hidden = Linear(latents, MANY_WIDTH, key=hidden_key)
        self.output = Linear(MANY_WIDTH, classes, key=output_key)

    def __call__(
        self, codes: Float[Array, "batch latents"], *, key: Key[Array, ""] | None
    ) -> Float[Array, "batch classes"]:
        hidden = jax.nn.leaky_relu(self.hidden(codes), MANY_LEAK)
        if key is not None:
            hidden = jnp.where(_three_of_four(hidden.shape, key=key), hidden / MANY_KEPT, 0)
        return self.output(hidden)


def _three_of_four(shape: tuple[int, ...], *, key: Key[Array, ""]) -> Bool[Array, "rows columns"]:
    """True with probability 3/4, independently: two random bits an entry, not both 0; a word of bits serves
    sixteen entries.
    """
    entries = prod(shape)
    words = jax.random.bits(key, (ceil(entries / 16), 1))
    pairs = (words >> jnp.arange(0, 32, 2, dtype=jnp.uint32)[None]) & 3
    return (pairs != 0).reshape(-1)[:entries].reshape(shape)


Head = BinaryHead | ManyHead


def make_head(latents: int, classes: int, *, key: Key[Array, ""]) -> Head:
    """The published head for that many classes.

    A head is called as `head(codes, key=key)` and returns logits; with `key=None` nothing in it is random.

    Examples:
        >>> import jax
        >>> head = make_head(5, 25, key=jax.random.key(0))
        >>> head(jnp.zeros((3, 5)), key=None).shape
        (3, 25)
    """
    return BinaryHead(latents, key=key) if classes == 2 else ManyHead(latents, classes, key=key)

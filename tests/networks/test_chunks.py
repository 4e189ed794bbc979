"""A batch through layers, part by part."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles import ALGEBRA
from ratewarp.networks import Convolutional
from ratewarp.networks.chunks import CHUNK_NUMBERS, Step, chunk_count, through
from ratewarp.networks.convolutional import encoder_shapes


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_values_and_gradients_as_of_the_whole_batch(batch):
    """Through two steps in several parts, the last one not full, and one that takes all."""
    images = np.random.default_rng(0).normal(size=(batch, 5, 4, 2)).astype(np.float32)
    layers = [lambda x, s: x[::2] * s, lambda x, s: jnp.sin(x) + s, lambda x, s: x[..., :1] * s**2]

    def in_parts(images, scale):
        numbers = [CHUNK_NUMBERS // 3, CHUNK_NUMBERS // 3, 0]
        steps = [Step(lambda x, f=f: f(x, scale), number) for f, number in zip(layers, numbers, strict=True)]
        return jnp.sum(jnp.sin(through(steps, images)))

    def whole(images, scale):
        hidden = jnp.moveaxis(images, 0, 2)
        for layer in layers:
            hidden = layer(hidden, scale)
        return jnp.sum(jnp.sin(hidden))

    ours, plain = (
        jax.jit(jax.value_and_grad(f, (0, 1)))(images, jnp.float32(0.7)) for f in (in_parts, whole)
    )
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=ALGEBRA, atol=ALGEBRA)


def test_each_image_goes_once_through_every_step():
    """Counted while the program runs: parts of the batch that a step is given."""
    seen = []

    def step(x):
        jax.debug.callback(lambda n: seen.append(int(n)), x.shape[2])
        return x

    steps = [Step(step, CHUNK_NUMBERS // 2), Step(step, 0)]
    jax.block_until_ready(jax.jit(lambda x: through(steps, x))(jnp.zeros((8, 2, 2, 1))))
    jax.effects_barrier()
    assert sorted(seen) == [2, 2, 2, 2, 8]


@pytest.mark.parametrize(
    ("numbers", "batch", "count"),
    [(0, 64, 1), (CHUNK_NUMBERS // 64, 64, 1), (CHUNK_NUMBERS // 64 + 1, 64, 2), (CHUNK_NUMBERS, 6, 6)],
)
def test_counts(numbers, batch, count):
    assert chunk_count(numbers, batch) == count


def test_only_large_layers_are_divided():
    def counts(network, shape, batch):
        return [chunk_count(one.numbers, batch) for one in encoder_shapes(network, shape)]

    by_size = Convolutional(convolutions="by size")
    assert counts(by_size, (28, 28, 1), 64) == [1, 1, 1]
    assert counts(by_size, (64, 64, 3), 64) == [4, 4, 1, 1]
    assert counts(Convolutional(), (13, 13, 1), 10_000) == [1, 1, 1]  # as ever

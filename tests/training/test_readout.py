"""Heads on frozen codes: one step by hand, what they learn, and that they do not disturb each other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from oracles import ALGEBRA, STANDARD_ERRORS
from ratewarp.likelihoods import BernoulliMean
from ratewarp.networks import Convolutional, make_head
from ratewarp.sources import Pool
from ratewarp.training.coder import Coder
from ratewarp.training.loop import draw_places
from ratewarp.training.readout import Codes, Reader, ReadoutPlan, draw_codes, predict, train_heads
from ratewarp.training.recipes import Principled, Published

STIMULI, EACH = 6, 40
CODES = (
    jax.random.normal(jax.random.key(7), (2, STIMULI, EACH, 3)) * 0.3
    + jnp.arange(STIMULI)[None, :, None, None]
)
LABELS = (np.arange(STIMULI) >= 3).astype(int)


def _reader(
    seed: int, model: int, labels=LABELS, steps: int = 40, rate: float = 0.01, recipe=Principled
) -> Reader:
    return Reader(
        key=jax.random.key(seed),
        model=jnp.int32(model),
        targets=recipe(learning_rate=rate, steps=steps).targets(1.0),
        images_below=jnp.cumsum(jnp.full(STIMULI, EACH)),
        labels=jnp.array(labels, jnp.int32),
    )


def _stack(*readers: Reader) -> Reader:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *readers)


def _flat(codes) -> Codes:
    """Codes by stimulus as those of images one after the other."""
    offsets = EACH * jnp.arange(STIMULI, dtype=jnp.int32)
    counts = jnp.full(STIMULI, EACH, jnp.int32)
    return Codes(codes.reshape(len(codes), -1, codes.shape[-1]), offsets, counts)


def _trained(plan, readers, codes=CODES):
    *_, (_, heads) = train_heads(plan, readers, _flat(codes))
    return heads


@pytest.mark.parametrize(
    ("recipe", "classes"), [(Principled(batch_size=16), 2), (Published(batch_size=16, steps_per_epoch=2), 3)]
)
def test_steps_equal_adam_written_out(recipe, classes):
    labels = np.arange(STIMULI) % classes
    reader = _reader(1, 1, labels, steps=3, recipe=type(recipe))
    head = make_head(3, classes, key=jax.random.fold_in(reader.key, 0))
    published = isinstance(recipe, Published)
    if published:
        adam = optax.adam(lambda step: 0.01 * 0.9 ** (step // 2))
    else:  # the warm-up begins at 0, however short
        adam = optax.adam(lambda step: 0.01 * (step > 0) * 0.5 * (1 + jnp.cos(jnp.pi * step / 3)), b2=0.99)

    def loss(head, stimuli, places, key):
        logits = head(CODES[1][stimuli, places], key=key)
        if published and classes > 2:
            logits = jax.nn.softmax(logits)
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(16), jnp.array(labels)[stimuli]])

    @jax.jit
    def advance(head, moments, step):
        keys = [jax.random.fold_in(jax.random.fold_in(reader.key, stream), step) for stream in (1, 2)]
        stimuli, places = draw_places(reader.images_below, 16, key=keys[0])
        updates, moments = adam.update(jax.grad(loss)(head, stimuli, places, keys[1]), moments, head)
        return optax.apply_updates(head, updates), moments

    moments = adam.init(head)
    for step in range(3):
        head, moments = advance(head, moments, step)
    ours = _trained(ReadoutPlan(3, classes, recipe), _stack(reader))
    for mine, theirs in zip(jax.tree.leaves(ours), jax.tree.leaves(head), strict=True):
        np.testing.assert_allclose(mine[0], theirs, atol=ALGEBRA)


def test_heads_learn_what_the_codes_tell():
    plan = ReadoutPlan(3, 2, Principled(batch_size=32))
    shuffled = jnp.zeros_like(CODES).at[1].set(CODES[1])  # the first model's codes say nothing
    readers = _stack(*(_reader(seed, model, steps=400) for seed, model in ((1, 0), (2, 1))))
    said = predict(_trained(plan, readers, shuffled), readers.model, _flat(shuffled).codes)
    right = (np.asarray(said) == np.repeat(LABELS, EACH)).mean(axis=1)
    assert right[0] == pytest.approx(0.5)
    assert right[1] > 0.97


def test_a_head_does_not_depend_on_those_trained_with_it():
    plan = ReadoutPlan(3, 2, Published(batch_size=16))
    first, second, third = (
        _reader(*own, steps=n, recipe=Published)
        for *own, n in ((1, 0, 40), (2, 1, 1 - LABELS, 40), (3, 1, 25))
    )
    together = _trained(plan, _stack(first, second, third))
    for index, reader in enumerate((first, second, third)):
        alone = _trained(plan, _stack(reader))
        for mine, theirs in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            np.testing.assert_array_equal(mine[0], theirs[index])


def test_more_steps_of_others_do_not_train_a_head_that_is_done():
    plan = ReadoutPlan(3, 2, Published(batch_size=16))
    heads = [
        jax.device_get(head)
        for _, head in train_heads(
            plan,
            _stack(*(_reader(seed, 0, steps=n, recipe=Published) for seed, n in ((1, 30), (2, 700)))),
            _flat(CODES),
        )
    ]
    assert len(heads) == 2
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(*map(jax.tree.leaves, heads), strict=True))
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(*map(jax.tree.leaves, heads), strict=True))


def test_drawn_codes_follow_the_posterior_and_repeat():
    config = Convolutional.model_validate({"latents": 2, "convolutions": [{"filters": 3}, {"filters": 3}]})
    coder = Coder(config, BernoulliMean(), (5, 5, 1), "binary")
    networks = [config.build((5, 5, 1), key=jax.random.key(seed)) for seed in (0, 1)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)
    pictures = (jax.random.uniform(jax.random.key(3), (2, 5, 5, 1)) > 0.5).astype(jnp.uint8)
    counts = np.array([5000, 3000])
    pool = Pool(jnp.repeat(pictures, counts, axis=0, total_repeat_length=8000), jnp.array([0, 5000]))
    keys = jnp.stack([jax.random.key(seed) for seed in (4, 5)])
    found = draw_codes(coder, stacked, keys, pool, counts)
    assert found.offsets.tolist() == [0, 5000]
    for index, network in enumerate(networks):
        mean, log_variance = network.encode(pictures.astype(jnp.float32))
        spread = np.exp(np.asarray(log_variance) / 2)
        for stimulus, own in enumerate(np.split(np.asarray(found.codes[index]), [5000])):
            assert np.all(
                np.abs(own.mean(axis=0) - mean[stimulus])
                < STANDARD_ERRORS * spread[stimulus] / np.sqrt(len(own))
            )
            assert np.all(
                np.abs(own.std(axis=0) - spread[stimulus])
                < STANDARD_ERRORS * spread[stimulus] / np.sqrt(2 * len(own))
            )
    np.testing.assert_array_equal(found.codes, draw_codes(coder, stacked, keys, pool, counts).codes)

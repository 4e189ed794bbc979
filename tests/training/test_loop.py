from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from conftest import TINY_NETWORK
from oracles import ALGEBRA, STANDARD_ERRORS
from ratewarp.likelihoods import BernoulliMean
from ratewarp.networks import Convolutional, sample_codes
from ratewarp.sources import Corridors, draw_pool, frequency, image_counts, task
from ratewarp.training.coder import Coder
from ratewarp.training.evaluation import evaluate
from ratewarp.training.loop import Member, Plan, _advance, draw_places, train
from ratewarp.training.recipes import Principled, Published

SOURCE = Corridors()
POOL = draw_pool(SOURCE, np.full(169, 8), key=jax.random.key(0))
NETWORK = Convolutional(**TINY_NETWORK)


def _coder(network=NETWORK):
    return Coder(network, BernoulliMean(), SOURCE.image_shape, SOURCE.pixels)


def _images(each, key):
    return draw_pool(SOURCE, np.full(169, each), key=key).images.reshape(169, each, 13, 13, 1)


def _plan(classes=(), recipe=Principled, network=NETWORK):
    return Plan(_coder(network), classes, recipe(batch_size=16))


SLOTS = 4  # every other number of members is another program


def _members(seeds, capacities, tasks=(), names=None, *, steps, slots=SLOTS, recipe=Principled):
    """Members, the last of them again and again until all slots are filled."""
    spare = slots - len(seeds)
    filled = [
        list(column) + [column[-1]] * spare
        for column in (
            seeds,
            capacities,
            names or ["uniform"] * len(seeds),
            np.broadcast_to(steps, len(seeds)),
        )
    ]
    counts = [image_counts(frequency(name, SOURCE), 500) for name in filled[2]]
    labels = np.array([task(t, SOURCE).labels for t in tasks]).reshape(len(tasks), 169)
    targets = [
        recipe(learning_rate=1.5e-3, steps=own).targets(capacity)
        for capacity, own in zip(filled[1], filled[3], strict=True)
    ]
    return Member(
        key=jnp.stack([jax.random.key(int(seed)) for seed in filled[0]]),
        targets=jax.tree.map(lambda *own: jnp.stack(own), *targets),
        images_below=jnp.array(np.cumsum(counts, axis=1), jnp.int32),
        labels=jnp.array(np.tile(labels, (slots, 1, 1)), jnp.int32),
    )


def _run(plan, members):
    chunks = list(train(plan, members, POOL))
    _, state, _ = chunks[-1]
    reports = [report for _, _, report in chunks]
    return state, jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *reports)


def _member(tree, index):
    return [np.asarray(leaf[index]) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("recipe", [Principled, Published])
def test_members_do_not_depend_on_their_batch(recipe):
    plan = _plan(classes=(2, 25), recipe=recipe)
    tasks = ("E2M1", "E2M4")
    together, history = _run(
        plan, _members([3, 4, 5], [0.3, 1, 2], tasks, ["uniform", "E1M1", "E1M2"], steps=12, recipe=recipe)
    )
    others, other_history = _run(
        plan, _members([4, 8, 9], [1, 5, 0.1], tasks, ["E1M1", "uniform", "E1M1"], steps=12, recipe=recipe)
    )
    assert all(
        np.array_equal(a, b)
        for a, b in zip(_member(together.model, 1), _member(others.model, 0), strict=True)
    )
    assert all(np.array_equal(a[1], b[0]) for a, b in zip(history, other_history, strict=True))


@pytest.mark.parametrize("recipe", [Principled, Published])
def test_members_with_their_own_numbers_of_steps_are_as_if_all_had_them(recipe):
    """Also across the end of a piece of training: 12 and 110 steps beside 130."""
    plan, steps = _plan(recipe=recipe), [12, 130, 110]
    together, history = _run(plan, _members([3, 4, 5], [0.3, 1, 2], steps=steps, recipe=recipe))
    for index, own in enumerate(steps):
        alike, own_history = _run(plan, _members([3, 4, 5], [0.3, 1, 2], steps=own, recipe=recipe))
        assert all(
            np.array_equal(a, b) for a, b in zip(_member(together, index), _member(alike, index), strict=True)
        )
        assert all(
            np.array_equal(a[index, :own], b[index]) for a, b in zip(history, own_history, strict=True)
        )
        assert not any(np.any(a[index, own:]) for a in history)


def test_training_goes_on_from_any_piece_as_if_it_had_not_stopped():
    plan, members = (
        _plan(classes=(2, 25)),
        _members([3, 4, 5], [0.3, 1, 1], ("E2M1", "E2M4"), steps=[250, 210, 250]),
    )
    pieces = [(step, jax.device_get(state)) for step, state, _ in train(plan, members, POOL)]
    for step, state in pieces[:-1]:
        *_, (_, resumed, _) = train(plan, members, POOL, (step, jax.tree.map(jnp.asarray, state)))
        assert all(
            np.array_equal(a, b)
            for a, b in zip(jax.tree.leaves(resumed), jax.tree.leaves(pieces[-1][1]), strict=True)
        )


def test_equal_seeds_give_equal_models_and_others_do_not():
    state, _ = _run(_plan(), _members([1, 1, 2], [1, 1, 1], steps=3))
    assert all(
        np.array_equal(a, b) for a, b in zip(_member(state.model, 0), _member(state.model, 1), strict=True)
    )
    assert not all(
        np.array_equal(a, b) for a, b in zip(_member(state.model, 0), _member(state.model, 2), strict=True)
    )


def test_a_second_call_does_not_compile_again():
    plan = _plan()
    _run(plan, _members([1, 2, 3], [0.3, 1, 1], steps=150))
    before = _advance._cache_size()
    _run(plan, _members([7, 8, 9], [2, 3, 4], names=["E1M1", "E1M2", "uniform"], steps=[130, 160, 10]))
    assert _advance._cache_size() == before


def test_report_covers_every_step_once():
    steps = []
    for done, _, report in train(_plan(), _members([0, 1, 2], [1, 1, 1], steps=230), POOL):
        steps.append((done, report.rate.shape[1]))
    assert steps == [(100, 100), (200, 100), (230, 30)]


def test_one_step_equals_adam_written_out():
    """The compiled step against the same loss differentiated and applied by optax outside it."""
    plan = _plan(
        classes=(2,),
        network=Convolutional(latents=2, convolutions=({"filters": 4, "kernel": 4}, {"filters": 4})),
    )
    members = _members([5], [1], ("E2M1",), steps=10, slots=1)
    member = jax.tree.map(lambda leaf: leaf[0], members)
    objective = plan.objective
    from ratewarp.training import loop as training

    state = training._start(plan, members)
    model = jax.tree.map(lambda leaf: leaf[0], state.model)
    optimizer = optax.adam(lambda step: objective.learning_rate(member.targets, step), b2=0.99)
    moments, control = optimizer.init(model), objective.init(member.targets)

    def loss(model, control, step, keys, stimuli, batch):
        mean, log_variance = model.networks.encode(batch)
        codes = sample_codes(mean, log_variance, key=keys[1])
        error = jnp.mean((jax.nn.sigmoid(model.networks.decode(codes)) - batch) ** 2)
        rate = jnp.mean(jnp.sum(0.5 * (mean**2 + jnp.exp(log_variance) - log_variance - 1), axis=1))
        probability = jax.nn.softmax(model.heads[0](codes, key=keys[2]))
        entropy = -jnp.mean(jnp.log(probability[jnp.arange(16), member.labels[0, stimuli]]))
        terms = training.Terms(error, rate, entropy[None])
        return objective.loss(terms, control, member.targets, step), terms

    differentiate = jax.jit(jax.grad(loss, has_aux=True))
    for step in range(2):
        keys = [jax.random.fold_in(jax.random.fold_in(member.key, stream), step) for stream in (1, 2, 3)]
        stimuli, places = draw_places(member.images_below, 16, key=keys[0])
        batch = POOL.images[8 * stimuli + places].astype(jnp.float32)
        gradient, terms = differentiate(model, control, jnp.int32(step), keys, stimuli, batch)
        updates, moments = optimizer.update(gradient, moments)
        model = optax.apply_updates(model, updates)
        control = objective.update(control, terms, member.targets, jnp.int32(step))
    advanced, _ = training._advance(plan, 10, state, members, (), POOL, jnp.int32(0), jnp.int32(2))
    for ours, theirs in zip(_member(advanced.model, 0), jax.tree.leaves(model), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=ALGEBRA)


def test_batches_follow_the_frequency():
    counts = np.arange(169) % 7  # some stimuli have no images
    member = jax.tree.map(lambda leaf: leaf[0], _members([0], [1], steps=1))._replace(
        images_below=jnp.array(np.cumsum(counts), jnp.int32)
    )
    n = 200_000
    stimuli, places = draw_places(member.images_below, n, key=jax.random.key(1))
    p = counts / counts.sum()
    share = np.bincount(np.asarray(stimuli), minlength=169) / n
    assert np.all(np.abs(share - p) <= STANDARD_ERRORS * np.sqrt(p * (1 - p) / n))
    picked = np.asarray(places)
    assert np.all(picked < counts[np.asarray(stimuli)])  # only the images the member has
    assert np.all(np.bincount(picked[np.asarray(stimuli) == 6], minlength=6) > 0)


def test_narrow_products_change_training_a_little():
    members = _members([0, 1, 2], [1, 1, 1], steps=20)
    runs = [
        _run(Plan(_coder(), (), Principled(batch_size=16, precision=p)), members)
        for p in ("float32", "bfloat16")
    ]
    fine, rough = (np.asarray(history.distortion) for _, history in runs)
    assert not np.array_equal(fine, rough)
    np.testing.assert_allclose(fine, rough, rtol=0.05)


def test_training_meets_a_capacity():
    """A small network trained briefly: the rate reaches its target and the distortion falls with it."""
    capacities = [0.3, 1, 2]
    members = _members([0, 0, 0], capacities, steps=600)
    state, history = _run(_plan(), members)
    last = np.asarray(history.rate)[:3, -100:].mean(axis=1)
    np.testing.assert_allclose(last, capacities, rtol=0.1)
    held_out = _images(4, jax.random.key(9))
    scores = evaluate(
        _coder(), state.model, members, held_out, jnp.asarray(SOURCE.mean_images(), jnp.float32)
    )
    np.testing.assert_allclose(np.asarray(scores.rate)[:3].mean(axis=(1, 2)), capacities, rtol=0.15)
    distortions = np.asarray(scores.distortion).mean(axis=(1, 2))
    assert distortions[2] < distortions[1] < distortions[0] < 0.2


def test_evaluation_against_the_networks_called_one_by_one():
    tasks = ("E2M1", "E2M4")
    plan, members = _plan(classes=(2, 25)), _members([3, 4, 5], [1, 1, 1], tasks, steps=5)
    state, _ = _run(plan, members)
    held_out = _images(3, jax.random.key(4))
    means = SOURCE.mean_images().astype(np.float32)
    scores = jax.tree.map(
        lambda leaf: np.asarray(leaf[0]),
        evaluate(_coder(), state.model, members, held_out, jnp.asarray(means)),
    )
    model = jax.tree.map(lambda leaf: leaf[0], state.model)
    encode, decode = eqx.filter_jit(model.networks.encode), eqx.filter_jit(model.networks.decode)
    for stimulus in (0, 77, 168):
        batch = held_out[stimulus].astype(jnp.float32)
        mean, log_variance = encode(batch)
        key = jax.random.fold_in(jax.random.fold_in(members.key[0], 4), stimulus)
        codes = sample_codes(mean, log_variance, key=key)
        decoded = np.asarray(jax.nn.sigmoid(decode(codes)))
        np.testing.assert_allclose(scores.codes[stimulus], mean, atol=ALGEBRA)
        np.testing.assert_allclose(scores.variances[stimulus], np.exp(log_variance), atol=ALGEBRA)
        np.testing.assert_allclose(
            scores.distortion[stimulus],
            ((decoded - np.asarray(batch)) ** 2).mean(axis=(1, 2, 3)),
            atol=ALGEBRA,
        )
        np.testing.assert_allclose(
            scores.semantic_distortion[stimulus],
            ((decoded - means[stimulus]) ** 2).mean(axis=(1, 2, 3)),
            atol=ALGEBRA,
        )
        np.testing.assert_allclose(
            scores.reconstructions[stimulus], jax.nn.sigmoid(decode(mean)[0]), atol=ALGEBRA
        )
        np.testing.assert_array_equal(
            scores.predictions[stimulus], [np.argmax(h(codes, key=None), axis=1) for h in model.heads]
        )

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from oracles import ALGEBRA
from ratewarp.training.recipes import Plain, Principled, Published, Terms
from ratewarp.training.recipes.objective import cross_entropy
from ratewarp.training.recipes.published import PRESSURE_UNIT
from ratewarp.training.recipes.schedules import (
    counter_with_validation,
    published_capacity,
    ramp,
    staircase,
    warm_cosine,
)


def test_schedules_at_their_corners():
    assert [float(ramp(s, 2500, 5000)) for s in (0, 2500, 3750, 5000, 9000)] == [0, 0, 0.5, 1, 1]
    corners = [float(published_capacity(s, 10.0, 2500, 1500)) for s in (0, 1499, 1500, 2499, 2500, 7972)]
    np.testing.assert_allclose(corners, [0, 10 * 1499 / 2500 / 4, 6, 9.996, 10, 10], rtol=1e-6)
    assert float(published_capacity(1000, 10.0, 2500, 0)) == pytest.approx(4.0)  # the quirk turned off
    np.testing.assert_allclose(
        [float(staircase(s, 0.9, 1329)) for s in (0, 1328, 1329, 7972)], [1, 1, 0.9, 0.9**5], rtol=1e-6
    )
    np.testing.assert_allclose(
        [float(warm_cosine(s, 2000, 100)) for s in (0, 50, 100, 1050, 2000)], [0, 0.5, 1, 0.5, 0], atol=1e-6
    )
    assert [int(counter_with_validation(s, 1329, 469)) for s in (0, 1328, 1329, 7972)] == [
        0,
        1328,
        1798,
        7972 + 5 * 469,
    ]
    assert int(counter_with_validation(5000, 1329, 0)) == 5000


def test_schedules_take_all_steps_at_once():
    steps = jnp.arange(3000)
    together = published_capacity(steps, 6.0, 2500, 1500)
    np.testing.assert_allclose(
        together[::500], [float(published_capacity(int(s), 6.0, 2500, 1500)) for s in steps[::500]], rtol=1e-6
    )


@pytest.mark.parametrize("steps", [1, 19, 30, 250, 2500, 5000, 7974])
def test_schedules_with_steps_that_vary_equal_those_with_steps_that_do_not(steps):
    """The principled schedules, whose corners are shares of a member's steps, against their formulas in
    double precision.
    """
    recipe, at = Principled(), np.arange(steps)
    objective = recipe.objective((2,))
    targets = _targets(Principled, 2.0, task_weight=3.0, steps=steps)

    def linear(start, stop):
        return np.clip((at - start) / max(stop - start, 1e-9), 0, 1)

    warm = steps // 20
    rates = targets.learning_rate * linear(0, warm) * 0.5 * (1 + np.cos(np.pi * linear(warm, steps)))
    ours = jax.vmap(lambda step: objective.learning_rate(targets, step))(jnp.arange(steps))
    np.testing.assert_allclose(ours, rates, atol=ALGEBRA * 1e-3)
    control = objective.init(targets)
    losses = jax.vmap(lambda step: objective.loss(_terms(0.0, 2.0, (0.5,)), control, targets, step))(
        jnp.arange(steps)
    )
    error = 2 - 2 * linear(0, 0.2 * steps)
    pressure = recipe.multiplier_start * (error + recipe.multiplier_gain * error**2 / 4)
    np.testing.assert_allclose(losses, 1.5 * linear(0.2 * steps, 0.4 * steps) + pressure, atol=ALGEBRA)


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("double", [False, True])
def test_cross_entropy(classes, double):
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(9, classes)).astype(np.float32) * 3, rng.integers(0, classes, 9)
    inner = softmax(logits, axis=1) if double and classes > 2 else logits
    expected = -np.mean(log_softmax(inner, axis=1)[np.arange(9), labels])
    np.testing.assert_allclose(
        cross_entropy(jnp.asarray(logits), jnp.asarray(labels), double_softmax=double), expected, atol=ALGEBRA
    )


def _targets(recipe, capacity, **changes):
    return recipe(**{"learning_rate": 1e-3, "steps": 1000, **changes}).targets(capacity)


def _terms(distortion, rate, tasks=()):
    return Terms(jnp.float32(distortion), jnp.atleast_1d(jnp.float32(rate)), jnp.array(tasks, jnp.float32))


def test_published_loss_by_hand():
    objective = Published().objective((2, 25))
    targets = _targets(Published, 6.0, pressure=1000.0)
    control = objective.init(targets)
    late = float(objective.loss(_terms(0.1, 6.5, (0.4, 3.0)), control, targets, jnp.int32(7000)))
    assert late == pytest.approx(0.1 + 1000 * PRESSURE_UNIT * 0.5 + 0.4 + 10 * 3.0, rel=1e-5)
    early = float(objective.loss(_terms(0.1, 0.5, (0.4, 3.0)), control, targets, jnp.int32(1000)))
    # no task term yet, a quarter of the ramp
    assert early == pytest.approx(0.1 + 0.3 * abs(0.5 - 6 * 1000 / 2500 / 4), rel=1e-5)
    assert float(objective.learning_rate(targets, jnp.int32(1329))) == pytest.approx(0.9e-3)


def test_each_process_has_a_pressure_on_its_own_rate():
    """Two halves of a batch, one above the target and one below, are both off, though the batch as a whole is
    on it.
    """
    objective = Published().objective(())
    targets, step = _targets(Published, 6.0, pressure=1000.0), jnp.int32(7000)
    control = objective.init(targets)
    halves = Terms(jnp.float32(0), jnp.array([5.5, 6.5]), jnp.zeros(0))
    assert float(halves.rate) == 6
    assert float(objective.loss(halves, control, targets, step)) == pytest.approx(1000 * PRESSURE_UNIT * 0.5)
    # the slopes of the two halves cancel
    assert float(objective.update(control, halves, targets, step).multiplier) == 0
    assert float(objective.loss(_terms(0.0, 6.0), control, targets, step)) == pytest.approx(0, abs=ALGEBRA)


def test_the_task_weight_is_a_quarter_of_its_ramp_at_first():
    """As the publication's models of one task were trained: from 0 over 2,500 steps, a quarter before step
    1,500.
    """
    objective = Published(task_ramp_steps=(0, 2500), validation_batches=0, many_class_weight=1).objective(
        (25,)
    )
    targets = _targets(Published, 6.0)
    control = objective.init(targets)
    losses = {}
    for step in (1000, 1500, 2000, 3000):
        on_target = 6 * min(step / 2500, 1) * (0.25 if step < 1500 else 1)
        losses[step] = float(
            objective.loss(_terms(0.0, on_target, (2.0,)), control, targets, jnp.int32(step))
        )
    np.testing.assert_allclose(list(losses.values()), [2 * 0.4 / 4, 2 * 0.6, 2 * 0.8, 2], atol=ALGEBRA)


def test_published_counter_runs_ahead_after_an_epoch():
    targets, terms = _targets(Published, 6.0), _terms(0.0, 0.0, (1.0,))
    with_quirk, without = (Published(validation_batches=v).objective((2,)) for v in (469, 0))
    step = jnp.int32(3000)  # counter 3,938 after two epochs
    weights = [
        float(o.loss(terms, o.init(targets), targets, step)) - 300 * PRESSURE_UNIT * 6
        for o in (with_quirk, without)
    ]
    np.testing.assert_allclose(weights, [(3938 - 2500) / 2500, 500 / 2500], atol=ALGEBRA)


def test_principled_pressure_is_the_multiplier_at_the_target_and_grows_with_the_error():
    recipe = Principled()
    objective = recipe.objective(())
    targets, step = _targets(Principled, 2.0), jnp.int32(900)
    control = objective.init(targets)
    slope = jax.grad(
        lambda rate: objective.loss(Terms(jnp.float32(0), rate[None], jnp.zeros(0)), control, targets, step)
    )
    assert float(slope(jnp.float32(2.0))) == pytest.approx(recipe.multiplier_start)
    assert float(slope(jnp.float32(2.2))) == pytest.approx(
        recipe.multiplier_start * (1 + recipe.multiplier_gain * 0.1), rel=1e-4
    )
    above, below = (
        float(objective.update(control, _terms(0.0, r), targets, step).multiplier) for r in (2.2, 1.8)
    )
    assert above == pytest.approx(recipe.multiplier_start * np.exp(0.1 * recipe.multiplier_speed), rel=1e-5)
    assert above * below == pytest.approx(recipe.multiplier_start**2, rel=1e-5)


def test_principled_task_weight_ramps():
    objective = Principled(task_ramp=(0.2, 0.4)).objective((2,))
    targets = _targets(Principled, 1.0, task_weight=3.0)
    control = objective.init(targets)
    rates = {100: 0.5, 300: 1.0, 900: 1.0}  # on target, so that only the task term is left
    losses = [
        float(objective.loss(_terms(0.0, r, (0.5,)), control, targets, jnp.int32(s)))
        for s, r in rates.items()
    ]
    np.testing.assert_allclose(losses, [0, 0.75, 1.5], atol=ALGEBRA)


def test_plain_loss_by_hand():
    targets = _targets(Plain, None, beta=0.02, task_weight=3.0)
    constant, falling = (Plain(beta_schedule=table).objective((2,)) for table in ({}, {0.1: 10, 0.5: 1}))
    terms = _terms(0.1, 4.0, (0.5,))
    for objective, factor in ((constant, 1), (falling, 10 - 9 * (0.3 - 0.1) / 0.4)):
        step = jnp.int32(300)  # of 1000; the task weight is at half of its ramp
        control = objective.update(objective.init(targets), terms, targets, step)
        assert float(objective.loss(terms, control, targets, step)) == pytest.approx(
            0.1 + 3 * 0.5 * 0.5 + factor * 0.02 * 4, rel=1e-5
        )
        assert float(control.multiplier) == pytest.approx(factor * 0.02, rel=1e-5)
    assert [
        float(falling.init(targets).multiplier),
        float(constant.init(targets).multiplier),
    ] == pytest.approx([0.2, 0.02])

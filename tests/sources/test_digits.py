"""Handwritten digits, against the data set itself and a slow choice of what is held out."""

from __future__ import annotations

from hashlib import sha256

import jax
import numpy as np
import pytest
from sklearn.datasets import load_digits

from ratewarp.sources import Digits, factor_numbers, factors_of, frequency, task
from ratewarp.sources import digits as module

WORLD, DATA = Digits(), load_digits()
EVERY = np.arange(1797)


def test_images_are_those_of_the_data_set_in_8_bits():
    stored = WORLD.stored
    assert stored is not None
    images = stored.read(EVERY)
    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.uint8
    expected = np.floor(DATA.images * 255 / 16 + 0.5)
    np.testing.assert_array_equal(images[..., 0], expected)
    np.testing.assert_array_equal(stored.read(np.array([5, 3, 5])), images[[5, 3, 5]])
    np.testing.assert_array_equal(WORLD.mean_images(), images / 255)
    np.testing.assert_array_equal(WORLD.mean_images(np.array([7, 7])), images[[7, 7]] / 255)


def test_a_draw_is_the_image_itself():
    keys = jax.random.split(jax.random.key(0), 3)
    drawn = WORLD.sample(np.array([4, 0, 4]), keys=keys)
    np.testing.assert_array_equal(drawn, WORLD.stored.read(np.array([4, 0, 4])))


def test_the_factor_says_what_an_image_shows():
    np.testing.assert_array_equal(WORLD.stimuli[:, 0], DATA.target)
    np.testing.assert_array_equal(factors_of(WORLD)["digit"], DATA.target)
    np.testing.assert_array_equal(factor_numbers(WORLD)[:, 0], DATA.target)
    assert WORLD.stimuli.base is WORLD.stimuli.base
    assert WORLD.factors[0].kind == "categorical"


def test_named_tasks_frequencies_and_expressions():
    np.testing.assert_array_equal(task("odd", WORLD).labels, DATA.target % 2)
    np.testing.assert_array_equal(task("ten", WORLD).labels, DATA.target)
    np.testing.assert_array_equal(task("own", WORLD, expression="digit % 3").labels, DATA.target % 3)
    p = frequency("skewed", WORLD)
    assert p[DATA.target == 1].min() == pytest.approx(5 * p[DATA.target != 1].max())


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_held_out_are_the_first_by_hash_of_every_digit(share):
    images = WORLD.stored.read(EVERY)
    expected = []
    for digit in range(10):
        own = [place for place in range(1797) if DATA.target[place] == digit]
        own.sort(key=lambda place: sha256(images[place].tobytes()).hexdigest())
        expected += own[: round(share * len(own))]
    held = Digits(held_out=share).stored.held_out
    assert held.tolist() == sorted(expected)


def test_a_fifth_of_every_digit_is_held_out():
    held = WORLD.stored.held_out
    assert np.all(np.diff(held) > 0)
    shares = np.bincount(DATA.target[held]) / np.bincount(DATA.target)
    assert np.abs(shares - 0.2).max() < 0.003


def test_equal_images_are_on_one_side(monkeypatch):
    images, digits = module._digits()
    copies = np.concatenate([images, images[:300], images[:300]])
    of = np.concatenate([digits, digits[:300], digits[:300]])
    monkeypatch.setattr(module, "_digits", lambda: module._Images(copies, of))
    held = np.isin(np.arange(len(copies)), module._held_out.__wrapped__(0.2))
    assert 0 < held[:300].sum() < 300
    np.testing.assert_array_equal(held[:300], held[1797:2097])
    np.testing.assert_array_equal(held[:300], held[2097:])
    assert held.mean() == pytest.approx(0.2, abs=0.01)


def test_worlds_that_hold_out_other_images_are_told_apart():
    assert Digits(held_out=0.3).digest != WORLD.digest
    assert Digits().digest == WORLD.digest
    assert set(Digits(held_out=0.3).stored.held_out) > set(WORLD.stored.held_out)


@pytest.mark.parametrize("share", [0, 0.95, np.nan, "half"])
def test_shares_that_cannot_be_are_refused(share):
    with pytest.raises(ValueError, match="held_out"):
        Digits(held_out=share)
